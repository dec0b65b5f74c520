//! What Slack is told, whatever strangers write.

use super::*;
use crate::base::model::{IncidentId, Severity};
use crate::notify::view::{Act, Label, Link, Moment, News, Said, View};

/// A view with one text everywhere.
pub(in crate::notify) fn view_of(text: &str) -> View {
    let said = Said {
        text: text.into(),
        own: true,
        author: text.into(),
        followers: text.into(),
        kind: text.into(),
        clock: text.into(),
        share: text.into(),
        link: Some(Link { shown: text.into(), follow: Some(text.into()) }),
    };
    let at = Time::parse_rfc3339("2026-07-04T08:07:02Z").unwrap();
    let labels = [
        Label::Note,
        Label::What,
        Label::Reach,
        Label::Who,
        Label::Going,
        Label::Trust,
        Label::Blind,
        Label::We,
        Label::Do,
        Label::Why,
        Label::Store,
    ];
    View {
        news: News::Opened,
        incident: Some(IncidentId(7)),
        thread: IncidentId(7).full(),
        step: 1,
        severity: Severity::Page,
        word: "PAGE",
        brand: text.into(),
        title: text.into(),
        time: text.into(),
        date: text.into(),
        at,
        sentence: text.into(),
        short: text.into(),
        subject: text.into(),
        quote: Some(said.clone()),
        quote_more: text.into(),
        lines: labels.iter().map(|l| (*l, text.to_string())).collect(),
        moments: vec![Moment { clock: text.into(), what: text.into(), reach: text.into() }; 20],
        top: vec![said; 10],
        voices: text.into(),
        chart: None,
        act: Some(Act { url: text.into() }),
        more: Some(text.into()),
        runbooks: vec![text.into(); 10],
        owner: Some(text.into()),
        claimed: Some(text.into()),
        labels: [("alertname", text), ("brand", text), (text, text)].map(|(k, v)| (k.into(), v.into())).into(),
        began: at,
        ended: None,
    }
}

/// What strangers write to be more than text.
pub(in crate::notify) const HOSTILE: [&str; 16] = [
    "<!channel>",
    "<!here|everyone> look",
    "<@U1>",
    "<#C1|general>",
    "<https://evil.example|click>",
    "&lt;!channel&gt;",
    "*bold* _it_ ~no~ `code` ```block```",
    "> quote",
    "https://evil.example/<!channel>|x",
    "javascript:alert(1)",
    "\",\"blocks\":[{}],\"x\":\"",
    "a\\\"b\\",
    ":skull: @everyone @channel #general",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "]}{[\u{0}\u{7}",
    "",
];

fn read(view: &View) -> Body {
    serde_json::from_slice(&slack_body(view)).unwrap()
}

fn parts(body: &Body) -> Vec<&Part> {
    [&body.message, &body.reply].into_iter().chain(&body.details).collect()
}

/// All texts that people see, with the kind of object they are in.
fn seen(json: &Json, out: &mut Vec<(String, String)>) {
    match json {
        Json::Array(all) => all.iter().for_each(|j| seen(j, out)),
        Json::Object(all) => {
            if let (Some(kind), Some(Json::String(text))) = (all.get("type").and_then(Json::as_str), all.get("text")) {
                out.push((kind.to_string(), text.clone()));
            }
            all.values().for_each(|j| seen(j, out));
        }
        _ => {}
    }
}

#[test]
fn what_strangers_write_stays_text() {
    let long = "<&>\"".repeat(5000);
    for text in HOSTILE.iter().copied().chain([long.as_str(), &"😀".repeat(9000), &"x\n".repeat(9000)]) {
        for over in [false, true] {
            let view = view_of(text);
            let ended = over.then_some(view.at);
            let body = read(&View { ended, ..view });
            for part in parts(&body) {
                assert!(part.text.chars().count() < 4000 && !part.text.contains(['<', '>']), "{}", part.text);
                assert!(part.blocks.len() <= 50 && json!(part.blocks).to_string().encode_utf16().count() < 13_000);
                let mut texts = Vec::new();
                seen(&json!(part.blocks), &mut texts);
                for (kind, shown) in texts {
                    match kind.as_str() {
                        "plain_text" => assert!(!shown.contains(['<', '>']) && !shown.is_empty(), "{shown}"),
                        // names of links are ours alone
                        "link" | "text" => {
                            assert!(
                                shown == " - " || shown == "open the post" || shown.starts_with("post "),
                                "{shown}"
                            );
                        }
                        other => panic!("{other} {shown}"),
                    }
                }
            }
        }
    }
    // an entity somebody wrote is shown as it was written
    let body = read(&view_of("&lt;!channel&gt;"));
    assert!(json!(body.message.blocks).to_string().contains("&amp;lt;!channel&amp;gt;"));
}

#[test]
fn only_web_pages_are_linked() {
    let urls = |text: &str| -> Vec<String> {
        let all = json!(parts(&read(&view_of(text))).iter().map(|p| &p.blocks).collect::<Vec<_>>()).to_string();
        all.split("\"url\":\"").skip(1).map(|s| s.split('"').next().unwrap().to_string()).collect()
    };
    assert_eq!(urls("javascript:alert(1)"), [""; 0]);
    assert!(urls("https://x.example/a|b>c").iter().all(|u| u == "https://x.example/a%7Cb%3Ec"));
    assert!(urls("https://x.example/a|b>c").len() > 10);
}

#[test]
fn a_headline_always_tells_which_and_when() {
    let view = View { time: "03:07:02 CDT (08:07:02 UTC)".into(), ..view_of(&"&brand ".repeat(100)) };
    let body = read(&view);
    let head = body.message.blocks[0]["text"]["text"].as_str().unwrap();
    assert!(head.starts_with("🔴 PAGE - &amp;brand "), "{head}");
    assert!(head.ends_with(&format!("… - incident {} - 03:07:02 CDT (08:07:02 UTC)", view.code())), "{head}");
    assert!(head.encode_utf16().count() <= 150, "{head}");
}

#[test]
fn the_order_is_that_of_the_message() {
    let body = read(&view_of("t"));
    let kinds: Vec<&str> = body.message.blocks.iter().map(|b| b["type"].as_str().unwrap()).collect();
    // note; quote; lines; small print. "t" is no address, so there are no buttons
    assert_eq!(kinds, ["header", "section", "section", "section", "context"]);
    let text = |k: usize| body.message.blocks[k]["text"]["text"].as_str().unwrap();
    assert_eq!((text(1), text(2)), ("NOTE: t", "\"t\" - t, t, t"));
    let words: Vec<&str> = text(3).lines().map(|l| l.split(':').next().unwrap()).collect();
    assert_eq!(words, ["WHAT", "REACH", "WHO", "GOING", "TRUST", "BLIND", "WE", "DO", "WHY", "STORE"]);
}

#[test]
fn what_was_missed_is_told_loudly() {
    let known = |severity| Known { severity, ..Known::default() };
    let body = |news| read(&View { news, ..view_of("t") });
    assert_eq!(known(2).voice(&body(News::Update)), Voice::Silent);
    assert_eq!(known(1).voice(&body(News::Update)), Voice::Channel);
    assert_eq!(known(2).voice(&body(News::Rise)), Voice::Channel);
    assert_eq!(known(2).voice(&body(News::Over)), Voice::Thread);
    let over = View { news: News::Over, ended: Some(Time(0)), ..view_of("t") };
    assert_eq!(known(0).voice(&read(&over)), Voice::Thread);
}
