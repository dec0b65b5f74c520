//! Templates of messages: text with `{{ quantity | filter }}`, checked when they are read.
//!
//! What stands between the braces is a name from a short list or a quantity of the rule
//! language; the shell around (conditions, escapes) is a template library's, with undefined names
//! refused and work limited.

use std::collections::BTreeMap;

use minijinja::value::Value as Shown;
use minijinja::{Environment, UndefinedBehavior};

use super::expr::{Context, Expr, ExprError, Lets, Type, parse_quantity, with_names};
use crate::base::fault::nearest;
use crate::base::figures;
use crate::base::limits;
use crate::base::model::Value;
use crate::base::time::Span;

/// A template, checked.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    /// As written.
    pub source: String,
    /// The same with quantities replaced by names: `q0` is the number, `s0` the same for people.
    shell: String,
    /// Its quantities.
    pub exprs: Vec<Expr>,
}

/// The account that adds most, as templates show it.
#[derive(Clone, PartialEq, Debug)]
pub struct Top {
    /// Handle or display name.
    pub author: String,
    /// Its part of the whole, 0..1.
    pub share: f64,
    /// Its followers, if known.
    pub followers: Option<u64>,
    /// Its strongest post.
    pub text: String,
    /// Where that can be read.
    pub url: String,
}

/// What a template is rendered with.
pub struct Scene<'s> {
    /// Values of the quantities.
    pub values: &'s dyn Context,
    /// Values of the names of texts.
    pub words: BTreeMap<&'static str, String>,
    /// The account that adds most.
    pub top: Option<Top>,
}

/// Names of texts that can be shown.
pub const WORDS: [&str; 11] = [
    "brand.name",
    "brand.slug",
    "brand.owner",
    "brand.runbook",
    "rule.name",
    "severity",
    "story",
    "source",
    "lang",
    "cause",
    "tag",
];
/// Names that stand for what the largest account adds, with whether they are numbers.
pub const TOP: [(&str, bool); 5] =
    [("top.author", false), ("top.share", true), ("top.followers", true), ("top.text", false), ("top.url", false)];
/// Filters, with the type each needs; `None` takes texts.
pub const FILTERS: [(&str, Option<Type>); 6] = [
    ("times", Some(Type::Number)),
    ("percent", Some(Type::Number)),
    ("short", Some(Type::Number)),
    ("duration", Some(Type::Duration)),
    ("upper", None),
    ("lower", None),
];

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The first mistake, with the byte where it stands.
    pub fn parse(source: &str, lets: &Lets) -> Result<Template, ExprError> {
        if source.len() > limits::EXPRESSION_BYTES {
            let what = format!("expected at most {} bytes, found {}", limits::EXPRESSION_BYTES, source.len());
            return Err(fail(0, what, Some("a summary is one line for people")));
        }
        let mut t = Template { source: source.to_string(), shell: String::new(), exprs: Vec::new() };
        let mut at = 0;
        while let Some(i) = source[at..].find("{{") {
            let open = at + i + 2;
            let Some(len) = close_of(&source[open..]) else {
                return Err(fail(open - 2, "expected `}}` after `{{`, found the end", None));
            };
            check_blocks(&source[at..open - 2], at)?;
            t.shell.push_str(&source[at..open]);
            t.inner(&source[open..open + len], open, lets)?;
            t.shell.push_str("}}");
            at = open + len + 2;
        }
        check_blocks(&source[at..], at)?;
        t.shell.push_str(&source[at..]);
        let rendered = t.try_render(&sample(), &|_| Some(1.0));
        match rendered {
            Ok(_) => Ok(t),
            Err(e) => {
                let hint = "names are brand.name, top.author and others of rules/README.md; quantities stand in {{ }}";
                Err(fail(0, format!("expected a template that can be rendered, found: {e}"), Some(hint)))
            }
        }
    }

    /// What stands between the braces: a name or quantity, and filters.
    fn inner(&mut self, text: &str, at: usize, lets: &Lets) -> Result<(), ExprError> {
        let (left, filters) = match split_filter(text) {
            Some(i) => (&text[..i], text.get(i + 1..)),
            None => (text, None),
        };
        let name = left.trim();
        let start = at + (left.len() - left.trim_start().len());
        let word =
            if WORDS.contains(&name) { Some(false) } else { TOP.iter().find(|(n, _)| *n == name).map(|(_, x)| *x) };
        let kind = match word {
            Some(true) => Some(Type::Number),
            Some(false) => None,
            None => {
                let dotted = name.contains('.') && !name.contains(['(', '[', '{', ' ']) && !name.starts_with("vars.");
                if dotted && parse_quantity(name).is_err() {
                    let names = WORDS.into_iter().chain(TOP.iter().map(|(n, _)| *n));
                    let hint = match nearest(name, names.clone()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("names: {}", names.collect::<Vec<_>>().join(", ")),
                    };
                    return Err(fail(start, format!("expected a name or a quantity, found `{name}`"), Some(&hint)));
                }
                let e = with_names(left, lets, Type::Number).map_err(|e| ExprError { offset: e.offset + at, ..e })?;
                let kind = e.kind();
                let n = self.exprs.len();
                self.exprs.push(e);
                self.shell.push_str(&if filters.is_some() { format!(" q{n} ") } else { format!(" s{n} ") });
                Some(kind)
            }
        };
        if word.is_some() {
            self.shell.push_str(left);
        }
        if let Some(filters) = filters {
            check_filter(filters, kind, start)?;
            self.shell.push('|');
            self.shell.push_str(filters);
        }
        Ok(())
    }

    /// The text for people; where it cannot be rendered, the template as written.
    pub fn render(&self, scene: &Scene<'_>) -> String {
        let value = |e: &Expr| e.number(scene.values);
        let text = self.try_render(scene, &value).unwrap_or_else(|_| self.source.clone());
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limits::SUMMARY_CHARS).collect()
    }

    fn try_render(&self, scene: &Scene<'_>, value: &dyn Fn(&Expr) -> Value) -> Result<String, String> {
        let mut env = Environment::empty();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_fuel(Some(limits::TEMPLATE_FUEL));
        add_filters(&mut env);
        let mut names: BTreeMap<String, Shown> = BTreeMap::new();
        let mut parts: BTreeMap<&str, BTreeMap<String, Shown>> = BTreeMap::new();
        for word in WORDS {
            let shown = Shown::from(scene.words.get(word).cloned().unwrap_or_default());
            match word.split_once('.') {
                Some((object, field)) => {
                    parts.entry(object).or_default().insert(field.to_string(), shown);
                }
                None => {
                    names.insert(word.to_string(), shown);
                }
            }
        }
        parts.insert("top", top_of(scene.top.as_ref()));
        names.extend(parts.into_iter().map(|(name, fields)| (name.to_string(), Shown::from(fields))));
        for (i, e) in self.exprs.iter().enumerate() {
            let x = value(e);
            names.insert(format!("q{i}"), number(x));
            names.insert(format!("s{i}"), Shown::from(x.map_or("unknown".to_string(), |x| show(e, x))));
        }
        let template = env.template_from_str(&self.shell).map_err(|e| e.to_string())?;
        template.render(Shown::from(names)).map_err(|e| e.to_string())
    }
}

/// The end of what the braces hold; braces in quotes and selectors are passed over.
fn close_of(rest: &str) -> Option<usize> {
    let (mut quoted, mut depth) = (false, 0usize);
    let bytes = rest.as_bytes();
    for (i, c) in bytes.iter().enumerate() {
        match c {
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted && depth > 0 => depth -= 1,
            b'}' if !quoted && bytes.get(i + 1) == Some(&b'}') => return Some(i),
            _ => {}
        }
    }
    None
}

fn split_filter(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.bytes().position(|c| {
        quoted ^= c == b'"';
        c == b'|' && !quoted
    })
}

/// Text between quantities may hold `{% if NAME %}`, `{% else %}` and `{% endif %}`, nothing else.
fn check_blocks(text: &str, at: usize) -> Result<(), ExprError> {
    let mut from = 0;
    while let Some(i) = text[from..].find("{%").map(|i| from + i) {
        let Some(len) = text[i..].find("%}") else {
            return Err(fail(at + i, "expected `%}` after `{%`, found the end", None));
        };
        let inner = text[i + 2..i + len].trim_matches('-').trim();
        let name = inner.strip_prefix("if ").map(|n| n.trim().trim_start_matches("not ").trim());
        let known = |n: &str| WORDS.contains(&n) || TOP.iter().any(|(t, _)| *t == n);
        if !matches!(inner, "else" | "endif") && !name.is_some_and(known) {
            let hint =
                "blocks are {% if NAME %}, {% if not NAME %}, {% else %}, {% endif %}, with a name such as top.url";
            return Err(fail(at + i, format!("expected an if of a name, found `{{% {inner} %}}`"), Some(hint)));
        }
        from = i + len + 2;
    }
    match text.find("{#") {
        Some(i) => Err(fail(at + i, "expected no comment in a template, found `{#`", None)),
        None => Ok(()),
    }
}

/// Every filter of a chain; what a filter of numbers gives is a text.
fn check_filter(filters: &str, kind: Option<Type>, at: usize) -> Result<(), ExprError> {
    let mut kind = kind;
    for one in filters.split('|') {
        check_one_filter(one, kind, at)?;
        kind = None;
    }
    Ok(())
}

fn check_one_filter(filter: &str, kind: Option<Type>, at: usize) -> Result<(), ExprError> {
    let name = filter.trim();
    let Some((_, needs)) = FILTERS.iter().find(|(n, _)| *n == name) else {
        let known = FILTERS.map(|(n, _)| n).join(", ");
        return Err(fail(at, format!("expected a filter, found `{name}`"), Some(&format!("filters: {known}"))));
    };
    let fits = match (needs, kind) {
        (None, k) => k.is_none(),
        (Some(_), None) => false,
        (Some(Type::Duration), Some(k)) => k != Type::Number,
        (Some(_), Some(k)) => k != Type::Duration,
    };
    if fits {
        return Ok(());
    }
    let found = match kind {
        None => "a text",
        Some(Type::Duration) => "a duration",
        Some(_) => "a number",
    };
    let wanted = match needs {
        None => "a text",
        Some(Type::Duration) => "a duration",
        Some(_) => "a number",
    };
    Err(fail(at, format!("expected {wanted} before `| {name}`, found {found}"), None))
}

fn fail(offset: usize, what: impl Into<String>, hint: Option<&str>) -> ExprError {
    ExprError { offset, what: what.into(), hint: hint.map(str::to_string) }
}

fn show(e: &Expr, x: f64) -> String {
    match e.plain() {
        Expr::Series(s, _) => s.show(x),
        _ if e.kind() == Type::Duration => Span((x * 1e6) as i64).to_string(),
        _ => figures::short(x),
    }
}

fn number(x: Value) -> Shown {
    x.filter(|x| x.is_finite()).map_or(Shown::from(()), Shown::from)
}

fn top_of(top: Option<&Top>) -> BTreeMap<String, Shown> {
    let nobody = Top { author: "nobody".into(), share: 0.0, followers: None, text: String::new(), url: String::new() };
    let top = top.cloned().unwrap_or(nobody);
    let followers = top.followers.map_or(Shown::from(()), |f| Shown::from(f as f64));
    BTreeMap::from([
        ("author".to_string(), Shown::from(top.author)),
        ("share".to_string(), Shown::from(top.share)),
        ("followers".to_string(), followers),
        ("text".to_string(), Shown::from(top.text)),
        ("url".to_string(), Shown::from(top.url)),
    ])
}

fn add_filters(env: &mut Environment<'_>) {
    let with =
        |f: fn(f64) -> String| move |x: Shown| -> String { f64::try_from(x).map_or_else(|_| "unknown".to_string(), f) };
    env.add_filter("times", with(figures::times));
    env.add_filter("percent", with(figures::percent));
    env.add_filter("short", with(figures::short));
    env.add_filter("duration", with(|x| Span((x * 1e6) as i64).to_string()));
    env.add_filter("upper", |s: String| s.to_uppercase());
    env.add_filter("lower", |s: String| s.to_lowercase());
}

struct Nothing;

impl Context for Nothing {
    fn sequence(&self, _: usize) -> Option<bool> {
        None
    }
    fn series(&self, _: usize) -> Value {
        None
    }
    fn var(&self, _: &str) -> Value {
        None
    }
}

fn sample() -> Scene<'static> {
    Scene { values: &Nothing, words: BTreeMap::new(), top: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World;
    impl Context for World {
        fn sequence(&self, _: usize) -> Option<bool> {
            None
        }
        fn series(&self, slot: usize) -> Value {
            [Some(6.34), None, Some(1_280_000.0)].get(slot).copied().flatten()
        }
        fn var(&self, _: &str) -> Value {
            Some(3600.0)
        }
    }

    fn render(text: &str, top: bool) -> Result<String, String> {
        let mut t = Template::parse(text, &Lets::default()).map_err(|e| format!("{}: {}", e.offset, e.what))?;
        let mut next = 0;
        t.exprs.iter_mut().for_each(|e| {
            e.place_series(&mut |_| {
                next += 1;
                next - 1
            });
        });
        let url = "https://x.example/1".to_string();
        let top = top.then(|| Top {
            author: "@dave".into(),
            share: 0.84,
            followers: Some(640_000),
            text: "it {{ broke }}\n".into(),
            url,
        });
        let words = BTreeMap::from([("brand.name", "Acme Air".to_string())]);
        Ok(t.render(&Scene { values: &World, words, top }))
    }

    #[test]
    fn shows_quantities_names_and_unknowns() {
        let text = "{{ brand.name }}: {{ lift(hostile_reach) | times }} usual, rarity {{ rarity(mentions{tone=\"negative\"}) }}, {{ reach[1h] }} reached, led by {{ top.author }} ({{ top.share | percent }})";
        assert_eq!(
            render(text, true).unwrap(),
            "Acme Air: 6.3x usual, rarity unknown, 1.3M reached, led by @dave (84 %)"
        );
        assert_eq!(render("{{ top.author }} {{ top.followers | short }}", false).unwrap(), "nobody unknown");
        assert_eq!(
            render("{{ top.text }}|{{ vars.x | duration }}", true).unwrap(),
            "it {{ broke }} |1h",
            "post texts are text"
        );
        assert_eq!(render("{% if top.url %}see {{ top.url }}{% endif %}", true).unwrap(), "see https://x.example/1");
        assert_eq!(render("100 % plain", false).unwrap(), "100 % plain");
    }

    #[test]
    fn tells_mistakes_when_it_is_read() {
        for (text, at) in [
            ("x {{ brand.nam }}", 5),
            ("x {{ mentoins[1h] }}", 5),
            ("{{ mentions[1h] | tims }}", 3),
            ("{{ mentions[1h] | duration }}", 3),
            ("{{ rarity(mentions) | times }}", 3),
            ("{{ brand.name | percent }}", 3),
            ("{{ top.share | upper }}", 3),
            ("{{ mentions[1h] > 5 }}", 3),
            ("{{ mentions[1h]", 0),
            ("{% if nope %}x{% endif %}", 0),
            ("{% for x in y %}", 0),
            ("a {% if top.url %}{% if nope %}x{% endif %}{% endif %}", 18),
            ("{% set x = 'a' %}", 0),
            ("{% raw %}{{ mentions[1h] }}{% endraw %}", 0),
            ("{# no #}", 0),
            ("{% if top.url %}", 0),
            ("{{ mentions[1h] | short | times }}", 3),
            ("{{ brand.name | upper | times }}", 3),
        ] {
            let found = Template::parse(text, &Lets::default()).err().map(|e| e.offset);
            assert_eq!(found, Some(at), "{text}");
        }
    }
}
