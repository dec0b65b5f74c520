//! Slack, against a server that keeps its documented limits, and one that fails in each of its ways.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use groundswell::base::secret::Secret;
use groundswell::base::time::Span;
use groundswell::notify::view::{News, View};
use groundswell::notify::{Letter, Pace, Slack, SlackConfig, SlackWay, slack_body};
use serde_json::{Value as Json, json};

use crate::receivers::{Act, FAST, Got, Server, Told, guitar, letter, life};

/// What the bot of [`slack`] has to say.
pub const TOKEN: &str = "xoxb-17-secret";

/// Something in the channel.
#[derive(Clone, Debug)]
pub struct Message {
    pub ts: String,
    pub thread: Option<String>,
    pub broadcast: bool,
    pub edits: usize,
    pub said: Json,
}

/// A channel of Slack.
#[derive(Default)]
pub struct Channel(Mutex<Vec<Message>>);

fn chars(text: &Json) -> usize {
    text.as_str().unwrap_or_default().encode_utf16().count()
}

/// What is wrong with a text object, as far as Slack minds.
fn text_fits(text: &Json, kinds: &[&str], most: usize) -> bool {
    let fine = text["type"].as_str().is_some_and(|t| kinds.contains(&t)) && (1..=most).contains(&chars(&text["text"]));
    // in texts that are parsed, and in others, these would have to be escaped
    fine && !text["text"].as_str().unwrap_or_default().contains(['<', '>'])
}

fn block_fits(block: &Json, ids: &mut BTreeSet<String>) -> bool {
    let elements = block["elements"].as_array().map_or(&[][..], Vec::as_slice);
    match block["type"].as_str().unwrap_or_default() {
        "header" => text_fits(&block["text"], &["plain_text"], 150),
        "section" => text_fits(&block["text"], &["plain_text", "mrkdwn"], 3000),
        "context" => (1..=10).contains(&elements.len()) && elements.iter().all(|e| text_fits(e, &["plain_text"], 3000)),
        "actions" => {
            let fits = |e: &Json| {
                e["type"] == "button"
                    && text_fits(&e["text"], &["plain_text"], 75)
                    && (1..=3000).contains(&chars(&e["url"]))
                    && (1..=255).contains(&chars(&e["action_id"]))
            };
            (1..=25).contains(&elements.len())
                && elements.iter().all(|e| fits(e) && ids.insert(e["action_id"].to_string()))
        }
        "rich_text" => elements.iter().all(|section| {
            let parts = section["elements"].as_array().map_or(&[][..], Vec::as_slice);
            let link = |e: &Json| e["type"] == "link" && e["url"].as_str().is_some_and(|u| u.starts_with("https://"));
            section["type"] == "rich_text_section"
                && !parts.is_empty()
                && parts.iter().all(|e| link(e) || e["type"] == "text" && e["text"] == " - ")
        }),
        _ => false,
    }
}

/// The error of a message that breaks a documented limit.
fn wrong(said: &Json) -> Option<&'static str> {
    let Some(blocks) = said["blocks"].as_array() else { return Some("no_text") };
    let mut ids = BTreeSet::new();
    if chars(&said["text"]) == 0 {
        return Some("no_text");
    }
    if chars(&said["text"]) > 4000 {
        return Some("msg_too_long");
    }
    if json!(blocks).to_string().encode_utf16().count() > 13_000 {
        return Some("msg_blocks_too_long");
    }
    let fits = (1..=50).contains(&blocks.len()) && blocks.iter().all(|b| block_fits(b, &mut ids));
    (!fits).then_some("invalid_blocks")
}

impl Channel {
    /// One method of the API.
    fn method(&self, got: &Got) -> (u16, String) {
        let said: Json = serde_json::from_str(&got.body).unwrap();
        let authorized = got.headers.get("authorization").is_some_and(|v| v == format!("Bearer {TOKEN}").as_str());
        let answer = if !authorized {
            Err("invalid_auth")
        } else if got.path == "/api/chat.postMessage" {
            self.post(said)
        } else if got.path == "/api/chat.update" {
            self.update(said)
        } else {
            Err("unknown_method")
        };
        match answer {
            // an answer repeats the message
            Ok((ts, said)) => (200, json!({"ok": true, "channel": "C17", "ts": ts, "message": said}).to_string()),
            Err(error) => (200, json!({"ok": false, "error": error}).to_string()),
        }
    }

    fn post(&self, said: Json) -> Result<(String, Json), &'static str> {
        let mut all = self.0.lock().unwrap();
        if said["channel"] != "C17" && said["channel"] != "#united" {
            return Err("channel_not_found");
        }
        if said["unfurl_links"] != false || said["unfurl_media"] != false {
            return Err("unfurled");
        }
        if let Some(error) = wrong(&said) {
            return Err(error);
        }
        let thread = said["thread_ts"].as_str().map(str::to_string);
        if thread.as_ref().is_some_and(|t| !all.iter().any(|m| m.ts == *t)) {
            return Err("thread_not_found");
        }
        let ts = format!("17{:08}.000{:03}", all.len(), all.len());
        let broadcast = said["reply_broadcast"] == true;
        all.push(Message { ts: ts.clone(), thread, broadcast, edits: 0, said: said.clone() });
        Ok((ts, said))
    }

    fn update(&self, said: Json) -> Result<(String, Json), &'static str> {
        let mut all = self.0.lock().unwrap();
        // unlike posts, edits need the id
        if said["channel"] != "C17" {
            return Err("channel_not_found");
        }
        if let Some(error) = wrong(&said) {
            return Err(error);
        }
        let Some(message) = all.iter_mut().find(|m| said["ts"] == m.ts.as_str()) else {
            return Err("message_not_found");
        };
        message.edits += 1;
        message.said = said.clone();
        Ok((message.ts.clone(), said))
    }

    /// All messages, in the order they came.
    pub fn all(&self) -> Vec<Message> {
        self.0.lock().unwrap().clone()
    }

    /// Messages that are no answers.
    fn tops(&self) -> Vec<Message> {
        self.all().into_iter().filter(|m| m.thread.is_none()).collect()
    }

    /// The beginning of each answer, and whether the channel sees it.
    fn answers(&self) -> Vec<(String, bool)> {
        let answers = self.all().into_iter().filter(|m| m.thread.is_some());
        answers.map(|m| (first(&m.said), m.broadcast)).collect()
    }
}

/// The first word or so of a message.
fn first(said: &Json) -> String {
    said["text"].as_str().unwrap().split(':').next().unwrap().to_string()
}

/// A workspace with one channel, and a receiver that tells it.
pub async fn slack() -> (Arc<Channel>, Server, SlackConfig) {
    let channel = Arc::new(Channel::default());
    let (server, address) = Server::start({
        let channel = channel.clone();
        move |got| channel.method(got)
    })
    .await;
    let api = Some(format!("http://{address}/api"));
    let way = SlackWay::Bot { token: Secret::new(TOKEN), channel: "#united".into(), api };
    (channel, server, SlackConfig { gap: Span::ZERO, ..SlackConfig::new("told".into(), way) })
}

fn running(config: &SlackConfig, pace: Pace) -> Told {
    Told::by(Slack::carrier(config, pace).unwrap(), pace, BTreeMap::new())
}

fn letter_of(view: &View) -> Letter {
    letter(view, slack_body(view))
}

fn letters() -> Vec<Letter> {
    life().iter().map(letter_of).collect()
}

fn error(word: &str, after: &'static str) -> Act {
    Act::Say(200, after, json!({"ok": false, "error": word}).to_string())
}

/// What the whole life leaves in a thread.
fn whole_thread() -> Vec<(String, bool)> {
    let answers = [("Details", false), ("Now PAGE", true), ("A new cause", true), ("It is over", false)];
    answers.map(|(text, broadcast)| (text.to_string(), broadcast)).to_vec()
}

#[tokio::test]
async fn a_story_is_one_message_with_one_thread() {
    let (channel, server, config) = slack().await;
    let r = running(&config, FAST);
    r.tell(letters()).await;
    let tops = channel.tops();
    assert_eq!((tops.len(), tops[0].edits), (1, 4), "{:#?}", r.lines());
    assert_eq!(first(&tops[0].said), "OVER - United");
    let head = tops[0].said["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(head.starts_with("✅ OVER - United: hostile story spreading - incident "), "{head}");
    assert_eq!(channel.answers(), whole_thread());
    let threads: BTreeSet<Option<String>> = channel.all().into_iter().filter_map(|m| m.thread).map(Some).collect();
    assert_eq!(threads, BTreeSet::from([Some(tops[0].ts.clone())]));
    assert_eq!((server.count(), r.lines().len()), (1 + 4 + 4, 5));
}

#[tokio::test]
async fn nothing_is_said_twice_where_every_other_call_fails() {
    let (channel, server, config) = slack().await;
    let r = running(&config, FAST);
    let fails = [
        Act::Say(500, "", String::new()),
        error("internal_error", ""),
        Act::Say(429, "0", String::new()),
        error("ratelimited", "0"),
        Act::Reset,
        Act::Say(503, "", "<html>".into()),
        Act::Say(200, "", "<html>".into()),
        error("fatal_error", ""),
        error("service_unavailable", ""),
    ];
    server.will(fails.into_iter().flat_map(|act| [act, Act::Keep]));
    r.tell(letters()).await;
    assert_eq!((channel.tops().len(), channel.tops()[0].edits), (1, 4), "{:#?}", r.lines());
    assert_eq!(channel.answers(), whole_thread());
    assert_eq!(r.lines().iter().filter(|l| l.starts_with("failed")).count(), 9, "{:#?}", r.lines());
    assert_eq!(server.count(), 9 + 9);
}

#[tokio::test]
async fn after_a_restart_the_same_message_goes_on_and_repeats_change_nothing() {
    let (channel, server, config) = slack().await;
    let r = running(&config, FAST);
    let letters = letters();
    r.tell(letters[..2].to_vec()).await;
    r.run.abort();
    let handles = r.notes.handles.lock().unwrap().clone();
    let again = Told::by(Slack::carrier(&config, FAST).unwrap(), FAST, handles);
    let before = server.count();
    // what was on its way when it ended is told once more
    again.tell(letters[..2].to_vec()).await;
    assert_eq!(server.count(), before);
    again.tell(letters[2..].to_vec()).await;
    assert_eq!((channel.tops().len(), channel.answers()), (1, whole_thread()));
}

#[tokio::test]
async fn a_rise_that_a_later_letter_took_the_place_of_wakes_people_all_the_same() {
    let (channel, _server, config) = slack().await;
    let r = running(&config, FAST);
    r.tell([letter_of(&guitar(1, News::Opened)), letter_of(&guitar(3, News::Update))]).await;
    let expected = [("Details".to_string(), false), ("PAGE, as it stands".to_string(), true)];
    assert_eq!(channel.answers(), expected);
    // figures alone wake nobody
    r.tell([letter_of(&guitar(4, News::Update)), letter_of(&guitar(5, News::Hand))]).await;
    assert_eq!((channel.answers().len(), channel.tops()[0].edits), (2, 3));
}

#[tokio::test]
async fn another_message_stands_for_one_that_was_taken_away() {
    for (at, word) in [(1, "message_not_found"), (1, "edit_window_closed"), (2, "thread_not_found")] {
        let (channel, server, config) = slack().await;
        let r = running(&config, FAST);
        r.tell([letter_of(&guitar(1, News::Opened))]).await;
        server.will(std::iter::repeat_n(Act::Keep, at - 1).chain([error(word, "")]));
        r.tell([letter_of(&guitar(2, News::Rise)), letter_of(&guitar(3, News::Cause))]).await;
        let tops = channel.tops();
        assert_eq!((tops.len(), first(&tops[1].said).as_str()), (2, "PAGE - United"), "{word}");
        let last = channel.all().pop().unwrap();
        assert_eq!((last.thread.as_ref(), first(&last.said).as_str()), (Some(&tops[1].ts), "A new cause"), "{word}");
        assert_eq!(channel.all().iter().filter(|m| first(&m.said) == "Details").count(), 2, "{word}");
    }
}

#[tokio::test]
async fn what_is_refused_is_told_by_its_word() {
    let words =
        ["channel_not_found", "invalid_auth", "not_in_channel", "is_archived", "msg_too_long", "invalid_blocks"];
    for word in words {
        let (channel, server, config) = slack().await;
        let r = running(&config, FAST);
        server.will([error(word, "")]);
        r.tell([letter_of(&guitar(1, News::Opened)), letter_of(&guitar(2, News::Rise))]).await;
        assert_eq!(r.lines()[0], format!("refused: expected `ok`, found {word}"));
        // the next letter tells all there is
        assert_eq!((channel.tops().len(), channel.answers().len(), server.count()), (1, 1, 3));
    }
    let (_channel, _server, config) = slack().await;
    let SlackWay::Bot { api, .. } = config.way.clone() else { panic!() };
    let way = SlackWay::Bot { token: Secret::new("wrong-token"), channel: "C17".into(), api };
    let r = running(&SlackConfig { way, ..config }, FAST);
    r.tell([letter_of(&guitar(1, News::Opened))]).await;
    assert_eq!(r.lines(), ["refused: expected `ok`, found invalid_auth"]);
}

#[tokio::test]
async fn details_that_are_refused_are_not_tried_with_every_letter() {
    let (channel, server, config) = slack().await;
    let r = running(&config, FAST);
    server.will([Act::Keep, error("invalid_blocks", "")]);
    r.tell([letter_of(&guitar(1, News::Opened)), letter_of(&guitar(2, News::Rise))]).await;
    assert_eq!((channel.tops().len(), channel.answers()), (1, vec![("Now PAGE".to_string(), true)]));
}

#[tokio::test]
async fn calls_keep_slacks_pace_and_the_time_asked_for() {
    let (_channel, server, config) = slack().await;
    let gap = Span::millis(300);
    let r = running(&SlackConfig { gap, ..config }, Pace { most: Span::seconds(30), ..FAST });
    server.will([error("ratelimited", "1")]);
    r.tell([letter_of(&guitar(1, News::Opened))]).await;
    let at: Vec<_> = server.got.lock().unwrap().iter().map(|g| g.at).collect();
    assert_eq!(at.len(), 3);
    assert!(at[1] - at[0] >= Duration::from_secs(1), "{:?}", at[1] - at[0]);
    // a call begins no sooner, though it may take less time to arrive
    assert!(at[2] - at[1] >= gap.as_std() - Duration::from_millis(100), "{:?}", at[2] - at[1]);
}

#[tokio::test]
async fn a_slack_that_hangs_is_left_and_tried_again() {
    let (channel, server, config) = slack().await;
    let pace = Pace { timeout: Span::millis(300), ..FAST };
    let r = running(&config, pace);
    server.will([Act::Hang, Act::Keep, Act::Hang]);
    r.tell([letter_of(&guitar(1, News::Opened))]).await;
    assert_eq!(r.lines().iter().filter(|l| l.contains("expected an answer within 0.300s")).count(), 2);
    assert_eq!((channel.tops().len(), channel.answers().len()), (1, 1));
}

#[tokio::test]
async fn whatever_strangers_write_is_within_the_limits() {
    let (channel, _server, config) = slack().await;
    let r = running(&config, FAST);
    let hostile = ["<!channel> & <@U1>", &"<&>\"\\".repeat(3000), &"😀".repeat(9000), "`*_~> ```", "\u{0}\u{1f}"];
    for (text, step) in hostile.iter().zip(1..) {
        let mut view = guitar(step, News::Rise);
        let said = view.quote.as_mut().unwrap();
        (said.text, said.author) = (text.to_string(), text.to_string());
        (view.brand, view.title, view.short, view.sentence) =
            (text.to_string(), text.to_string(), text.to_string(), text.to_string());
        view.lines.iter_mut().for_each(|(_, line)| *line = text.to_string());
        view.top = vec![view.quote.clone().unwrap(); 20];
        view.voices = text.to_string();
        r.tell([letter_of(&view)]).await;
    }
    assert!(r.lines().iter().all(|l| l.starts_with("delivered")), "{:#?}", r.lines());
    assert_eq!(channel.tops().len(), 1);
}

/// What an incoming webhook answers.
fn hook(got: &Got) -> (u16, String) {
    let said: Json = serde_json::from_str(&got.body).unwrap();
    if got.path != "/services/T00/B00/XXXX" {
        return (404, "no_service".into());
    }
    match wrong(&said) {
        Some(error) => (400, error.into()),
        None => (200, "ok".into()),
    }
}

async fn hooked(path: &str) -> (Server, SlackConfig) {
    let (server, address) = Server::start(hook).await;
    let way = SlackWay::Webhook { url: Secret::new(format!("http://{address}{path}")) };
    (server, SlackConfig { gap: Span::ZERO, ..SlackConfig::new("told".into(), way) })
}

#[tokio::test]
async fn a_webhook_gets_a_message_a_letter_with_the_details() {
    let (server, config) = hooked("/services/T00/B00/XXXX").await;
    let r = running(&config, FAST);
    server.will([Act::Say(429, "0", "rate_limited".into()), Act::Say(500, "", String::new())]);
    let mut letters = letters();
    letters.insert(2, letter_of(&View { step: 2, ..guitar(2, News::Rise) }));
    r.tell(letters).await;
    r.tell([letter_of(&guitar(6, News::Update))]).await;
    assert_eq!(r.lines().iter().filter(|l| l.starts_with("failed")).count(), 2, "{:#?}", r.lines());
    let got = server.got.lock().unwrap();
    let said: Vec<Json> = got.iter().skip(2).map(|g| serde_json::from_str(&g.body).unwrap()).collect();
    let words: Vec<String> = said.iter().map(first).collect();
    assert_eq!(words, ["WARN - United", "PAGE - United", "PAGE - United", "Taken by Ada", "OVER - United"]);
    assert!(said[0].to_string().contains("How it came to this") && said[0].to_string().contains("Claim or ack"));
    assert!(said.iter().all(|s| s["unfurl_links"] == false));
}

#[tokio::test]
async fn a_webhook_that_refuses_tells_why_without_secrets() {
    let (server, config) = hooked("/services/T00/B00/YYYY").await;
    let r = running(&config, FAST);
    server.will([
        Act::Keep,
        Act::Say(403, "", "action_prohibited /services/T00/B00/YYYY".into()),
        Act::Say(410, "", "channel_is_archived".into()),
        Act::Say(200, "", "<html>welcome</html>".into()),
    ]);
    r.tell((1..=4).map(|step| letter_of(&guitar(step, News::Rise)))).await;
    let expected = [
        "refused: expected status 200, found 404: no_service",
        "refused: expected status 200, found 403: action_prohibited [secret]",
        "refused: expected status 200, found 410: channel_is_archived",
        "refused: expected the answer `ok`, found \"<html>welcome</html>\"",
    ];
    assert_eq!((r.lines(), server.count()), (expected.map(str::to_string).to_vec(), 4));
}

/// What is sent for the example of the documentation, so that it stays true. `UPDATE_DOCS=1` writes it.
#[test]
fn the_documentation_shows_what_is_sent() {
    let body: Json = serde_json::from_slice(&slack_body(&guitar(2, News::Rise))).unwrap();
    let shown = json!({"message": body["message"], "details": body["details"], "reply": body["reply"]});
    for part in ["message", "details", "reply"] {
        assert_eq!(wrong(&shown[part]), None, "{part}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/slack.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&shown).unwrap() + "\n").unwrap();
    }
    let documented: Json = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(documented, shown, "write it anew with UPDATE_DOCS=1");
}
