//! Transitions as they are stored: this version's, and those of versions before.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::seal::{Damage, seal, unseal};
use crate::base::account::{account_id, post_id};
use crate::base::model::{
    Answered, EpisodeId, Evidence, Gone, Group, Phase, PostBody, Reason, Seq, Severity, TopPost, Transition, Value,
};
use crate::base::time::{Span, Time};

/// Version of sealed transitions.
const NEWEST: u8 = 3;
/// The version in which evidence did not know where a story goes. It ends with that, so nothing there is the only
/// difference.
const SECOND: u8 = 2;
/// The version in which evidence knew neither points, causes and turns nor answers.
const FIRST: u8 = 1;

/// How an absent value is stored.
const NOTHING: [u8; 1] = [0];

/// Seals a transition.
pub(super) fn sealed(x: &Transition) -> Vec<u8> {
    seal(NEWEST, &postcard::to_stdvec(x).unwrap_or_default())
}

/// A transition as it was stored, by whichever version.
///
/// # Errors
/// Where it is damaged, or of a version that is not known.
pub(super) fn transition(bytes: &[u8]) -> Result<Transition, Damage> {
    let damage = |_| Damage("cannot be decoded");
    match bytes.first() {
        Some(&FIRST) => postcard::from_bytes::<First>(unseal(FIRST, bytes)?).map(Transition::from).map_err(damage),
        Some(&SECOND) => {
            let mut stored = unseal(SECOND, bytes)?.to_vec();
            stored.extend(NOTHING);
            postcard::from_bytes(&stored).map_err(damage)
        }
        _ => postcard::from_bytes(unseal(NEWEST, bytes)?).map_err(damage),
    }
}

/// Post and account, as they stand in rows.
pub(super) fn ids_of(body: &PostBody) -> (i64, i64) {
    (post_id(&body.source, body.id.as_bytes()).0 as i64, account_id(&body.source, &body.author).0 as i64)
}

/// A sealed transition without what is gone; `None` where it is damaged.
pub(super) fn without(stored: &[u8], gone: Gone) -> Option<Vec<u8>> {
    let mut x = transition(stored).ok()?;
    x.evidence.as_mut()?.forget(gone);
    Some(sealed(&x))
}

/// A transition of the first version.
#[derive(Serialize, Deserialize)]
struct First {
    seq: Seq,
    at: Time,
    made_under: u64,
    rule: u32,
    group: Group,
    episode: EpisodeId,
    since: Time,
    from: Phase,
    to: Phase,
    severity: Severity,
    reason: Reason,
    value: Value,
    operands: Vec<Value>,
    summary: Option<Box<str>>,
    evidence: Option<Box<FirstEvidence>>,
}

/// Its evidence.
#[derive(Serialize, Deserialize)]
struct FirstEvidence {
    window: Span,
    began: Time,
    first: Option<TopPost>,
    hostile_reach: f64,
    reach: f64,
    posts: usize,
    shares: usize,
    accounts: usize,
    known: usize,
    texts: usize,
    tone_known: usize,
    negative: usize,
    top: Vec<TopPost>,
    without_largest: Vec<Value>,
    still_holds: Option<bool>,
    usual: Option<(f64, usize)>,
    surge: Option<(f64, f64)>,
    error: Option<f64>,
    warm_at: Option<Time>,
    sources_down: Vec<Arc<str>>,
}

impl From<First> for Transition {
    fn from(x: First) -> Transition {
        let First { seq, at, made_under, rule, group, episode, since, from, to, severity, .. } = x;
        let First { reason, value, operands, summary, evidence, .. } = x;
        let evidence = evidence.map(|e| Box::new(Evidence::from(*e)));
        Transition {
            seq,
            at,
            made_under,
            rule,
            group,
            episode,
            since,
            from,
            to,
            severity,
            reason,
            value,
            operands,
            summary,
            evidence,
        }
    }
}

impl From<FirstEvidence> for Evidence {
    fn from(e: FirstEvidence) -> Evidence {
        let largest = e.top.first().map_or(0.0, |p| p.share);
        Evidence {
            window: e.window,
            began: e.began,
            first: e.first,
            hostile_reach: e.hostile_reach,
            reach: e.reach,
            posts: e.posts,
            shares: e.shares,
            accounts: e.accounts,
            known: e.known,
            texts: e.texts,
            tone_known: e.tone_known,
            negative: e.negative,
            top: e.top,
            without_largest: e.without_largest,
            still_holds: e.still_holds,
            usual: e.usual,
            surge: e.surge,
            error: e.error,
            warm_at: e.warm_at,
            sources_down: e.sources_down,
            // shares are of hostile reach where there is any
            rest: e.hostile_reach * (1.0 - largest),
            points: Vec::new(),
            line: None,
            band: None,
            causes: Vec::new(),
            typical: None,
            answered: Answered::Unknown,
            asked: None,
            turns: Vec::new(),
            going: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::KeyId;

    fn first(posts: usize) -> First {
        let evidence = FirstEvidence {
            window: Span::seconds(3600),
            began: Time(1),
            first: None,
            hostile_reach: 10.0,
            reach: 20.0,
            posts,
            shares: 0,
            accounts: 1,
            known: 1,
            texts: 1,
            tone_known: 1,
            negative: 1,
            top: Vec::new(),
            without_largest: vec![None],
            still_holds: Some(true),
            usual: Some((1.0, 6)),
            surge: None,
            error: None,
            warm_at: None,
            sources_down: vec!["x".into()],
        };
        First {
            seq: 7,
            at: Time(2),
            made_under: 3,
            rule: 0,
            group: Group::whole(0, KeyId(1)),
            episode: EpisodeId(9),
            since: Time(1),
            from: Phase::Pending,
            to: Phase::Firing,
            severity: Severity::Page,
            reason: Reason::Rise,
            value: Some(1.0),
            operands: vec![Some(1.0)],
            summary: Some("s".into()),
            evidence: Some(Box::new(evidence)),
        }
    }

    #[test]
    fn transitions_of_every_version_are_read() {
        let old = seal(FIRST, &postcard::to_stdvec(&first(5)).unwrap());
        let x = transition(&old).unwrap();
        let e = x.evidence.as_ref().unwrap();
        assert_eq!((x.seq, x.reason, e.posts, e.rest, e.sources_down.len()), (7, Reason::Rise, 5, 10.0, 1));
        let new = sealed(&x);
        assert_eq!((new[0], transition(&new)), (3, Ok(x.clone())));
        // the version before ended one value earlier
        let plain = postcard::to_stdvec(&x).unwrap();
        let second = seal(SECOND, plain.strip_suffix(&NOTHING).unwrap());
        assert_eq!(transition(&second), Ok(x.clone()));
        let silent = Transition { evidence: None, ..x };
        let second = seal(SECOND, &postcard::to_stdvec(&silent).unwrap());
        assert_eq!(transition(&second), Ok(silent));
        // the version is a part of what is sealed
        let mut lies = new;
        lies[0] = FIRST;
        assert!(transition(&lies).is_err() && transition(&[]).is_err());
        assert!(transition(&seal(4, b"x")).is_err());
    }

    fn post(id: &str, author: &str) -> TopPost {
        let body = PostBody {
            source: "forum".into(),
            id: id.into(),
            author: author.into(),
            author_name: Some("Al".into()),
            text: "what was said".into(),
            lang: None,
            url: None,
            links: Box::default(),
            tags: Box::default(),
        };
        TopPost {
            name: Some("al".into()),
            body: body.into(),
            deleted: false,
            time: Time(1),
            kind: crate::base::model::PostKind::Post,
            n_milli: Some(900),
            followers: 1,
            known: true,
            share: 1.0,
        }
    }

    #[test]
    fn what_is_gone_is_taken_out_of_every_place() {
        let mut x = Transition::from(first(3));
        let e = x.evidence.as_mut().unwrap();
        (e.first, e.top, e.typical) =
            (Some(post("1", "a")), vec![post("2", "b"), post("3", "c")], Some(post("3", "c")));
        let said = |bytes: &[u8]| -> Vec<bool> {
            let x = transition(bytes).unwrap();
            x.evidence.unwrap().posts().map(|p| !p.body.text.is_empty() && p.name.is_some() && !p.deleted).collect()
        };
        let all = sealed(&x);
        assert_eq!(said(&all), [true, true, true, true]);
        let gone = without(&all, Gone::Post(post_id("forum", b"3"))).unwrap();
        assert_eq!(said(&gone), [true, true, false, false]);
        let gone = without(&gone, Gone::Account(account_id("forum", "a"))).unwrap();
        assert_eq!(said(&gone), [false, true, false, false]);
        // also out of a row of the first version, which becomes one of this
        let mut old = first(3);
        old.evidence.as_mut().unwrap().top = vec![post("3", "c")];
        let old = seal(FIRST, &postcard::to_stdvec(&old).unwrap());
        let gone = without(&old, Gone::Post(post_id("forum", b"3"))).unwrap();
        assert_eq!((gone[0], said(&gone)), (NEWEST, vec![false]));
    }
}
