//! What tests of receivers share: a story as people are told of it, servers that keep contracts or are told to break
//! them, and a deliverer that runs.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use groundswell::base::model::{IncidentId, Severity};
use groundswell::base::time::{Span, Time};
use groundswell::notify::view::{Act as Acting, Label, Link, Moment, News, Said, View};
use groundswell::notify::{Carrier, Deliverer, Inbox, Left, Letter, Pace, Report};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// When the guitar story pages.
pub fn at() -> Time {
    Time::parse_rfc3339("2009-07-08T08:07:02Z").unwrap()
}

fn said(text: &str, author: &str, followers: &str, kind: &str, clock: &str, share: &str) -> Said {
    let follow = Some(format!("https://bsky.app/profile/{}/post/3k", author.trim_start_matches('@')));
    let link = Some(Link { shown: "hxxps[:]//bsky.app/…".into(), follow });
    let [text, author, followers, kind, clock, share] =
        [text, author, followers, kind, clock, share].map(str::to_string);
    Said { own: text != "repost", text, author, followers, kind, clock, share, link }
}

/// The guitar story at one moment of its life.
pub fn guitar(step: u32, news: News) -> View {
    let over = news == News::Over;
    let severity = if step == 1 { Severity::Warn } else { Severity::Page };
    let word = match severity {
        _ if over => "OVER",
        Severity::Page => "PAGE",
        _ => "WARN",
    };
    let lines = [
        (
            Label::Reach,
            "hostile, last 1 h: 101k impressions = 19.7x usual (usual 5.1k, mean of 7 days; this rare about once in 40 days)",
        ),
        (
            Label::Who,
            "23 accounts. 84 % comes from ONE repost: @latimes, 640k followers, 03:07:02. Without it: 16k = 3.2x (still fires)",
        ),
        (Label::Going, "explosive, each share brings 1.6 more"),
        (Label::Trust, "followers known for 16 of 23 accounts (70 %) - tone known 100 % - 0 accounts look coordinated"),
        (Label::Blind, "watching Bluesky, Mastodon. NOT watching X, TikTok, Instagram"),
        (
            Label::We,
            "no reply from us yet. The author wrote to @united 4 times since 2 July (last 19 h ago), unanswered",
        ),
        (Label::Do, "1 claim  2 reply to the root post  3 wake the press duty above 250k or at a second outlet"),
        (
            Label::Why,
            "StorySpreading, HostileSurge, BigVoice (one incident) - next message: at a rise, a new cause, else 03:22",
        ),
    ];
    let moment =
        |clock: &str, what: &str, reach: &str| Moment { clock: clock.into(), what: what.into(), reach: reach.into() };
    let incident = IncidentId(0x7f3c_0000_0000_0001);
    let code = incident.code();
    View {
        news,
        incident: Some(incident),
        thread: incident.full(),
        step,
        severity,
        word,
        brand: "United".into(),
        title: "hostile story spreading".into(),
        time: "03:07:02 CDT (08:07:02 UTC)".into(),
        date: "2009-07-08".into(),
        at: at(),
        sentence:
            "a musician's video says we broke his guitar; a big outlet just passed it on; nobody of ours has answered."
                .into(),
        short: format!(
            "United: hostile reach 101k in 1 h, 19.7x usual, led by @latimes (84 %), explosive, unanswered - {code}"
        ),
        subject: format!("[{word}] United - guitar damage story, 19.7x usual, growing - {code}"),
        quote: Some(said(
            "United broke my guitar and refuses to pay",
            "@sonsofmaxwell",
            "3,900",
            "video",
            "03:01:10",
            "1 %",
        )),
        quote_more: "cause: damage, staff - started 6 min ago".into(),
        lines: lines.map(|(label, text)| (label, text.to_string())).to_vec(),
        moments: vec![
            moment("03:01:10", "root post (3,900 followers)", "0.6k"),
            moment("03:04:40", "11 accounts, no big voice yet", "9k"),
            moment("03:07:02", "@latimes reposts (640k)", "111k"),
            moment("03:07:03", "rule crossed", ""),
        ],
        top: vec![
            said("repost", "@latimes", "640k", "repost", "03:07:02", "84 %"),
            said("they laughed on the tarmac", "@guitarworld", "52k", "quote", "03:05:10", "7 %"),
        ],
        voices: "6 posts with own text: damage 4, staff 3; typical: \"they laughed on the tarmac\"".into(),
        chart: None,
        act: (!over).then(|| Acting { url: format!("https://gs.example/i/{code}?t=4f1c9a") }),
        more: Some(format!("https://gs.example/i/{code}")),
        runbooks: vec!["https://wiki.example/damaged-baggage".into()],
        owner: Some("Care duty".into()),
        claimed: (step >= 4).then(|| "Ada".to_string()),
        labels: [("alertname", "StorySpreading"), ("brand", "united"), ("group", "airline")]
            .map(|(k, v)| (k.into(), v.into()))
            .into(),
        began: at() - Span::seconds(352),
        ended: over.then(|| at() + Span::seconds(7200)),
    }
}

/// Its whole life.
pub const LIFE: [News; 5] = [News::Opened, News::Rise, News::Cause, News::Hand, News::Over];

/// Its views, one a step.
pub fn life() -> Vec<View> {
    LIFE.iter().zip(1..).map(|(news, step)| guitar(step, *news)).collect()
}

/// A letter of a view.
pub fn letter(view: &View, body: Bytes) -> Letter {
    let key = format!("{}-{}", view.thread, view.step).into();
    Letter { key, body, episode: None, incident: view.incident, whole: true }
}

/// What a server does with a request instead of keeping its contract.
#[derive(Clone)]
pub enum Act {
    /// Keeps it.
    Keep,
    /// Keeps it, and answers with a failure all the same.
    Lose,
    /// Answers with a status, a `Retry-After` unless empty, and a body.
    Say(u16, &'static str, String),
    /// Cuts the connection within the answer.
    Reset,
    /// Never answers.
    Hang,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Got {
    pub at: Instant,
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

type Contract = dyn Fn(&Got) -> (u16, String) + Send + Sync;

/// A server that keeps a contract unless it is told not to.
#[derive(Clone)]
pub struct Server {
    pub acts: Arc<Mutex<VecDeque<Act>>>,
    pub got: Arc<Mutex<Vec<Got>>>,
    contract: Arc<Contract>,
}

async fn act(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let next = server.acts.lock().unwrap().pop_front().unwrap_or(Act::Keep);
    let (path, body) = (parts.uri.path().to_string(), String::from_utf8(body.to_vec()).unwrap());
    let got = Got { at: Instant::now(), path, headers: parts.headers, body };
    server.got.lock().unwrap().push(got.clone());
    let answer = |status: u16| Response::builder().status(status);
    match next {
        Act::Keep => {
            let (status, said) = (server.contract)(&got);
            answer(status).body(Body::from(said))
        }
        Act::Lose => {
            let (status, said) = (server.contract)(&got);
            assert!(status < 300, "{said}");
            answer(502).body(Body::empty())
        }
        Act::Say(status, "", said) => answer(status).body(Body::from(said)),
        Act::Say(status, after, said) => answer(status).header("Retry-After", after).body(Body::from(said)),
        Act::Reset => {
            let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("cut"))]);
            answer(200).header("Content-Length", "100").body(Body::from_stream(broken))
        }
        Act::Hang => std::future::pending().await,
    }
    .unwrap()
}

impl Server {
    pub async fn start(contract: impl Fn(&Got) -> (u16, String) + Send + Sync + 'static) -> (Server, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server { acts: Arc::default(), got: Arc::default(), contract: Arc::new(contract) };
        let routes = Router::new().fallback(act).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (server, address)
    }

    pub fn will(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().unwrap().extend(acts);
    }

    pub fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}

/// Notes everything that is reported; its Clock goes on by a second a look.
#[derive(Default)]
pub struct Notes {
    pub lines: Mutex<Vec<String>>,
    pub handles: Mutex<BTreeMap<IncidentId, String>>,
    clock: AtomicI64,
}

impl Notes {
    fn note(&self, line: String) {
        self.lines.lock().unwrap().push(line);
    }
}

impl Report for Notes {
    fn delivered(&self, _: &str, letter: &Letter, tries: u32, _: Duration) {
        self.note(format!("delivered {} at try {tries}", letter.key));
    }
    fn failed(&self, _: &str, why: &str) {
        self.note(format!("failed: {why}"));
    }
    fn refused(&self, _: &str, _: &Letter, why: &str) {
        self.note(format!("refused: {why}"));
    }
    fn dropped(&self, _: &str, letter: &Letter) {
        self.note(format!("dropped {}", letter.key));
    }
    fn expired(&self, _: &str, letter: &Letter) {
        self.note(format!("expired {}", letter.key));
    }
    fn superseded(&self, _: &str, letter: &Letter) {
        self.note(format!("superseded {}", letter.key));
    }
    fn handle(&self, _: &str, incident: IncidentId, handle: &str) {
        self.handles.lock().unwrap().insert(incident, handle.to_string());
    }
    fn now(&self) -> Time {
        at() + Span::seconds(self.clock.fetch_add(1, Ordering::Relaxed))
    }
    fn jitter(&self) -> f64 {
        1.0
    }
}

pub const FAST: Pace =
    Pace { timeout: Span::seconds(20), first: Span::millis(1), most: Span::millis(20), kept: Span::seconds(60) };

/// A deliverer that runs.
pub struct Told {
    pub inbox: Arc<Inbox>,
    pub notes: Arc<Notes>,
    pub run: JoinHandle<usize>,
}

impl Told {
    pub fn by(carrier: Arc<dyn Carrier>, pace: Pace, handles: BTreeMap<IncidentId, String>) -> Told {
        let (inbox, notes) = (Arc::new(Inbox::default()), Arc::new(Notes::default()));
        *notes.handles.lock().unwrap() = handles.clone();
        let deliverer = Deliverer::new("told".into(), carrier, pace).knowing(handles);
        let run = tokio::spawn(deliverer.run(inbox.clone(), notes.clone(), CancellationToken::new(), Span::ZERO));
        Told { inbox, notes, run }
    }

    pub fn push(&self, letter: Letter) {
        for left in self.inbox.push(letter, Duration::ZERO) {
            match left {
                Left::Dropped(l) => self.notes.dropped("told", &l),
                Left::Superseded(l) => self.notes.superseded("told", &l),
            }
        }
    }

    pub fn lines(&self) -> Vec<String> {
        self.notes.lines.lock().unwrap().clone()
    }

    /// Tells everything, one after the other.
    pub async fn tell(&self, letters: impl IntoIterator<Item = Letter>) {
        let ended = || self.lines().iter().filter(|l| !l.starts_with("failed")).count();
        for letter in letters {
            let before = ended();
            self.push(letter);
            wait(|| ended() > before, || format!("{:#?}", self.lines())).await;
        }
    }
}

pub async fn wait(until: impl Fn() -> bool, what: impl Fn() -> String) {
    for _ in 0..4000 {
        if until() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{}", what());
}
