//! How far a story will go, from the times of its shares and the audiences of those who shared it.
//!
//! Two models look at a story. What those who were told will yet see, and how infectious it is, is told after SEISMIC
//! (Zhao, Erdogdu, He, Rajaraman, Leskovec: "SEISMIC: A Self-Exciting Point Process Model for Predicting Tweet
//! Popularity", KDD 2015): a follower reacts after a time whose density falls as a power of it, and shares with a
//! probability that is estimated from the shares of the last hour; here the power law is a sum of exponentials
//! (`kernel`). What a story comes to in the end, and so its state, is told by its own shape: how its pace of now compares with
//! its age (`model`), which errs less. A share costs the same however many came before.

mod kernel;
mod model;

use serde::{Deserialize, Serialize};

use crate::base::model::{Band, Outlook, StoryState};
use kernel::{DECAYS, HOUR, exposed_to_hour};
pub use model::Model;
use model::Seen;

/// Followers whose exposure one share brings on average (SEISMIC's n*).
const AUDIENCE: f64 = 100.0;
/// Exposures from which on shares are compared with them: fewer are what corrected audiences leave of rounding.
const LEAST_SPENT: f64 = 1.0;
/// Counters of shares, each of which fades over four times the time of the one before.
const COUNTERS: usize = 10;
/// Time over which the first counter fades, in seconds.
const FIRST_FADE: f64 = 3.75;

/// State of a forecast. Ages are seconds since the story's first post; time never goes back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Forecast {
    /// Up to when everything is faded.
    age: f64,
    /// Followers who were exposed, faded.
    exposed: [f64; DECAYS.len()],
    /// Exposures that the last hour's shares came of.
    spent: f64,
    /// Shares of the last hour.
    recent: f64,
    /// Shares, faded over ever longer times.
    counts: [f64; COUNTERS],
    shares: u64,
    /// Age at the last share.
    last: f64,
    /// Shares by accounts whose audience is known, and their followers.
    known: u64,
    followers: f64,
}

/// The followers of an account, and whether they are known.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Followers {
    /// Known or imputed.
    pub count: u64,
    /// Whether they are known.
    pub known: bool,
}

impl Forecast {
    /// The root was posted at this age: 0 where it came first.
    pub fn expose(&mut self, age: f64, followers: Followers) {
        self.expose_at(age, followers.count as f64);
    }

    /// It was passed on.
    pub fn share(&mut self, age: f64, followers: Followers) {
        let age = age.max(0.0);
        self.expose_at(age, followers.count as f64);
        let late = self.age - age;
        self.recent += (-late / HOUR).exp();
        for (count, fade) in self.counts.iter_mut().zip(fades(late)) {
            *count += fade;
        }
        self.shares += 1;
        self.last = self.last.max(age);
        if followers.known {
            self.known += 1;
            self.followers += followers.count as f64;
        }
    }

    /// An audience is known now that was not, or is another: of a share at this age, or of the root.
    pub fn learn(&mut self, age: f64, before: Followers, now: Followers, shared: bool) {
        let more = now.count as f64 - before.count as f64;
        self.expose_at(age, more);
        if shared && now.known {
            self.known += u64::from(!before.known);
            self.followers += if before.known { more } else { now.count as f64 };
        }
    }

    /// Ages count from an earlier beginning.
    pub fn begin_earlier(&mut self, by: f64) {
        self.age += by;
        self.last += by;
    }

    fn expose_at(&mut self, age: f64, followers: f64) {
        if age > self.age {
            *self = self.at(age);
        }
        let late = (self.age - age).max(0.0);
        self.spent += followers * exposed_to_hour(late);
        for (x, (_, tau)) in self.exposed.iter_mut().zip(DECAYS) {
            *x += followers * (-late / tau).exp();
        }
    }

    /// The same at a later age.
    fn at(&self, age: f64) -> Forecast {
        let dt = (age - self.age).max(0.0);
        let mut later = self.clone();
        later.age = self.age + dt;
        let hour = (-dt / HOUR).exp();
        (later.spent, later.recent) = (self.spent * hour, self.recent * hour);
        for ((now, x), (a, tau)) in later.exposed.iter_mut().zip(&self.exposed).zip(DECAYS) {
            let decay = (-dt / tau).exp();
            later.spent += (a / tau) * x * (decay - hour) / (1.0 / HOUR - 1.0 / tau);
            *now = x * decay;
        }
        for (count, fade) in later.counts.iter_mut().zip(fades(dt)) {
            *count *= fade;
        }
        later
    }

    /// Followers of those who shared it; those that are not known are taken to be as many as the others have.
    pub fn followers(&self) -> f64 {
        self.seen().followers()
    }

    fn seen(&self) -> Seen<'_> {
        Seen {
            age: self.age,
            counts: &self.counts,
            shares: self.shares as f64,
            last: self.last,
            known: self.known as f64,
            followers: self.followers.max(0.0),
        }
    }

    /// How far it will go; `None` while nobody has shared it.
    pub fn outlook(&self, age: f64) -> Option<Outlook> {
        self.outlook_by(&Model::STANDARD, age)
    }

    /// The same by another calibration.
    pub fn outlook_by(&self, model: &Model, age: f64) -> Option<Outlook> {
        if self.shares == 0 {
            return None;
        }
        let now = self.at(age);
        // audiences that were corrected downwards leave rounding behind
        let infectiousness = if now.spent >= LEAST_SPENT { AUDIENCE * now.recent / now.spent } else { 0.0 };
        let more = model.coming(&now.seen(), f64::INFINITY);
        let exposure: f64 = now.exposed.iter().zip(DECAYS).map(|(x, (a, _))| a * x).sum();
        let final_shares = more.shares.map(|s| s + self.shares as f64);
        Some(Outlook {
            state: StoryState::expecting(self.shares, &final_shares),
            brings: more.shares.mid / self.shares as f64,
            infectiousness,
            shares: self.shares,
            final_shares,
            followers_to_come: more.followers,
            exposure: exposure.max(0.0),
        })
    }

    /// Shares within `horizon` seconds from this age on, those so far included; and the followers of those who will
    /// share it in that time. `None` while nobody has shared it.
    pub fn within(&self, age: f64, horizon: f64) -> Option<(Band, Band)> {
        let more = (self.shares > 0).then(|| Model::STANDARD.coming(&self.at(age).seen(), horizon))?;
        Some((more.shares.map(|s| s + self.shares as f64), more.followers))
    }
}

/// What is left of each counter after a time: each is the fourth root of the one before.
fn fades(dt: f64) -> [f64; COUNTERS] {
    let mut fade = (-dt / (FIRST_FADE * f64::from(1u32 << (2 * (COUNTERS - 1))))).exp();
    let mut out = [0.0; COUNTERS];
    for slot in out.iter_mut().rev() {
        *slot = fade;
        fade = (fade * fade) * (fade * fade);
    }
    out
}

#[cfg(test)]
mod tests;
