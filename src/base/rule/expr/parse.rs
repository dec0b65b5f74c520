//! The grammar: then < or < and < not < comparison < + - < * / < minus.

use std::cell::Cell;

use super::lex::{Token, error, tokens};
use super::types::{alike, condition, made_of, quantity, sensible};
use super::{Arith, Compare, Expr, ExprError, Type};
use crate::base::limits;
use crate::base::time::Span;

/// Quantities by the names a rule gave them, in the order written.
#[derive(Default)]
pub struct Lets {
    named: Vec<(String, Expr)>,
    /// How many measures and numbers names may still stand for in this rule, and how many were granted it.
    left: Cell<usize>,
    granted: usize,
}

impl Lets {
    /// No names yet. They may stand for so many measures and numbers in all, each use counted whole.
    pub fn new(granted: usize) -> Lets {
        Lets { named: Vec::new(), left: Cell::new(granted), granted }
    }

    /// Gives a quantity a name.
    pub fn add(&mut self, name: String, e: Expr) {
        self.named.push((name, e));
    }

    /// The quantity of a name.
    pub fn get(&self, name: &str) -> Option<&Expr> {
        self.named.iter().find(|(n, _)| n == name).map(|(_, e)| e)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(n, _)| n.as_str())
    }

    /// Notes that a name stands for so many; whether that many were left.
    pub(super) fn spend(&self, n: usize) -> bool {
        let left = self.left.get().checked_sub(n);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// All of it, and how many measures and numbers names stood for.
    pub fn finish(self) -> (Vec<(String, Expr)>, usize) {
        (self.named, self.granted - self.left.get())
    }
}

pub(super) struct Parser<'t> {
    pub(super) lets: &'t Lets,
    tokens: Vec<(usize, Token<'t>)>,
    pub(super) next: usize,
    end: usize,
    pub(super) depth: usize,
    pub(super) values: usize,
}

/// Reads the condition of a rule. The error names the byte where it fails.
pub fn parse_condition(text: &str) -> Result<Expr, ExprError> {
    condition(whole(text)?, start(text))
}

/// Reads a quantity, as templates show them.
pub fn parse_quantity(text: &str) -> Result<Expr, ExprError> {
    quantity(whole(text)?, start(text))
}

/// Both of these, where quantities have names: gives the condition, or the quantity if there is no comparison.
///
/// # Errors
/// As above.
pub fn with_names(text: &str, lets: &Lets, wanted: Type) -> Result<Expr, ExprError> {
    let e = whole_with(text, lets)?;
    if wanted == Type::Condition { condition(e, start(text)) } else { quantity(e, start(text)) }
}

/// Where the first token stands.
fn start(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

fn whole(text: &str) -> Result<Expr, ExprError> {
    whole_with(text, &Lets::default())
}

fn whole_with(text: &str, lets: &Lets) -> Result<Expr, ExprError> {
    if text.len() > limits::EXPRESSION_BYTES {
        let what = format!("expected at most {} bytes, found {}", limits::EXPRESSION_BYTES, text.len());
        return Err(error(0, what, Some("split the rule in two")));
    }
    let mut p = Parser { lets, tokens: tokens(text)?, next: 0, end: text.len(), depth: 0, values: 0 };
    let e = p.sequence()?;
    match p.peek() {
        Some((at, token)) => {
            let what = format!("expected and, or, then, a comparison or the end, found {}", token.describe());
            Err(error(at, what, None))
        }
        None => Ok(e),
    }
}

impl<'t> Parser<'t> {
    pub(super) fn peek(&self) -> Option<(usize, &Token<'t>)> {
        self.tokens.get(self.next).map(|(at, t)| (*at, t))
    }

    pub(super) fn at(&self) -> usize {
        self.peek().map_or(self.end, |(at, _)| at)
    }

    pub(super) fn found(&self) -> String {
        self.peek().map_or("the end".to_string(), |(_, t)| t.describe())
    }

    pub(super) fn sign(&mut self, sign: &str) -> bool {
        let hit = matches!(self.peek(), Some((_, Token::Sign(s))) if *s == sign);
        self.next += usize::from(hit);
        hit
    }

    pub(super) fn word(&mut self, word: &str) -> bool {
        let hit = matches!(self.peek(), Some((_, Token::Word(w))) if *w == word);
        self.next += usize::from(hit);
        hit
    }

    pub(super) fn require(&mut self, sign: &'static str, place: &str) -> Result<(), ExprError> {
        if self.sign(sign) {
            return Ok(());
        }
        Err(error(self.at(), format!("expected `{sign}` {place}, found {}", self.found()), None))
    }

    /// `A then B within 1h`.
    pub(super) fn sequence(&mut self) -> Result<Expr, ExprError> {
        let start = self.at();
        let mut left = self.or()?;
        while self.word("then") {
            let at = self.at();
            let right = condition(self.or()?, at)?;
            if !self.word("within") {
                let hint = Some("write: lift(mentions) >= 3 then negative_share[30m] >= 60% within 2h");
                return Err(error(
                    self.at(),
                    format!("expected `within` and a duration, found {}", self.found()),
                    hint,
                ));
            }
            let span = self.span("a time", Span::seconds(1))?;
            left = Expr::Then(Box::new(condition(left, start)?), Box::new(right), span, 0);
        }
        Ok(left)
    }

    fn or(&mut self) -> Result<Expr, ExprError> {
        let start = self.at();
        let mut left = self.and()?;
        while self.word("or") {
            let at = self.at();
            let right = condition(self.and()?, at)?;
            left = Expr::Or(Box::new(condition(left, start)?), Box::new(right));
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
            let right = condition(self.not()?, at)?;
            let right = if but_not { Expr::Not(Box::new(right)) } else { right };
            left = Expr::And(Box::new(condition(left, start)?), Box::new(right));
        }
    }

    fn not(&mut self) -> Result<Expr, ExprError> {
        if !self.word("not") {
            return self.comparison();
        }
        self.deeper()?;
        let at = self.at();
        let inner = condition(self.not()?, at)?;
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
        let right = quantity(self.sum()?, at)?;
        let left = quantity(left, start)?;
        alike((&left, left.kind()), (&right, right.kind()), at)?;
        Ok(Expr::Compare(op, Box::new(left), Box::new(right)))
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
        let (mut left, mut kind) = (inner(self)?, None);
        while let Some((_, op)) = ops.iter().find(|(sign, _)| self.sign(sign)) {
            let at = self.at();
            let right = quantity(inner(self)?, at)?;
            let of_right = right.kind();
            let of_left = match kind {
                Some(kind) => kind,
                None => {
                    left = quantity(left, start)?;
                    left.kind()
                }
            };
            sensible(*op, (&left, of_left), (&right, of_right), at)?;
            kind = Some(made_of(*op, of_left, of_right));
            left = Expr::Arith(*op, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn minus(&mut self) -> Result<Expr, ExprError> {
        if !self.sign("-") {
            return self.value();
        }
        self.deeper()?;
        let at = self.at();
        let inner = quantity(self.minus()?, at)?;
        self.depth -= 1;
        Ok(Expr::Negate(Box::new(inner)))
    }

    pub(super) fn deeper(&mut self) -> Result<(), ExprError> {
        self.depth += 1;
        if self.depth <= limits::NESTING {
            return Ok(());
        }
        Err(error(self.at(), format!("expected at most {} levels, found more", limits::NESTING), None))
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
        let same = "rarity(hostile_reach) >= 1.5d and lift(hostile_reach, 1h) >= 2 and lead >= 4 and story_age < 1h";
        assert_eq!(show(same), same);
        let same = "largest_voice{tone=\"negative\", author not in lists.wires, followers>=vars.big}[10m] >= vars.big";
        assert_eq!(show(same), same);
        let same = "mentions{to=\"own\", brand=\"rival\"}[1h] offset 1d / 2 > change(authors[1h]) + rate(reach[1h])";
        assert_eq!(show(same), same);
        let same = "2 * story_age / response_time > 3 and ratio(mentions{followers!=10}[1h]) >= 3";
        assert_eq!(show(same), same);
        let same = "rarity(mentions) >= 1d or lead > 1 then shares[1h] > 5 within 2h then not (lead > 1 then lead > 2 within 90s) within 1d";
        assert_eq!(show(same), same);
        let same = "silence{source=\"x\"} >= 1h and usual(mentions) * (silence / 1h) > 30 and new_term(30d) and stories[1h] > 3";
        assert_eq!(show(same), same);
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
            ("rarity(mentions) > 1", 19),
            ("rarity(negative_share) > 1d", 7),
            ("rarity(mentions[1h]) > 1d", 15),
            ("lift(mentions, 2h) > 2", 15),
            ("rarity(mentions, 1h) > 1d", 15),
            ("mentions[1h] > 10m", 15),
            ("story_age > 5", 12),
            ("story_age[1h] > 5m", 9),
            ("lead{tone=\"negative\"} > 5", 4),
            ("story_state > 1", 14),
            ("story_state >= 10m", 15),
            ("story_state + critical > dying", 14),
            ("story_state[1h] > dying", 11),
            ("mentions[1h] > critical", 15),
            ("forecast(mentions, 6h) > 1", 9),
            ("forecast(reach) > 1", 14),
            ("forecast(reach[1h], 6h) > 1", 14),
            ("forecast(reach{lang=\"en\"}, 6h) > 1", 9),
            ("forecast(reach, 1s) > 1", 16),
            ("forecast(reach, 6h, best) > 1", 20),
            ("forecast(reach, 6h, mid) > 1d", 27),
            ("1h * 1h > 1h", 5),
            ("mentions[1h] / 1h > 1", 15),
            ("mentions[1h] offset 9d > 1", 20),
            ("mentions{followers>=\"x\"}[1h] > 1", 20),
            ("mentions{tone>=\"negative\"}[1h] > 1", 13),
            ("mentions{to=\"me\"}[1h] > 1", 12),
            ("mentions{author in wires}[1h] > 1", 19),
            ("mentions{source in lists.wires}[1h] > 1", 16),
            ("mentions{brand!=\"b\"}[1h] > 1", 14),
            ("mentions{brand=\"b\", brand=\"c\"}[1h] > 1", 8),
            ("change(mentions) > 1", 15),
            ("change(mentions[1h] offset 1h) > 1", 20),
            ("rate(lead) > 1", 5),
            ("mentions[1h] > 1 then mentions[1h] > 2", 38),
            ("mentions[1h] > 1 then 3 within 1h", 22),
            ("mentions[1h] > 1 then lead > 3 within 9d", 38),
            ("(mentions[1h] > 1) then mentions[1h] within 1h", 24),
            ("mentions[1h] then lead > 3 within 1h", 0),
            ("new_term(2d)", 9),
            ("new_term > 1", 9),
            ("new_term(30d) > 1", 0),
            ("silence[1h] > 1h", 7),
            ("silence > 5", 10),
            ("usual(silence) > 5", 6),
            ("usual(mentions, 1h) > 5", 14),
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
            Just("ratio(texts{followers>=10k, author not in lists.a}[5m])".to_string()),
            Just("rate(known_reach{to=\"own\"}[90s])".to_string()),
            Just("lift(hostile_reach{lang!=\"en\"}, 15m)".to_string()),
            Just("(rarity(mentions) / 2d)".to_string()),
            Just("shares[1h] offset 36h".to_string()),
            Just("root_negativity".to_string()),
            Just("forecast(reach, 1d, low)".to_string()),
            Just("forecast(shares, 90m)".to_string()),
            Just("usual(authors{kind=\"post\"})".to_string()),
            Just("(silence{lang=\"en\"} / 1h)".to_string()),
            Just("stories[1h]".to_string()),
        ];
        leaf.prop_recursive(3, 12, 2, |q| {
            (q.clone(), prop_oneof![Just("+"), Just("-"), Just("*"), Just("/")], q)
                .prop_map(|(a, op, b)| format!("({a} {op} {b})"))
        })
    }

    fn condition() -> impl Strategy<Value = String> {
        let compared = (quantity(), prop_oneof![Just(">="), Just("<"), Just("!=")], quantity())
            .prop_map(|(a, op, b)| format!("{a} {op} {b}"));
        let leaf = prop_oneof![4 => compared, 1 => Just("new_term(7d)".to_string())];
        leaf.prop_recursive(3, 12, 2, |c| {
            prop_oneof![
                (c.clone(), prop_oneof![Just("and"), Just("or"), Just("unless")], c.clone())
                    .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
                (c.clone(), c.clone(), 1..99u32).prop_map(|(a, b, n)| format!("({a} then {b} within {n}m)")),
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
