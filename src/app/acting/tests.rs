//! Orders on their way, without a service.

use std::collections::BTreeSet;
use std::sync::mpsc::TryRecvError;

use super::*;
use crate::app::clock::SystemClock;
use crate::app::config::Config;
use crate::app::gauged::gauged;
use crate::base::model::{Message, Notice};
use crate::base::time::{Span, Time};
use crate::notify::{Match, Policy};

fn status() -> Arc<Status> {
    Arc::new(Status::new(Arc::new(SystemClock), Arc::new(Config::new(Vec::new()))).unwrap())
}

fn claim() -> Order {
    Order { by: "Dana".into(), task: Task::Claim("7F3K".into()) }
}

#[tokio::test]
async fn without_a_keeper_nothing_is_ordered() {
    let s = status();
    assert_eq!(s.order(claim()).await, Err(NotDone::Later("the service is starting".into())));
    s.no_pushes();
    assert_eq!(s.outbox(Outbox::Retry(1)).await, Err(NotDone::Later("the service is stopping".into())));
    assert_eq!(s.metrics.get(&metric::ORDERS, &["claim", "later"]), Some(1.0));
}

#[tokio::test]
async fn an_order_waits_for_room_and_keeps_nobody_alive() {
    let (s, (to, items)) = (status(), gauged::<Keep>(1, Default::default()));
    let held = s.take_orders(to);
    held.try_send(Keep::Live).unwrap();
    let of = s.clone();
    let waiting = tokio::spawn(async move { of.order(claim()).await });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!waiting.is_finished() && matches!(items.try_recv(), Ok(Keep::Live)));
    let (order, answer) = loop {
        match items.try_recv() {
            Ok(Keep::Order(order, answer)) => break (order, answer),
            _ => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
        }
    };
    assert_eq!(order, claim());
    // the keeper ends although an answer is waited for
    drop(held);
    assert!(matches!(items.try_recv(), Err(TryRecvError::Disconnected)));
    answer.send(Err("it is over".into())).unwrap();
    assert_eq!(waiting.await.unwrap(), Err(NotDone::Refused("it is over".into())));
    assert!(matches!(s.order(claim()).await, Err(NotDone::Later(_))));
}

#[test]
fn what_changed_is_shown_and_what_did_not_is_not_made_anew() {
    let s = status();
    assert!(s.shown().is_none());
    let (mut desk, policy) = (Desk::default(), Policy::default());
    let now = Time(1_783_152_000_000_000);
    let fires = |brand: &str, episode: u64| {
        let text = "brands: {u: {query: united}, d: {query: delta}}\nrules: [{alert: A, when: 'mentions[1h] >= 3', severity: page}]\n";
        let file = crate::base::rule::SourceText { file: "r".into(), text: text.into() };
        let rules = Arc::new(crate::base::rule::RuleSet::load(&[file]).unwrap().0);
        Message::Episode(Notice { transition: transition(brand, episode, now), rules, outage: None })
    };
    desk.take(&fires("u", 1), &policy, now);
    desk.take(&fires("d", 2), &policy, now + Span::seconds(1));
    desk.take_rows();
    s.show_desk(&desk, None);
    let before = s.shown().unwrap();
    let brands: Vec<&str> = before.incidents.iter().map(|i| &*i.brand).collect();
    assert_eq!(brands, ["d", "u"], "the newest first");
    assert_eq!(s.metrics.get(&metric::INCIDENTS_OPEN, &["page"]), Some(2.0));

    let name = before.incidents[0].id.full();
    desk.order(&Order { by: "Dana".into(), task: Task::Claim(name.clone()) }, &policy, now).unwrap();
    let of = Match { brands: vec!["u".into()], ..Match::default() };
    let hush = Task::Silence { of, incident: None, span: Span::seconds(60), reason: "x".into() };
    desk.order(&Order { by: "Dana".into(), task: hush }, &policy, now).unwrap();
    let changed = Changed { incidents: BTreeSet::from([before.incidents[0].id]), silences: true };
    s.show_desk(&desk, Some(&changed));
    let after = s.shown().unwrap();
    assert_eq!(after.named(&name.to_lowercase()).unwrap().claimed.as_ref().unwrap().by, "Dana");
    assert!(Arc::ptr_eq(&before.incidents[1], &after.incidents[1]));
    assert_eq!((before.silences.len(), after.silences.len()), (0, 1));
    assert!(after.named("").is_none() && after.named("ZZZZZ").is_none());
}

fn transition(brand: &str, episode: u64, now: Time) -> crate::base::model::Transition {
    use crate::base::model::{EpisodeId, Group, Phase, Reason, Transition};
    Transition {
        seq: 1,
        at: now,
        made_under: 1,
        rule: 0,
        group: Group::whole(0, crate::base::account::key_id(brand)),
        episode: EpisodeId(episode),
        since: now,
        from: Phase::Inactive,
        to: Phase::Firing,
        severity: Severity::Page,
        reason: Reason::Condition,
        value: Some(3.0),
        operands: vec![Some(3.0)],
        summary: None,
        evidence: None,
    }
}
