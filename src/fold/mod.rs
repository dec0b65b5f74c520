//! Entry -> Reading. Pure; one writer a key: posts kept for windows, series by group, evidence.

mod cell;
mod counts;
mod evidence;
mod key;
mod naive;
mod panes;
mod posts;
mod series;
mod usual;
mod voices;

pub use key::{KeyFold, Touched};
