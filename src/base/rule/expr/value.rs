//! The grammar of values: numbers, variables, measures with selectors, functions.

use super::lex::{Token, error};
use super::parse::Parser;
use super::{Against, Compare, Expr, ExprError, Field, Form, Measure, Operand, Selector, SeriesSpec, View};
use crate::base::fault::nearest;
use crate::base::limits;
use crate::base::model::{Cause, Level, PostKind, StoryState, Tone};
use crate::base::time::Span;

/// Functions of measures.
pub const FUNCTIONS: [&str; 7] = ["rarity", "lift", "usual", "rate", "change", "ratio", "forecast"];
/// For how long a hashtag can be asked not to have been seen.
pub const TERM_GAPS: [Span; 3] = [Span::seconds(86_400), Span::seconds(7 * 86_400), Span::seconds(30 * 86_400)];

impl Parser<'_> {
    pub(super) fn value(&mut self) -> Result<Expr, ExprError> {
        let at = self.at();
        let Some((_, token)) = self.peek() else {
            return Err(error(at, "expected a measure or a number, found the end", None));
        };
        let token = token.clone();
        self.next += 1;
        let named = if let Token::Word(w) = token { self.lets.get(w) } else { None };
        // each use counts whole: names of names would grow without end
        let size = named.map_or(1, Expr::size);
        self.values += size;
        if self.values > limits::EXPRESSION_VALUES {
            let what = format!("expected at most {} measures and numbers, found more", limits::EXPRESSION_VALUES);
            return Err(error(at, what, Some("split the rule in two")));
        }
        if named.is_some() && !self.lets.spend(size) {
            let (one, all) = (limits::NAMED_VALUES, limits::NAMED_VALUES_OF_ALL);
            let what = format!(
                "expected names of `let` that stand for at most {one} measures and numbers in a rule, {all} in all \
                 rules, found more"
            );
            return Err(error(
                at,
                what,
                Some("each use counts whole, also within `let`; use names of names less often"),
            ));
        }
        match token {
            Token::Number(text, x) | Token::Duration(text, x) => Ok(Expr::Number(text.to_string(), x)),
            Token::Sign("(") => {
                self.deeper()?;
                let inner = self.sequence()?;
                self.require(")", "to close the `(`")?;
                self.depth -= 1;
                Ok(inner)
            }
            Token::Word(w) if named.is_some() => {
                Ok(named.map_or(Expr::Var(w.to_string()), |e| Expr::Named(w.to_string(), Box::new(e.clone()))))
            }
            Token::Word(w) => match variable(w) {
                Some(name) => Ok(Expr::Var(name)),
                None if FUNCTIONS.contains(&w) => self.function(w),
                None if StoryState::named(w).is_some() => {
                    let state = StoryState::named(w).map_or(0.0, StoryState::value);
                    Ok(Expr::Number(w.to_string(), state))
                }
                None => {
                    self.may_be_named(w, at)?;
                    let spec = self.measure(w, at)?;
                    let spec = self.windowed(spec, w)?;
                    Ok(Expr::Series(self.offset(spec)?, 0))
                }
            },
            other => Err(error(at, format!("expected a measure or a number, found {}", other.describe()), None)),
        }
    }

    /// A word that is near to a name the rule gave is taken for that.
    fn may_be_named(&self, word: &str, at: usize) -> Result<(), ExprError> {
        let known = Measure::ALL.into_iter().any(|m| m.name() == word);
        match nearest(word, self.lets.names()).filter(|_| !known) {
            Some(near) => {
                Err(error(at, format!("expected a measure, found `{word}`"), Some(&format!("did you mean `{near}`?"))))
            }
            None => Ok(()),
        }
    }

    fn function(&mut self, name: &str) -> Result<Expr, ExprError> {
        self.require("(", &format!("after `{name}`"))?;
        let at = self.at();
        let Some((_, Token::Word(w))) = self.peek() else {
            return Err(error(at, format!("expected a measure in `{name}`, found {}", self.found()), None));
        };
        let w = *w;
        if FUNCTIONS.contains(&w) {
            let hint = Some("functions take measures; combine their results with arithmetic");
            return Err(error(at, format!("expected a measure in `{name}`, found the function `{w}`"), hint));
        }
        self.next += 1;
        let spec = self.measure(w, at)?;
        let e = if name == "forecast" {
            Expr::Series(self.forecast(spec, at)?, 0)
        } else if matches!(name, "rarity" | "lift" | "usual") {
            let usual_share = name == "usual" && spec.measure == Measure::NegativeShare;
            if !(spec.measure.is_mass() || usual_share) {
                let hint =
                    "counts and sums have a past to be compared with: mentions, hostile_reach, shares and others";
                return Err(error(at, format!("expected a count or sum in `{name}`, found `{w}`"), Some(hint)));
            }
            Expr::Series(self.against_past(spec, name)?, 0)
        } else {
            if spec.measure.form() != Form::Windowed {
                return Err(error(at, format!("expected a measure with a window in `{name}`, found `{w}`"), None));
            }
            let spec = self.windowed(spec, w)?;
            match name {
                "rate" => Expr::Rate(spec, 0),
                "change" => Expr::Against(Against::Change, spec, 0, 0),
                _ => Expr::Against(Against::Ratio, spec, 0, 0),
            }
        };
        self.require(")", &format!("to close `{name}(`"))?;
        Ok(e)
    }

    /// The rest of a forecast: when, and perhaps which end of the band.
    fn forecast(&mut self, spec: SeriesSpec, at: usize) -> Result<SeriesSpec, ExprError> {
        let hint = Some("write forecast(reach, 6h) or forecast(shares, 1d, low)");
        if !spec.measure.has_forecast() || !spec.selectors.is_empty() {
            let found = spec.to_string();
            return Err(error(at, format!("expected shares or reach in `forecast`, found `{found}`"), hint));
        }
        if !self.sign(",") {
            return Err(error(self.at(), format!("expected a comma and a duration, found {}", self.found()), hint));
        }
        let window = self.span("a time to come", Span::seconds(60))?;
        let mut level = Level::Mid;
        if self.sign(",") {
            let found = match self.peek() {
                Some((_, Token::Word(w))) => Level::ALL.into_iter().find(|l| l.name() == *w),
                _ => None,
            };
            let Some(named) = found else {
                return Err(error(self.at(), format!("expected low, mid or high, found {}", self.found()), hint));
            };
            self.next += 1;
            level = named;
        }
        Ok(SeriesSpec { window, view: View::Forecast(level), ..spec })
    }

    /// The rest of rarity and lift: no window, for lift perhaps a scale.
    fn against_past(&mut self, spec: SeriesSpec, name: &str) -> Result<SeriesSpec, ExprError> {
        let at = self.at();
        if self.sign("[") {
            let hint = format!("write {name}({}); it looks at 15 minutes and an hour by itself", spec.measure.name());
            return Err(error(at, format!("expected no window in `{name}`, found `[`"), Some(&hint)));
        }
        let view = match name {
            "rarity" => View::Rarity,
            "usual" => View::Usual,
            _ => View::Lift,
        };
        if view != View::Lift || !self.sign(",") {
            return Ok(SeriesSpec { view, ..spec });
        }
        let view = match self.peek() {
            Some((_, Token::Duration(_, 900.0))) => View::LiftShort,
            Some((_, Token::Duration(_, 3600.0))) => View::LiftLong,
            _ => return Err(error(self.at(), format!("expected 15m or 1h, found {}", self.found()), None)),
        };
        self.next += 1;
        Ok(SeriesSpec { view, ..spec })
    }

    /// A measure with its selectors, without window.
    fn measure(&mut self, word: &str, at: usize) -> Result<SeriesSpec, ExprError> {
        let Some(measure) = Measure::ALL.into_iter().find(|m| m.name() == word) else {
            return Err(unknown(word, at));
        };
        let mut selectors = Vec::new();
        let open = self.at();
        if self.sign("{") {
            if matches!(measure.form(), Form::OfStory | Form::OfBrand | Form::OfTag) {
                let what =
                    format!("expected no selectors after `{word}`, which tells of {}, found `{{`", whole(measure));
                return Err(error(open, what, None));
            }
            while !self.sign("}") {
                selectors.push(self.selector()?);
                if !self.sign(",") {
                    self.require("}", "after the selectors")?;
                    break;
                }
            }
        }
        selectors.sort();
        selectors.dedup();
        if selectors.iter().filter(|s| s.field == Field::Brand).count() > 1 {
            return Err(error(open, "expected one selector `brand`, found two", None));
        }
        Ok(SeriesSpec { measure, selectors, window: Span::ZERO, offset: Span::ZERO, view: View::Value })
    }

    fn windowed(&mut self, spec: SeriesSpec, word: &str) -> Result<SeriesSpec, ExprError> {
        let at = self.at();
        if spec.measure.form() == Form::OfTag {
            return self.unseen(spec, word);
        }
        let open = self.sign("[");
        if spec.measure.form() != Form::Windowed {
            if open {
                let whole = whole(spec.measure);
                let what = format!("expected no window after `{word}`, which tells of {whole}, found `[`");
                return Err(error(at, what, None));
            }
            return Ok(spec);
        }
        if !open {
            let hint = format!("write for example {word}[10m]");
            return Err(error(at, format!("expected a window after `{word}`, found {}", self.found()), Some(&hint)));
        }
        let window = self.span("a window", Span::seconds(1))?;
        self.require("]", "after the window")?;
        Ok(SeriesSpec { window, ..spec })
    }

    /// The rest of `new_term(30d)`.
    fn unseen(&mut self, spec: SeriesSpec, word: &str) -> Result<SeriesSpec, ExprError> {
        self.require("(", &format!("after `{word}`"))?;
        let window = match self.peek() {
            Some((_, Token::Duration(_, s))) => TERM_GAPS.into_iter().find(|g| g.as_seconds() == *s),
            _ => None,
        };
        let Some(window) = window else {
            return Err(error(self.at(), format!("expected 1d, 7d or 30d, found {}", self.found()), None));
        };
        self.next += 1;
        self.require(")", &format!("to close `{word}(`"))?;
        Ok(SeriesSpec { window, ..spec })
    }

    fn offset(&mut self, spec: SeriesSpec) -> Result<SeriesSpec, ExprError> {
        let at = self.at();
        if !self.word("offset") {
            return Ok(spec);
        }
        if spec.measure.form() != Form::Windowed {
            let whole = whole(spec.measure);
            let what = format!("expected no offset after `{}`, which tells of {whole}", spec.measure.name());
            return Err(error(at, what, None));
        }
        let offset = self.span("an offset", spec.pane())?;
        Ok(SeriesSpec { offset, ..spec })
    }

    pub(super) fn span(&mut self, what: &str, least: Span) -> Result<Span, ExprError> {
        let at = self.at();
        let span = match self.peek() {
            Some((_, Token::Duration(_, s))) => Span((*s * 1e6) as i64),
            _ => {
                let hint = Some("write 10m, 1h, 1.5d");
                return Err(error(at, format!("expected a duration, found {}", self.found()), hint));
            }
        };
        if span < least || span > limits::WINDOW {
            let range = format!("from {least} to {}", limits::WINDOW);
            return Err(error(at, format!("expected {what} {range}, found {}", self.found()), None));
        }
        self.next += 1;
        Ok(span)
    }

    fn selector(&mut self) -> Result<Selector, ExprError> {
        let at = self.at();
        let field = match self.peek() {
            Some((_, Token::Word(w))) => Field::ALL.into_iter().find(|f| f.name() == *w),
            _ => None,
        };
        let Some(field) = field else {
            let hint = format!("selectors: {}", Field::ALL.map(Field::name).join(", "));
            return Err(error(at, format!("expected a selector, found {}", self.found()), Some(&hint)));
        };
        self.next += 1;
        let at = self.at();
        let negated = self.word("not");
        if self.word("in") {
            return self.listed(field, at, negated);
        }
        if negated {
            return Err(error(self.at(), format!("expected `in` after `not`, found {}", self.found()), None));
        }
        let at = self.at();
        let op = self.compared(field)?;
        if field == Field::Brand && op != Compare::Equal {
            return Err(error(at, "expected = after brand, found `!=`: one other brand is read", None));
        }
        let value = self.operand(field)?;
        Ok(Selector { field, op, value })
    }

    /// `in lists.name`.
    fn listed(&mut self, field: Field, at: usize, negated: bool) -> Result<Selector, ExprError> {
        if field != Field::Author {
            let what = format!("expected = or !=, found `in`: lists hold authors, not a {}", field.name());
            return Err(error(at, what, None));
        }
        let at = self.at();
        let name = match self.peek() {
            Some((_, Token::Word(w))) => w.strip_prefix("lists.").filter(|n| !n.is_empty() && !n.contains('.')),
            _ => None,
        };
        let Some(name) = name.map(str::to_string) else {
            let hint = Some("write author in lists.wires, and the list under `lists:`");
            return Err(error(at, format!("expected a list, found {}", self.found()), hint));
        };
        self.next += 1;
        let op = if negated { Compare::Unequal } else { Compare::Equal };
        Ok(Selector { field, op, value: Operand::List(name) })
    }

    fn compared(&mut self, field: Field) -> Result<Compare, ExprError> {
        let at = self.at();
        let op = match self.peek() {
            Some((_, Token::Sign("=" | "=="))) => Compare::Equal,
            Some((_, Token::Sign("!="))) => Compare::Unequal,
            Some((_, Token::Sign(s))) if field == Field::Followers => match *s {
                "<" => Compare::Less,
                "<=" => Compare::AtMost,
                ">" => Compare::More,
                ">=" => Compare::AtLeast,
                _ => return Err(error(at, format!("expected a comparison, found {}", self.found()), None)),
            },
            _ => return Err(error(at, format!("expected = or !=, found {}", self.found()), None)),
        };
        self.next += 1;
        Ok(op)
    }

    fn operand(&mut self, field: Field) -> Result<Operand, ExprError> {
        let at = self.at();
        if field == Field::Followers {
            let found = match self.peek() {
                Some((_, Token::Number(_, x))) if (x - x.round()).abs() < 1e-6 => {
                    Some(Operand::Number(x.round() as u64))
                }
                Some((_, Token::Word(w))) => variable(w).map(Operand::Var),
                _ => None,
            };
            let Some(found) = found else {
                let hint = Some("write followers>=10k or followers>=vars.big");
                return Err(error(at, format!("expected a whole number, found {}", self.found()), hint));
            };
            self.next += 1;
            return Ok(found);
        }
        let Some((_, Token::Text(value))) = self.peek() else {
            let hint = Some("write tone=\"negative\"");
            return Err(error(at, format!("expected a quoted text, found {}", self.found()), hint));
        };
        let value = value.to_string();
        self.next += 1;
        let known: &[&str] = match field {
            Field::Tone => &Tone::ALL.map(Tone::name),
            Field::Kind => &PostKind::ALL.map(PostKind::name),
            Field::Cause => &Cause::ALL.map(Cause::name),
            Field::To => &["own"],
            Field::Lang if !(2..=3).contains(&value.len()) || !value.bytes().all(|c| c.is_ascii_lowercase()) => {
                let hint = Some("write en, without region");
                return Err(error(at, format!("expected a language code, found `{value}`"), hint));
            }
            _ => &[],
        };
        if !known.is_empty() && !known.contains(&value.as_str()) {
            return Err(error(at, format!("expected one of {}, found `{value}`", known.join(", ")), None));
        }
        Ok(Operand::Text(value))
    }
}

/// What a measure without a window tells of.
fn whole(measure: Measure) -> &'static str {
    match measure.form() {
        Form::OfTag => "a hashtag",
        Form::Selected => "the time until now",
        Form::OfBrand => "a whole brand",
        Form::OfStory | Form::Windowed => "a whole story",
    }
}

/// The name in `vars.name`.
fn variable(word: &str) -> Option<String> {
    word.strip_prefix("vars.").filter(|n| !n.is_empty() && !n.contains('.')).map(str::to_string)
}

fn unknown(word: &str, at: usize) -> ExprError {
    let names = Measure::ALL.map(Measure::name);
    let hint = match nearest(word, names.into_iter().chain(FUNCTIONS)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "measures: {}; functions: {}; variables are written vars.name",
            names.join(", "),
            FUNCTIONS.join(", ")
        ),
    };
    error(at, format!("expected a measure, found `{word}`"), Some(&hint))
}
