//! Links by which whoever got a message may act on its incident: signed, for one receiver, and only for a while.

use super::sign::Signer;
use crate::base::limits;
use crate::base::model::IncidentId;
use crate::base::secret::Secret;
use crate::base::time::Time;

/// Makes such links, and knows its own.
#[derive(Clone)]
pub struct Acts(Signer);

/// What a link says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActLink {
    /// The incident.
    pub incident: IncidentId,
    /// The receiver that got it.
    pub receiver: String,
    /// Until when it may be used, in Unix seconds.
    pub until: i64,
    /// By which it is known to be ours.
    pub signature: String,
}

impl Acts {
    /// With a secret; `None` only where the algorithm would not take it.
    pub fn new(secret: &Secret) -> Option<Acts> {
        Signer::new(secret).map(Acts)
    }

    /// The link, without the address of the service: `/i/7F3K...?r=mail&e=1783152000&s=...`.
    pub fn path(&self, incident: IncidentId, receiver: &str, now: Time) -> String {
        let until = (now + limits::ACT_LINK).0.div_euclid(1_000_000);
        let signature = self.signature(incident, receiver, until);
        // names of receivers are letters, digits, -, _ and .
        format!("/i/{}?r={receiver}&e={until}&s={signature}", incident.full())
    }

    /// Whether a link is ours and may still be used; why not.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, link: &ActLink, now: Time) -> Result<(), &'static str> {
        let ours = self.signature(link.incident, &link.receiver, link.until);
        let differs = ours.len() != link.signature.len()
            || ours.bytes().zip(link.signature.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) != 0;
        if differs {
            return Err("expected a link of a message, found one that is not of this service");
        }
        if now.0.div_euclid(1_000_000) > link.until {
            return Err("expected a link that is still good, found one of an old message");
        }
        Ok(())
    }

    fn signature(&self, incident: IncidentId, receiver: &str, until: i64) -> String {
        let said = format!("act {} {receiver} {until}", incident.full());
        self.0.signature(until, said.as_bytes()).chars().skip(3).take(32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    #[test]
    fn links_are_for_one_incident_one_receiver_and_a_while() {
        let acts = Acts::new(&Secret::new("key")).unwrap();
        let now = Time(1_783_152_000_000_000);
        let path = acts.path(IncidentId(7), "mail", now);
        let (head, signature) = path.rsplit_once("&s=").unwrap();
        let until = head.rsplit_once("&e=").unwrap().1.parse().unwrap();
        let link = ActLink { incident: IncidentId(7), receiver: "mail".into(), until, signature: signature.into() };
        assert_eq!(acts.check(&link, now), Ok(()));
        assert!(acts.check(&link, now + limits::ACT_LINK + Span::seconds(1)).unwrap_err().contains("old"));
        let others = [
            ActLink { incident: IncidentId(8), ..link.clone() },
            ActLink { receiver: "slack".into(), ..link.clone() },
            ActLink { until: until + 1, ..link.clone() },
            ActLink { signature: String::new(), ..link.clone() },
            ActLink { signature: link.signature.chars().rev().collect(), ..link.clone() },
        ];
        assert!(others.iter().all(|l| acts.check(l, now).is_err()));
        let other = Acts::new(&Secret::new("another key")).unwrap();
        assert!(other.check(&link, now).is_err());
    }
}
