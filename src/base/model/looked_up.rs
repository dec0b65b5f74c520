//! What was learned of an account when it was looked up.

use crate::base::time::Time;

/// The last answer about an account, kept so that it is not asked for again too soon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LookedUp {
    /// The account's id at its source.
    pub account: Box<str>,
    /// When that was, by the Clock.
    pub at: Time,
    /// Its followers; `None` where nobody could tell.
    pub followers: Option<u64>,
    /// Its handle, where there is one.
    pub name: Option<Box<str>>,
}
