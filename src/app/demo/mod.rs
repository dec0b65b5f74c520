//! The demo: an invented guitar story, told by a local server in Jetstream form.

mod office;
mod rules;
mod script;
mod server;
mod texts;

pub use office::{care, office};
pub use rules::rules;
pub use script::{Script, Share};
pub use server::Teller;
