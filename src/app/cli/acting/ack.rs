//! `ack`: repeats of an incident stop for a while.

use clap::Args;
use serde_json::json;

use super::{by, duration, incident, post};
use crate::app::cli::ask::Service;

/// Acknowledge an incident: it is not repeated for a while
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell ack 7F3K              to its end\n  \
                        groundswell ack 7F3K --for 1h     for an hour\n\n\
                        If it becomes worse it is told all the same. Exit status: 0 done, 1 not done, 2 wrong usage.")]
pub(in crate::app::cli) struct Ack {
    /// The incident's name, or its first characters
    #[arg(value_name = "INCIDENT", value_parser = incident)]
    incident: String,
    /// For how long: 30m, 2h, 1d; else to its end
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    time: Option<String>,
    /// Who does it [default: $USER]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    service: Service,
}

impl Ack {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        let body = json!({ "by": by(self.by.as_ref()), "for": self.time });
        post(&self.service, &format!("/v1/incidents/{}/ack", self.incident), &body)
    }
}
