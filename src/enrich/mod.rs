//! Post -> Mention. Pure: which brands a post is about, and how hostile it is.

mod build;
pub mod causes;
mod links;
mod literals;
mod matcher;
pub mod negativity;
mod prefilter;
pub mod sift;
mod sketch;
mod terms;
mod tree;
pub mod vader;

pub use matcher::{Matched, Matcher, Scratch, folded};
pub use sift::Front;
