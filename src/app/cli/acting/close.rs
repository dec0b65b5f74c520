//! `close`: an incident is over for people.

use clap::Args;
use serde_json::json;

use super::{by, incident, post};
use crate::app::cli::ask::Service;

/// Close an incident: nobody is told of it any more unless it becomes worse
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell close 7F3K --reason 'an old story, answered in May'\n  \
                        groundswell close 7F3K --verdict false-alarm --reason 'another Northwind'\n\n\
                        Exit status: 0 done, 1 not done, 2 wrong usage.")]
pub(in crate::app::cli) struct Close {
    /// The incident's name, or its first characters
    #[arg(value_name = "INCIDENT", value_parser = incident)]
    incident: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// What it was: worth being told, or not; `/metrics` counts this by rule
    #[arg(long, value_name = "VERDICT", value_parser = ["real", "false-alarm"])]
    verdict: Option<String>,
    /// Who does it [default: $USER]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    service: Service,
}

impl Close {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        let verdict = self.verdict.as_ref().map(|v| v.replace('-', "_"));
        let body = json!({ "by": by(self.by.as_ref()), "reason": self.reason, "verdict": verdict });
        post(&self.service, &format!("/v1/incidents/{}/close", self.incident), &body)
    }
}
