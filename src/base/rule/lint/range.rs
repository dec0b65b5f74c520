//! What values a series can have, and which series is never more than another.

use super::interval::Interval;
use crate::base::model::StoryState;
use crate::base::rule::expr::{Compare, Field, Measure, Operand, Selector, SeriesSpec, View};
use crate::base::time::Span;

/// Most selectors of one series that are held against each other.
const PAIRED: usize = 32;

/// The values a series can have where it is known; none if it never is.
pub(super) fn of(s: &SeriesSpec) -> Interval {
    match s.view {
        View::Value => {}
        View::Usual if s.measure == Measure::NegativeShare => return negative_share(&s.selectors),
        _ => return Interval::COUNT,
    }
    let empty = impossible(&s.selectors);
    match s.measure {
        Measure::NegativeShare | Measure::KnownShare if empty => Interval::NONE,
        Measure::NegativeShare => negative_share(&s.selectors),
        Measure::KnownShare if s.selectors.iter().any(|x| x.field == Field::Followers) => Interval::point(1.0),
        Measure::KnownShare | Measure::RootNegativity => Interval::SHARE,
        Measure::StoryState => {
            let ends = StoryState::ALL.map(StoryState::value);
            Interval::between(ends[0], ends[ends.len() - 1])
        }
        Measure::LargestVoice if empty => Interval::point(0.0),
        Measure::LargestVoice => Interval { high: followers(&s.selectors).high, ..Interval::COUNT },
        m if m.is_mass() && empty => Interval::point(0.0),
        m if m.is_mass() => Interval::COUNT,
        Measure::HostileTexts | Measure::OtherTexts | Measure::BrandUsual => Interval::COUNT,
        Measure::StoryAge | Measure::ResponseTime | Measure::Silence => Interval::COUNT,
        // what is not known here can be anything
        _ => Interval::ALL,
    }
}

/// Whether a series can be unknown.
pub(super) fn may_be_unknown(s: &SeriesSpec) -> bool {
    let m = s.measure;
    let counts = m.is_mass() || matches!(m, Measure::LargestVoice | Measure::Lead | Measure::HostileTexts);
    let known = counts || matches!(m, Measure::OtherTexts | Measure::StoryAge | Measure::BrandUsual);
    !known || s.view != View::Value || s.offset > Span::ZERO
}

fn negative_share(selectors: &[Selector]) -> Interval {
    let only = |tone: &str| is(selectors, Field::Tone, tone);
    if only("negative") {
        Interval::point(1.0)
    } else if only("unknown") {
        Interval::NONE
    } else if only("neutral") || only("positive") || is_not(selectors, Field::Tone, "negative") {
        Interval::point(0.0)
    } else {
        Interval::SHARE
    }
}

fn text(s: &Selector) -> Option<&str> {
    if let Operand::Text(t) = &s.value { Some(t) } else { None }
}

fn is(selectors: &[Selector], field: Field, value: &str) -> bool {
    selectors.iter().any(|s| s.field == field && s.op == Compare::Equal && text(s) == Some(value))
}

fn is_not(selectors: &[Selector], field: Field, value: &str) -> bool {
    selectors.iter().any(|s| s.field == field && s.op == Compare::Unequal && text(s) == Some(value))
}

/// The followers that pass.
fn followers(selectors: &[Selector]) -> Interval {
    let mut out = Interval::COUNT;
    for s in selectors.iter().filter(|s| s.field == Field::Followers) {
        if let Operand::Number(n) = s.value {
            // whole numbers: less than 5 is 4 at most
            out = out.meet(match s.op {
                Compare::Less => Interval::point(n as f64 - 1.0).side(Compare::AtMost),
                Compare::More => Interval::point(n as f64 + 1.0).side(Compare::AtLeast),
                Compare::Unequal => Interval::ALL.without(n as f64),
                op => Interval::point(n as f64).side(op),
            });
        }
    }
    out
}

/// Whether no post passes all selectors.
pub(super) fn impossible(selectors: &[Selector]) -> bool {
    // a post has one of each of these
    let single = |f: Field| matches!(f, Field::Tone | Field::Kind | Field::Source | Field::Lang);
    let clash = |a: &Selector, b: &Selector| {
        let opposite = matches!((a.op, b.op), (Compare::Equal, Compare::Unequal) | (Compare::Unequal, Compare::Equal));
        let both = a.op == Compare::Equal && b.op == Compare::Equal && single(a.field);
        a.field == b.field && ((opposite && a.value == b.value) || (both && a.value != b.value))
    };
    let few = selectors.get(..PAIRED.min(selectors.len())).unwrap_or(&[]);
    let mut pairs = few.iter().enumerate().flat_map(|(i, a)| few.iter().skip(i + 1).map(move |b| (a, b)));
    followers(selectors).is_empty()
        || pairs.any(|(a, b)| a.field != Field::Followers && clash(a, b))
        || ["negative", "neutral", "positive", "unknown"].iter().all(|t| is_not(selectors, Field::Tone, t))
}

/// Whether the first is never more than the second.
pub(super) fn at_most(a: &SeriesSpec, b: &SeriesSpec) -> bool {
    use Measure::{
        Authors, HostileReach, HostileTexts, Impressions, KnownReach, Langs, LargestVoice, Lead, Mentions, Reach,
        Sources, Stories, Texts,
    };
    if a == b {
        return true;
    }
    if a.view != View::Value || b.view != View::Value || a.offset != b.offset {
        return false;
    }
    if a.measure == Lead && b.measure == HostileTexts {
        return true;
    }
    let grows = |m: Measure| m.is_mass() || m == LargestVoice;
    let part = a.measure == b.measure && grows(a.measure)
        || matches!(
            (a.measure, b.measure),
            (Authors | Texts | Stories | Sources | Langs, Mentions)
                | (HostileReach | KnownReach, Reach | Impressions)
                | (Reach, Impressions)
        );
    // the oldest sixtieth counts whole, so a window a little longer may hold less
    let within = a.window == b.window || (a.offset == Span::ZERO && a.window.0 + a.pane().0 <= b.window.0);
    let of_brand = |s: &&Selector| s.field == Field::Brand;
    part && within
        && a.selectors.iter().filter(of_brand).eq(b.selectors.iter().filter(of_brand))
        && b.selectors.iter().all(|s| a.selectors.binary_search(s).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rule::expr::{Expr, parse_quantity};

    fn series(text: &str) -> SeriesSpec {
        match parse_quantity(text) {
            Ok(Expr::Series(s, _)) => s,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn selectors_narrow_what_a_series_can_be() {
        for (text, low, high) in [
            ("mentions{tone=\"negative\", tone!=\"negative\"}[1h]", 0.0, 0.0),
            ("authors{lang=\"de\", lang=\"en\"}[1h]", 0.0, 0.0),
            ("authors{cause=\"delay\", cause=\"staff\"}[1h]", 0.0, f64::INFINITY),
            ("authors{author=\"a\", author=\"b\"}[1h]", 0.0, f64::INFINITY),
            ("authors{author in lists.a, author not in lists.a}[1h]", 0.0, 0.0),
            ("largest_voice{followers<100}[1h]", 0.0, 99.0),
            ("largest_voice{followers>=10, followers<10}[1h]", 0.0, 0.0),
            ("largest_voice{followers>=10}[1h]", 0.0, f64::INFINITY),
            ("negative_share{tone=\"negative\"}[1h]", 1.0, 1.0),
            ("negative_share{tone!=\"negative\"}[1h]", 0.0, 0.0),
            ("known_share{followers>5}[1h]", 1.0, 1.0),
            ("known_share[1h]", 0.0, 1.0),
            ("usual(negative_share)", 0.0, 1.0),
            ("silence", 0.0, f64::INFINITY),
            ("lead", f64::NEG_INFINITY, f64::INFINITY),
            ("story_state", 0.0, 2.0),
        ] {
            assert_eq!(of(&series(text)), Interval::between(low, high), "{text}");
        }
        assert!(of(&series("negative_share{tone=\"unknown\"}[1h]")).is_empty());
    }

    #[test]
    fn parts_are_at_most_the_whole() {
        for (a, b, expected) in [
            ("authors[1h]", "mentions[1h]", true),
            ("mentions[1h]", "authors[1h]", false),
            ("mentions{tone=\"negative\"}[1h]", "mentions[1h]", true),
            ("mentions[10m]", "mentions[1h]", true),
            ("stories[1h]", "mentions[1h]", true),
            ("tags[1h]", "mentions[1h]", false),
            ("mentions[1h]", "mentions[60m]", true),
            ("mentions[60m]", "mentions[60500ms]", false),
            ("mentions[1h]", "mentions[61m]", true),
            ("mentions[1h]", "mentions[3601s]", false),
            ("hostile_reach[1h]", "reach[1h]", true),
            ("mentions{brand=\"b\", lang=\"de\"}[1h]", "mentions{brand=\"b\"}[1h]", true),
            ("mentions{brand=\"b\"}[1h]", "mentions[1h]", false),
            ("mentions[1h] offset 1d", "mentions[1h]", false),
            ("lead", "hostile_texts", true),
            ("negative_share[10m]", "negative_share[1h]", false),
        ] {
            assert_eq!(at_most(&series(a), &series(b)), expected, "{a} and {b}");
        }
    }
}
