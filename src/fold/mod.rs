//! Entry -> Reading. Pure; one writer a key: posts kept for windows, series by group, evidence.

mod baseline;
mod cell;
mod change;
mod chart;
mod counts;
mod evidence;
mod explained;
pub mod forecast;
mod going;
mod history;
mod key;
mod naive;
mod outages;
mod panes;
mod posts;
mod series;
mod share;
mod spread;
mod story;
pub mod surge;
mod terms;
mod usual;
mod vitals;
mod voices;

pub use change::Others;
pub use key::{KeyFold, Touched, World};
pub use outages::Outages;
pub use posts::PostAt;
pub use spread::Courses;
pub use terms::Terms;

#[cfg(test)]
mod tests;
