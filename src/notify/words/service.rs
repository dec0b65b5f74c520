//! What the service tells of itself, and trials, as views.

use std::collections::BTreeMap;

use super::brief::{SHORT, SUBJECT, with_code};
use super::facts::{late, whole_seconds};
use super::incident::word;
use crate::base::figures::count;
use crate::base::hash;
use crate::base::model::{Digest, Message, Severity, SourceNotice, StoreNotice};
use crate::base::time::{Span, Time};
use crate::notify::around::Surroundings;
use crate::notify::plain::{plain, quoted};
use crate::notify::view::{Label, Moment, News, View};

/// By what messages of the service itself name it.
const NAME: &str = "groundswell";
/// Names of rules in one line; the others are counted.
const RULES_SHOWN: usize = 10;
/// Episodes listed of those that were over before anybody could be told.
const OVER_SHOWN: usize = 20;

/// The view of what the service tells of itself; `None` of an episode, which is told of in its
/// incident. A source has one thread and the store another; their steps grow with time.
pub fn service_view(message: &Message, around: &Surroundings) -> Option<View> {
    let mut v = match message {
        Message::Episode(_) => return None,
        Message::Source(s) => source(s, around),
        Message::Store(s) => store(s, around),
        Message::Digest(d) => digest(d, message, around),
    };
    v.labels.insert("alertname".into(), message.alert().to_string());
    if let Some(why) = around.unrecorded.as_ref().filter(|_| !matches!(message, Message::Store(_))) {
        v.lines.push((Label::Store, format!("nothing is recorded: {}", plain(why, 200))));
    }
    Some(v)
}

/// A trial for a receiver: nothing has happened.
pub fn test_view(receiver: &str, around: &Surroundings, now: Time) -> View {
    let name = quoted(receiver, 60);
    let what = format!("nothing has happened; this is a trial of the receiver {name}");
    let proof = "that groundswell reaches this receiver, and that whoever reads this reads its messages";
    View {
        thread: format!("test-{:016x}", hash::parts(&[receiver.as_bytes(), &now.0.to_le_bytes()])),
        title: "a trial, nothing has happened".into(),
        lines: vec![
            (Label::What, what),
            (Label::Trust, format!("what it proves: {proof}")),
            (Label::Do, "nothing".into()),
        ],
        labels: BTreeMap::from([("alertname".into(), "Test".into())]),
        ..briefly(
            View::blank(News::Test, "TEST", now, around),
            &format!("Nothing has happened: groundswell tries whether the receiver {name} is reached."),
            &format!("trial for {name}, nothing has happened"),
        )
    }
}

/// The end of that trial, in the same thread.
pub fn test_over_view(receiver: &str, around: &Surroundings, now: Time) -> View {
    let begun = test_view(receiver, around, now);
    View { step: begun.step + 1, ended: Some(now), title: "the trial is over, nothing has happened".into(), ..begun }
}

/// Fills what stands alone: the sentence, the line for a pager, the subject.
fn briefly(v: View, sentence: &str, short: &str) -> View {
    View {
        brand: NAME.into(),
        sentence: with_code(sentence, "", 400),
        short: with_code(&format!("{NAME}: {short}"), "", SHORT),
        subject: with_code(&format!("[{}] {NAME} - {short}", v.word), "", SUBJECT),
        ..v
    }
}

/// News that something of the service fails, or does not any more.
fn state(down: bool, at: Time, since: Time, around: &Surroundings) -> View {
    let (news, word, ended) =
        if down { (News::Opened, word(Severity::Warn), None) } else { (News::Over, "OVER", Some(at)) };
    let step = u32::try_from(at.0 / Span::seconds(1).0).unwrap_or(1).max(1);
    View { severity: Severity::Warn, step, began: since, ended, ..View::blank(news, word, at, around) }
}

fn source(s: &SourceNotice, around: &Surroundings) -> View {
    let (name, silence) = (quoted(&s.source, 100), whole_seconds(s.at - s.since));
    let mut v = state(s.down, s.at, s.since, around);
    v.thread = format!("source-{:016x}", hash::parts(&[b"source", s.source.as_bytes()]));
    v.labels.insert("source".into(), name.clone());
    if !s.down {
        v.title = format!("source {name} is heard again");
        v.lines = vec![(Label::What, format!("it was not heard for {silence}"))];
        let sentence = format!("The source {name} is heard again after {silence}.");
        return briefly(v, &sentence, &format!("source {name} is heard again, after {silence}"));
    }
    v.title = format!("source {name} is not heard");
    let why = quoted(&s.why, 200);
    let since = around.clock_both(s.since);
    v.lines.push((Label::What, format!("not heard since {since} ({silence})")));
    if !s.rules.is_empty() {
        let names: Vec<String> = s.rules.iter().take(RULES_SHOWN).map(|r| plain(r, 100)).collect();
        let more = s.rules.len().saturating_sub(RULES_SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        v.lines.push((Label::Trust, format!("rules degraded: {}{more}", names.join(", "))));
    }
    if !why.is_empty() {
        v.lines.push((Label::Why, why.clone()));
    }
    let because = if why.is_empty() { String::new() } else { format!(": {why}") };
    let sentence = format!("The source {name} is not heard since {since}{because}.");
    briefly(v, &sentence, &format!("source {name} is not heard for {silence}{because}"))
}

fn store(s: &StoreNotice, around: &Surroundings) -> View {
    let mut v = state(s.down, s.at, s.since, around);
    v.thread = "store".into();
    let (why, lasted) = (quoted(&s.why, 300), whole_seconds(s.at - s.since));
    if !s.down {
        v.title = "the store is written again".into();
        v.lines = vec![(Label::What, format!("nothing was recorded for {lasted}"))];
        let sentence = format!("The store is written again after {lasted}.");
        return briefly(v, &sentence, &format!("the store is written again, after {lasted}"));
    }
    v.title = "nothing is recorded".into();
    let trust = "watching and paging go on from memory; a restart now would lose what was not recorded";
    let since = around.clock_both(s.since);
    v.lines = vec![(Label::What, format!("nothing is recorded since {since}")), (Label::Trust, trust.into())];
    let because = if why.is_empty() { String::new() } else { format!(": {why}") };
    if !why.is_empty() {
        v.lines.push((Label::Why, why));
    }
    let sentence = format!("Nothing is recorded since {since}{because}.");
    briefly(v, &sentence, &format!("nothing is recorded{because}"))
}

fn digest(d: &Digest, message: &Message, around: &Surroundings) -> View {
    let n = d.over.len() + d.left_out;
    let what = format!(
        "{} over before you could be told",
        if n == 1 { "1 episode was".into() } else { format!("{n} episodes were") }
    );
    let told = late(&d.outage, around);
    let mut v = View::blank(News::Over, word(Severity::Info), d.at, around);
    v.thread = format!("digest-{}", message.key());
    v.title.clone_from(&what);
    v.lines.push((Label::Note, told.clone()));
    for n in d.over.iter().take(OVER_SHOWN) {
        let (t, rule) = (&n.transition, n.rules.rules.get(n.transition.rule as usize));
        let brand = plain(n.rules.brand(t.group.key).map_or("?", |b| &b.name), 80);
        let name = rule.map_or(String::new(), |r| plain(&r.name, 100));
        let what = format!("{brand}: {name} ({}), over {} - {}", t.severity.name(), around.clock(t.at), t.episode);
        v.moments.push(Moment { clock: around.clock(t.since), what, reach: String::new() });
    }
    let more = n - d.over.len().min(OVER_SHOWN);
    if more > 0 {
        v.lines.push((Label::Do, format!("see {} more: groundswell alerts --all", count(more, "episode"))));
    }
    (v.began, v.ended) = (d.outage.from, Some(d.at));
    briefly(v, &format!("{what}; {told}."), &what)
}
