//! The life of a connection as a pure state machine: events and time in, one action out.

use crate::base::backoff;
use crate::base::limits;
use crate::base::time::Time;

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
    Open { since: Time, heard: Time, pinged: bool },
}

/// A connection. Times are of a clock that never goes back.
#[derive(Clone, Debug)]
pub struct Connection {
    state: State,
    failures: u32,
}

impl Connection {
    /// One that is to be opened at once.
    pub fn new(now: Time) -> Connection {
        Connection { state: State::Waiting { until: now }, failures: 0 }
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
                self.state = State::Open { since: now, heard: now, pinged: false };
                Action::Wait
            }
            (State::Connecting { since }, Event::Tick) if now - since >= limits::CONNECT_TIMEOUT => {
                self.lose(now, jitter);
                Action::Drop
            }
            (State::Connecting { .. } | State::Open { .. }, Event::Lost) => {
                self.lose(now, jitter);
                Action::Wait
            }
            (State::Open { since, .. }, Event::Heard) => {
                if now - since >= limits::STABLE {
                    self.failures = 0;
                }
                self.state = State::Open { since, heard: now, pinged: false };
                Action::Wait
            }
            (State::Open { since, heard, pinged: false }, Event::Tick) if now - heard >= limits::SILENCE => {
                self.state = State::Open { since, heard, pinged: true };
                Action::Ping
            }
            (State::Open { heard, pinged: true, .. }, Event::Tick) if now - heard >= silence_until_dead() => {
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
            State::Connecting { since } => since + limits::CONNECT_TIMEOUT,
            State::Open { heard, pinged: false, .. } => heard + limits::SILENCE,
            State::Open { heard, .. } => heard + silence_until_dead(),
        }
    }

    fn lose(&mut self, now: Time, jitter: f64) {
        if let State::Open { since, .. } = self.state
            && now - since >= limits::STABLE
        {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let wait = backoff::wait(self.failures, limits::BACKOFF_FIRST, limits::BACKOFF_MOST, jitter);
        self.state = State::Waiting { until: now + wait };
    }
}

fn silence_until_dead() -> crate::base::time::Span {
    crate::base::time::Span(limits::SILENCE.0 + limits::PONG_TIMEOUT.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Time {
        Time::from_millis(s * 1000)
    }

    #[test]
    fn pings_a_silent_peer_and_drops_a_dead_one() {
        let mut c = Connection::new(at(0));
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
    fn waits_longer_after_each_failure_and_forgets_after_a_stable_time() {
        let (mut c, mut now, mut waits) = (Connection::new(at(0)), at(0), Vec::new());
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
    fn gives_up_what_takes_too_long_to_open() {
        let mut c = Connection::new(at(0));
        c.on(Event::Tick, at(0), 0.5);
        assert_eq!(c.on(Event::Tick, at(9), 0.5), Action::Wait);
        assert_eq!(c.on(Event::Tick, at(10), 0.5), Action::Drop);
    }
}
