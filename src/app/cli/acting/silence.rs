//! `silence`: for a while nobody is told of something.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value as Json, json};

use super::{Look, Told, age, by, duration, incident, order, post, read, said, time, write};
use crate::app::cli::FAILED;
use crate::app::cli::ask::Service;

/// Tell nobody of something for a while
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell silence add --brand acme --alert BigVoice --for 2h --reason 'our own campaign'\n  \
                        groundswell silence add --incident 7F3K --for 1h --reason 'press conference at ten'\n  \
                        groundswell silence list\n  groundswell silence end 12345\n\n\
                        What is silenced is still counted, and told when the silence ends if it goes on then. Exit status: 0 \
                        done, 1 not done, 2 wrong usage."
)]
pub(in crate::app::cli) struct Silence {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Begin a silence; all that is said must be met
    Add(Add),
    /// List the silences that hold
    List {
        /// Write what the service answers, as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        service: Service,
    },
    /// End a silence
    End {
        /// Its number
        #[arg(value_name = "ID")]
        id: u64,
        /// Who does it [default: $USER]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        #[command(flatten)]
        service: Service,
    },
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("of").required(true).multiple(true))]
struct Add {
    /// A brand or group, by its key; can be given several times
    #[arg(long, value_name = "KEY", group = "of")]
    brand: Vec<String>,
    /// A rule, by its name; can be given several times
    #[arg(long, value_name = "NAME", group = "of")]
    alert: Vec<String>,
    /// A label, as name=value; can be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = label, group = "of")]
    label: Vec<(String, String)>,
    /// The least severity: info, warn or page
    #[arg(long, value_name = "SEVERITY", value_parser = ["info", "warn", "page"], group = "of")]
    severity: Option<String>,
    /// One incident, by its name
    #[arg(long, value_name = "INCIDENT", value_parser = incident, group = "of")]
    incident: Option<String>,
    /// For how long: 30m, 2h, 1d
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    time: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who does it [default: $USER]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    service: Service,
}

fn label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    pair.map(|(n, v)| (n.to_string(), v.to_string())).ok_or("expected a label like team=care".to_string())
}

impl Silence {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        match &self.what {
            What::Add(add) => add.run(),
            What::List { json, service } => match read(service, "/v1/silences") {
                Ok(answer) if *json => write(&format!("{answer}\n")),
                Ok(answer) => write(&text(&answer, &Look::new())),
                Err(Told) => FAILED,
            },
            What::End { id, by: who, service } => {
                order(service, Method::DELETE, &format!("/v1/silences/{id}"), &json!({ "by": by(who.as_ref()) }))
            }
        }
    }
}

impl Add {
    fn run(&self) -> u8 {
        let labels: Map<String, Json> = self.label.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
        let body = json!({
            "by": by(self.by.as_ref()),
            "reason": self.reason,
            "for": self.time,
            "brand": self.brand,
            "alert": self.alert,
            "labels": labels,
            "severity": self.severity,
            "incident": self.incident,
        });
        post(&self.service, "/v1/silences", &body)
    }
}

fn text(answer: &Json, look: &Look) -> String {
    let now = time(&answer["now"]);
    let rows: Vec<Vec<String>> = answer["silences"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| {
            let left = age(time(&s["until"]), now);
            vec![s["silence"].to_string(), left, said(&s["by"]), of_what(s), said(&s["reason"])]
        })
        .collect();
    if rows.is_empty() {
        return "no silences\n".to_string();
    }
    look.table(&["ID", "LEFT", "BY", "OF", "REASON"], &rows)
}

fn of_what(s: &Json) -> String {
    let list = |key: &str| -> Vec<String> { s[key].as_array().into_iter().flatten().map(said).collect() };
    let labels = s["labels"].as_object().into_iter().flatten().map(|(n, v)| format!("{n}={}", said(v)));
    let incident = said(&s["incident"]);
    let all = list("brand").into_iter().chain(list("alert")).chain(labels);
    let all = all.chain(s["severity"].as_str().map(|w| format!("{w} and above")));
    let all = all.chain(incident.get(..4).map(str::to_string));
    crate::notify::plain(&all.collect::<Vec<_>>().join(", "), 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cli::screen::Paint;
    use crate::notify::Style;

    #[test]
    fn says_of_what_and_how_long_still() {
        let look = Look { width: None, paint: Paint(Style::default()) };
        let answer = json!({ "now": "2026-07-04T08:00:00Z", "silences": [{ "silence": 77, "by": "Dana",
            "until": "2026-07-04T10:00:00Z", "brand": ["acme"], "alert": ["BigVoice"], "labels": {"team": "care"},
            "severity": "warn", "incident": null, "reason": "campaign" }] });
        let shown = text(&answer, &look);
        let row = "77  2h    Dana  acme, BigVoice, team=care, warn and above  campaign\n";
        assert!(shown.ends_with(row), "{shown}");
        assert_eq!(text(&json!({}), &look), "no silences\n");
        assert!(label("team=care").is_ok() && ["team", "=x", "x="].iter().all(|l| label(l).is_err()));
    }
}
