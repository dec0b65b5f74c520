//! `outbox`: messages that wait or were given up.

use clap::{ArgGroup, Args, Subcommand};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{Look, Told, age, by, exchange, post, read, said, time, write};
use crate::app::cli::ask::Service;
use crate::app::cli::{FAILED, FINE};
use crate::app::config::Right;

/// Messages that wait or were given up
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell outbox list\n  groundswell outbox retry 17        send it after all\n  \
                        groundswell outbox retry --all     once a receiver is mended\n  groundswell outbox drop 17\n\n\
                        A dead message was refused, or could not be delivered for a day; it stays until somebody retries or \
                        drops it. Exit status: 0 done, 1 not done, 2 wrong usage."
)]
pub(in crate::app::cli) struct Outbox {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List them
    List {
        /// Write what the service answers, as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        service: Service,
    },
    /// Send dead messages after all
    Retry(Retry),
    /// Give a dead message up for ever
    Drop {
        /// Its number
        #[arg(value_name = "ID")]
        id: i64,
        /// Who does it [default: $USER]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        #[command(flatten)]
        service: Service,
    },
}

#[derive(Args)]
#[command(group = ArgGroup::new("which").required(true))]
struct Retry {
    /// Its number
    #[arg(value_name = "ID", group = "which")]
    id: Option<i64>,
    /// All that are dead
    #[arg(long, group = "which")]
    all: bool,
    #[command(flatten)]
    service: Service,
}

impl Outbox {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        match &self.what {
            What::List { json, service } => match read(service, "/v1/outbox") {
                Ok(answer) if *json => write(&format!("{answer}\n")),
                Ok(answer) => write(&text(&answer, &Look::new())),
                Err(Told) => FAILED,
            },
            What::Retry(retry) => retry.run(),
            What::Drop { id, by: who, service } => {
                post(service, &format!("/v1/outbox/{id}/drop"), &json!({ "by": by(who.as_ref()) }))
            }
        }
    }
}

impl Retry {
    fn run(&self) -> u8 {
        if let Some(id) = self.id {
            return post(&self.service, &format!("/v1/outbox/{id}/retry"), &json!({ "by": by(None) }));
        }
        // whoever may act may read
        let Ok(answer) = exchange(&self.service, Right::Act, Method::GET, "/v1/outbox", None) else { return FAILED };
        let letters = answer["letters"].as_array().into_iter().flatten();
        let dead: Vec<i64> = letters.filter(|l| l["dead"].is_string()).filter_map(|l| l["letter"].as_i64()).collect();
        if dead.is_empty() {
            return write("no dead messages\n");
        }
        let mut code = FINE;
        for id in dead {
            code = code.max(post(&self.service, &format!("/v1/outbox/{id}/retry"), &json!({ "by": by(None) })));
        }
        code
    }
}

fn text(answer: &Json, look: &Look) -> String {
    let now = time(&answer["now"]);
    let rows: Vec<Vec<String>> = answer["letters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|l| {
            let dead = l["dead"].is_string();
            let incident = said(&l["incident"]).get(..4).unwrap_or("-").to_string();
            let state = if dead { "DEAD" } else { "waits" };
            let why = if dead { said(&l["dead"]) } else { String::new() };
            let id = l["letter"].to_string();
            vec![id, said(&l["receiver"]), age(time(&l["at"]), now), state.into(), incident, why]
        })
        .collect();
    if rows.is_empty() {
        return "no messages wait or are dead\n".to_string();
    }
    let mut out = look.table(&["ID", "RECEIVER", "AGE", "STATE", "INCIDENT", "WHY"], &rows);
    if answer["more"] == true {
        out.push_str(&format!("the oldest {} are shown\n", rows.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cli::screen::Paint;
    use crate::notify::Style;

    #[test]
    fn dead_messages_say_why() {
        let look = Look { width: None, paint: Paint(Style::default()) };
        let answer = json!({ "now": "2026-07-04T08:00:00Z", "more": true, "letters": [
            { "letter": 3, "receiver": "hook", "at": "2026-07-04T07:00:00Z", "incident": null, "dead": "refused: 400" },
            { "letter": 4, "receiver": "slack", "at": "2026-07-04T07:59:00Z", "incident": "7F3KABCDEFGH0", "dead": null } ] });
        assert_eq!(
            text(&answer, &look),
            "ID  RECEIVER  AGE  STATE  INCIDENT  WHY\n\
             3   hook      1h   DEAD   -         refused: 400\n\
             4   slack     1m   waits  7F3K\n\
             the oldest 2 are shown\n"
        );
    }
}
