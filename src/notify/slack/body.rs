//! What is said in Slack: the message that stands for an incident, its details, and what is new.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::blocks::{Block, escaped, fitted, paragraphs, within};
use crate::base::limits;
use crate::base::model::Severity;
use crate::notify::address::followed;
use crate::notify::view::{Label, News, Said, View};

/// A message or an answer to one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    /// For notifications, and where blocks cannot be shown.
    pub(super) text: String,
    /// Everything.
    pub(super) blocks: Vec<Json>,
}

/// How loudly something new is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Voice {
    /// By the edited message alone.
    Silent,
    /// In its thread.
    Thread,
    /// In its thread and in the channel, so that people are woken.
    Channel,
}

/// What a letter to Slack holds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Body {
    /// Grows with each message of an incident.
    pub(super) step: u32,
    /// By rank, from 0.
    pub(super) severity: u8,
    /// Whether it is over.
    pub(super) over: bool,
    /// Whether somebody took it, acknowledged it or closed it: worth a line where nothing can be edited.
    pub(super) hand: bool,
    /// How loudly `reply` is told.
    pub(super) voice: Voice,
    /// What stands for the incident.
    pub(super) message: Part,
    /// What is put in its thread at first.
    pub(super) details: Option<Part>,
    /// What is new.
    pub(super) reply: Part,
}

/// A letter's body for Slack. Holds all that is said in either way of posting; no secrets.
pub fn slack_body(view: &View) -> Bytes {
    let body = Body {
        step: view.step,
        severity: rank(view.severity),
        over: view.is_over(),
        hand: view.news == News::Hand,
        voice: match view.news {
            News::Test | News::Update | News::Hand => Voice::Silent,
            News::Over => Voice::Thread,
            News::Opened | News::Rise | News::Cause | News::HandedOver | News::Repeat => Voice::Channel,
        },
        message: part(&format!("{} - {}", view.word, view.short), &message(view)),
        details: Some(details(view)).filter(|d| !d.is_empty()).map(|d| part("Details", &d)),
        reply: part(&format!("{}: {}", new(view), view.short), &reply(view)),
    };
    serde_json::to_vec(&body).unwrap_or_default().into()
}

fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 0,
        Severity::Warn => 1,
        Severity::Page => 2,
    }
}

fn part(text: &str, blocks: &[Block]) -> Part {
    Part { text: escaped(text, limits::SLACK_TEXT), blocks: fitted(blocks) }
}

fn message(view: &View) -> Vec<Block> {
    let mut out = vec![Block::Head(headline(view))];
    out.extend(paragraphs(lines(view, |l| l == Label::Note)));
    match &view.quote {
        Some(said) => {
            out.extend(paragraphs([quoted(said, &view.quote_more)]));
            out.extend(links(std::slice::from_ref(said), "open the post"));
        }
        None => out.extend(paragraphs([view.sentence.clone()])),
    }
    out.extend(paragraphs(lines(view, |l| l != Label::Note)));
    let words = view.runbooks.iter().filter(|r| followed(r).is_none()).map(|r| format!("runbook: {r}"));
    let owner = view.owner.iter().map(|o| format!("on call: {o}"));
    let claimed = view.claimed.iter().map(|c| format!("taken by {c}"));
    out.push(Block::Small(claimed.chain(owner).chain(words).collect()));
    out.push(buttons(view));
    out
}

fn headline(view: &View) -> String {
    let sign = match (view.news, view.is_over(), view.severity) {
        (News::Test, ..) => "⚪",
        (_, true, _) => "✅",
        (_, _, Severity::Page) => "🔴",
        (_, _, Severity::Warn) => "🟠",
        (_, _, Severity::Info) => "🔵",
    };
    let code = view.code();
    let code = if code.is_empty() { code } else { format!(" - incident {code}") };
    // a long name must not hide which incident it is, and when
    let tail = within(&format!("{code} - {}", view.time), limits::SLACK_HEADER / 2);
    let head = format!("{sign} {} - {}: {}", view.word, view.brand, view.title);
    let room = limits::SLACK_HEADER.saturating_sub(escaped(&tail, usize::MAX).encode_utf16().count());
    within(&head, room) + &tail
}

fn lines(view: &View, of: impl Fn(Label) -> bool) -> Vec<String> {
    let wanted = view.lines.iter().filter(|(label, text)| of(*label) && !text.is_empty());
    wanted.map(|(label, text)| format!("{}: {text}", label.word())).collect()
}

fn quoted(said: &Said, more: &str) -> String {
    let text = if said.own { format!("\"{}\"", said.text) } else { said.text.clone() };
    // where it has no text of its own, its kind stands there already
    let kind = if said.own { said.kind.as_str() } else { "" };
    let by = [said.author.as_str(), kind, more].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>();
    if by.is_empty() { text } else { format!("{text} - {}", by.join(", ")) }
}

/// Links to posts that may be followed; with several, each has the number of its post.
fn links(posts: &[Said], name: &str) -> Option<Block> {
    let follow = |said: &Said| followed(said.link.as_ref()?.follow.as_ref()?);
    let numbered = posts.iter().enumerate().filter_map(|(k, said)| Some((k + 1, follow(said)?)));
    let named =
        numbered.map(|(k, url)| if posts.len() == 1 { (name.to_string(), url) } else { (format!("{name} {k}"), url) });
    let links: Vec<(String, String)> = named.collect();
    (!links.is_empty()).then_some(Block::Links(links))
}

fn buttons(view: &View) -> Block {
    let button = |id: &str, name: &str, url: &str| Some((id.to_string(), name.to_string(), followed(url)?));
    let mut out = Vec::new();
    out.extend(view.act.as_ref().and_then(|a| button("act", "Claim or acknowledge", &a.url)));
    out.extend(view.more.as_ref().and_then(|m| button("more", "Open incident", m)));
    let runbooks = view.runbooks.iter().filter_map(|r| button("", "Runbook", r));
    out.extend(runbooks.take(limits::RUNBOOK_LINKS).enumerate().map(|(k, (_, name, url))| {
        let name = if k == 0 { name } else { format!("{name} {}", k + 1) };
        (format!("runbook-{k}"), name, url)
    }));
    Block::Buttons(out)
}

fn details(view: &View) -> Vec<Block> {
    let mut out = Vec::new();
    let moments = view.moments.iter().map(|m| {
        let reach = if m.reach.is_empty() { String::new() } else { format!("  - reach so far {}", m.reach) };
        format!("{}  {}{reach}", m.clock, m.what)
    });
    out.extend(paragraphs(titled("How it came to this", moments)));
    let top = view.top.iter().enumerate().map(|(k, said)| format!("{}  {}", k + 1, account(said)));
    out.extend(paragraphs(titled("Most of it", top)));
    out.extend(links(&view.top, "post"));
    if !view.voices.is_empty() {
        out.extend(paragraphs(titled("What people say", [view.voices.clone()].into_iter())));
    }
    out
}

/// One of the accounts that make most of it: `@latimes, 84 %, followers 640k - repost 03:07:02`.
fn account(said: &Said) -> String {
    let followers = if said.followers.is_empty() { String::new() } else { format!("followers {}", said.followers) };
    let who = [said.author.as_str(), &said.share, &followers].into_iter().filter(|s| !s.is_empty());
    let when = [said.kind.as_str(), &said.clock].into_iter().filter(|s| !s.is_empty());
    let (who, when) = (who.collect::<Vec<_>>().join(", "), when.collect::<Vec<_>>().join(" "));
    match &said.text {
        text if said.own => format!("{who} - {when}: \"{text}\""),
        text if *text == said.kind => format!("{who} - {when}"),
        text => format!("{who} - {when}: {text}"),
    }
}

/// Lines under a title; nothing without lines.
fn titled(title: &str, lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut out = vec![title.to_string()];
    out.extend(lines);
    if out.len() == 1 { Vec::new() } else { out }
}

/// In a word or two, what is new.
fn new(view: &View) -> String {
    match view.news {
        News::Test => "A trial".into(),
        News::Update => format!("{}, as it stands", view.word),
        News::Hand => view.claimed.as_ref().map_or("In hand".into(), |by| format!("Taken by {by}")),
        News::Repeat => "Still going on".into(),
        News::Over => "It is over".into(),
        News::Cause => "A new cause".into(),
        News::HandedOver => "Nobody else could be told".into(),
        News::Rise => format!("Now {}", view.word),
        News::Opened => format!("Begins: {}", view.word),
    }
}

/// What is new, as an answer in the thread; enough to act on where it is all that is seen.
fn reply(view: &View) -> Vec<Block> {
    let shown = |l| matches!(l, Label::Note | Label::Reach | Label::Who | Label::Going);
    let more = if view.is_over() || view.news == News::Hand { Vec::new() } else { lines(view, shown) };
    let mut out = paragraphs([format!("{}: {}", new(view), view.sentence)].into_iter().chain(more));
    if !view.is_over() && view.news != News::Hand {
        out.push(buttons(view));
    }
    out
}
