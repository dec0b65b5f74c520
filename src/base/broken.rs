//! Mistakes made on purpose, so that tests are seen to notice them. Only in builds with the feature
//! `broken`; in all others nothing of it is left.

#[cfg(feature = "broken")]
use std::sync::atomic::{AtomicU8, Ordering};

/// A mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Broken {
    /// What the junction learned is not learned again from the log.
    ChangesForgotten = 1,
    /// Some steps are not logged.
    StepsLost,
    /// People are told before it is on disk.
    TellsBeforeCommit,
    /// Some letters are queued and not written.
    LettersLost,
    /// What people were told of already is told again after a start.
    ToldAgain,
    /// Letters are handed on twice.
    DeliversTwice,
    /// Some outcomes are not counted.
    OutcomesLost,
    /// Nobody hears that something became a page.
    PagesLost,
    /// A page that came and went unnoticed leaves no line.
    ShortPagesLost,
    /// Letters about an incident overtake each other.
    Overtakes,
    /// People are told of what they were told is over.
    SpeaksOn,
    /// Of a key that belongs to two incidents the older one grows.
    KeysShared,
    /// What a receiver took or refused is not kept with that.
    HeardNotKept,
    /// A page is handed over though a later message about it was taken.
    LaterUnheard,
    /// Nobody hears of the end of what was told before its rule went into shadow.
    ShadowForgets,
    /// What left an incident that was closed is held to be open in it.
    BurnsOn,
    /// What was told from memory is written behind what is newer.
    RowsAmiss,
    /// Those who order something do not hear what came of it.
    AnswersLost,
}

#[cfg(feature = "broken")]
static BUILT: AtomicU8 = AtomicU8::new(0);

/// From now on this mistake is made.
#[cfg(feature = "broken")]
pub fn build(mistake: Option<Broken>) {
    BUILT.store(mistake.map_or(0, |m| m as u8), Ordering::SeqCst);
}

/// Whether this mistake is made.
#[cfg(feature = "broken")]
pub(crate) fn is(mistake: Broken) -> bool {
    BUILT.load(Ordering::SeqCst) == mistake as u8
}

/// Never.
#[cfg(not(feature = "broken"))]
pub(crate) const fn is(_: Broken) -> bool {
    false
}
