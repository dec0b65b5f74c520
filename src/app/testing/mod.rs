//! Tests of rules: files beside rule files tell what happens and what alerts must do then. The engine is the one of the
//! service, on a clock of its own; invented posts are frames that its front decodes and matches.

mod closest;
mod dice;
mod event;
mod expect;
mod expectation;
mod file;
mod found;
mod generate;
pub mod junit;
pub mod keys;
mod lane;
mod lost;
mod reading;
mod rules;
mod run;
mod texts;
mod timeline;
mod voice;
mod watch;

pub use expect::{Failure, Report, run};
pub use file::{Test, TestFile, named, read};
pub use found::{Found, find};
pub use watch::Watch;
