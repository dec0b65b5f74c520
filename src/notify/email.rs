//! Mails, handed to a server with SMTP. One connection is kept for a while, since pages come in groups.

use std::sync::{Mutex, PoisonError};

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::Letter;
use super::by_line::ByLine;
use super::carrier::{Carried, Carrier, Tried};
use super::courier::{Answer, Pace};
use super::email_config::{EmailConfig, Tls};
use super::plain::harmless;
use crate::base::limits;
use crate::base::time::{Span, Time};

/// A server says goodbye and closes.
const CLOSING: u16 = 421;

/// A receiver that is sent mails.
pub struct Email {
    name: String,
    place: String,
    host: String,
    port: u16,
    protection: Tls,
    tls: Option<TlsParameters>,
    login: Option<Credentials>,
    hello: ClientId,
    from: Address,
    to: Vec<Address>,
    timeout: Span,
    secrets: Vec<String>,
    /// Fit for the next mail, since when.
    kept: Mutex<Option<(AsyncSmtpConnection, Instant)>>,
}

/// What became of a mail on one connection.
enum Talked {
    /// To be told.
    Ended(Tried),
    /// Nothing was said to the server, which had closed a connection that was kept.
    Dead,
}

impl Email {
    /// Of a config; reads its certificates.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn new(config: &EmailConfig, pace: Pace) -> Result<Email, Vec<String>> {
        let usable = config.usable()?;
        Ok(Email {
            name: config.name.to_string(),
            place: config.place(),
            host: config.host.clone(),
            port: config.port(),
            protection: config.tls,
            tls: usable.tls,
            login: usable.login.map(|(user, password)| Credentials::new(user, password)),
            hello: hello(),
            from: usable.mail.from().email.clone(),
            to: usable.mail.to().iter().map(|m| m.email.clone()).collect(),
            timeout: pace.timeout,
            secrets: config.secrets(),
            kept: Mutex::new(None),
        })
    }

    async fn send(&self, letter: &Letter) -> Tried {
        // what is cut off by the time loses its connection too: nobody knows how far it got
        match timeout(self.timeout.as_std(), self.hand_over(letter)).await {
            Ok(tried) => tried,
            Err(_) => {
                Tried::new(Answer::None, format!("expected the mail to be taken within {}, found no end", self.timeout))
            }
        }
    }

    async fn hand_over(&self, letter: &Letter) -> Tried {
        if let Some(connection) = self.kept(|age| age < limits::MAIL_IDLE) {
            match self.talk(connection, letter, true).await {
                Talked::Ended(tried) => return tried,
                Talked::Dead => {}
            }
        }
        let connection = match self.connect().await {
            Ok(connection) => connection,
            Err(tried) => return tried,
        };
        match self.talk(connection, letter, false).await {
            Talked::Ended(tried) => tried,
            Talked::Dead => Tried::new(Answer::None, "expected an answer, found the connection closed"),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Tried> {
        let server = (self.host.as_str(), self.port);
        let greeted = |e| self.failed("a greeting", &e);
        let mut connection = if self.protection == Tls::Tls {
            AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, self.tls.clone(), None)
                .await
                .map_err(greeted)?
        } else {
            let refused = |e: std::io::Error| self.unheard(&format!("expected a connection, found {e}"));
            let stream = TcpStream::connect(server).await.map_err(refused)?;
            let stream = Box::new(ByLine::new(stream));
            AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await.map_err(greeted)?
        };
        if let (Tls::Starttls, Some(tls)) = (self.protection, &self.tls) {
            if !connection.can_starttls() {
                return Err(self.unheard("expected a server that offers STARTTLS, found one that does not"));
            }
            connection.starttls(tls.clone(), &self.hello).await.map_err(|e| self.failed("STARTTLS", &e))?;
        }
        if let Some(login) = &self.login {
            let known = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&known, login).await.map_err(|e| self.failed("a login", &e))?;
        }
        Ok(connection)
    }

    /// Hands the mail over and keeps the connection if it went well. Whoever is refused does not keep the others
    /// from getting it.
    async fn talk(&self, mut connection: AsyncSmtpConnection, letter: &Letter, kept: bool) -> Talked {
        if let Err(e) = connection.command(Mail::new(Some(self.from.clone()), Vec::new())).await {
            let closed = e.status().is_none_or(|code| u16::from(code) == CLOSING);
            return if kept && closed {
                Talked::Dead
            } else {
                Talked::Ended(self.failed("the sender to be taken", &e))
            };
        }
        let (mut taken, mut refusals) = (0, Vec::new());
        for to in &self.to {
            match connection.command(Rcpt::new(to.clone(), Vec::new())).await {
                Ok(_) => taken += 1,
                Err(e) if e.status().is_some() => refusals.push(self.failed(&format!("<{to}> to be taken"), &e)),
                Err(e) => return Talked::Ended(self.failed("a recipient to be taken", &e)),
            }
        }
        if taken == 0 {
            let later = refusals.iter().position(|r| r.answer != Answer::Refused).unwrap_or(0);
            let none = || self.unheard("expected recipients, found none");
            return Talked::Ended(refusals.into_iter().nth(later).unwrap_or_else(none));
        }
        if let Err(e) = connection.command(Data).await {
            return Talked::Ended(self.failed("the mail to be taken", &e));
        }
        if let Err(e) = connection.message(&letter.body).await {
            return Talked::Ended(self.failed("the mail to be taken", &e));
        }
        for refused in &refusals {
            let (receiver, place, why) = (self.name.as_str(), self.place.as_str(), refused.why.as_str());
            tracing::warn!(receiver, place, why, "some were not sent a mail that others got");
        }
        self.keep(connection);
        Talked::Ended(Tried::new(Answer::Status(200, None), ""))
    }

    /// By what the server answered, if it did.
    fn failed(&self, expected: &str, e: &Error) -> Tried {
        let answer = match () {
            () if e.is_permanent() => Answer::Refused,
            () if e.is_transient() => Answer::Later(None),
            () => Answer::None,
        };
        let why = format!("expected {expected}, found {}", told(e));
        Tried::new(answer, harmless(&why, &self.secrets, limits::ANSWER_CHARS))
    }

    fn unheard(&self, why: &str) -> Tried {
        Tried::new(Answer::None, harmless(why, &self.secrets, limits::ANSWER_CHARS))
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((connection, Instant::now()));
    }

    /// The connection that was kept, if it is of such an age.
    fn kept(&self, fits: impl Fn(Span) -> bool) -> Option<AsyncSmtpConnection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |since: &Instant| Span::millis(i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX));
        kept.take_if(|(_, since)| fits(age(since))).map(|(connection, _)| connection)
    }
}

/// What a server answered, or the innermost reason why it did not: the outer ones only repeat each other.
fn told(e: &Error) -> String {
    if e.status().is_some() {
        return e.to_string();
    }
    let mut inner: &dyn std::error::Error = e;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}

/// By what we call ourselves.
fn hello() -> ClientId {
    match ClientId::default() {
        ClientId::Domain(name) if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) => {
            ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST)
        }
        known => known,
    }
}

impl Carrier for Email {
    fn carry<'a>(&'a self, letter: &'a Letter, _: Option<&'a str>, _: Time) -> Carried<'a> {
        Box::pin(self.send(letter))
    }

    fn place(&self) -> &str {
        &self.place
    }

    /// Says goodbye where there was nothing to send for a while.
    fn refresh(&self, _: Time) -> Option<Carried<'_>> {
        let mut idle = self.kept(|age| age >= limits::MAIL_IDLE)?;
        Some(Box::pin(async move {
            let _ = timeout(limits::GOODBYE.as_std(), idle.quit()).await;
            Tried::new(Answer::Status(200, None), "")
        }))
    }
}
