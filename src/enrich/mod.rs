//! Post -> Mention. Pure: which brands a post is about, and how hostile it is.

pub mod folding;
mod lexicon;
mod matcher;
pub mod negativity;
mod prefilter;
pub mod sift;
mod terms;

pub use matcher::{Matcher, Scratch};
pub use sift::Front;
