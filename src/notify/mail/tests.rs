use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::model::IncidentId;
use crate::notify::view::{Act, Chart, Label, Link, Mark, Moment};

fn at(seconds: i64) -> Time {
    Time::from_millis((1_247_040_422 + seconds) * 1000)
}

fn mail() -> Mail {
    let to = ["Care duty <care@united.example>".to_string(), "press@united.example".to_string()];
    Mail::new("groundswell <gs@alerts.united.example>", &to).unwrap()
}

fn said(author: &str, followers: &str, kind: &str, clock: &str, share: &str, text: &str) -> Said {
    let name = author.trim_start_matches('@');
    let path = format!("bsky.app/profile/{name}/post/3l{}", share.len());
    let link = match name {
        "guitarworld" => Link { shown: format!("hxxps[:]//{path}"), follow: None },
        _ => Link { shown: format!("https://{path}"), follow: Some(format!("https://{path}")) },
    };
    let [text, author, followers, kind, clock, share] =
        [text, author, followers, kind, clock, share].map(str::to_string);
    Said { text, own: true, author, followers, kind, clock, share, link: Some(link) }
}

fn chart() -> Chart {
    let quiet = (0..353).map(|m| (at(60 * (m - 360)), 5_000.0 + 700.0 * (m as f64 / 23.0).sin()));
    let risen =
        [(-420, 5.4), (-360, 5.9), (-300, 7.0), (-240, 8.8), (-180, 11.0), (-120, 14.1), (-60, 16.4), (0, 101.0)];
    let risen = risen.into_iter().map(|(s, k)| (at(s), 1000.0 * k));
    let mark = |s: i64, name: &str| Mark { at: at(s), name: name.to_string() };
    Chart {
        points: quiet.chain(risen).collect(),
        usual: Some((3_900.0, 6_200.0)),
        line: Some(25_500.0),
        marks: vec![mark(-352, "root post"), mark(-1, "@latimes"), mark(0, "this page")],
        offset: -5 * 3600,
    }
}

fn moments() -> Vec<Moment> {
    let moment = |clock: &str, what: &str, reach: &str| Moment {
        clock: clock.to_string(),
        what: what.to_string(),
        reach: reach.to_string(),
    };
    vec![
        moment("03:01:10", "root post (3,900 followers)", "0.6k"),
        moment("03:04:40", "11 accounts, no big voice yet", "9k"),
        moment("03:07:02", "@latimes reposts (640k)", "111k"),
        moment("03:07:03", "rule crossed; mail and Slack sent", ""),
    ]
}

fn lines() -> Vec<(Label, String)> {
    let lines = [
        (
            Label::Reach,
            "last 1h: 101k impressions = 19.7x usual (usual 5.1k, mean of 7 days; this rare about once in 40 days)",
        ),
        (
            Label::Who,
            "23 accounts. 84 % comes from ONE repost: @latimes, 640k followers, 03:07:02. Without it: 16k = 3.2x (still fires)",
        ),
        (
            Label::Going,
            "explosive, each share brings 1.6 more. Exposure still to come 0.4M; in 24h 0.9M to 4.1M (80 % band)",
        ),
        (Label::Trust, "followers known for 16 of 23 accounts (70 %) - tone known 100 % - 0 accounts look coordinated"),
        (Label::Blind, "watching Bluesky, Mastodon. NOT watching X, TikTok, Instagram"),
        (
            Label::We,
            "no reply from us yet. The author wrote to @united 4 times since 2 July (last 19h ago), unanswered",
        ),
        (
            Label::Do,
            "1 claim  2 reply to the root post (runbook \"damaged baggage\")  3 wake the press duty above 250k or at a second outlet",
        ),
        (
            Label::Why,
            "StorySpreading, HostileSurge, BigVoice (one incident) - next message: at a rise, a new cause, else 03:22",
        ),
        (Label::Why, "0.91 x 640k x .114 + ... = 101k; usual 5.1k; 101 / 5.1 = 19.7. Rule rules/united.yaml:31"),
    ];
    lines.into_iter().map(|(l, t)| (l, t.to_string())).collect()
}

/// The night of the guitar.
fn page() -> View {
    let top = [
        ("@latimes", "640k", "repost", "03:07:02", "84 %", "United breaks a musician's guitar, then his patience"),
        (
            "@guitarworld",
            "58k",
            "quote",
            "03:06:11",
            "7 %",
            "They threw it. He filmed it. Watch https[:]//guitar.example/u",
        ),
        ("@sonsofmaxwell", "3.9k", "post", "03:01:10", "3 %", "United broke my guitar and refuses to pay"),
    ];
    View {
        news: News::Opened,
        incident: Some(IncidentId(0x3bc7_31d2_9a55_0e01)),
        thread: "incident 7F3K".into(),
        step: 1,
        severity: Severity::Page,
        word: "PAGE",
        brand: "United".into(),
        title: "hostile story spreading".into(),
        time: "03:07:02 CDT (08:07:02 UTC)".into(),
        date: "2009-07-08".into(),
        at: at(0),
        sentence:
            "A musician's video says we broke his guitar; a big outlet just passed it on; nobody of ours has answered."
                .into(),
        short: "United: hostile reach 101k in 1h, 19.7x usual, led by @latimes (84 %), explosive, unanswered - 7F3K"
            .into(),
        subject: "[PAGE] United - guitar damage story, 19.7x usual, growing - 7F3K".into(),
        quote: Some(said(
            "@sonsofmaxwell",
            "3.9k",
            "video",
            "03:01:10",
            "",
            "United broke my guitar and refuses to pay",
        )),
        quote_more: "cause: damage, staff - began 6m ago".into(),
        lines: lines(),
        moments: moments(),
        top: top.into_iter().map(|(a, f, k, c, s, t)| said(a, f, k, c, s, t)).collect(),
        voices: "6 posts with own text: damage 4, staff 3; typical: \"they laughed on the tarmac\"".into(),
        chart: Some(chart()),
        act: Some(Act { url: "https://gs.example/i/7F3KQ2M?t=2c9d1e".into() }),
        more: Some("https://gs.example/v1/status".into()),
        runbooks: vec!["https://wiki.united.example/damaged-baggage".into(), "call the station manager".into()],
        owner: Some("Care duty".into()),
        claimed: None,
        labels: BTreeMap::new(),
        began: at(-352),
        ended: None,
    }
}

fn over() -> View {
    View {
        news: News::Over,
        step: 7,
        word: "OVER",
        title: "over after 5h 2m".into(),
        sentence: "Over: hostile reach is back at 1.1x usual; at most it was 1.9M within the hour.".into(),
        subject: "[OVER] United - guitar damage story, 5h 2m - 7F3K".into(),
        claimed: Some("Ann, 03:09".into()),
        act: None,
        quote: None,
        quote_more: String::new(),
        ended: Some(at(18_000)),
        ..page()
    }
}

fn test() -> View {
    View {
        news: News::Test,
        incident: None,
        thread: "test".into(),
        severity: Severity::Info,
        word: "TEST",
        brand: "groundswell".into(),
        title: "a trial".into(),
        sentence: "This is a trial: nothing has happened. Mails from groundswell reach you.".into(),
        subject: "[TEST] groundswell".into(),
        quote: None,
        quote_more: String::new(),
        lines: Vec::new(),
        moments: Vec::new(),
        top: Vec::new(),
        voices: String::new(),
        chart: None,
        act: None,
        more: None,
        runbooks: Vec::new(),
        owner: None,
        ..page()
    }
}

fn service() -> View {
    let blind = "X, TikTok, Instagram, and since 03:01 bluesky".to_string();
    let lines = vec![(Label::What, "no frame since 03:01:10: connection refused".to_string()), (Label::Blind, blind)];
    View {
        news: News::Opened,
        severity: Severity::Warn,
        word: "WARN",
        title: "source bluesky is not heard".into(),
        sentence: "Bluesky has not been heard for 6m; rules that need it cannot fire.".into(),
        subject: "[WARN] groundswell - source bluesky is not heard".into(),
        thread: "source bluesky".into(),
        lines,
        more: Some("https://gs.example/v1/status".into()),
        ..test()
    }
}

const HOSTILE: [&str; 12] = [
    "</style><style>*{display:none}",
    "<img src=x onerror=alert(1)>",
    "\"><script>alert(1)</script>",
    "{{7*7}} {% for x in range(9) %}x{% endfor %} {# gone #}",
    "' onmouseover='alert(1)",
    "\r\nBcc: evil@x.example\r\n\r\n<html>",
    "\u{202e}gnp.exe\u{2066}\u{feff}\u{0}\u{1b}[31m",
    "--=_a.0000000000000000.1.groundswell--",
    "=?utf-8?q?=0D=0ABcc:_evil@x.example?=",
    "expression(alert(1)); background:url(https://x.example/a.png)",
    "漢字 🤬 ü ߷ ﷽ \u{d7ff}\u{e000}\u{10ffff}",
    "&lt;b&gt; &amp; <!-- --> <![CDATA[ ]]> javascript:alert(1)",
];

/// A view with the same text wherever strangers or configs write.
fn hostile(text: &str) -> View {
    let s = || text.to_string();
    let post = Said {
        link: Some(Link { shown: s(), follow: Some(s()) }),
        ..Said { text: s(), own: true, author: s(), followers: s(), kind: s(), clock: s(), share: s(), link: None }
    };
    View {
        brand: s(),
        title: s(),
        time: s(),
        date: s(),
        sentence: s(),
        short: s(),
        subject: s(),
        thread: s(),
        quote: Some(post.clone()),
        quote_more: s(),
        lines: vec![(Label::Reach, s()), (Label::Do, s())],
        moments: vec![Moment { clock: s(), what: s(), reach: s() }],
        top: vec![post; 3],
        voices: s(),
        chart: Some(Chart { marks: vec![Mark { at: at(-60), name: s() }], ..chart() }),
        act: Some(Act { url: s() }),
        more: Some(s()),
        runbooks: vec![s()],
        owner: Some(s()),
        claimed: Some(s()),
        step: 2,
        ..page()
    }
}

fn head_of(letter: &[u8]) -> String {
    let text = std::str::from_utf8(letter).unwrap();
    assert!(text.is_ascii(), "a server without 8BITMIME takes it");
    text.split_once("\r\n\r\n").unwrap().0.to_string()
}

/// Names of the headers above the first empty line.
fn names(head: &str) -> Vec<&str> {
    let own = head.split("\r\n").filter(|l| !l.starts_with([' ', '\t']));
    own.map(|l| l.split_once(':').unwrap().0).collect()
}

/// Tags and attributes of a page, without their texts.
fn skeleton(html: &str) -> Vec<String> {
    html.split('<').skip(1).map(|t| t.split(['>', ' ', '\n']).next().unwrap().to_ascii_lowercase()).collect()
}

#[test]
fn a_page_has_the_headers_that_threads_and_filters_need() {
    let head = head_of(&letter(&page(), &mail()));
    for line in [
        "From: groundswell <gs@alerts.united.example>",
        "To: \"Care duty\" <care@united.example>, press@united.example",
        "Subject: [PAGE] United - guitar damage story, 19.7x usual, growing - 7F3K",
        "Date: Wed, 08 Jul 2009 08:07:02 +0000",
        "Auto-Submitted: auto-generated",
        "List-Id: groundswell <groundswell.alerts.united.example>",
        "Importance: high",
        "X-Priority: 1",
        "MIME-Version: 1.0",
    ] {
        assert!(head.replace("\r\n ", " ").lines().any(|l| l.trim_end() == line), "{line} in {head}");
    }
    assert!(head.contains(&format!("X-Groundswell-Incident: {}", page().incident.unwrap().full())), "{head}");
    assert!(!head.contains("In-Reply-To") && !head.contains("References"), "{head}");
    for view in [over(), test(), service(), View { news: News::Hand, ..page() }] {
        let head = head_of(&letter(&view, &mail()));
        assert!(!head.contains("Importance") && !head.contains("Priority"), "{head}");
        assert_eq!(head.contains("X-Groundswell-Incident"), view.incident.is_some());
    }
}

#[test]
fn messages_of_a_thread_name_its_first_one() {
    let value = |view: &View, name: &str| {
        let head = head_of(&letter(view, &mail())).replace("\r\n ", " ");
        head.lines().find_map(|l| Some(l.strip_prefix(&format!("{name}:"))?.trim().to_string()))
    };
    let first = value(&page(), "Message-ID").unwrap();
    assert!(first.starts_with('<') && first.ends_with("@alerts.united.example>"), "{first}");
    assert_eq!(value(&page(), "In-Reply-To"), None);
    assert_eq!(value(&over(), "In-Reply-To").as_ref(), Some(&first));
    assert_eq!(value(&over(), "References").as_ref(), Some(&first));
    let ids = [page(), over(), test(), View { thread: "other".into(), ..page() }].map(|v| value(&v, "Message-ID"));
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "{ids:?}");
    // a repeat is the same message, to the last byte
    assert_eq!(letter(&page(), &mail()), letter(&page(), &mail()));
}

#[test]
fn the_picture_is_inside_and_nothing_is_fetched() {
    let whole = String::from_utf8(letter(&page(), &mail())).unwrap();
    let page = html::html(&page(), Some(("chart.x", "Chart: it rises"))).unwrap();
    assert!(page.contains("src=\"cid:chart.x\"") && page.contains("alt=\"Chart: it rises\""), "{page}");
    assert!(whole.contains("Content-ID: <chart.") && whole.contains("Content-Type: image/png"), "{whole}");
    for part in ["multipart/alternative", "multipart/related", "text/plain; charset=utf-8", "text/html; charset=utf-8"]
    {
        assert_eq!(whole.matches(part).count(), 1, "{part}");
    }
    for banned in ["<script", "<form", "<link", "<iframe", "<object", "@import", "url("] {
        assert!(!page.contains(banned), "{banned}");
    }
    assert_eq!(page.matches("src=").count(), 1);
    assert!(whole.len() < 150_000, "{}", whole.len());
}

#[test]
fn only_what_may_be_followed_is_a_link() {
    let shown = html::html(&page(), None).unwrap();
    let mut links: Vec<&str> = shown.split("href=\"").skip(1).map(|l| l.split('"').next().unwrap()).collect();
    links.sort_unstable();
    links.dedup();
    // slashes come as character references, which every reader knows
    let links: Vec<String> = links.iter().map(|l| l.replace("&#x2f;", "/")).collect();
    assert_eq!(
        links,
        [
            "https://bsky.app/profile/latimes/post/3l4",
            "https://bsky.app/profile/sonsofmaxwell/post/3l0",
            "https://bsky.app/profile/sonsofmaxwell/post/3l3",
            "https://gs.example/i/7F3KQ2M?t=2c9d1e",
            "https://gs.example/v1/status",
            "https://wiki.united.example/damaged-baggage",
        ]
    );
    for bad in
        ["javascript:alert(1)", "https://x.example/\"onclick=", "//x.example", "https://x.example/a b", "data:,x"]
    {
        let view = View { act: Some(Act { url: bad.into() }), runbooks: vec![bad.into()], more: None, ..test() };
        let page = html::html(&view, None).unwrap();
        assert!(!page.contains("href="), "{bad}");
    }
}

#[test]
fn strangers_add_no_tag_no_header_and_no_line() {
    let plain = hostile("harmless");
    let expected = skeleton(&html::html(&plain, Some(("c", "w"))).unwrap());
    let (sound, heads) = (letter(&plain, &mail()), head_of(&letter(&plain, &mail())));
    for text in HOSTILE {
        let view = hostile(text);
        let page = html::html(&view, Some(("c", "w"))).unwrap();
        assert_eq!(skeleton(&page), expected, "{text:?}");
        assert!(!page.contains("49"), "{text:?} was run");
        assert!(!page.contains(['\u{202e}', '\u{2066}', '\0', '\u{1b}']), "{text:?}");
        let whole = letter(&view, &mail());
        let head = head_of(&whole);
        assert_eq!(names(&head), names(&heads), "{text:?}");
        assert!(head.lines().all(|l| l.len() < 998), "{text:?}");
        let parts = |l: &[u8]| String::from_utf8_lossy(l).lines().filter(|l| l.starts_with("--=_")).count();
        assert_eq!(parts(&whole), parts(&sound), "{text:?}");
        let text = text::text(&view);
        assert!(!text.contains(['\u{202e}', '\0', '\u{1b}', '\r']), "{text}");
        let lines = text::text(&plain).lines().count();
        assert!(text.lines().count() < 4 * lines, "{text}");
    }
    let quoted = html::html(&hostile("{{7*7}}<b>"), None).unwrap();
    assert!(quoted.contains("{{7*7}}&lt;b&gt;"), "{quoted}");
}

#[test]
fn endless_texts_and_lists_make_a_mail_of_bounded_size() {
    for text in ["x".repeat(1 << 20), "\"<&>' ".repeat(1 << 17), "漢".repeat(1 << 18), "a.b".repeat(1 << 18)] {
        let mut view = hostile(&text);
        view.top = vec![view.top[0].clone(); 20];
        view.lines = vec![view.lines[0].clone(); 40];
        view.moments = vec![view.moments[0].clone(); 40];
        view.runbooks = vec![text; 20];
        let page = html::html(&view, None).unwrap();
        assert!(page.len() <= limits::MAIL_HTML_BYTES && page.contains("</html>"), "{}", page.len());
        let whole = letter(&view, &mail());
        assert!(whole.len() < 1 << 20, "{}", whole.len());
        assert!(whole.split(|b| *b == b'\n').all(|l| l.len() < 998));
    }
    let links = View { runbooks: vec![format!("https://x.example/{}", "/".repeat(950)); 500], ..page() };
    assert!(html::html(&links, None).is_some_and(|h| h.len() <= limits::MAIL_HTML_BYTES));
}

#[test]
fn the_text_reads_in_order() {
    let shown = text::text(&page());
    let order = [
        "PAGE - United: hostile story spreading - ",
        "2009-07-08 03:07:02 CDT (08:07:02 UTC)",
        "A musician's video says",
        "“United broke my guitar",
        "How it came to this",
        "03:07:02  @latimes reposts (640k)",
        "Top by share of hostile reach",
        "1    84 %  @latimes, 640k followers, repost, 03:07:02",
        "REACH  last 1h",
        "What people say",
        "(a page with buttons; opening it changes nothing):\nhttps://gs.example/i/7F3KQ2M?t=2c9d1e\n",
    ];
    let mut from = 0;
    for part in order {
        let found = shown[from..].find(part).unwrap_or_else(|| panic!("{part} after {} in\n{shown}", &shown[..from]));
        from += found;
    }
    let long = shown.lines().find(|l| l.chars().count() > 80 && !l.contains("https://"));
    assert_eq!(long, None);
    for view in [test(), service(), over()] {
        let (text, page) = (text::text(&view), html::html(&view, None).unwrap());
        assert!(!text.contains("\n\n\n") && !text.contains("What people say\n\n") && !text.contains("Claim"), "{text}");
        assert!(!page.contains("Claim") && !page.contains("<img"), "{page}");
        for part in ["How it came to this", "Top by share", "What people say"] {
            assert_eq!(text.contains(part), page.contains(part), "{part}");
            assert_eq!(text.contains(part), view.incident.is_some(), "{part}");
        }
    }
}

#[test]
fn addresses_are_checked_all_at_once() {
    let to = ["a@b.example", "nobody", "x@y.example\r\nBcc: z@y.example", "ü@y.example"].map(str::to_string);
    let mistakes = Mail::new("gs", &to).unwrap_err();
    assert_eq!(mistakes.len(), 4, "{mistakes:#?}");
    assert!(mistakes.iter().all(|m| m.starts_with("expected an address") && !m.contains(['\r', '\n'])));
    assert_eq!(Mail::new("a@b.example", &[]).unwrap_err(), ["expected at least one address in `to`, found none"]);
    assert_eq!(Mail::new("a@b.example", &vec!["a@b.example".to_string(); 33]).unwrap_err().len(), 1);
    let named = Mail::new("\"Ü, duty\" <a@b.example>", &["c@d.example".to_string()]).unwrap();
    assert!(head_of(&letter(&page(), &named)).contains("From: =?utf-8?"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_said_the_form_stays(text in "\\PC{0,80}", odd in any::<String>()) {
        let expected = skeleton(&html::html(&hostile("harmless"), None).unwrap());
        for text in [text, odd] {
            let text = format!("x{text}");
            prop_assert_eq!(&skeleton(&html::html(&hostile(&text), None).unwrap()), &expected);
            let view = View { chart: None, ..hostile(&text) };
            let sound = View { chart: None, ..hostile("harmless") };
            let (head, other) = (head_of(&letter(&view, &mail())), head_of(&letter(&sound, &mail())));
            prop_assert_eq!(names(&head), names(&other));
        }
    }
}

/// For looking at: `GROUNDSWELL_LOOK=/folder cargo test --lib look_at_mails -- --ignored`.
#[test]
#[ignore = "writes mails for people"]
fn look_at_mails() {
    let folder = std::path::PathBuf::from(std::env::var_os("GROUNDSWELL_LOOK").unwrap());
    let claimed = View { claimed: Some("Ann, 03:09".into()), news: News::Hand, step: 3, ..page() };
    let wild = hostile(&HOSTILE.join(" "));
    let warn = View { severity: Severity::Warn, word: "WARN", chart: None, ..page() };
    let all = [("page", page()), ("over", over()), ("test", test()), ("service", service()), ("claimed", claimed)];
    for (name, view) in all.into_iter().chain([("hostile", wild), ("warn", warn)]) {
        let write = |end: &str, bytes: &[u8]| std::fs::write(folder.join(format!("mail-{name}.{end}")), bytes).unwrap();
        write("eml", &letter(&view, &mail()));
        write("txt", text::text(&view).as_bytes());
        let picture = view.chart.as_ref().map(|c| (chart::png(c).unwrap(), chart::words(c).unwrap()));
        let page = html::html(&view, picture.as_ref().map(|(_, words)| ("chart", words.as_str()))).unwrap();
        if let Some((png, _)) = &picture {
            write("png", png);
        }
        write("html", page.replace("cid:chart", &format!("mail-{name}.png")).as_bytes());
    }
}
