//! What readers of test files share: moments, parts, numbers, rates, weights.

use crate::base::fault::nearest;
use crate::base::figures;
use crate::base::limits;
use crate::base::time::{Span, Time};
use crate::base::yaml::{Data, Node, Reader};

const MOMENT: &str = "write it since the test began: 0s, 90s, 3d, 3d 10m; or as RFC 3339";

/// `3d 10m` as a span; `None` for anything else.
pub(super) fn span(text: &str) -> Option<Span> {
    if text.trim() == "0" {
        return Some(Span::ZERO);
    }
    let mut sum = 0.0;
    for word in text.split_whitespace() {
        sum += figures::seconds(word)?;
    }
    let micros = (sum * 1e6).round();
    let fits = !text.trim().is_empty() && micros >= 0.0 && micros <= limits::TEST_SPAN.0 as f64;
    fits.then_some(Span(micros as i64))
}

/// A span in all its units, as it is written in test files: `3d 10m 20s`.
pub(super) fn told(span: Span) -> String {
    let s = span.0.max(0) / 1_000_000;
    let units = [(s / 86_400, "d"), (s / 3600 % 24, "h"), (s / 60 % 60, "m"), (s % 60, "s")];
    let shown: Vec<String> = units.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if shown.is_empty() { "0s".to_string() } else { shown.join(" ") }
}

/// The same beside another one: to the millisecond where they would look alike.
pub(super) fn told_beside(span: Span, other: Span) -> String {
    let whole = told(span);
    let part = span.0.rem_euclid(1_000_000) / 1000;
    if span == other || told(other) != whole || part == 0 {
        return whole;
    }
    match whole.strip_suffix('s') {
        Some(begin) => format!("{begin}.{part:03}s"),
        None => format!("{whole} 0.{part:03}s"),
    }
}

/// A moment of the test, since its start.
pub(super) fn moment(r: &mut Reader, node: &Node, what: &str, start: Time) -> Option<Span> {
    let text = r.text(node, what)?;
    let absolute = || Time::parse_rfc3339(text).map(|t| t - start).filter(|s| s.0 >= 0 && *s <= limits::TEST_SPAN);
    let found = span(text).or_else(absolute);
    if found.is_none() {
        let long = limits::TEST_SPAN;
        r.fault(node, format!("expected {what} as a moment up to {long} after the start, found {}", node.shown()))
            .hint = Some(MOMENT.into());
    }
    found
}

/// A length of time.
pub(super) fn length(r: &mut Reader, node: &Node, what: &str) -> Option<Span> {
    let text = r.text(node, what)?;
    let found = span(text).filter(|s| s.0 > 0);
    if found.is_none() {
        let long = limits::TEST_SPAN;
        r.fault(node, format!("expected {what} as a duration up to {long}, found {}", node.shown())).hint =
            Some("write 90s, 10m, 1h 30m, 3d".into());
    }
    found
}

/// A number from 0 to `most`.
pub(super) fn number(r: &mut Reader, node: &Node, what: &str, most: f64) -> Option<f64> {
    let found = r.text(node, what).and_then(figures::number).filter(|x| (0.0..=most).contains(x));
    if found.is_none() {
        let most = figures::short(most);
        r.fault(node, format!("expected {what} as a number up to {most}, found {}", node.shown())).hint =
            Some("write 5, 0.4, 300k, 1.5M".into());
    }
    found
}

/// A whole number from 0 to `most`.
pub(super) fn count(r: &mut Reader, node: &Node, what: &str, most: u64) -> Option<u64> {
    let found = r.text(node, what).and_then(figures::number).filter(|x| (0.0..=most as f64).contains(x));
    let whole = found.filter(|x| x.fract() == 0.0).map(|x| x as u64);
    if whole.is_none() {
        r.fault(node, format!("expected {what} as a whole number up to {most}, found {}", node.shown())).hint =
            Some("write 5, 200, 300k".into());
    }
    whole
}

/// A part of a whole, 0..1.
pub(super) fn part(r: &mut Reader, node: &Node, what: &str) -> Option<f64> {
    let found = r.text(node, what).and_then(figures::number).filter(|x| (0.0..=1.0).contains(x));
    if found.is_none() {
        r.fault(node, format!("expected {what} as a part from 0% to 100%, found {}", node.shown())).hint =
            Some("write 20% or 0.2".into());
    }
    found
}

/// Posts a second, of `2/min`, `+20/min`, `5/h`.
pub(super) fn rate(r: &mut Reader, node: &Node) -> Option<f64> {
    let text = r.text(node, "`rate`")?;
    let found = text.trim_start_matches('+').split_once('/').and_then(|(n, unit)| {
        let seconds = match unit.trim() {
            "s" | "sec" | "second" => 1.0,
            "m" | "min" | "minute" => 60.0,
            "h" | "hour" => 3600.0,
            "d" | "day" => 86_400.0,
            _ => return None,
        };
        figures::number(n.trim()).map(|n| n / seconds)
    });
    let found = found.filter(|x| *x > 0.0 && x.is_finite());
    if found.is_none() {
        r.fault(node, format!("expected `rate` as posts in a time, found {}", node.shown())).hint =
            Some("write 2/min, +20/min, 5/h, 300/d".into());
    }
    found
}

/// Names with weights: `en`, `[en, de]`, `{en: 8, de: 2}`.
pub(super) fn weights(r: &mut Reader, node: &Node, what: &str) -> Vec<(String, f64)> {
    let mut out: Vec<(String, f64)> = Vec::new();
    if let Data::Map(pairs) = &node.data {
        for (key, value) in pairs {
            let name = r.text(key, what).map(str::to_string);
            out.extend(name.zip(number(r, value, "a weight", 1e6)));
        }
    } else {
        out.extend(texts(r, node, what).into_iter().map(|name| (name, 1.0)));
    }
    if out.iter().map(|(_, w)| w).sum::<f64>() <= 0.0 {
        r.fault(node, format!("expected {what}, found none")).hint =
            Some("write en, [en, de] or {en: 8, de: 2}".into());
    }
    out
}

/// A list of texts, none of them empty, as many as are allowed.
pub(super) fn texts(r: &mut Reader, node: &Node, what: &str) -> Vec<String> {
    let mut out = Vec::new();
    for item in r.items(node, what) {
        if out.len() >= limits::TEST_ITEMS {
            r.fault(item, format!("expected at most {} of {what}, found more", limits::TEST_ITEMS));
            break;
        }
        match r.text(item, what) {
            Some("") => drop(r.fault(item, format!("expected {what}, found an empty text"))),
            Some(text) => out.push(text.to_string()),
            None => {}
        }
    }
    out
}

/// One of several words.
pub(super) fn word<T: Copy>(r: &mut Reader, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
    let text = r.text(node, what)?;
    let found = words.iter().find(|(w, _)| *w == text).map(|(_, x)| *x);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(w, _)| *w).collect();
        unknown(r, node, what, &names);
    }
    found
}

/// Tells that a name is none of those known.
pub(super) fn unknown(r: &mut Reader, node: &Node, what: &str, known: &[&str]) {
    let hint = match nearest(node_text(node), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there is none here".to_string(),
        None => {
            let more = if known.len() > 12 { ", …" } else { "" };
            format!("one of {}{more}", known.iter().take(12).copied().collect::<Vec<_>>().join(", "))
        }
    };
    r.fault(node, format!("expected {what}, found {}", node.shown())).hint = Some(hint);
}

fn node_text(node: &Node) -> &str {
    if let Data::Scalar(s, _) = &node.data { s } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_several_parts() {
        let s = |text| span(text).map(|s| s.0 / 1_000_000);
        assert_eq!(
            [s("0"), s("0s"), s("90s"), s("3d 10m"), s("1.5h  30s")],
            [Some(0), Some(0), Some(90), Some(259_800), Some(5430)]
        );
        assert_eq!([s(""), s(" "), s("3"), s("3d10m"), s("-3d"), s("500d"), s("1e3d"), s("3d x")], [None; 8]);
    }

    #[test]
    fn spans_are_told_as_they_are_written() {
        for text in ["0s", "3d 10m", "1h 1s", "8d 23h 59m 58s"] {
            assert_eq!(span(text).map(told).as_deref(), Some(text));
        }
        assert_eq!(told(Span(-5)), "0s");
        let hour = Span::seconds(3600);
        let beside = |micros: i64, other| told_beside(Span(hour.0 + micros), other);
        assert_eq!([beside(0, hour), beside(857_000, hour), beside(2_500_000, hour)], ["1h", "1h 0.857s", "1h 2s"]);
        assert_eq!(beside(2_500_000, Span(hour.0 + 2_000_000)), "1h 2.500s");
    }

    #[test]
    fn what_is_no_rate_weight_or_part_is_told() {
        let text = "[2/min, +20/min, 5/h, 86400/d, 2, 2/year, -2/min, 0/min, x/min]";
        let mut r = Reader::new("f", text);
        let tree = r.tree(text).unwrap();
        let Data::Seq(items) = &tree.data else { panic!() };
        let found: Vec<Option<f64>> = items.iter().map(|n| rate(&mut r, n).map(|x| (x * 36e5).round() / 6e4)).collect();
        assert_eq!(found, [Some(2.0), Some(20.0), Some(5000.0 / 60_000.0), Some(60.0), None, None, None, None, None]);
        assert_eq!(r.faults.len(), 5);
        let text = "[{en: 8, de: 2}, en, [a, b], {}, {en: 0}, {en: x}]";
        let mut r = Reader::new("f", text);
        let tree = r.tree(text).unwrap();
        let Data::Seq(items) = &tree.data else { panic!() };
        let found: Vec<usize> = items.iter().map(|n| weights(&mut r, n, "languages").len()).collect();
        assert_eq!((found, r.faults.len()), (vec![2, 1, 2, 0, 1, 0], 4));
    }
}
