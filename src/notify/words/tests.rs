//! Messages as people read them.

use super::{service_view, test_view, view};
use crate::base::model::{
    Answered, Cause, Digest, EpisodeId, IncidentId, Message, Notice, Outage, PostKind, Severity, StoreNotice,
};
use crate::base::time::{Span, Time, Zone};
use crate::notify::tests::{guitar, guitar_at, said, source};
use crate::notify::view::{Case, Deed, Label, News, View};
use crate::notify::{Style, Surroundings, view_text};

fn around() -> Surroundings {
    Surroundings {
        watching: vec!["bluesky".into(), "mastodon".into()],
        blind_spots: vec!["X".into(), "TikTok".into(), "Instagram".into()],
        zone: Zone::parse("America/Chicago"),
        external_url: Some("https://gs.example/".into()),
        unrecorded: None,
    }
}

fn case(episodes: &[Notice], news: News) -> Case<'_> {
    Case {
        id: IncidentId::of(EpisodeId(1)),
        step: 1,
        news,
        severity: Severity::Page,
        now: guitar_at(),
        began: guitar_at() - Span::seconds(2),
        ended: None,
        episodes: episodes.iter().collect(),
        causes: vec![Cause::Damage, Cause::Staff],
        claimed: None,
        acknowledged: None,
        closed: None,
        notes: Vec::new(),
        next: Some(guitar_at() + Span::seconds(900)),
        act: Some("/i/ABC?t=xyz".into()),
    }
}

fn text(v: &View) -> String {
    view_text(v, Style::default())
}

/// All of a view that is text. `UPDATE_SHOWN=1` writes the files anew.
fn check(name: &str, v: &View) {
    let shown = format!("{}\n{}\n{}\n{}\n", text(v), v.sentence, v.short, v.subject);
    let path = format!("{}/src/notify/words/shown/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_SHOWN").is_some() {
        std::fs::write(&path, &shown).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(shown, expected, "{name} is not as in {path}");
    assert!(v.short.chars().count() <= 200 && v.subject.chars().count() <= 150);
}

fn dana(seconds: i64) -> Option<Deed> {
    Some(Deed { by: "Dana".into(), at: guitar_at() + Span::seconds(seconds), until: None })
}

#[test]
fn a_page_is_read_in_the_order_people_ask() {
    let episodes = guitar();
    let v = view(&case(&episodes, News::Opened), &around());
    check("page", &v);
    assert_eq!(v.code(), IncidentId::of(EpisodeId(1)).code());
    assert!(v.short.ends_with(&v.code()) && v.subject.ends_with(&v.code()));
    assert_eq!((v.thread.clone(), v.word), (v.incident.unwrap().full(), "PAGE"));
    assert_eq!(v.act.as_ref().unwrap().url, "https://gs.example/i/ABC?t=xyz");
    let mut order: Vec<Label> = v.lines.iter().map(|(label, _)| *label).collect();
    order.dedup();
    assert!(order.is_sorted(), "{order:?}");
    // named after the rule it began with, with the labels of the brand's group
    let labels: Vec<_> = v.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(labels, [("alertname", "BigVoice"), ("brand", "united"), ("team", "care"), ("tier", "1")]);
    let painted = view_text(&v, Style { colour: true });
    assert!(painted.starts_with("\x1b[1;97;41m PAGE \x1b[0m United: story spreading - "));
}

#[test]
fn a_brands_page_quotes_what_made_it_and_not_what_came_first() {
    let mut episodes = guitar();
    episodes.truncate(1);
    let first = view(&case(&episodes, News::Opened), &around()).quote.unwrap();
    assert_eq!(
        first.text,
        episodes[0].transition.evidence.as_ref().unwrap().first.as_ref().unwrap().body.text.replace("://", "[:]//")
    );
    episodes[0].transition.group.story = None;
    let loudest = view(&case(&episodes, News::Opened), &around()).quote.unwrap();
    assert_eq!((loudest.text.as_str(), loudest.author.as_str()), ("they laughed on the tarmac", "@guitarworld"));
}

#[test]
fn what_people_did_is_told_with_name_and_time() {
    let episodes = guitar();
    let mut c = case(&episodes, News::Hand);
    c.claimed = dana(100);
    c.now = guitar_at() + Span::seconds(101);
    c.acknowledged = Some(Deed { until: Some(guitar_at() + Span::seconds(3600)), ..dana(50).unwrap() });
    let v = view(&c, &around());
    check("hand", &v);
    assert_eq!(v.claimed.as_deref(), Some("Dana at 03:08:43 CDT"));
    c.news = News::Repeat;
    check("repeat", &view(&c, &around()));
}

#[test]
fn the_end_says_how_long_how_far_and_what_it_came_to() {
    let mut episodes = guitar();
    // the largest of its episodes, not the last told
    episodes[1].transition.evidence.as_mut().unwrap().hostile_reach = 111_000.0;
    let mut c = case(&episodes, News::Over);
    (c.now, c.claimed) = (guitar_at() + Span::seconds(5000), dana(100));
    c.ended = Some(guitar_at() + Span::seconds(4998));
    let v = view(&c, &around());
    check("over", &v);
    assert!(v.is_over() && v.act.is_none() && v.word == "OVER");
    assert!(v.short.contains("111k"), "{}", v.short);
}

#[test]
fn news_is_said_first() {
    let episodes = guitar();
    let note = |news, notes: Vec<String>| {
        let c = Case { notes, ..case(&episodes, news) };
        let v = view(&c, &around());
        v.lines.into_iter().filter(|(l, _)| *l == Label::Note).map(|(_, text)| text).collect::<Vec<_>>()
    };
    assert_eq!(note(News::Rise, vec![]), ["it became more severe: page now"]);
    assert_eq!(note(News::Cause, vec![]), ["a new cause: staff"]);
    assert_eq!(note(News::HandedOver, vec!["for mail:\n<!x>".into()]), ["for mail: <!x>"]);
    assert!(note(News::Opened, vec![]).is_empty());
}

#[test]
fn what_is_not_known_is_not_shown() {
    let mut episodes = guitar();
    let e = episodes[0].transition.evidence.as_mut().unwrap();
    (e.usual, e.surge, e.still_holds) = (None, None, None);
    (e.answered, e.asked, e.band, e.causes) = (Answered::Unknown, None, None, Vec::new());
    (e.points, e.turns) = (Vec::new(), Vec::new());
    for p in e.posts_mut() {
        (p.followers, p.known) = (300, false);
        p.deleted = true;
    }
    e.known = 0;
    let c = Case { causes: Vec::new(), next: None, act: None, ..case(&episodes[..1], News::Opened) };
    let v = view(&c, &Surroundings::default());
    check("unknown", &v);
    assert!(!text(&v).contains("usual") && !text(&v).contains("tarmac") && v.top.iter().all(|p| p.link.is_none()));
    assert_eq!(v.top[0].followers, "300, taken");
    assert_eq!((v.chart.as_ref(), v.voices.as_str()), (None, ""));
    // without evidence, and without any episode
    episodes[0].transition.evidence = None;
    let bare = view(&Case { episodes: vec![&episodes[0]], ..case(&[], News::Opened) }, &Surroundings::default());
    assert_eq!(bare.sentence, "Story spreading at United.");
    let none = view(&case(&[], News::Opened), &Surroundings::default());
    assert_eq!((none.word, none.lines.len()), ("PAGE", 0));
}

#[test]
fn the_chart_says_what_is_usual_and_what_happened_when() {
    let mut episodes = guitar();
    episodes[1].transition.evidence.as_mut().unwrap().line = Some(50_000.0);
    let chart = view(&case(&episodes, News::Opened), &around()).chart.unwrap();
    assert_eq!((chart.points.len(), chart.usual, chart.line), (72, Some((2_100.0, 9_800.0)), Some(50_000.0)));
    assert_eq!(chart.offset, -5 * 3600);
    let marks: Vec<_> = chart.marks.iter().map(|m| (m.name.as_str(), (guitar_at() - m.at).0 / 1_000_000)).collect();
    assert_eq!(marks, [("root post", 353), ("@latimes", 1), ("this page", 0)]);
    // a mark before the chart has no place in it, and one point is no line
    let e = episodes[0].transition.evidence.as_mut().unwrap();
    e.points.drain(..70);
    let begin = e.points[0].0;
    e.turns[0].at = begin - Span::seconds(1);
    let marks = view(&case(&episodes, News::Opened), &around()).chart.unwrap().marks;
    assert_eq!(marks.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["@latimes", "this page"]);
    episodes[0].transition.evidence.as_mut().unwrap().points.truncate(1);
    assert_eq!(view(&case(&episodes, News::Opened), &around()).chart, None);
}

#[test]
fn an_answer_is_told_with_its_time() {
    let mut episodes = guitar();
    let e = episodes[0].transition.evidence.as_mut().unwrap();
    e.answered = Answered::At(guitar_at() - Span::seconds(30));
    e.asked.as_mut().unwrap().times = 1;
    let v = view(&case(&episodes, News::Opened), &around());
    let we: Vec<_> = v.lines.iter().filter(|(l, _)| *l == Label::We).map(|(_, text)| text.as_str()).collect();
    assert_eq!(we, ["we answered at 03:06:33 CDT; @dave wrote to us once before, last 19h ago, unanswered"]);
    assert!(!v.short.contains("unanswered") && !v.sentence.contains("nobody"), "{} {}", v.short, v.sentence);
}

/// Every text of a view.
fn texts(v: &View) -> Vec<String> {
    let posts = v.quote.iter().chain(&v.top);
    let of_posts = posts.flat_map(|p| {
        [&p.text, &p.author, &p.followers, &p.kind, &p.clock, &p.share, &p.link.as_ref().unwrap().shown]
            .map(Clone::clone)
    });
    let mut out: Vec<String> = of_posts.collect();
    out.extend(v.lines.iter().map(|(_, text)| text.clone()));
    out.extend(v.moments.iter().flat_map(|m| [m.clock.clone(), m.what.clone(), m.reach.clone()]));
    out.extend(v.chart.iter().flat_map(|c| &c.marks).map(|m| m.name.clone()));
    out.extend(v.labels.values().chain(&v.runbooks).cloned());
    out.extend([&v.brand, &v.title, &v.sentence, &v.short, &v.subject, &v.quote_more, &v.voices].map(Clone::clone));
    out
}

#[test]
fn strangers_cannot_break_out_of_their_line() {
    let evil = format!(
        "\x1b[31m\u{202e}evil\u{2066}\r\n{{{{ x }}}} <!channel> <script>@here https://evil.example/\u{e0041} {}",
        "n".repeat(1 << 20)
    );
    let mut episodes = guitar();
    let e = episodes[0].transition.evidence.as_mut().unwrap();
    let mut post = said("x", 1, PostKind::Quote, 300, 0.5, &evil);
    let mut body = (*post.body).clone();
    body.url = Some(format!("https://bsky.app/{evil}").into());
    (body.author, body.source) = (evil.clone().into(), evil.clone().into());
    (post.body, post.name) = (body.into(), Some(evil.clone().into()));
    (e.first, e.top) = (Some(post.clone()), vec![post.clone()]);
    e.typical = Some(post.clone());
    e.sources_down = vec![evil.clone().into()];
    episodes[0].transition.summary = Some(evil.clone().into());
    let mut c = case(&episodes[..1], News::Hand);
    c.claimed = Some(Deed { by: evil.clone(), at: guitar_at(), until: None });
    c.notes = vec![evil.clone(); 50];
    let v = view(&c, &around());
    for text in texts(&v) {
        assert!(text.chars().count() <= 1500, "{text}");
        assert!(!text.chars().any(|c| c.is_control() || "\u{202e}\u{2066}\u{e0041}".contains(c)), "{text:?}");
        assert!(!text.contains("https://evil"), "{text}");
    }
    assert!(v.quote.as_ref().is_some_and(|q| q.link.as_ref().is_some_and(|l| l.follow.is_none())));
    assert!(v.short.ends_with(&v.code()) && v.short.chars().count() <= 200, "{}", v.short);
    assert!(v.subject.ends_with(&v.code()) && v.subject.chars().count() <= 150, "{}", v.subject);
    assert!(text(&v).len() < 10_000);
}

#[test]
fn the_service_tells_of_itself() {
    let shown = |m: &Message| service_view(m, &around()).unwrap();
    let (down, up) = (shown(&source(true)), shown(&source(false)));
    check("source_down", &down);
    check("source_up", &up);
    assert!(down.thread == up.thread && down.step < up.step && down.incident.is_none());
    assert_eq!((down.labels["alertname"].as_str(), down.labels["source"].as_str()), ("SourceDown", "bluesky"));
    assert_eq!((down.is_over(), up.is_over(), up.news), (false, true, News::Over));
    let of = |down| {
        let (at, why) = (guitar_at(), "disk is full".to_string());
        shown(&Message::Store(StoreNotice { at, down, since: at - Span::seconds(5), why }))
    };
    check("store_failing", &of(true));
    check("store_sound", &of(false));
    assert_eq!(of(true).thread, of(false).thread);
    assert!(service_view(&Message::Episode(guitar().remove(0)), &around()).is_none());
}

#[test]
fn what_was_over_before_anybody_could_be_told_is_listed() {
    let (from, to) = (guitar_at() - Span::seconds(600), guitar_at() + Span::seconds(600));
    let outage = Outage { from, to };
    let digest = |over: Vec<Notice>| Message::Digest(Digest { at: to, outage, over, left_out: 4 });
    let v = service_view(&digest(guitar()), &around()).unwrap();
    check("digest", &v);
    assert_eq!((v.word, v.severity), ("INFO", Severity::Info));
    let many = service_view(&digest((0..50).flat_map(|_| guitar()).collect()), &around()).unwrap();
    assert!(many.moments.len() == 20 && text(&many).contains("see 134 episodes more"), "{}", text(&many));
}

#[test]
fn a_trial_says_that_nothing_has_happened() {
    let v = test_view("pager", &around(), guitar_at());
    check("test", &v);
    assert_eq!((v.word, v.news, v.labels["alertname"].as_str()), ("TEST", News::Test, "Test"));
    let other = |name: &str, at: Time| test_view(name, &around(), at).thread;
    assert_ne!(v.thread, other("mail", guitar_at()));
    assert_ne!(v.thread, other("pager", guitar_at() + Span::seconds(1)));
}
