//! The HTML of a mail. The template escapes whatever it is given; nothing here is trusted.

use std::collections::BTreeMap;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::{ROOMS, Room, facts, is_address, subject, words};
use crate::base::limits;
use crate::base::model::Severity;
use crate::notify::plain::plain;
use crate::notify::view::{Label, News, Said, View};

const TEMPLATE: &str = include_str!("letter.html");

/// Characters of one text in the head: what matters stands below it.
const HEAD_CHARS: usize = 100;

type Words = BTreeMap<&'static str, Value>;

/// The page, with a picture of that name and what it shows; with less of the view where it would be too long.
pub(super) fn html(view: &View, picture: Option<(&str, &str)>) -> Option<String> {
    ROOMS.iter().find_map(|room| {
        let page = render(view, picture, *room)?;
        (page.len() <= limits::MAIL_HTML_BYTES).then_some(page)
    })
}

fn render(view: &View, picture: Option<(&str, &str)>, room: Room) -> Option<String> {
    let mut env = Environment::empty();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.add_template("letter", TEMPLATE).ok()?;
    env.get_template("letter").ok()?.render(scene(view, picture, room)).ok()
}

fn scene(view: &View, picture: Option<(&str, &str)>, room: Room) -> Value {
    let clean = |text: &str| Value::from(tame(&plain(text, room.chars)));
    let head = |text: &str| Value::from(tame(&plain(text, room.chars.min(HEAD_CHARS))));
    let optional = |text: &Option<String>| text.as_ref().map_or(Value::from(""), |t| clean(t));
    let address = |url: Option<&String>| Value::from(url.filter(|u| is_address(u)).cloned().unwrap_or_default());
    let picked = |from: Label, to: Label| -> Value {
        let mut before = None;
        let lines = view.lines.iter().filter(|(l, _)| (from..=to).contains(l)).take(room.items);
        let mut word = |l: Label| if before.replace(l) == Some(l) { "" } else { l.word() };
        lines.map(|(l, text)| one([("label", Value::from(word(*l))), ("text", clean(text))])).collect()
    };
    let moments = view.moments.iter().take(room.items);
    let moments: Value = moments
        .map(|m| one([("clock", clean(&m.clock)), ("what", clean(&m.what)), ("reach", clean(&m.reach))]))
        .collect();
    let runbooks = view.runbooks.iter().take(room.items);
    let named = |r: &String| if is_address(r) { Value::from(plain(r, room.chars)) } else { clean(r) };
    let runbooks: Value = runbooks.map(|r| one([("text", named(r)), ("url", address(Some(r)))])).collect();
    let quote: Value = view.quote.iter().map(|q| said(q, room)).collect();
    let top: Value = view.top.iter().take(room.items).map(|t| said(t, room)).collect();
    let (tone, dark) = tone(view);
    let out: Words = [
        ("subject", Value::from(subject(view))),
        ("tone", Value::from(tone)),
        ("tone_dark", Value::from(dark)),
        ("word", head(view.word)),
        ("brand", head(&view.brand)),
        ("title", head(&view.title)),
        ("code", Value::from(view.code())),
        ("date", head(&view.date)),
        ("time", head(&view.time)),
        ("sentence", clean(&view.sentence)),
        ("quote", quote),
        ("quote_more", clean(&view.quote_more)),
        ("act", address(view.act.as_ref().map(|a| &a.url))),
        ("claimed", optional(&view.claimed)),
        ("owner", optional(&view.owner)),
        ("first", picked(Label::Note, Label::Going)),
        ("rest", picked(Label::Trust, Label::Store)),
        ("chart", Value::from(picture.map_or("", |p| p.0))),
        ("chart_words", Value::from(picture.map_or("", |p| p.1))),
        ("runbooks", runbooks),
        ("moments", moments),
        ("reached", Value::from(view.moments.iter().any(|m| !m.reach.is_empty()))),
        ("top", top),
        ("voices", clean(&view.voices)),
        ("more", address(view.more.as_ref())),
    ]
    .into();
    Value::from(out)
}

fn one<const N: usize>(words: [(&'static str, Value); N]) -> Value {
    Value::from(Words::from(words))
}

fn said(said: &Said, room: Room) -> Value {
    let link = said.link.as_ref();
    // only what is of the post's own network may be followed
    let follow = link.and_then(|l| l.follow.as_ref()).filter(|u| is_address(u) && u.starts_with("https://"));
    let shown = link.map_or(String::new(), |l| plain(&l.shown, room.chars.min(200)));
    let shown = if follow.is_some() { shown } else { tame(&shown) };
    one([
        ("text", Value::from(tame(&words(said, room.chars)))),
        ("author", Value::from(tame(&plain(&said.author, room.chars.min(120))))),
        ("facts", Value::from(tame(&facts(said, 60).join(" · ")))),
        ("share", Value::from(plain(&said.share, 20))),
        ("shown", Value::from(shown)),
        ("follow", Value::from(follow.cloned().unwrap_or_default())),
    ])
}

/// Mail programs make links of all that looks like the name of a host; a character without width between the
/// parts keeps them from it. A sign of per cent stays with its number.
fn tame(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = letters.next() {
        out.push(c);
        if c == ' ' && before.is_ascii_digit() && letters.peek() == Some(&'%') {
            out.pop();
            out.push('\u{a0}');
        }
        let joins = c == '.' && before.is_alphanumeric() && letters.peek().is_some_and(|n| n.is_alphabetic());
        if joins || (c == '@' && before.is_alphanumeric()) {
            out.push('\u{200b}');
        }
        before = c;
    }
    out
}

/// The colours of the head, on light and on dark.
fn tone(view: &View) -> (&'static str, &'static str) {
    match (view.news, view.severity) {
        (News::Test, _) => ("#4a5568", "#4a5568"),
        _ if view.news == News::Over || view.is_over() => ("#17713f", "#17613a"),
        (_, Severity::Page) => ("#b91c1c", "#a01919"),
        (_, Severity::Warn) => ("#a34a06", "#8a3f06"),
        (_, Severity::Info) => ("#1f5a99", "#1c4f86"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_host_is_taken_apart() {
        let shown = |t: &str| tame(t).replace('\u{200b}', "|");
        assert_eq!(shown("see evil.example/x, a@b.example"), "see evil.|example/x, a@|b.|example");
        assert_eq!(shown("84 % of 5 % or %"), "84\u{a0}% of 5\u{a0}% or %");
        assert_eq!(shown("@latimes 19.7x 0.91 x 640k. And"), "@latimes 19.7x 0.91 x 640k. And");
    }
}
