//! Transition -> outside: for people and as JSON. Rendering, routes and the life of a delivery are
//! pure; receivers write and post.

mod act;
mod around;
mod address;
mod carrier;
mod courier;
mod dedup;
mod deliver;
mod desk;
mod group;
mod heart;
mod http;
mod inbox;
mod incident;
mod inhibit;
mod json;
mod letter;
mod outbox;
mod paint;
mod plain;
mod policy;
mod print;
mod render;
mod report;
mod routes;
mod sign;
mod silence;
mod slack;
mod stdout;
mod telling;
pub mod view;
mod webhook;
mod webhook_config;
mod words;

pub use act::{ActLink, Acts};
pub use around::Surroundings;
pub use carrier::{Carried, Carrier, Tried};
pub use courier::{Answer, Pace};
pub use deliver::Deliverer;
pub use desk::{Desk, Noted, Order, Out, Row, Task};
pub use group::Quiet;
pub use heart::Heart;
pub use inbox::Inbox;
pub use incident::{Incident, Line, Member};
pub use inhibit::Inhibit;
pub use json::{feed, json};
pub use letter::Letter;
pub use outbox::{Left, Pick, Queue, Waiting};
pub use paint::Style;
pub(crate) use plain::plain;
pub use policy::{Manner, Policy, Receiver};
pub use print::view_text;
pub use render::text;
pub use report::Report;
pub use routes::{Match, Route, Routed, Routes, is_for_people};
pub use silence::Silence;
pub use stdout::{Form, Stdout};
pub use telling::{Content, Sending, Telling, service_lane};
pub use slack::{Slack, SlackConfig, SlackWay, slack_body};
pub use webhook::Webhook;
pub use webhook_config::WebhookConfig;
pub use words::{gathered_view, service_view, test_view, view};

#[cfg(test)]
mod tests;
