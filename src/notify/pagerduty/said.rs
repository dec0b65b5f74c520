//! What PagerDuty says: somebody acknowledged or resolved an incident there.

use serde::Deserialize;

use super::body::thread;
use crate::base::limits;
use crate::base::secret::Secret;
use crate::notify::plain::plain;
use crate::notify::sign::Signer;

/// What somebody did in PagerDuty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PagerDutyDeed {
    /// They work on it.
    Acknowledged,
    /// They say it is over.
    Resolved,
}

/// Something somebody did in PagerDuty about an incident of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PagerDutySays {
    /// The event's own id, by which a repeat is known; at most 100 characters.
    pub id: String,
    /// Who, on one line, at most 80 characters; `PagerDuty` where it does not say.
    pub by: String,
    /// What they did.
    pub deed: PagerDutyDeed,
    /// The thread of the incident: [`View::thread`](crate::notify::view::View).
    pub thread: String,
}

#[derive(Deserialize)]
struct Payload {
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    event_type: String,
    #[serde(default)]
    agent: Option<Agent>,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize)]
struct Agent {
    #[serde(default)]
    summary: Option<String>,
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

#[derive(Deserialize, Default)]
struct Data {
    #[serde(default)]
    incident_key: Option<String>,
}

/// What a V3 webhook of PagerDuty says, if it is about an incident of ours and one of the deeds we heed.
/// `signature` is its header `X-PagerDuty-Signature`, `body` the request's as it came.
///
/// # Errors
/// Where it is not signed with the secret, too long, or not understood.
pub fn pagerduty_said(secret: &Secret, signature: &str, body: &[u8]) -> Result<Option<PagerDutySays>, &'static str> {
    if body.len() > limits::PAGERDUTY_SAID_BYTES {
        return Err("expected a shorter body");
    }
    if !is_signed(secret, signature, body) {
        return Err("expected a signature made with the secret of this receiver, found none");
    }
    let said: Payload =
        serde_json::from_slice(body).map_err(|_| "expected an event of PagerDuty, found another body")?;
    let Event { id, event_type, agent, data } = said.event;
    let deed = match event_type.as_str() {
        "incident.acknowledged" => PagerDutyDeed::Acknowledged,
        "incident.resolved" => PagerDutyDeed::Resolved,
        _ => return Ok(None),
    };
    // what we told PagerDuty comes back as a deed of our own integration
    if agent.as_ref().and_then(|a| a.kind.as_deref()).is_some_and(|k| k.ends_with("integration_reference")) {
        return Ok(None);
    }
    let Some(thread) = data.incident_key.as_deref().and_then(thread) else { return Ok(None) };
    let by = agent.and_then(|a| a.summary).map_or(String::new(), |s| plain(&s, limits::PAGERDUTY_AGENT));
    let by = if by.is_empty() { "PagerDuty".to_string() } else { by };
    Ok(Some(PagerDutySays { id: plain(&id, limits::PAGERDUTY_ID), by, deed, thread: thread.to_string() }))
}

/// Whether one of the signatures is ours: while a secret is changed, there are two.
fn is_signed(secret: &Secret, header: &str, body: &[u8]) -> bool {
    // with an empty secret, anybody could sign
    let Some(signer) = Some(secret).filter(|s| !s.expose().is_empty()).and_then(Signer::new) else { return false };
    let given = header.split(',').take(limits::PAGERDUTY_SIGNATURES);
    given.filter_map(|s| s.trim().strip_prefix("v1=")).filter_map(bytes).any(|given| signer.has_made(&given, body))
}

/// The bytes of a hash in hex.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    let digits: Vec<u32> = hex.chars().take(65).map_while(|c| c.to_digit(16)).collect();
    let mut out = [0; 32];
    if digits.len() != 64 || hex.len() != 64 {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0u8, |all, d| (all << 4) | (*d as u8));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"event":{"id":"01BZ","event_type":"incident.acknowledged","resource_type":"incident","occurred_at":"2026-07-04T08:10:00Z","agent":{"id":"P1","type":"user_reference","summary":"Ada\nL"},"data":{"id":"Q1","type":"incident","incident_key":"groundswell-7F3K","title":"x"}}}"#;

    fn signed(key: &str, body: &str) -> String {
        Signer::new(&Secret::new(key)).unwrap().of(body.as_bytes())
    }

    fn said(body: &str) -> Result<Option<PagerDutySays>, &'static str> {
        pagerduty_said(&Secret::new("k"), &signed("k", body), body.as_bytes())
    }

    #[test]
    fn signatures_are_checked_against_a_vector() {
        // RFC 4231, case 2
        let secret = Secret::new("Jefe");
        let body = b"what do ya want for nothing?";
        let good = "v1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let zeros = format!("v1={}", "0".repeat(64));
        let two = format!("{zeros}, {good}");
        for header in [good, &two, &good.to_uppercase().replace("V1", "v1")] {
            assert!(is_signed(&secret, header, body), "{header}");
        }
        let many = format!("{}{good}", format!("{zeros},").repeat(limits::PAGERDUTY_SIGNATURES));
        let short = good.get(..good.len() - 1).unwrap();
        let wide = good.replace('5', "５");
        let bad = ["", "v1=", ",,,", &good.replace("v1", "v2"), &good.replace("c3", "c4"), &zeros, &many, short, &wide];
        for header in bad.into_iter().chain([format!("{good}0").as_str(), &"v1=é".repeat(100)]) {
            assert!(!is_signed(&secret, header, body), "{header}");
        }
        assert!(!is_signed(&Secret::new("other"), good, body) && !is_signed(&secret, good, b"what"));
        assert!(!is_signed(&Secret::new(""), &signed("", "x"), b"x"));
    }

    #[test]
    fn what_concerns_us_is_told() {
        let expected = PagerDutySays {
            id: "01BZ".into(),
            by: "Ada L".into(),
            deed: PagerDutyDeed::Acknowledged,
            thread: "7F3K".into(),
        };
        assert_eq!(said(BODY), Ok(Some(expected.clone())));
        let resolved = PagerDutySays { deed: PagerDutyDeed::Resolved, ..expected };
        assert_eq!(said(&BODY.replace("acknowledged", "resolved")), Ok(Some(resolved)));
        let unnamed = BODY.replace(r#""summary":"Ada\nL""#, r#""summary":null"#);
        assert_eq!(said(&unnamed).unwrap().unwrap().by, "PagerDuty");
        for other in [
            BODY.replace("incident.acknowledged", "incident.annotated"),
            BODY.replace("user_reference", "events_api_v2_inbound_integration_reference"),
            BODY.replace("groundswell-7F3K", "nagios-1"),
            BODY.replace("groundswell-7F3K", "groundswell-"),
            BODY.replace("groundswell-7F3K", &format!("groundswell-{}", "7".repeat(300))),
            BODY.replace("groundswell-7F3K", "groundswell-a\\nb"),
            BODY.replace(r#""incident_key":"groundswell-7F3K","#, ""),
            r#"{"event":{"id":"1","event_type":"pagey.ping","data":{"message":"hi"}}}"#.to_string(),
        ] {
            assert_eq!(said(&other), Ok(None), "{other}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error_and_never_a_panic() {
        assert!(pagerduty_said(&Secret::new("k"), &signed("other", BODY), BODY.as_bytes()).is_err());
        assert!(pagerduty_said(&Secret::new("k"), "", BODY.as_bytes()).is_err());
        for end in 0..BODY.len() {
            assert!(said(BODY.get(..end).unwrap()).is_err(), "{end}");
        }
        let deep = "[".repeat(100_000);
        let long = format!("{}{BODY}", " ".repeat(limits::PAGERDUTY_SAID_BYTES));
        let ids = BODY.replace("\"01BZ\"", "1");
        for bad in [deep.as_str(), "null", "{}", r#"{"event":null}"#, &ids, &long] {
            assert!(said(bad).is_err());
        }
        assert!(pagerduty_said(&Secret::new("k"), "v1=\u{ff}", &[0xff; 100]).is_err());
    }
}
