//! Entry -> Reading. Pure; one writer a key: posts kept for windows, series by group, evidence.

mod baseline;
mod cell;
mod change;
mod chart;
mod counts;
mod evidence;
pub mod forecast;
mod going;
mod history;
mod key;
mod naive;
mod outages;
mod panes;
mod posts;
mod series;
mod spread;
mod story;
pub mod surge;
mod usual;
mod vitals;
mod voices;

pub use change::Others;
pub use key::{KeyFold, Touched, World};
pub use outages::Outages;
pub use posts::PostAt;
pub use spread::Courses;

#[cfg(test)]
mod tests;
