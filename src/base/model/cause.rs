//! What a complaint is about.

use serde::{Deserialize, Serialize};

/// A cause; a post can have several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Cause {
    /// Something does not answer or run.
    Outage,
    /// Late, cancelled, still waited for.
    Delay,
    /// Broken or lost property.
    Damage,
    /// Money: charges, fees, refunds.
    Billing,
    /// How people were treated.
    Staff,
    /// Danger to life and health.
    Safety,
    /// Data in wrong hands.
    Privacy,
    /// A product or service that is no good.
    Quality,
    /// Hostile, and none of the others.
    Other,
}

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 9] = [
        Cause::Outage,
        Cause::Delay,
        Cause::Damage,
        Cause::Billing,
        Cause::Staff,
        Cause::Safety,
        Cause::Privacy,
        Cause::Quality,
        Cause::Other,
    ];

    /// The word used in rules and messages.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Outage => "outage",
            Cause::Delay => "delay",
            Cause::Damage => "damage",
            Cause::Billing => "billing",
            Cause::Staff => "staff",
            Cause::Safety => "safety",
            Cause::Privacy => "privacy",
            Cause::Quality => "quality",
            Cause::Other => "other",
        }
    }
}

/// The causes of one post.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Causes(u16);

impl Causes {
    /// Adds one.
    pub fn add(&mut self, c: Cause) {
        self.0 |= 1 << c as u16;
    }

    /// Whether a cause is among them.
    pub fn has(self, c: Cause) -> bool {
        self.0 >> c as u16 & 1 == 1
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of [`Cause::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Cause> {
        Cause::ALL.into_iter().filter(move |c| self.has(*c))
    }
}
