//! The grammar: or < and < not < comparison < + - < * / < minus.

use super::lex::{Token, error, tokens};
use super::types::{Type, need};
use super::{Arith, Compare, Expr, ExprError, Field, Measure, Selector, SeriesSpec};
use crate::base::fault::nearest;
use crate::base::limits;
use crate::base::model::{PostKind, Tone};
use crate::base::time::Span;

struct Parser<'t> {
    tokens: Vec<(usize, Token<'t>)>,
    next: usize,
    end: usize,
    depth: usize,
    values: usize,
}

/// Reads the condition of a rule. The error names the byte where it fails.
pub fn parse_condition(text: &str) -> Result<Expr, ExprError> {
    let mut p = Parser { tokens: tokens(text)?, next: 0, end: text.len(), depth: 0, values: 0 };
    let e = p.or()?;
    if let Some((at, token)) = p.peek() {
        let what = format!("expected and, or, a comparison or the end, found {}", token.describe());
        return Err(error(at, what, None));
    }
    need(e, 0, Type::Condition)
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<(usize, &Token<'t>)> {
        self.tokens.get(self.next).map(|(at, t)| (*at, t))
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.end, |(at, _)| at)
    }

    fn found(&self) -> String {
        self.peek().map_or("the end".to_string(), |(_, t)| t.describe())
    }

    fn sign(&mut self, sign: &str) -> bool {
        let hit = matches!(self.peek(), Some((_, Token::Sign(s))) if *s == sign);
        self.next += usize::from(hit);
        hit
    }

    fn word(&mut self, word: &str) -> bool {
        let hit = matches!(self.peek(), Some((_, Token::Word(w))) if *w == word);
        self.next += usize::from(hit);
        hit
    }

    fn require(&mut self, sign: &'static str, place: &str) -> Result<(), ExprError> {
        if self.sign(sign) {
            return Ok(());
        }
        Err(error(self.at(), format!("expected `{sign}` {place}, found {}", self.found()), None))
    }

    fn or(&mut self) -> Result<Expr, ExprError> {
        let start = self.at();
        let mut left = self.and()?;
        while self.word("or") {
            let at = self.at();
            let right = need(self.and()?, at, Type::Condition)?;
            left = Expr::Or(Box::new(need(left, start, Type::Condition)?), Box::new(right));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, ExprError> {
        let start = self.at();
        let mut left = self.not()?;
        loop {
            let but_not = self.word("unless");
            if !but_not && !self.word("and") {
                return Ok(left);
            }
            let at = self.at();
            let right = need(self.not()?, at, Type::Condition)?;
            let right = if but_not { Expr::Not(Box::new(right)) } else { right };
            left = Expr::And(Box::new(need(left, start, Type::Condition)?), Box::new(right));
        }
    }

    fn not(&mut self) -> Result<Expr, ExprError> {
        if !self.word("not") {
            return self.comparison();
        }
        self.deeper()?;
        let at = self.at();
        let inner = need(self.not()?, at, Type::Condition)?;
        self.depth -= 1;
        Ok(Expr::Not(Box::new(inner)))
    }

    fn comparison(&mut self) -> Result<Expr, ExprError> {
        let start = self.at();
        let left = self.sum()?;
        let op = match self.peek() {
            Some((_, Token::Sign("<"))) => Compare::Less,
            Some((_, Token::Sign("<="))) => Compare::AtMost,
            Some((_, Token::Sign(">"))) => Compare::More,
            Some((_, Token::Sign(">="))) => Compare::AtLeast,
            Some((_, Token::Sign("=="))) => Compare::Equal,
            Some((_, Token::Sign("!="))) => Compare::Unequal,
            Some((at, Token::Sign("="))) => {
                return Err(error(at, "expected a comparison, found `=`", Some("write == to compare")));
            }
            _ => return Ok(left),
        };
        self.next += 1;
        let at = self.at();
        let right = need(self.sum()?, at, Type::Quantity)?;
        Ok(Expr::Compare(op, Box::new(need(left, start, Type::Quantity)?), Box::new(right)))
    }

    fn sum(&mut self) -> Result<Expr, ExprError> {
        self.chain(&[("+", Arith::Add), ("-", Arith::Subtract)], Parser::product)
    }

    fn product(&mut self) -> Result<Expr, ExprError> {
        self.chain(&[("*", Arith::Multiply), ("/", Arith::Divide)], Parser::minus)
    }

    fn chain(
        &mut self,
        ops: &[(&str, Arith)],
        inner: fn(&mut Parser<'t>) -> Result<Expr, ExprError>,
    ) -> Result<Expr, ExprError> {
        let start = self.at();
        let mut left = inner(self)?;
        while let Some((_, op)) = ops.iter().find(|(sign, _)| self.sign(sign)) {
            let at = self.at();
            let right = need(inner(self)?, at, Type::Quantity)?;
            left = Expr::Arith(*op, Box::new(need(left, start, Type::Quantity)?), Box::new(right));
        }
        Ok(left)
    }

    fn minus(&mut self) -> Result<Expr, ExprError> {
        if !self.sign("-") {
            return self.value();
        }
        self.deeper()?;
        let at = self.at();
        let inner = need(self.minus()?, at, Type::Quantity)?;
        self.depth -= 1;
        Ok(Expr::Negate(Box::new(inner)))
    }

    fn deeper(&mut self) -> Result<(), ExprError> {
        self.depth += 1;
        if self.depth <= limits::NESTING {
            return Ok(());
        }
        Err(error(self.at(), format!("expected at most {} levels, found more", limits::NESTING), None))
    }

    fn value(&mut self) -> Result<Expr, ExprError> {
        let at = self.at();
        let Some((_, token)) = self.peek() else {
            return Err(error(at, "expected a measure or a number, found the end", None));
        };
        let token = token.clone();
        self.next += 1;
        self.values += 1;
        if self.values > limits::EXPRESSION_VALUES {
            let what = format!("expected at most {} measures and numbers, found more", limits::EXPRESSION_VALUES);
            return Err(error(at, what, Some("split the rule in two")));
        }
        match token {
            Token::Number(text, x) | Token::Duration(text, x) => Ok(Expr::Number(text.to_string(), x)),
            Token::Sign("(") => {
                self.deeper()?;
                let inner = self.or()?;
                self.require(")", "to close the `(`")?;
                self.depth -= 1;
                Ok(inner)
            }
            Token::Word(w) => match w.strip_prefix("vars.") {
                Some(name) if !name.is_empty() && !name.contains('.') => Ok(Expr::Var(name.to_string())),
                _ => self.series(w, at),
            },
            other => Err(error(at, format!("expected a measure or a number, found {}", other.describe()), None)),
        }
    }

    fn series(&mut self, word: &str, at: usize) -> Result<Expr, ExprError> {
        let Some(measure) = Measure::ALL.into_iter().find(|m| m.name() == word) else {
            let names = Measure::ALL.map(Measure::name);
            let hint = match nearest(word, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("measures: {}; variables are written vars.name", names.join(", ")),
            };
            return Err(error(at, format!("expected a measure, found `{word}`"), Some(&hint)));
        };
        let mut selectors = Vec::new();
        if self.sign("{") {
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
        let window = self.window(word)?;
        Ok(Expr::Series(SeriesSpec { measure, selectors, window }, 0))
    }

    fn window(&mut self, word: &str) -> Result<Span, ExprError> {
        let at = self.at();
        if !self.sign("[") {
            let hint = format!("write for example {word}[10m]");
            return Err(error(at, format!("expected a window after `{word}`, found {}", self.found()), Some(&hint)));
        }
        let at = self.at();
        let span = match self.peek() {
            Some((_, Token::Duration(_, s))) => Span((*s * 1e6) as i64),
            _ => {
                return Err(error(
                    at,
                    format!("expected a duration, found {}", self.found()),
                    Some("write 10m, 1h, 1.5d"),
                ));
            }
        };
        if span < Span::seconds(1) || span > limits::WINDOW {
            return Err(error(at, format!("expected a window from 1s to 8d, found {}", self.found()), None));
        }
        self.next += 1;
        self.require("]", "after the window")?;
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
        let negated = match self.peek() {
            Some((_, Token::Sign("="))) => false,
            Some((_, Token::Sign("!="))) => true,
            _ => return Err(error(self.at(), format!("expected = or !=, found {}", self.found()), None)),
        };
        self.next += 1;
        let at = self.at();
        let Some((_, Token::Text(value))) = self.peek() else {
            return Err(error(
                at,
                format!("expected a quoted text, found {}", self.found()),
                Some("write tone=\"negative\""),
            ));
        };
        let value = value.to_string();
        self.next += 1;
        let known: &[&str] = match field {
            Field::Tone => &Tone::ALL.map(Tone::name),
            Field::Kind => &PostKind::ALL.map(PostKind::name),
            Field::Source | Field::Lang => &[],
        };
        if !known.is_empty() && !known.contains(&value.as_str()) {
            return Err(error(at, format!("expected one of {}, found `{value}`", known.join(", ")), None));
        }
        Ok(Selector { field, negated, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn show(e: &str) -> String {
        parse_condition(e).map_or_else(|e| format!("{}: {}", e.offset, e.what), |e| e.to_string())
    }

    #[test]
    fn prints_canonically() {
        let same = "hostile_reach[1h] >= 50k and authors{tone=\"negative\"}[10m] >= 5";
        assert_eq!(show(same), same);
        assert_eq!(
            show("not (mentions[600s]>1 or shares[60m]/2-1 < -3)"),
            "not (mentions[10m] > 1 or shares[1h] / 2 - 1 < -3)"
        );
        assert_eq!(show("mentions[1h] > 1 unless reach[1h] > 2"), "mentions[1h] > 1 and not reach[1h] > 2");
        assert_eq!(
            show("mentions{source=\"x\",tone!=\"positive\", source=\"x\"}[90s] > vars.a"),
            "mentions{tone!=\"positive\", source=\"x\"}[90s] > vars.a"
        );
    }

    #[test]
    fn tells_where_it_fails() {
        for (e, at) in [
            ("", 0),
            ("mentions[1h]", 0),
            ("mentoins[1h] > 1", 0),
            ("mentions > 1", 9),
            ("mentions[1h] > ", 15),
            ("mentions[9d] > 1", 9),
            ("mentions{ton=\"x\"}[1h] > 1", 9),
            ("mentions{tone=\"bad\"}[1h] > 1", 14),
            ("mentions[1h] = 1", 13),
            ("mentions[1h] > 1 and 3", 21),
            ("(mentions[1h] > 1", 17),
            ("mentions[1h] > 1 > 2", 17),
            ("mentions[10] > 1", 9),
            ("mentions[1h] > 10x", 15),
            ("1 > 2 + (3 > 2)", 8),
            ("rarity(mentions) > 1", 0),
        ] {
            assert!(parse_condition(e).is_err_and(|e| e.offset == at), "{e}: {}", show(e));
        }
        for deep in [
            "(".repeat(100_000),
            "not ".repeat(100_000),
            format!("1 > {}1", "-".repeat(100_000)),
            "1 > 2 and ".repeat(200_000) + "1 > 2",
            "1 + ".repeat(200_000) + "1 > 2",
        ] {
            assert!(parse_condition(&deep).is_err());
        }
    }

    pub(crate) fn quantity() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[0-9]{1,3}(k|%|\\.5)?",
            Just("vars.big".to_string()),
            Just("mentions[10m]".to_string()),
            Just("authors{tone=\"negative\"}[1h]".to_string()),
        ];
        leaf.prop_recursive(3, 12, 2, |q| {
            (q.clone(), prop_oneof![Just("+"), Just("-"), Just("*"), Just("/")], q)
                .prop_map(|(a, op, b)| format!("({a} {op} {b})"))
        })
    }

    fn condition() -> impl Strategy<Value = String> {
        let leaf = (quantity(), prop_oneof![Just(">="), Just("<"), Just("!=")], quantity())
            .prop_map(|(a, op, b)| format!("{a} {op} {b}"));
        leaf.prop_recursive(3, 12, 2, |c| {
            prop_oneof![
                (c.clone(), prop_oneof![Just("and"), Just("or"), Just("unless")], c.clone())
                    .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
                c.prop_map(|a| format!("not ({a})")),
            ]
        })
    }

    proptest! {
        #[test]
        fn printed_conditions_read_back_equal(text in condition()) {
            let e = parse_condition(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e:?}")))?;
            prop_assert_eq!(parse_condition(&e.to_string()), Ok(e));
        }

        #[test]
        fn any_text_is_read_or_refused(s in "\\PC{0,60}") {
            let _ = parse_condition(&s);
        }
    }
}
