//! `send-test`: a trial that proves a receiver works.

use clap::Args;
use serde_json::json;

use super::{by, post};
use crate::app::cli::ask::Service;

/// Send a trial to a receiver, or to all of them
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell send-test              to every receiver\n  \
                        groundswell send-test slack\n\n\
                        `groundswell status` shows what took it. Exit status: 0 on its way, 1 not, 2 wrong usage.")]
pub(in crate::app::cli) struct SendTest {
    /// The receiver's name in the config
    #[arg(value_name = "RECEIVER")]
    receiver: Option<String>,
    #[command(flatten)]
    service: Service,
}

impl SendTest {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        post(&self.service, "/v1/test", &json!({ "by": by(None), "receiver": self.receiver }))
    }
}
