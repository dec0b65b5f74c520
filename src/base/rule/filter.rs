//! Selectors ready to be applied to posts.

use std::collections::BTreeMap;

use crate::base::account::{Accounts, key_id};
use crate::base::model::{Audience, Cause, KeyId, PostKind, Told, Tone};
use crate::base::rule::Brand;
use crate::base::rule::expr::{Compare, Field, Operand, Selector};

/// Which posts count in a series.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Filter {
    /// Posts of another brand are counted instead.
    pub brand: Option<KeyId>,
    /// Tones and kinds that pass, by bit.
    tones: u8,
    kinds: u8,
    tests: Vec<Test>,
}

#[derive(Clone, PartialEq, Debug)]
enum Test {
    Source(bool, String),
    Lang(bool, String),
    ToOwn(bool),
    Cause(bool, Cause),
    Author(bool, Accounts),
    Followers(Compare, Amount),
}

#[derive(Clone, PartialEq, Debug)]
enum Amount {
    Number(f64),
    Var(String),
}

impl Filter {
    /// The selectors of a series. A list that does not exist holds nobody.
    pub fn new(selectors: &[Selector], lists: &BTreeMap<String, Vec<String>>) -> Filter {
        let mut f = Filter { tones: 0xff, kinds: 0xff, ..Filter::default() };
        for s in selectors {
            f.add(s, lists);
        }
        f
    }

    fn add(&mut self, s: &Selector, lists: &BTreeMap<String, Vec<String>>) {
        let is = s.op != Compare::Unequal;
        let text = match &s.value {
            Operand::Text(t) => t.clone(),
            _ => String::new(),
        };
        let mask = |bit: Option<usize>| {
            let bit = bit.map_or(0, |b| 1u8 << b);
            if is { bit } else { !bit }
        };
        match s.field {
            Field::Tone => self.tones &= mask(Tone::ALL.iter().position(|t| t.name() == text)),
            Field::Kind => self.kinds &= mask(PostKind::ALL.iter().position(|k| k.name() == text)),
            Field::Source => self.tests.push(Test::Source(is, text)),
            Field::Lang => self.tests.push(Test::Lang(is, text)),
            Field::Cause => {
                let named = Cause::ALL.into_iter().find(|c| c.name() == text);
                self.tests.extend(named.map(|c| Test::Cause(is, c)));
            }
            Field::To => self.tests.push(Test::ToOwn(is)),
            Field::Brand => self.brand = Some(key_id(&text)),
            Field::Author => {
                let mut accounts = Accounts::default();
                match &s.value {
                    Operand::List(name) => lists.get(name).into_iter().flatten().for_each(|a| accounts.add(a)),
                    _ => accounts.add(&text),
                }
                self.tests.push(Test::Author(is, accounts));
            }
            Field::Followers => {
                let amount = match &s.value {
                    Operand::Var(v) => Amount::Var(v.clone()),
                    Operand::Number(n) => Amount::Number(*n as f64),
                    _ => Amount::Number(f64::NAN),
                };
                self.tests.push(Test::Followers(s.op, amount));
            }
        }
    }

    /// Whether its answer can change when an audience becomes known.
    pub fn reads_audience(&self) -> bool {
        self.tests.iter().any(|t| matches!(t, Test::Followers(..)))
    }

    /// Whether a post counts, with its author's audience as it is known now.
    pub fn passes(&self, t: &Told, audience: Audience, brand: Option<&Brand>) -> bool {
        let foreign = self.brand.filter(|b| *b != t.key);
        let tone = Tone::of(t.n) as u8;
        t.foreign == foreign
            && self.tones >> tone & 1 == 1
            && self.kinds >> (t.kind as u8) & 1 == 1
            && self.tests.iter().all(|test| test.passes(t, audience, brand))
    }
}

impl Test {
    fn passes(&self, t: &Told, audience: Audience, brand: Option<&Brand>) -> bool {
        let b = &t.body;
        match self {
            Test::Source(is, x) => (*b.source == **x) == *is,
            Test::Lang(is, x) => (b.lang.as_deref().unwrap_or("") == x) == *is,
            Test::ToOwn(is) => t.to_own == *is,
            Test::Cause(is, c) => t.causes.has(*c) == *is,
            Test::Author(is, accounts) => accounts.has(&b.source, &b.author, b.author_name.as_deref()) == *is,
            Test::Followers(op, amount) => {
                let limit = match amount {
                    Amount::Number(n) => Some(*n),
                    Amount::Var(v) => brand.and_then(|b| b.var(v)),
                };
                audience.known && limit.is_some_and(|n| op.holds(audience.followers as f64, n))
            }
        }
    }
}
