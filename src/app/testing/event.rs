//! What happens in a test, as its file says it.

use super::reading::{self, unknown, word};
use super::voice::{self, Voice, at_least_one};
use super::{keys, rules};
use crate::base::fault::Place;
use crate::base::limits;
use crate::base::model::Tone;
use crate::base::rule::RuleSet;
use crate::base::time::{Span, Time};
use crate::base::yaml::{Fields, Node, Reader};

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// Since the test began.
    pub(super) at: Span,
    pub(super) what: What,
}

/// What it is.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// Many people post.
    Crowd(Box<Crowd>),
    /// One post.
    Post(Box<OnePost>),
    /// A source is lost for a time.
    Gap(String, Span),
    /// Other rules: files, as the test names them.
    Rules(Vec<(String, Place)>),
    /// Nothing; time goes on.
    Pass,
}

/// An account: its source, if that is said, and its id.
pub(super) type Account = (Option<String>, String);

/// Many people who post.
#[derive(Clone, Debug)]
pub(super) struct Crowd {
    pub(super) length: Span,
    pub(super) number: Number,
    pub(super) voice: Voice,
    /// How texts name the brand.
    pub(super) name: String,
    /// The brand's own account that is answered: source, if it is said, and author.
    pub(super) own: Option<Account>,
    /// The post that is passed on or answered.
    pub(super) of: Option<String>,
    pub(super) rhythm: f64,
    pub(super) ramp: bool,
}

/// How many.
#[derive(Clone, Debug)]
pub(super) enum Number {
    /// Posts a second, by chance.
    Rate(f64),
    /// So many, evenly.
    Posts(u64),
    /// So many pass on a post, fewer and fewer, and a part of that answers it.
    Shares { count: u64, quotes: f64, replies: f64 },
}

/// One post.
#[derive(Clone, Debug)]
pub(super) struct OnePost {
    pub(super) id: Option<String>,
    pub(super) author: Option<String>,
    pub(super) text: Option<String>,
    pub(super) tone: Tone,
    pub(super) followers: Option<u64>,
    pub(super) kind: &'static str,
    pub(super) parent: Option<String>,
    pub(super) links: Vec<String>,
    pub(super) lang: String,
    pub(super) source: Option<String>,
    pub(super) name: String,
}

impl Crowd {
    /// About how many posts it makes.
    pub(super) fn expected(&self) -> f64 {
        match &self.number {
            Number::Rate(a_second) => a_second * self.length.as_seconds() * if self.ramp { 0.5 } else { 1.0 },
            Number::Posts(n) => *n as f64,
            Number::Shares { count, replies, .. } => *count as f64 * (1.0 + replies),
        }
    }
}

impl Event {
    /// The last moment it is about.
    pub(super) fn end(&self) -> Span {
        let length = match &self.what {
            What::Crowd(c) => c.length,
            What::Gap(_, length) => *length,
            _ => Span::ZERO,
        };
        Span(self.at.0.saturating_add(length.0))
    }
}

/// What a form of event is called by, and the keys it takes.
const FORMS: [(&str, &[&str]); 6] = [
    ("rate", &["to", "of", "rhythm", "ramp"]),
    ("posts", &["to", "of"]),
    ("shares", &["of", "quotes", "replies"]),
    ("post", &["brand"]),
    ("down", &["source"]),
    ("rules", &[]),
];

/// Reads one event. `rules` are those of the file, if they are sound; `ids` are those of posts that can be named.
pub(super) fn event(
    r: &mut Reader,
    node: &Node,
    start: Time,
    rules: Option<&RuleSet>,
    ids: &[String],
) -> Option<Event> {
    let before = r.faults.len();
    let fields = r.fields(node, "an event", &keys::EVENT.allowed());
    let forms: Vec<&str> = FORMS.iter().map(|(f, _)| *f).filter(|f| fields.contains_key(f)).collect();
    if let [first, second, ..] = forms[..] {
        r.fault(node, format!("expected one thing an event, found `{first}` and `{second}`")).hint =
            Some("write two events".into());
        return None;
    }
    let form = forms.first().copied();
    strangers(r, &fields, form);
    let at = match (fields.get("at"), fields.get("from")) {
        (Some(n), Some(_)) => {
            r.fault(n, "expected `at` or `from`, found both");
            None
        }
        (Some(n), None) => reading::moment(r, n, "`at`", start),
        (None, Some(n)) => reading::moment(r, n, "`from`", start),
        (None, None) => {
            r.fault(node, "expected `at` in an event, found none").hint = Some("for example at: 3d 5m".into());
            None
        }
    };
    let reader = Fielded { fields: &fields, rules, ids };
    let what = match form {
        Some("rate" | "posts" | "shares") => reader.crowd(r, node).map(|c| What::Crowd(Box::new(c))),
        Some("post") => reader.post(r).map(|p| What::Post(Box::new(p))),
        Some("down") => reader.gap(r, node),
        Some("rules") => fields.get("rules").map(|n| What::Rules(files(r, n))),
        _ => Some(What::Pass),
    };
    let event = Event { at: at?, what: what? };
    if event.end() > limits::TEST_SPAN {
        let (most, found) = (limits::TEST_SPAN, reading::told(event.end()));
        r.fault(node, format!("expected an event that is over {most} after the start, found one until {found}"));
    }
    (r.faults.len() == before).then_some(event)
}

/// Rule files that are named, with their places.
pub(super) fn files(r: &mut Reader, node: &Node) -> Vec<(String, Place)> {
    let mut out = Vec::new();
    for item in r.items(node, "rule files") {
        if out.len() >= limits::TEST_ITEMS {
            r.fault(item, format!("expected at most {} files, found more", limits::TEST_ITEMS));
            break;
        }
        let place = r.place(item);
        out.extend(r.text(item, "a rule file").filter(|t| !t.is_empty()).map(|t| (t.to_string(), place)));
    }
    out
}

/// Keys that mean nothing in this form of event.
fn strangers(r: &mut Reader, fields: &Fields, form: Option<&str>) {
    let crowd = matches!(form, Some("rate" | "posts" | "shares"));
    let own = FORMS.iter().find(|(f, _)| Some(*f) == form).map_or(&[][..], |(_, keys)| keys);
    for (name, value) in fields {
        let common = matches!(*name, "at" | "from") || Some(*name) == form || (crowd && voice::KEYS.contains(name));
        if common || own.contains(name) {
            continue;
        }
        let what = match form {
            Some(form) => format!("expected no `{name}` beside `{form}`, found one"),
            None => {
                format!("expected `{name}` beside one of rate, posts, shares, post, down, rules, found none of them")
            }
        };
        r.fault(value, what);
    }
    if let Some(node) = fields.get("sources").filter(|_| crowd && fields.contains_key("of")) {
        r.fault(node, "expected no `sources` beside `of`, found one").hint =
            Some("who passes on or answers a post is where that post is".into());
    }
    if let Some(node) = fields.get("to").filter(|_| fields.contains_key("of")) {
        r.fault(node, "expected `to` or `of`, found both");
    }
}

struct Fielded<'f, 'n> {
    fields: &'f Fields<'n>,
    rules: Option<&'f RuleSet>,
    ids: &'f [String],
}

impl<'n> Fielded<'_, 'n> {
    fn get(&self, name: &str) -> Option<&'n Node> {
        self.fields.get(name).copied()
    }

    fn part(&self, r: &mut Reader, name: &str) -> f64 {
        self.get(name).and_then(|n| reading::part(r, n, &format!("`{name}`"))).unwrap_or(0.0)
    }

    fn crowd(&self, r: &mut Reader, node: &Node) -> Option<Crowd> {
        let length = match self.get("for") {
            Some(n) => reading::length(r, n, "`for`"),
            None => {
                r.fault(node, "expected `for`, how long it lasts, found none").hint =
                    Some("for example for: 10m".into());
                None
            }
        };
        let (number, of) = (self.number(r, node), self.get("of").and_then(|n| self.id(r, n)));
        let voice = Voice::read(r, self.fields);
        let (rhythm, ramp) = (self.part(r, "rhythm"), self.get("ramp").is_some_and(|n| r.boolean(n, "`ramp`")));
        let (length, number) = (length?, number?);
        let made_up = voice.texts.is_empty() && voice.names;
        let (name, own) = self.brand(r, node, made_up)?;
        let to_own = self.get("to").is_some_and(|n| word(r, n, "whom they answer", &[("own", ())]).is_some());
        if to_own && own.is_none() && self.rules.is_some() {
            r.fault(node, "expected a brand with `own` accounts to answer, found one without");
        }
        let crowd = Crowd { length, number, voice, name, own: own.filter(|_| to_own), of, rhythm, ramp };
        let posts = crowd.expected();
        if posts > limits::TEST_POSTS as f64 {
            r.fault(node, format!("expected at most {} posts in a test, found about {posts:.0}", limits::TEST_POSTS));
            return None;
        }
        Some(crowd)
    }

    fn number(&self, r: &mut Reader, node: &Node) -> Option<Number> {
        if let Some(n) = self.get("rate") {
            return reading::rate(r, n).map(Number::Rate);
        }
        if let Some(n) = self.get("posts") {
            return at_least_one(r, n, "`posts`", limits::TEST_POSTS).map(Number::Posts);
        }
        let count = at_least_one(r, self.get("shares")?, "`shares`", limits::TEST_POSTS);
        let (quotes, replies) = (self.part(r, "quotes"), self.part(r, "replies"));
        if self.get("of").is_none() {
            r.fault(node, "expected `of`, the id of the post that is passed on, found none");
        }
        Some(Number::Shares { count: count?, quotes, replies })
    }

    /// The id of a post of this test.
    fn id(&self, r: &mut Reader, node: &Node) -> Option<String> {
        let id = r.text(node, "the id of a post")?;
        if !self.ids.iter().any(|k| k == id) {
            let known: Vec<&str> = self.ids.iter().map(String::as_str).collect();
            unknown(r, node, "the id of a `post` of this test", &known);
            return None;
        }
        Some(id.to_string())
    }

    /// How texts name the brand, and its first own account.
    fn brand(&self, r: &mut Reader, node: &Node, named: bool) -> Option<(String, Option<Account>)> {
        // rules with mistakes say nothing about brands
        let Some(rules) = self.rules else { return Some(Default::default()) };
        let brand = match self.get("brand") {
            None => rules.brands.iter().find(|b| !b.group),
            Some(n) => {
                let slug = r.text(n, "the key of a brand")?;
                let found = rules.brands.iter().find(|b| !b.group && *b.slug == *slug);
                if found.is_none() {
                    let known: Vec<&str> = rules.brands.iter().filter(|b| !b.group).map(|b| &*b.slug).collect();
                    unknown(r, n, "the key of a brand", &known);
                    return None;
                }
                found
            }
        };
        let Some(brand) = brand else { return Some(Default::default()) };
        let name = rules::spoken(brand);
        if name.is_none() && named {
            let what = format!(
                "expected a query of `{}` that looks for words, so that texts can name it, found none",
                brand.slug
            );
            r.fault(node, what).hint = Some("give `texts`, or names: false".into());
        }
        Some((name.unwrap_or_default(), rules::own(brand)))
    }

    fn post(&self, r: &mut Reader) -> Option<OnePost> {
        let node = self.get("post")?;
        let fields = r.fields(node, "a post", &keys::POST.allowed());
        let mut text = |name: &str| {
            let n = fields.get(name)?;
            let found = r.text(n, &format!("`{name}`")).map(str::to_string);
            if name != "text" && found.as_deref() == Some("") {
                r.fault(n, format!("expected `{name}`, found an empty text"));
            }
            found
        };
        let (id, author, said, lang, source) = (text("id"), text("author"), text("text"), text("lang"), text("source"));
        let tones = [("negative", Tone::Negative), ("neutral", Tone::Neutral), ("positive", Tone::Positive)];
        let tone = fields.get("tone").and_then(|n| word(r, n, "a tone", &tones)).unwrap_or(Tone::Neutral);
        let parent = fields.get("parent").and_then(|n| self.id(r, n));
        let kinds: Vec<(&str, &'static str)> = keys::KINDS.iter().map(|k| (*k, *k)).collect();
        let kind = fields.get("kind").and_then(|n| word(r, n, "a kind of post", &kinds));
        let kind = kind.unwrap_or(if parent.is_some() { "reply" } else { "post" });
        if kind != "post" && !fields.contains_key("parent") {
            r.fault(node, format!("expected `parent` of a {kind}, found none"));
        }
        let most = limits::FOLLOWERS;
        let followers = fields.get("followers").and_then(|n| reading::count(r, n, "`followers`", most));
        let links = fields.get("links").map(|n| reading::texts(r, n, "`links`")).unwrap_or_default();
        let (name, _) = self.brand(r, node, said.is_none() && matches!(kind, "post" | "reply" | "quote"))?;
        let lang = lang.unwrap_or_else(|| "en".into());
        Some(OnePost { id, author, text: said, tone, followers, kind, parent, links, lang, source, name })
    }

    fn gap(&self, r: &mut Reader, node: &Node) -> Option<What> {
        let length = reading::length(r, self.get("down")?, "`down`");
        let Some(source) = self.get("source") else {
            r.fault(node, "expected `source`, which one is lost, found none");
            return None;
        };
        let source = r.text(source, "a source")?.to_string();
        Some(What::Gap(source, length?))
    }
}
