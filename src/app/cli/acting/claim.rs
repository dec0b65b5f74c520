//! `claim`: somebody takes care of an incident.

use clap::Args;
use serde_json::json;

use super::{by, incident, post};
use crate::app::cli::ask::Service;

/// Claim an incident: you take care of it, and everybody can see that
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell claim 7F3K\n  groundswell claim 7F3K --by Dana\n\n\
                        It is not repeated any more; if it becomes worse it is told all the same. Exit status: 0 done, \
                        1 not done, 2 wrong usage.")]
pub(in crate::app::cli) struct Claim {
    /// The incident's name, or its first characters
    #[arg(value_name = "INCIDENT", value_parser = incident)]
    incident: String,
    /// Who does it [default: $USER]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    service: Service,
}

impl Claim {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        let body = json!({ "by": by(self.by.as_ref()) });
        post(&self.service, &format!("/v1/incidents/{}/claim", self.incident), &body)
    }
}
