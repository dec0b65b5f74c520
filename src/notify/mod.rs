//! Transition -> outside: for people and as JSON. Rendering, routes and the life of a delivery are
//! pure; receivers write and post.

mod courier;
mod inbox;
mod json;
mod letter;
mod plain;
mod render;
mod report;
mod routes;
mod sign;
mod stdout;
mod webhook;
mod webhook_config;

pub use courier::Pace;
pub use inbox::{Inbox, Waiting};
pub use json::json;
pub use letter::Letter;
pub(crate) use plain::plain;
pub use render::{Style, Surroundings, text};
pub use report::Report;
pub use routes::{Route, Routes, is_for_people};
pub use stdout::{Form, Page, Stdout};
pub use webhook::Webhook;
pub use webhook_config::WebhookConfig;

#[cfg(test)]
mod tests;
