//! `incidents`: what goes on, and who takes care of it.

use clap::Args;
use serde_json::Value as Json;

use super::{Look, Told, age, read, said, time, write};
use crate::app::cli::FAILED;
use crate::app::cli::ask::Service;

/// List the incidents that go on, and who takes care of them
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell incidents\n  groundswell incidents --all         also those that are over\n  \
                        groundswell incidents --json | jq -r '.incidents[].sentence'\n\n\
                        Act on one: groundswell claim, ack, close. `groundswell ledger INCIDENT` shows who was told and \
                        why. Exit status: 0 answered, 1 no answer, 2 wrong usage."
)]
pub(in crate::app::cli) struct Incidents {
    /// Also those that are over, of about a day
    #[arg(long)]
    all: bool,
    /// Write what the service answers, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: Service,
}

impl Incidents {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        let path = if self.all { "/v1/incidents?all=1" } else { "/v1/incidents" };
        match read(&self.service, path) {
            Ok(answer) if self.json => write(&format!("{answer}\n")),
            Ok(answer) => write(&text(&answer, self.all, &Look::new())),
            Err(Told) => FAILED,
        }
    }
}

fn text(answer: &Json, all: bool, look: &Look) -> String {
    let now = time(&answer["now"]);
    let rows: Vec<Vec<String>> = answer["incidents"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|i| {
            let over = time(&i["ended"]).is_some();
            let severity = if over { "over".to_string() } else { said(&i["severity"]).to_uppercase() };
            let what = format!("{}: {}", said(&i["brand_name"]), said(&i["title"]));
            vec![said(&i["code"]), severity, age(time(&i["began"]), now), state(i), what]
        })
        .collect();
    if rows.is_empty() {
        return if all { "no incidents\n" } else { "no open incidents; --all lists those that are over\n" }.to_string();
    }
    look.table(&["ID", "SEVERITY", "AGE", "STATE", "WHAT"], &rows)
}

/// `claimed by Dana`.
fn state(i: &Json) -> String {
    let word = said(&i["state"]);
    let by = match &*word {
        "claimed" | "acknowledged" | "closed" => said(&i[&*word]["by"]),
        _ => String::new(),
    };
    if by.is_empty() { word } else { format!("{word} by {by}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cli::screen::Paint;
    use crate::notify::Style;
    use serde_json::json;

    #[test]
    fn lists_who_takes_care() {
        let look = Look { width: Some(80), paint: Paint(Style::default()) };
        let answer = json!({ "now": "2026-07-04T08:10:30Z", "incidents": [
            { "code": "7F3K", "severity": "page", "began": "2026-07-04T08:04:30Z", "ended": null, "state": "claimed",
              "claimed": { "by": "Dana\u{1b}[31m" }, "brand_name": "United", "title": "story spreading" },
            { "code": "9QRS", "severity": "warn", "began": "2026-07-04T02:04:30Z", "ended": "2026-07-04T03:04:30Z",
              "state": "over", "brand_name": "Delta", "title": "big voice" } ] });
        let shown = text(&answer, true, &look);
        assert_eq!(
            shown,
            "ID    SEVERITY  AGE  STATE                WHAT\n\
             7F3K  PAGE      6m   claimed by Dana[31m  United: story spreading\n\
             9QRS  over      6h   over                 Delta: big voice\n"
        );
        assert!(text(&json!({ "incidents": [] }), false, &look).starts_with("no open incidents"));
    }
}
