//! Slack: one message an incident, edited in place, with its details and what is new in its thread; or,
//! by an incoming webhook, one message a letter.

mod blocks;
mod body;
mod call;
mod config;

pub use body::slack_body;
pub use config::{SlackConfig, SlackWay};

use std::sync::Arc;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::Letter;
use super::carrier::{Carried, Carrier, Tried};
use super::courier::{Answer, Pace};
use crate::base::limits;
use crate::base::time::Time;
use blocks::together;
use body::{Body, Part, Voice};
use call::{Calls, Failure};
use config::Way;

/// A receiver in Slack.
pub struct Slack {
    way: Way,
    place: String,
    calls: Calls,
}

/// What Slack has of an incident already. Each call that went well is noted here, so that a letter that is tried
/// again repeats none of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Known {
    /// The channel of its message, by id; empty with webhooks.
    channel: String,
    /// Its message.
    ts: String,
    /// The step that the message shows.
    shown: u32,
    /// The step up to which everything new was said.
    said: u32,
    /// Whether details are in the thread.
    details: bool,
    /// The severity people were told of, by rank.
    severity: u8,
}

impl Known {
    fn read(handle: &str) -> Option<Known> {
        serde_json::from_str(handle).ok()
    }

    fn written(&self) -> Option<String> {
        serde_json::to_string(self).ok().filter(|h| h.len() <= limits::HANDLE_BYTES)
    }

    /// How loudly what is new in a letter is told. A letter can hold more than it was made for: a rise that never
    /// got here is in the next one.
    fn voice(&self, body: &Body) -> Voice {
        if body.severity > self.severity && !body.over { Voice::Channel } else { body.voice }
    }
}

impl Slack {
    /// Of a config; reads its certificates.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn new(config: &SlackConfig, pace: Pace) -> Result<Slack, Vec<String>> {
        let usable = config.usable()?;
        let calls = Calls::new(config, pace, usable.headers, usable.certificates).map_err(|e| vec![e])?;
        Ok(Slack { way: usable.way, place: config.place(), calls })
    }

    /// The same, to be given to a deliverer.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn carrier(config: &SlackConfig, pace: Pace) -> Result<Arc<dyn Carrier>, Vec<String>> {
        Ok(Arc::new(Slack::new(config, pace)?))
    }

    async fn tell(&self, letter: &Letter, handle: Option<&str>) -> Tried {
        let Ok(body) = serde_json::from_slice::<Body>(&letter.body) else {
            return Tried::new(Answer::Refused, "expected a letter for Slack, found another");
        };
        let mut known = handle.and_then(Known::read);
        let told = match &self.way {
            Way::Webhook(url) => self.alone(url, &body, &mut known).await,
            Way::Bot { post, update, channel } => {
                Bot { calls: &self.calls, post, update, channel }.tell(&body, &mut known).await
            }
        };
        let tried = match told {
            Ok(()) => Tried::new(Answer::Status(200, None), ""),
            Err(failure) => failure.tried,
        };
        Tried { handle: known.as_ref().and_then(Known::written), ..tried }
    }

    /// By a webhook, which can edit nothing: what is not worth a message is not sent.
    async fn alone(&self, url: &Url, body: &Body, known: &mut Option<Known>) -> Result<(), Failure> {
        let before = known.clone().unwrap_or_default();
        let first = known.is_none();
        if body.step <= before.said && !first {
            return Ok(());
        }
        let part = if first || before.voice(body) != Voice::Silent {
            let more = body.details.as_ref().map_or(&[][..], |d| &d.blocks);
            Some(Part { text: body.message.text.clone(), blocks: together(&body.message.blocks, more) })
        } else {
            body.hand.then(|| body.reply.clone())
        };
        if let Some(part) = part {
            self.calls.hook(url, &json!({"text": part.text, "blocks": part.blocks, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false})).await?;
        }
        let severity = before.severity.max(body.severity);
        *known = Some(Known { shown: body.step, said: body.step, severity, details: true, ..before });
        Ok(())
    }
}

impl Carrier for Slack {
    fn carry<'a>(&'a self, letter: &'a Letter, handle: Option<&'a str>, _: Time) -> Carried<'a> {
        Box::pin(self.tell(letter, handle))
    }

    fn place(&self) -> &str {
        &self.place
    }
}

/// One letter of a bot.
struct Bot<'a> {
    calls: &'a Calls,
    post: &'a Url,
    update: &'a Url,
    channel: &'a str,
}

impl Bot<'_> {
    async fn tell(&self, body: &Body, known: &mut Option<Known>) -> Result<(), Failure> {
        let again = match self.once(body, known).await {
            Err(failure) if failure.gone && known.is_some() => true,
            other => return other,
        };
        // somebody took the message away, or it can be edited no more: another one stands for the incident
        if again {
            *known = None;
        }
        self.once(body, known).await
    }

    async fn once(&self, body: &Body, known: &mut Option<Known>) -> Result<(), Failure> {
        let mut now = match known.clone() {
            None => self.begin(body).await?,
            Some(now) if body.step > now.shown => {
                self.call(self.update, &now.channel, &body.message, json!({"ts": now.ts})).await?;
                Known { shown: body.step, ..now }
            }
            Some(now) => now,
        };
        *known = Some(now.clone());
        if !now.details {
            if let Some(details) = &body.details {
                let answered = self.call(self.post, &now.channel, details, json!({"thread_ts": now.ts})).await;
                // details that are refused would be refused with each letter
                now.details = answered.as_ref().err().is_none_or(|f| f.is_final());
                *known = Some(now.clone());
                answered?;
            }
            now.details = true;
        }
        if body.step > now.said {
            let voice = now.voice(body);
            if voice != Voice::Silent {
                let more = json!({"thread_ts": now.ts, "reply_broadcast": voice == Voice::Channel});
                self.call(self.post, &now.channel, &body.reply, more).await?;
            }
            (now.said, now.severity) = (body.step, now.severity.max(body.severity));
        }
        *known = Some(now);
        Ok(())
    }

    /// The message that stands for an incident; being new, it says itself what is new.
    async fn begin(&self, body: &Body) -> Result<Known, Failure> {
        let answer = self.call(self.post, self.channel, &body.message, json!({})).await?;
        let text = |key: &str| answer.get(key).and_then(Json::as_str).unwrap_or_default().to_string();
        let (channel, ts) = (text("channel"), text("ts"));
        let channel = if channel.is_empty() { self.channel.to_string() } else { channel };
        Ok(Known { channel, ts, shown: body.step, said: body.step, details: false, severity: body.severity })
    }

    async fn call(&self, method: &Url, channel: &str, part: &Part, more: Json) -> Result<Json, Failure> {
        let mut said = json!({
            "channel": channel,
            "text": part.text,
            "blocks": part.blocks,
            "parse": "none",
            "link_names": false,
            "mrkdwn": false,
            "unfurl_links": false,
            "unfurl_media": false,
        });
        if let (Some(said), Json::Object(more)) = (said.as_object_mut(), more) {
            said.extend(more);
        }
        self.calls.method(method, &said).await
    }
}

#[cfg(test)]
pub(super) mod tests;
