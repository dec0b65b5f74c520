//! What a query looks for in a post.

use std::fmt;

use crate::base::model::PostKind;
use crate::base::rule::expr::Compare;

/// A number in a query: written out, or a variable of the brand.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Amount {
    /// A whole number.
    Number(u64),
    /// `vars.name`; rule sets hold numbers only.
    Var(String),
}

/// What is looked for in a post.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Term {
    /// A word, or words in this order, in the text.
    Phrase(String),
    /// `@handle`, without the `@`.
    Handle(String),
    /// `#tag`, without the `#`.
    Tag(String),
    /// These characters in this case, as words.
    Raw(String),
    /// A part of an outside link, in any case.
    Url(String),
    /// The host of an outside link, or one above it.
    Domain(String),
    /// The author: `source:id`, an id, or a name; `lists.name` before it is resolved.
    Author(String),
    /// Answers or quotes this account, `source:id` or an id; `own` stands for the brand's own.
    To(String),
    /// The language as given, without region.
    Lang(String),
    /// The source's name.
    Source(String),
    /// post, reply, quote, repost.
    Kind(PostKind),
    /// The author's followers, where the post tells them.
    Followers(Compare, Amount),
}

impl Term {
    /// Fields in the order of the documentation.
    pub const FIELDS: [&'static str; 9] =
        ["raw", "url", "domain", "author", "to", "lang", "source", "kind", "followers"];

    /// Whether a post that holds it can be found by searching for its characters.
    pub fn is_literal(&self) -> bool {
        !matches!(self, Term::Lang(_) | Term::Source(_) | Term::Kind(_) | Term::Followers(..))
    }

    /// Whether it is looked for in the text.
    pub fn is_text(&self) -> bool {
        matches!(self, Term::Phrase(_) | Term::Handle(_) | Term::Tag(_))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Number(n) => write!(f, "{n}"),
            Amount::Var(v) => write!(f, "vars.{v}"),
        }
    }
}

/// In quotes, with what that needs.
struct Quoted<'q>(&'q str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Phrase(p) => write!(f, "{}", Quoted(p)),
            Term::Handle(h) => write!(f, "@{h}"),
            Term::Tag(t) => write!(f, "#{t}"),
            Term::Raw(x) => write!(f, "raw:{}", Quoted(x)),
            Term::Url(x) => write!(f, "url:{}", Quoted(x)),
            Term::Domain(x) => write!(f, "domain:{x}"),
            Term::Author(x) if x.starts_with("lists.") => write!(f, "author:{x}"),
            Term::Author(x) => write!(f, "author:{}", Quoted(x)),
            Term::To(x) if x == "own" => write!(f, "to:own"),
            Term::To(x) => write!(f, "to:{}", Quoted(x)),
            Term::Lang(x) => write!(f, "lang:{x}"),
            Term::Source(x) => write!(f, "source:{}", Quoted(x)),
            Term::Kind(k) => write!(f, "kind:{}", k.name()),
            Term::Followers(op, n) => write!(f, "followers:{}{n}", op.sign()),
        }
    }
}
