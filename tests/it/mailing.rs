//! Mails to servers that take, refuse, put off, hang, close, cut off, talk too much and lie.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use groundswell::base::model::IncidentId;
use groundswell::base::secret::Secret;
use groundswell::base::time::{Span, Time};
use groundswell::notify::mail::{Mail, letter};
use groundswell::notify::view::{Chart, Mark, News, View};
use groundswell::notify::{Deliverer, EmailConfig, Inbox, Letter, Pace, Report, Tls};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::receivers;

/// What the server does instead of its duty, once.
#[derive(Clone)]
pub enum Act {
    /// Answers so.
    Say(&'static str),
    /// Says nothing more.
    Hang,
    /// Closes.
    Cut,
    /// Writes this and goes on as if nothing was.
    Talk(Vec<u8>),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A mail server that notes what it is told.
#[derive(Clone, Default)]
pub struct Server {
    /// By the moment they wait for: `GREETING`, a command, `BODY` (within it), `TAKEN` (after a mail).
    acts: Arc<Mutex<BTreeMap<&'static str, VecDeque<Act>>>>,
    /// With the number of the connection: `1 EHLO`, and whether it came through TLS: `1s MAIL FROM:...`.
    said: Arc<Mutex<Vec<String>>>,
    mails: Arc<Mutex<Vec<String>>>,
    tls: Option<TlsAcceptor>,
    /// Whether connections begin with TLS.
    at_once: bool,
    /// What somebody slips in before TLS begins.
    slipped: &'static str,
    /// Lines of its answer to EHLO, without STARTTLS.
    offers: &'static str,
}

/// A connection of it.
struct Line {
    server: Server,
    stream: BufReader<Box<dyn Stream>>,
    name: String,
}

/// It ended.
struct Over;

impl Server {
    /// Runs it; where.
    pub async fn start(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            for number in 1.. {
                let Ok((socket, _)) = listener.accept().await else { return };
                let server = self.clone();
                tokio::spawn(async move {
                    let (stream, name): (Box<dyn Stream>, _) = match &server.tls {
                        Some(tls) if server.at_once => match tls.accept(socket).await {
                            Ok(stream) => (Box::new(stream), format!("{number}s")),
                            Err(_) => return,
                        },
                        _ => (Box::new(socket), format!("{number}")),
                    };
                    let _ = Line { server, stream: BufReader::new(stream), name }.serve().await;
                });
            }
        });
        address
    }

    /// One that does this at these moments.
    pub fn with(acts: impl IntoIterator<Item = (&'static str, Act)>) -> Server {
        let server =
            Server { offers: "250-PIPELINING\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n", ..Server::default() };
        for (moment, act) in acts {
            server.acts.lock().unwrap().entry(moment).or_default().push_back(act);
        }
        server
    }

    /// The same, which offers STARTTLS.
    pub fn secured_by(self, tls: TlsAcceptor) -> Server {
        Server { tls: Some(tls), ..self }
    }

    /// What it was told, line by line.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Mails it took.
    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }

    /// How many connections said something.
    fn connections(&self) -> usize {
        self.said()
            .iter()
            .filter(|s| s.contains(" EHLO"))
            .map(|s| s.split(['s', ' ']).next().unwrap().to_string())
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    }
}

impl Line {
    async fn say(&mut self, text: &str) -> Result<(), Over> {
        self.write(text.as_bytes()).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Over> {
        self.stream.write_all(bytes).await.map_err(|_| Over)?;
        self.stream.flush().await.map_err(|_| Over)
    }

    async fn line(&mut self) -> Result<String, Over> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await {
            Ok(n) if n > 0 => Ok(line.trim_end_matches("\r\n").to_string()),
            _ => Err(Over),
        }
    }

    /// Does what waits for this moment; `false`: nothing, or nothing that is an answer.
    async fn act(&mut self, moment: &str) -> Result<bool, Over> {
        let act = self.server.acts.lock().unwrap().get_mut(moment).and_then(VecDeque::pop_front);
        match act {
            None => Ok(false),
            Some(Act::Say(text)) => self.say(&format!("{text}\r\n")).await.map(|()| true),
            Some(Act::Talk(bytes)) => self.write(&bytes).await.map(|()| false),
            Some(Act::Hang) => std::future::pending().await,
            Some(Act::Cut) => Err(Over),
        }
    }

    async fn serve(mut self) -> Result<(), Over> {
        if !self.act("GREETING").await? {
            self.say("220 mail.example ESMTP\r\n").await?;
        }
        loop {
            let line = self.line().await?;
            let verb = line.split([' ', ':']).next().unwrap_or("").to_ascii_uppercase();
            self.server.said.lock().unwrap().push(format!("{} {line}", self.name));
            if self.act(&verb).await? {
                continue;
            }
            match verb.as_str() {
                "EHLO" => {
                    let offered = self.server.tls.is_some() && !self.name.ends_with('s');
                    let tls = if offered { "250-STARTTLS\r\n" } else { "" };
                    let offers = self.server.offers;
                    self.say(&format!("250-mail.example\r\n{tls}{offers}")).await?;
                }
                "STARTTLS" => {
                    let Some(tls) = self.server.tls.clone() else { return Err(Over) };
                    self.say(&format!("220 go\r\n{}", self.server.slipped)).await?;
                    let stream = tls.accept(self.stream.into_inner()).await.map_err(|_| Over)?;
                    self = Line {
                        server: self.server,
                        stream: BufReader::new(Box::new(stream)),
                        name: format!("{}s", self.name),
                    };
                }
                "AUTH" => {
                    if line.ends_with("LOGIN") {
                        for asked in ["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"] {
                            self.say(asked).await?;
                            let answer = self.line().await?;
                            self.server.said.lock().unwrap().push(format!("{} {answer}", self.name));
                        }
                    }
                    self.say("235 in\r\n").await?;
                }
                "DATA" => {
                    self.say("354 go on\r\n").await?;
                    self.mail().await?;
                }
                "QUIT" => {
                    self.say("221 bye\r\n").await?;
                    return Ok(());
                }
                _ => self.say("250 ok\r\n").await?,
            }
        }
    }

    async fn mail(&mut self) -> Result<(), Over> {
        let mut mail = String::new();
        loop {
            let line = self.line().await?;
            if self.act("BODY").await? {
                return Ok(());
            }
            if line == "." {
                break;
            }
            mail.push_str(line.strip_prefix('.').unwrap_or(&line));
            mail.push_str("\r\n");
        }
        if self.act("END").await? {
            return Ok(());
        }
        self.server.mails.lock().unwrap().push(mail);
        self.say("250 taken\r\n").await?;
        self.act("TAKEN").await.map(|_| ())
    }
}

/// Notes everything that is reported.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Report for Notes {
    fn delivered(&self, receiver: &str, _: &Letter, _: u32, _: Duration) {
        self.add(format!("{receiver} delivered"));
    }
    fn failed(&self, receiver: &str, why: &str) {
        self.add(format!("{receiver} failed: {why}"));
    }
    fn refused(&self, receiver: &str, _: &Letter, why: &str) {
        self.add(format!("{receiver} refused: {why}"));
    }
    fn dropped(&self, _: &str, letter: &Letter) {
        panic!("{letter:?}");
    }
    fn expired(&self, _: &str, letter: &Letter) {
        panic!("{letter:?}");
    }
    fn superseded(&self, _: &str, letter: &Letter) {
        panic!("{letter:?}");
    }
    fn handle(&self, _: &str, _: IncidentId, _: &str) {}
    fn now(&self) -> Time {
        Time::from_millis(1_783_000_000_000)
    }
    fn jitter(&self) -> f64 {
        1.0
    }
}

struct Running {
    inbox: Arc<Inbox>,
    notes: Arc<Notes>,
    cancel: CancellationToken,
}

const FAST: Pace =
    Pace { timeout: Span::seconds(20), first: Span::millis(1), most: Span::millis(20), kept: Span::seconds(60) };

fn config(address: SocketAddr) -> EmailConfig {
    EmailConfig {
        name: "duty".into(),
        host: "localhost".into(),
        port: Some(address.port()),
        tls: Tls::None,
        user: None,
        password: None,
        from: "groundswell <gs@x.example>".into(),
        to: vec!["care@x.example".into()],
        ca: None,
    }
}

fn login(config: EmailConfig) -> EmailConfig {
    EmailConfig { user: Some("gs".into()), password: Some(Secret::new("pa55word")), ..config }
}

fn start(config: &EmailConfig, pace: Pace) -> Running {
    let (inbox, notes, cancel) = (Arc::new(Inbox::default()), Arc::new(Notes::default()), CancellationToken::new());
    let deliverer = Deliverer::new(config.name.clone(), config.carrier(pace).unwrap(), pace);
    tokio::spawn(deliverer.run(inbox.clone(), notes.clone(), cancel.clone(), Span::ZERO));
    Running { inbox, notes, cancel }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// With a dot where one has to be doubled.
fn body(k: usize) -> String {
    format!("Subject: {k}\r\n\r\n.\r\n..x\r\nend {k}\r\n")
}

impl Running {
    fn push(&self, k: usize) {
        let letter =
            Letter { key: format!("k{k}").into(), body: body(k).into(), episode: None, incident: None, whole: false };
        assert!(self.inbox.push(letter, Duration::ZERO).is_empty());
    }

    /// Waits for so many lines that contain a word; gives all.
    async fn wait(&self, word: &str, count: usize) -> Vec<String> {
        for _ in 0..2000 {
            let lines = self.notes.0.lock().unwrap().clone();
            if lines.iter().filter(|l| l.contains(word)).count() >= count {
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("not within ten seconds: {:?}", self.notes.0.lock().unwrap());
    }

    /// Hands one over and waits until it is delivered; gives all lines so far.
    async fn deliver(&self, k: usize) -> Vec<String> {
        let before = self.notes.0.lock().unwrap().iter().filter(|l| l.ends_with("delivered")).count();
        self.push(k);
        self.wait("delivered", before + 1).await
    }
}

/// A server's end of TLS; its certificate is written to a file.
pub fn secured(name: &str, file: &Path) -> TlsAcceptor {
    let pair = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_string()]).unwrap();
    // each an issuer of its own
    params.distinguished_name.push(DnType::CommonName, format!("{:?}", pair.public_key_raw()));
    let cert = params.self_signed(&pair).unwrap();
    std::fs::write(file, cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(pair.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn mails_come_as_they_are_over_one_connection() {
    let server = Server::with([]);
    let address = server.clone().start().await;
    let two = EmailConfig { to: vec!["care@x.example".into(), "Press <press@x.example>".into()], ..config(address) };
    let r = start(&two, FAST);
    for k in 0..3 {
        r.deliver(k).await;
    }
    assert_eq!(server.mails(), [0, 1, 2].map(|k| body(k) + "\r\n"));
    let said = server.said();
    assert!(said[0].starts_with("1 EHLO "), "{said:?}");
    let each = ["1 MAIL FROM:<gs@x.example>", "1 RCPT TO:<care@x.example>", "1 RCPT TO:<press@x.example>", "1 DATA"];
    assert_eq!(said[1..].join("\n"), [each; 3].concat().join("\n"));
}

#[tokio::test]
async fn what_is_put_off_is_tried_again_and_what_is_refused_is_not() {
    let server = Server::with([
        ("MAIL", Act::Say("451 4.7.1 greylisted")),
        ("END", Act::Say("452 4.3.1 no room")),
        ("GREETING", Act::Say("421 too busy")),
    ]);
    let address = server.clone().start().await;
    let r = start(&config(address), FAST);
    let lines = r.deliver(0).await;
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(
        lines[0].starts_with("duty failed: expected a greeting, found transient error (421): too busy"),
        "{lines:?}"
    );
    assert!(lines[1].contains("(451): 4.7.1 greylisted") && lines[2].contains("(452): 4.3.1 no room"), "{lines:?}");
    for (moment, answer) in
        [("RCPT", "550 5.1.1 nobody"), ("END", "554 5.6.0 spam"), ("DATA", "503 no"), ("EHLO", "500 what")]
    {
        // a refusal ends a connection, so that the next one greets
        let before = r.notes.0.lock().unwrap().len();
        if moment == "EHLO" {
            server.acts.lock().unwrap().entry("MAIL").or_default().push_back(Act::Cut);
        }
        server.acts.lock().unwrap().entry(moment).or_default().push_back(Act::Say(answer));
        r.push(1);
        let lines = r.wait("refused", 1 + before - 4).await;
        let (code, text) = answer.split_once(' ').unwrap();
        assert!(lines.last().unwrap().contains(&format!("({code}): {text}")), "{lines:?}");
    }
    assert_eq!(server.mails().len(), 1);
    r.deliver(2).await;
}

#[tokio::test]
async fn one_bad_address_keeps_nobody_from_being_told() {
    let server = Server::with([("RCPT", Act::Say("550 5.1.1 nobody"))]);
    let address = server.clone().start().await;
    let two = EmailConfig { to: vec!["gone@x.example".into(), "care@x.example".into()], ..config(address) };
    let r = start(&two, FAST);
    assert_eq!(r.deliver(0).await, ["duty delivered"]);
    assert_eq!(server.mails().len(), 1);
    // where all are refused but one is only put off, it is tried again
    server.acts.lock().unwrap().insert("RCPT", [Act::Say("550 no"), Act::Say("450 later")].into());
    let lines = r.deliver(1).await;
    assert!(lines[1].starts_with("duty failed: expected <care@x.example> to be taken, found transient"), "{lines:?}");
}

#[tokio::test]
async fn a_server_that_hangs_is_left_and_tried_again() {
    for moment in ["GREETING", "EHLO", "RCPT", "BODY", "END"] {
        let server = Server::with([(moment, Act::Hang)]);
        let address = server.clone().start().await;
        let r = start(&config(address), Pace { timeout: Span::millis(300), ..FAST });
        let lines = r.deliver(0).await;
        let expected = ["duty failed: expected the mail to be taken within 0.300s, found no end", "duty delivered"];
        assert_eq!((lines, server.mails().len()), (expected.map(str::to_string).to_vec(), 1), "{moment}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_no_failure() {
    let busy = Act::Talk(b"421 4.4.2 idle for too long\r\n".to_vec());
    for acts in
        [vec![("TAKEN", Act::Cut)], vec![("TAKEN", busy)], vec![("MAIL", Act::Talk(Vec::new())), ("MAIL", Act::Cut)]]
    {
        let server = Server::with(acts);
        let address = server.clone().start().await;
        let r = start(&config(address), FAST);
        r.deliver(0).await;
        let lines = r.deliver(1).await;
        assert_eq!(lines, ["duty delivered", "duty delivered"]);
        assert_eq!((server.mails().len(), server.connections()), (2, 2));
    }
}

#[tokio::test]
async fn a_connection_cut_off_within_a_mail_is_no_delivery() {
    for moment in ["DATA", "BODY", "END"] {
        let server = Server::with([(moment, Act::Cut)]);
        let address = server.clone().start().await;
        let r = start(&config(address), FAST);
        let lines = r.deliver(0).await;
        assert_eq!(lines.len(), 2, "{moment}: {lines:?}");
        assert!(lines[0].starts_with("duty failed: expected the mail to be taken, found "), "{moment}: {lines:?}");
        assert_eq!((server.mails().len(), server.connections()), (1, 2), "{moment}");
    }
}

#[tokio::test]
async fn garbage_and_endless_answers_are_borne() {
    let endless = vec![b'2'; 1 << 20];
    let lines_of = b"220-more\r\n".repeat(1 << 16);
    let garbage = [
        b"\xff\xfe\x00\x01garbage\r\n".to_vec(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        b"\r\n".to_vec(),
        b"99999 what\r\n".to_vec(),
        endless,
        lines_of,
    ];
    for bytes in garbage {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
        let server = Server::with([("GREETING", Act::Talk(bytes))]);
        let address = server.clone().start().await;
        let r = start(&config(address), FAST);
        let lines = r.deliver(0).await;
        assert!(
            lines.len() == 2 && lines[0].starts_with("duty failed: expected a greeting, found "),
            "{shown}: {lines:?}"
        );
        assert!(lines[0].chars().count() < 300 && !lines[0].contains(char::is_control), "{lines:?}");
    }
}

#[tokio::test]
async fn a_login_is_only_sent_through_tls() {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    for (offers, expected) in [
        ("250 AUTH PLAIN LOGIN\r\n", vec!["1s AUTH PLAIN AGdzAHBhNTV3b3Jk"]),
        ("250 AUTH LOGIN\r\n", vec!["1s AUTH LOGIN", "1s Z3M=", "1s cGE1NXdvcmQ="]),
    ] {
        let server = Server { offers, tls: Some(secured("localhost", &ca)), ..Server::with([]) };
        let address = server.clone().start().await;
        let r = start(&EmailConfig { tls: Tls::Starttls, ca: Some(ca.clone()), ..login(config(address)) }, FAST);
        assert_eq!(r.deliver(0).await, ["duty delivered"]);
        let said = server.said();
        assert!(
            said[0].starts_with("1 EHLO ") && said[1] == "1 STARTTLS" && said[2].starts_with("1s EHLO "),
            "{said:?}"
        );
        assert_eq!(said[3..3 + expected.len()], expected);
        assert_eq!(server.mails().len(), 1);
    }
    let server = Server { tls: Some(secured("localhost", &ca)), at_once: true, ..Server::with([]) };
    let address = server.clone().start().await;
    let r = start(&EmailConfig { tls: Tls::Tls, ca: Some(ca.clone()), ..login(config(address)) }, FAST);
    assert_eq!(r.deliver(0).await, ["duty delivered"]);
    assert!(server.said().iter().all(|s| s.starts_with("1s ")), "{:?}", server.said());
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_is_not_who_it_should_be() {
    let dir = tempfile::tempdir().unwrap();
    let (ca, other) = (dir.path().join("ca.pem"), dir.path().join("other.pem"));
    let cases = [
        ("does not", Server::with([])),
        ("UnknownIssuer", Server { tls: Some(secured("localhost", &other)), ..Server::with([]) }),
        ("not valid for name", Server { tls: Some(secured("mail.example", &ca)), ..Server::with([]) }),
    ];
    let trusted = dir.path().join("trusted.pem");
    secured("localhost", &trusted);
    for (why, server) in cases {
        let ca = if why == "not valid for name" { &ca } else { &trusted };
        let address = server.clone().start().await;
        let r = start(&EmailConfig { tls: Tls::Starttls, ca: Some(ca.clone()), ..login(config(address)) }, FAST);
        r.push(0);
        let lines = r.wait("failed", 2).await;
        assert!(lines[0].contains(why), "{why}: {lines:?}");
        let said = server.said();
        assert!(
            said.iter().all(|s| s.contains(" EHLO ") || s.contains(" STARTTLS") || s.contains(" QUIT")),
            "{said:?}"
        );
    }
    // words slipped in before TLS are not taken for words under it
    let slipped = "250-mail.example\r\n250 AUTH PLAIN\r\n";
    let server = Server { slipped, tls: Some(secured("localhost", &ca)), ..Server::with([]) };
    let address = server.clone().start().await;
    let r = start(&EmailConfig { tls: Tls::Starttls, ca: Some(ca.clone()), ..login(config(address)) }, FAST);
    r.push(0);
    let lines = r.wait("failed", 2).await;
    assert!(lines.iter().all(|l| l.starts_with("duty failed: expected STARTTLS, found ")), "{lines:?}");
    assert!(!server.said().iter().any(|s| s.contains("AUTH")), "{:?}", server.said());
}

#[tokio::test]
async fn no_secret_comes_back_in_reports() {
    let echo = "535 5.7.8 \x1b[31m no AGdzAHBhNTV3b3Jk, cGE1NXdvcmQ= nor pa55word";
    let server = Server::with([("AUTH", Act::Say(echo))]);
    let address = server.clone().start().await;
    let r = start(&login(config(address)), FAST);
    r.push(0);
    let lines = r.wait("refused", 1).await;
    assert_eq!(
        lines,
        ["duty refused: expected a login, found permanent error (535): 5.7.8 [31m no [secret], [secret] nor [secret]"]
    );
    server.acts.lock().unwrap().entry("AUTH").or_default().push_back(Act::Say("454 4.7.0 pa55word later"));
    assert!(r.deliver(1).await[1].ends_with("(454): 4.7.0 [secret] later"));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let r = start(&EmailConfig { host: "127.0.0.1".into(), ..config(address) }, FAST);
    r.push(0);
    let lines = r.wait("failed", 3).await;
    assert!(lines[0].starts_with("duty failed: expected a connection, found Connection refused"), "{lines:?}");
}

/// The chart of the guitar story.
fn chart() -> Chart {
    let minute = |m: i64| receivers::at() + Span::seconds(60 * m);
    let points = (-360..=1).map(|m| (minute(m), if m < -6 { 5_100.0 } else { 16_000.0 * (m + 7) as f64 })).collect();
    let marks =
        vec![Mark { at: minute(-6), name: "root post".into() }, Mark { at: minute(0), name: "@latimes".into() }];
    Chart { points, usual: Some((3_000.0, 8_000.0)), line: Some(50_000.0), marks, offset: -5 * 3600 }
}

/// A page, a rise and an end, to a server that somebody started: `SMTP_PORT` on loopback, which delivers into
/// `MAILDIR`. What arrives is looked at by `tests/peers/mails.py`.
#[tokio::test]
#[ignore = "needs a mail server: tests/peers"]
async fn a_real_server() {
    let port: u16 = std::env::var("SMTP_PORT").expect("SMTP_PORT").parse().unwrap();
    let folder = std::path::PathBuf::from(std::env::var_os("MAILDIR").expect("MAILDIR"));
    let config = EmailConfig {
        from: "groundswell <gs@example.org>".into(),
        to: vec!["duty@example.org".into()],
        ..config(SocketAddr::from(([127, 0, 0, 1], port)))
    };
    let config = EmailConfig { host: "127.0.0.1".into(), ..config };
    let told = receivers::Told::by(config.carrier(FAST).unwrap(), FAST, BTreeMap::new());
    let mail = Mail::new(&config.from, &config.to).unwrap();
    for (step, news) in [(1, News::Opened), (2, News::Rise), (5, News::Over)] {
        let view = View { chart: Some(chart()), ..receivers::guitar(step, news) };
        told.tell([receivers::letter(&view, letter(&view, &mail).into())]).await;
    }
    assert!(told.lines().iter().all(|l| l.starts_with("delivered")), "{:#?}", told.lines());
    // taken is not delivered yet
    let arrived = || std::fs::read_dir(folder.join("new")).map_or(0, |found| found.count());
    receivers::wait(|| arrived() == 3, || format!("{} of 3 mails are in {}", arrived(), folder.display())).await;
}
