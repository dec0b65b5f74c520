//! Transition -> outside: for people and as JSON. Rendering is pure; receivers write.

mod json;
mod plain;
mod render;
mod stdout;

pub use json::json;
pub use render::{Style, Surroundings, text};
pub use stdout::{Form, Stdout};
