//! The words of messages: what the engine knows, told to people.

mod brief;
pub(super) mod facts;
mod gathered;
pub(super) mod going;
mod incident;
mod lines;
mod named;
pub(super) mod posts;
mod service;
mod telling;
mod way;

pub use gathered::gathered_view;
pub use incident::view;
pub use service::{service_view, test_over_view, test_view};

#[cfg(test)]
mod tests;
