//! What people are told at one moment, in words and figures, before it takes the form of a receiver.
//!
//! Every text here is one line, short, without control or direction characters, and links in what
//! strangers write are defanged. Nothing is escaped for any form: whoever makes HTML or mrkdwn of
//! it does that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::around::Surroundings;
use crate::base::model::{Cause, IncidentId, Notice, Severity};
use crate::base::time::Time;

/// Why people are told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum News {
    /// A trial: nothing has happened.
    Test,
    /// Something joined, or figures changed, which is worth no notice of its own: messages that are edited in place are brought up
    /// to date, and nobody is woken.
    Update,
    /// Somebody took it, acknowledged it or closed it.
    Hand,
    /// It still goes on.
    Repeat,
    /// It is over.
    Over,
    /// It has a cause it did not have before.
    Cause,
    /// Another receiver could not be told of it.
    HandedOver,
    /// It became more severe.
    Rise,
    /// It begins.
    Opened,
}

/// Which question a line answers. In the order of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Label {
    /// Why it is told late, or to this receiver.
    Note,
    /// What a rule says of it.
    What,
    /// How bad, against usual.
    Reach,
    /// Who, and without the largest account.
    Who,
    /// Where it is going.
    Going,
    /// How far to trust it.
    Trust,
    /// What is not watched.
    Blind,
    /// Whether the brand has answered.
    We,
    /// What to do.
    Do,
    /// Why it fired.
    Why,
    /// What the service cannot do at the moment.
    Store,
}

impl Label {
    /// The word in front of the line.
    pub fn word(self) -> &'static str {
        match self {
            Label::Note => "NOTE",
            Label::What => "WHAT",
            Label::Reach => "REACH",
            Label::Who => "WHO",
            Label::Going => "GOING",
            Label::Trust => "TRUST",
            Label::Blind => "BLIND",
            Label::We => "WE",
            Label::Do => "DO",
            Label::Why => "WHY",
            Label::Store => "STORE",
        }
    }
}

/// A link of a post.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// As it is shown: defanged unless it may be followed.
    pub shown: String,
    /// Where it leads, if it is one of the post's own network: `https://` and no more than ASCII.
    pub follow: Option<String>,
}

/// A post.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// Its text; `[deleted]`, or the kind of post where it has none.
    pub text: String,
    /// Whether `text` is what its author wrote, to be put in quotes.
    pub own: bool,
    /// Who: `@name`.
    pub author: String,
    /// Followers, and whether they are known: `640k`, `300, taken`.
    pub followers: String,
    /// post, reply, repost ….
    pub kind: String,
    /// When, without a zone: `03:07:02`.
    pub clock: String,
    /// Its part of the whole: `84 %`.
    pub share: String,
    /// Where it is.
    pub link: Option<Link>,
}

/// A point of the way to this message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moment {
    /// When: `03:07:02`.
    pub clock: String,
    /// What happened.
    pub what: String,
    /// Hostile reach so far, in impressions: `111k`; may be empty.
    pub reach: String,
}

/// Something in a chart that has a name.
#[derive(Clone, PartialEq, Debug)]
pub struct Mark {
    /// When.
    pub at: Time,
    /// One or two words.
    pub name: String,
}

/// Hostile reach over the last hours.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Chart {
    /// Impressions within the hour before each time; times rise.
    pub points: Vec<(Time, f64)>,
    /// What is usual: low and high, in impressions.
    pub usual: Option<(f64, f64)>,
    /// From where on it pages, in impressions.
    pub line: Option<f64>,
    /// What happened when.
    pub marks: Vec<Mark>,
    /// Times of its axis are shown this much later than UTC, in seconds.
    pub offset: i32,
}

/// Where people act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    /// Opens a page with buttons; opening it changes nothing.
    pub url: String,
}

/// What somebody did about an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Deed {
    /// Who.
    pub by: String,
    /// When.
    pub at: Time,
    /// Until when it holds, if it does not hold to the end.
    pub until: Option<Time>,
}

/// What is known of an incident when people are told.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The incident.
    pub id: IncidentId,
    /// Grows with each message about it, from 1.
    pub step: u32,
    /// Why they are told.
    pub news: News,
    /// The highest severity it has reached.
    pub severity: Severity,
    /// Now.
    pub now: Time,
    /// When its first episode began to hold.
    pub began: Time,
    /// When its last episode ended, if it is over.
    pub ended: Option<Time>,
    /// The last change to firing of each of its episodes: the most severe first, of equals the newest. At least one.
    pub episodes: Vec<&'a Notice>,
    /// Causes seen so far, in the order they came.
    pub causes: Vec<Cause>,
    /// Who has claimed it.
    pub claimed: Option<Deed>,
    /// Who has acknowledged it.
    pub acknowledged: Option<Deed>,
    /// Who has closed it.
    pub closed: Option<Deed>,
    /// What is to be said first: why it is told late, or to this receiver.
    pub notes: Vec<String>,
    /// When it is told again if nothing changes.
    pub next: Option<Time>,
    /// Where to act, without the address of the service: `/i/7F3K...?t=...`.
    pub act: Option<String>,
}

/// A message for people.
#[derive(Clone, PartialEq, Debug)]
pub struct View {
    /// Why they are told.
    pub news: News,
    /// What it is about; `None`: the service itself, a digest, a trial.
    pub incident: Option<IncidentId>,
    /// By what receivers thread and replace: equal for all messages of an incident.
    pub thread: String,
    /// Grows with each message of a thread, from 1.
    pub step: u32,
    /// How bad it is, or was.
    pub severity: Severity,
    /// PAGE, WARN, INFO, OVER, TEST.
    pub word: &'static str,
    /// The brand's name; the service's for news of itself.
    pub brand: String,
    /// What happens, in a few words: `story spreading`.
    pub title: String,
    /// When, for people: `03:07:02 CDT (08:07:02 UTC)`, with the date where the form has no other.
    pub time: String,
    /// The date there: `2009-07-08`.
    pub date: String,
    /// The same moment.
    pub at: Time,
    /// One sentence that says it all.
    pub sentence: String,
    /// One line for a pager or a lock screen, at most 200 characters, the code at its end.
    pub short: String,
    /// Subject of mails: without line breaks, at most 150 characters.
    pub subject: String,
    /// The post it began with.
    pub quote: Option<Said>,
    /// `cause: damage, staff - began 6m ago`; may be empty.
    pub quote_more: String,
    /// What is to be known, in the order of labels; labels may come more than once.
    pub lines: Vec<(Label, String)>,
    /// How it came to this.
    pub moments: Vec<Moment>,
    /// The accounts that make most of it.
    pub top: Vec<Said>,
    /// What people say; may be empty.
    pub voices: String,
    /// Hostile reach of the last hours.
    pub chart: Option<Chart>,
    /// Where to act; `None` where the service has no address or it is over.
    pub act: Option<Act>,
    /// Where a reader finds more.
    pub more: Option<String>,
    /// What to do: the address, or the words, of each runbook.
    pub runbooks: Vec<String>,
    /// Who is on call.
    pub owner: Option<String>,
    /// Who has taken it.
    pub claimed: Option<String>,
    /// Words machines sort it by: `alertname`, `brand`, labels of the brand's groups. They do not change
    /// while it lasts.
    pub labels: BTreeMap<String, String>,
    /// When it began.
    pub began: Time,
    /// When it ended, if it is over.
    pub ended: Option<Time>,
}

impl View {
    /// A message that says nothing yet.
    pub(super) fn blank(news: News, word: &'static str, at: Time, around: &Surroundings) -> View {
        View {
            news,
            incident: None,
            thread: String::new(),
            step: 1,
            severity: Severity::Info,
            word,
            brand: String::new(),
            title: String::new(),
            time: around.clock_both(at),
            date: around.date(at),
            at,
            sentence: String::new(),
            short: String::new(),
            subject: String::new(),
            quote: None,
            quote_more: String::new(),
            lines: Vec::new(),
            moments: Vec::new(),
            top: Vec::new(),
            voices: String::new(),
            chart: None,
            act: None,
            more: around.more(),
            runbooks: Vec::new(),
            owner: None,
            claimed: None,
            labels: BTreeMap::new(),
            began: at,
            ended: None,
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// The incident's short name; empty without one.
    pub fn code(&self) -> String {
        self.incident.map(IncidentId::code).unwrap_or_default()
    }
}
