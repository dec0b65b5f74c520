//! A view as a mail: plain text and HTML that say the same, with the chart inside.

mod html;
mod text;

use std::time::SystemTime;

use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MessageBuilder, MultiPart, SinglePart};

use super::chart;
use super::plain::plain;
use super::view::{News, Said, View};
use crate::base::hash;
use crate::base::limits;
use crate::base::model::Severity;
use crate::base::time::{Span, Time};

/// Characters of a subject; a view's is shorter.
const SUBJECT_CHARS: usize = 200;

/// From whom mails come and to whom they go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mail {
    /// Reads addresses: `name@host`, or `Name <name@host>`.
    ///
    /// # Errors
    /// All mistakes.
    pub fn new(from: &str, to: &[String]) -> Result<Mail, Vec<String>> {
        let mut mistakes = Vec::new();
        let mut read = |what: &str, text: &str| {
            let read = mailbox(text);
            if read.is_none() {
                let found = plain(text, 80);
                mistakes.push(format!("expected an address like `name@host.example` {what}, found `{found}`"));
            }
            read
        };
        let sender = read("in `from`", from);
        let known: Vec<Mailbox> = to.iter().take(limits::MAIL_RECIPIENTS).filter_map(|t| read("in `to`", t)).collect();
        if to.is_empty() {
            mistakes.push("expected at least one address in `to`, found none".to_string());
        }
        if to.len() > limits::MAIL_RECIPIENTS {
            let most = limits::MAIL_RECIPIENTS;
            mistakes.push(format!("expected at most {most} addresses in `to`, found {}", to.len()));
        }
        match sender {
            Some(from) if mistakes.is_empty() => Ok(Mail { from, to: known }),
            _ => Err(mistakes),
        }
    }

    /// From whom they come.
    pub(super) fn from(&self) -> &Mailbox {
        &self.from
    }

    /// To whom they go.
    pub(super) fn to(&self) -> &[Mailbox] {
        &self.to
    }
}

/// An address that every server takes: of ASCII, on one line.
fn mailbox(text: &str) -> Option<Mailbox> {
    let fits = text.len() <= 400 && !text.chars().any(char::is_control);
    let read: Mailbox = text.parse().ok().filter(|_| fits)?;
    read.email.to_string().is_ascii().then_some(read)
}

/// The mail, RFC 5322, as it is handed to a server. Equal for equal views.
pub fn letter(view: &View, mail: &Mail) -> Vec<u8> {
    let picture = view.chart.as_ref().and_then(|c| Some((chart::png(c)?, chart::words(c)?)));
    let name = format!("chart.{}", mark(view, view.step));
    let html = html::html(view, picture.as_ref().map(|(_, words)| (name.as_str(), words.as_str())));
    // encoded, a line that begins with `=_` cannot be in any part
    let boundary = |part: &str| format!("=_{part}.{}", mark(view, view.step));
    let coded = |kind: ContentType, body: String| {
        SinglePart::builder().header(kind).header(ContentTransferEncoding::QuotedPrintable).body(body)
    };
    let plain = coded(ContentType::TEXT_PLAIN, text::text(view));
    let both = MultiPart::alternative().boundary(boundary("a")).singlepart(plain);
    let both = match (html, picture) {
        (None, _) => both,
        (Some(html), None) => both.singlepart(coded(ContentType::TEXT_HTML, html)),
        (Some(html), Some((png, _))) => {
            let html = coded(ContentType::TEXT_HTML, html);
            let related = MultiPart::related().boundary(boundary("r")).singlepart(html);
            match ContentType::parse("image/png") {
                Ok(kind) => {
                    let inline = Attachment::new_inline_with_name(name, "chart.png".to_string());
                    both.multipart(related.singlepart(inline.body(png, kind)))
                }
                Err(_) => both.multipart(related),
            }
        }
    };
    // cannot fail: there is a sender and a recipient
    head(view, mail).multipart(both).map(|m| m.formatted()).unwrap_or_default()
}

/// All above the first empty line, but for what the parts need.
fn head(view: &View, mail: &Mail) -> MessageBuilder {
    let domain = mail.from.email.domain();
    let id = |step| format!("<{}@{domain}>", mark(view, step));
    let at = view.at.plausible().unwrap_or(Time(0));
    let mut out = Message::builder()
        .from(mail.from.clone())
        .subject(subject(view))
        .date(SystemTime::UNIX_EPOCH + Span(at.0).as_std())
        .message_id(Some(id(view.step)));
    for to in &mail.to {
        out = out.to(to.clone());
    }
    if view.step > 1 {
        out = out.in_reply_to(id(1)).references(id(1));
    }
    // out-of-office notices are not to be sent to us
    out = raw(out, "Auto-Submitted", "auto-generated".to_string());
    out = raw(out, "X-Auto-Response-Suppress", "All".to_string());
    out = raw(out, "List-Id", format!("groundswell <groundswell.{domain}>"));
    if let Some(incident) = view.incident {
        out = raw(out, "X-Groundswell-Incident", incident.full());
    }
    if is_urgent(view) {
        out = raw(out, "Importance", "high".to_string());
        out = raw(out, "X-Priority", "1".to_string());
        out = raw(out, "Priority", "urgent".to_string());
    }
    out
}

fn raw(builder: MessageBuilder, name: &'static str, value: String) -> MessageBuilder {
    builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value))
}

/// Whether somebody is to be woken by it.
fn is_urgent(view: &View) -> bool {
    let wakes = !matches!(view.news, News::Test | News::Update | News::Hand | News::Over);
    view.severity == Severity::Page && wakes && !view.is_over()
}

/// On one line, and without what mail programs would decode.
fn subject(view: &View) -> String {
    plain(&view.subject, SUBJECT_CHARS).replace("=?", "= ?")
}

/// Names a message of a thread: the same for the same one.
fn mark(view: &View, step: u32) -> String {
    format!("{:016x}.{step}.groundswell", hash::parts(&[b"mail", view.thread.as_bytes()]))
}

/// How much of a view is shown: less and less of it, until it fits.
#[derive(Clone, Copy)]
struct Room {
    items: usize,
    chars: usize,
}

const ROOMS: [Room; 4] = [
    Room { items: limits::MAIL_ITEMS, chars: limits::MAIL_TEXT_CHARS },
    Room { items: 10, chars: 300 },
    Room { items: 6, chars: 120 },
    Room { items: 3, chars: 40 },
];

/// An address that a link may lead to.
fn is_address(url: &str) -> bool {
    let http = url.starts_with("https://") || url.starts_with("http://");
    let plain = url.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\'));
    http && plain && url.len() <= limits::MAIL_LINK_BYTES
}

/// `640k followers`.
fn followers(said: &Said) -> String {
    match said.followers.as_str() {
        "" => String::new(),
        known if known.contains(',') => format!("followers {known}"),
        known => format!("{known} followers"),
    }
}

/// What is known of a post beside its text: `640k followers, repost, 03:07:02`.
fn facts(said: &Said, chars: usize) -> Vec<String> {
    let all = [followers(said), said.kind.clone(), said.clock.clone()];
    all.iter().map(|f| plain(f, chars)).filter(|f| !f.is_empty()).collect()
}

/// What a post says, in quotes where its author wrote it.
fn words(said: &Said, chars: usize) -> String {
    match plain(&said.text, chars) {
        text if text.is_empty() || !said.own => text,
        text => format!("“{text}”"),
    }
}

#[cfg(test)]
mod tests;
