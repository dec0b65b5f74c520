//! The life of a connection as a pure state machine: events and time in, one action out.

use crate::base::backoff;
use crate::base::limits;
use crate::base::time::{Span, Time};

/// How long a connection is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For it to open.
    pub connect: Span,
    /// For anything to arrive, before a ping is sent.
    pub silence: Span,
    /// For the answer to the ping.
    pub pong: Span,
    /// Before the second round of tries; doubled from round to round.
    pub first: Span,
    /// Between two rounds at most.
    pub most: Span,
    /// How long it must have lasted for its failures to be forgotten.
    pub stable: Span,
    /// How long a source may be unheard before that is told.
    pub unheard: Span,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connect: limits::CONNECT_TIMEOUT,
            silence: limits::SILENCE,
            pong: limits::PONG_TIMEOUT,
            first: limits::BACKOFF_FIRST,
            most: limits::BACKOFF_MOST,
            stable: limits::STABLE,
            unheard: limits::SOURCE_DOWN,
        }
    }
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Time has passed.
    Tick,
    /// The connection is open.
    Opened,
    /// Something arrived, a pong included.
    Heard,
    /// It could not be opened, or was lost.
    Lost,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Nothing until the next event or deadline.
    Wait,
    /// Open a connection.
    Connect,
    /// Send a ping.
    Ping,
    /// Give the connection up; it is dead or takes too long to open.
    Drop,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Waiting { until: Time },
    Connecting { since: Time },
    Open { since: Time, heard: Time, pinged: Option<Time> },
}

/// A connection. Times are of a clock that never goes back.
#[derive(Clone, Debug)]
pub struct Connection {
    state: State,
    patience: Patience,
    /// Servers that can be asked in turn.
    hosts: u32,
    failures: u32,
}

impl Connection {
    /// One that is to be opened at once.
    pub fn new(now: Time, patience: Patience, hosts: usize) -> Connection {
        let hosts = u32::try_from(hosts).unwrap_or(1).max(1);
        Connection { state: State::Waiting { until: now }, patience, hosts, failures: 0 }
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Applies an event. `jitter` in 0..1 spreads the waits.
    pub fn on(&mut self, event: Event, now: Time, jitter: f64) -> Action {
        match (self.state, event) {
            (State::Waiting { until }, _) if now >= until => {
                self.state = State::Connecting { since: now };
                Action::Connect
            }
            (State::Connecting { .. }, Event::Opened) => {
                self.state = State::Open { since: now, heard: now, pinged: None };
                Action::Wait
            }
            (State::Connecting { since }, Event::Tick) if now - since >= self.patience.connect => {
                self.lose(now, jitter);
                Action::Drop
            }
            (State::Connecting { .. } | State::Open { .. }, Event::Lost) => {
                self.lose(now, jitter);
                Action::Wait
            }
            (State::Open { since, .. }, Event::Heard) => {
                if now - since >= self.patience.stable {
                    self.failures = 0;
                }
                self.state = State::Open { since, heard: now, pinged: None };
                Action::Wait
            }
            (State::Open { since, heard, pinged: None }, Event::Tick) if now - heard >= self.patience.silence => {
                self.state = State::Open { since, heard, pinged: Some(now) };
                Action::Ping
            }
            (State::Open { pinged: Some(pinged), .. }, Event::Tick) if now - pinged >= self.patience.pong => {
                self.lose(now, jitter);
                Action::Drop
            }
            _ => Action::Wait,
        }
    }

    /// When a Tick is due even if nothing happens.
    pub fn deadline(&self) -> Time {
        match self.state {
            State::Waiting { until } => until,
            State::Connecting { since } => since + self.patience.connect,
            State::Open { heard, pinged: None, .. } => heard + self.patience.silence,
            State::Open { pinged: Some(pinged), .. } => pinged + self.patience.pong,
        }
    }

    fn lose(&mut self, now: Time, jitter: f64) {
        if let State::Open { since, .. } = self.state
            && now - since >= self.patience.stable
        {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        // the next server is asked at once; when all have failed there is a pause
        let rounds = self.failures / self.hosts;
        let wait = match self.failures % self.hosts {
            0 => backoff::wait(rounds, self.patience.first, self.patience.most, jitter),
            _ => Span((limits::NEXT_HOST.0 as f64 * jitter) as i64),
        };
        self.state = State::Waiting { until: now + wait };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Time {
        Time::from_millis(s * 1000)
    }

    #[test]
    fn pings_a_silent_peer_and_drops_a_dead_one() {
        let mut c = Connection::new(at(0), Patience::default(), 1);
        assert_eq!(c.on(Event::Tick, at(0), 0.0), Action::Connect);
        assert_eq!(c.on(Event::Opened, at(1), 0.0), Action::Wait);
        assert_eq!(c.on(Event::Tick, at(20), 0.0), Action::Wait);
        assert_eq!((c.deadline(), c.on(Event::Tick, at(21), 0.0)), (at(21), Action::Ping));
        assert_eq!(c.on(Event::Heard, at(25), 0.0), Action::Wait);
        assert_eq!(c.on(Event::Tick, at(45), 0.0), Action::Ping);
        assert_eq!(c.on(Event::Tick, at(54), 0.0), Action::Wait);
        assert_eq!(c.on(Event::Tick, at(55), 0.0), Action::Drop);
        assert!(!c.is_open());
    }

    #[test]
    fn who_was_not_read_for_long_still_gets_time_to_answer() {
        let mut c = Connection::new(at(0), Patience::default(), 1);
        c.on(Event::Tick, at(0), 0.0);
        c.on(Event::Opened, at(0), 0.0);
        // the engine was busy for two minutes
        assert_eq!((c.on(Event::Tick, at(120), 0.0), c.deadline()), (Action::Ping, at(130)));
        assert_eq!(c.on(Event::Tick, at(129), 0.0), Action::Wait);
        assert_eq!(c.on(Event::Tick, at(130), 0.0), Action::Drop);
    }

    #[test]
    fn waits_longer_after_each_failure_and_forgets_after_a_stable_time() {
        let (mut c, mut now, mut waits) = (Connection::new(at(0), Patience::default(), 1), at(0), Vec::new());
        for _ in 0..9 {
            assert_eq!(c.on(Event::Tick, now, 1.0), Action::Connect);
            c.on(Event::Lost, now, 1.0);
            assert_eq!(c.on(Event::Tick, now, 1.0), Action::Wait, "not at once");
            waits.push((c.deadline() - now).0 / 1_000_000);
            now = c.deadline();
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        c.on(Event::Tick, now, 1.0);
        c.on(Event::Opened, now, 1.0);
        c.on(Event::Lost, now + limits::STABLE, 1.0);
        assert_eq!(c.deadline(), now + limits::STABLE + limits::BACKOFF_FIRST);
    }

    #[test]
    fn asks_the_next_server_at_once_and_waits_after_each_round() {
        let (mut c, mut now, mut waits) = (Connection::new(at(0), Patience::default(), 3), at(0), Vec::new());
        for _ in 0..7 {
            assert_eq!(c.on(Event::Tick, now, 1.0), Action::Connect);
            c.on(Event::Lost, now, 1.0);
            waits.push((c.deadline() - now).0 / 1000);
            now = c.deadline();
        }
        assert_eq!(waits, [250, 250, 1000, 250, 250, 2000, 250]);
    }

    #[test]
    fn gives_up_what_takes_too_long_to_open() {
        let mut c = Connection::new(at(0), Patience::default(), 1);
        c.on(Event::Tick, at(0), 0.5);
        assert_eq!(c.on(Event::Tick, at(9), 0.5), Action::Wait);
        assert_eq!(c.on(Event::Tick, at(10), 0.5), Action::Drop);
    }
}
