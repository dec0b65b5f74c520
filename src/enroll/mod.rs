//! Mention, Ref -> Entry. Pure and ordered: the junction holds all state that is not per key
//! (repeats, stories, audiences, the engine clock) and numbers what leaves it.

mod audience;
mod clock;
mod junction;
mod stories;
mod texts;
mod watch;

pub use clock::ClockMode;
pub use junction::{Junction, JunctionBefore, Resolve};
