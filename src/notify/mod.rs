//! Transition -> outside: for people and as JSON. Rendering, routes and the life of a delivery are
//! pure; receivers write and post.

mod carrier;
mod courier;
mod deliver;
mod http;
mod inbox;
mod json;
mod letter;
mod outbox;
mod plain;
mod render;
mod report;
mod routes;
mod sign;
mod stdout;
pub mod view;
mod webhook;
mod webhook_config;

pub use carrier::{Carried, Carrier, Tried};
pub use courier::{Answer, Pace};
pub use deliver::Deliverer;
pub use inbox::Inbox;
pub use json::json;
pub use letter::Letter;
pub use outbox::{Left, Pick, Queue, Waiting};
pub(crate) use plain::plain;
pub use render::{Style, Surroundings, text};
pub use report::Report;
pub use routes::{Route, Routes, is_for_people};
pub use stdout::{Form, Page, Stdout};
pub use webhook::Webhook;
pub use webhook_config::WebhookConfig;

#[cfg(test)]
mod tests;
