//! Reading -> Transition. Pure: conditions and the life cycle of episodes.

mod key;
mod life;

pub use key::{KeyJudge, Values};
