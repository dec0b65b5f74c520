//! Reading -> Transition. Pure: conditions and the life cycle of episodes.

mod key;
mod life;
mod sequence;

pub use key::{KeyJudge, Values};
pub use sequence::Sequences;
