//! The demo: an invented guitar story, told by a local server in Jetstream form.

mod rules;
mod script;
mod server;
mod texts;

pub use rules::rules;
pub use script::{Script, Share};
pub use server::Teller;
