//! Who is told what in the simulation, in which words, and what must hold of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use groundswell::app::keeper::Tell;
use groundswell::base::model::{EpisodeId, IncidentId, Message, Notice, Phase, Severity, Transition, Verdict};
use groundswell::base::rule::RuleSet;
use groundswell::base::time::{Span, Time};
use groundswell::notify::{
    Content, Desk, Incident, Inhibit, Manner, Match, Order, Policy, Receiver, Route, Routes, Sending, Silence, Task,
    feed,
};
use groundswell::store::db::{About, Db, LedgerRow};
use serde_json::{Value as Json, json};

use super::Dice;
use super::receivers::{Name, Receivers};

/// Machines: `keyed` knows by the key what it got already, `plain` does not.
pub const FEEDS: [&str; 2] = ["keyed", "plain"];

fn names(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|n| Arc::from(*n)).collect()
}

/// Receivers of all manners; of pages `boss` is told where `pager` takes none, and then `mail` once more.
pub fn policy() -> Policy {
    let of = |manner, repeat: i64| Receiver {
        manner,
        repeat: (repeat > 0).then_some(Span::seconds(repeat)),
        ..Receiver::default()
    };
    let receivers = [
        ("boss", of(Manner::Letters, 0)),
        ("chat", of(Manner::Edited, 0)),
        ("keyed", of(Manner::Feed, 0)),
        ("mail", of(Manner::Letters, 150)),
        ("pager", of(Manner::Pager, 200)),
        ("plain", of(Manner::Feed, 0)),
    ];
    let receivers: BTreeMap<Arc<str>, Receiver> = receivers.into_iter().map(|(n, r)| (n.into(), r)).collect();
    let pages = Route {
        when: Match { least: Some(Severity::Page), ..Match::default() },
        to: names(&["pager"]),
        then: names(&["boss", "mail"]),
        goes_on: true,
        ..Route::default()
    };
    let all = Route { to: names(&["keyed", "plain", "mail", "chat"]), ..Route::default() };
    let brand = |brand: &str| Match { brands: vec![brand.into()], ..Match::default() };
    let when = Match { alerts: vec!["Story".into()], ..brand("acme") };
    let inhibit = vec![Inhibit { when, quiet: brand("rival"), same_brand: false }];
    let routes = Routes { routes: vec![pages, all], all: receivers.keys().cloned().collect() };
    Policy { routes, receivers, inhibit }
}

/// Writes letters.
pub struct Writer(Arc<Policy>);

impl Writer {
    pub fn new() -> Writer {
        Writer(Arc::new(policy()))
    }
}

impl Tell for Writer {
    fn policy(&self) -> Arc<Policy> {
        self.0.clone()
    }

    fn render(&mut self, sending: &Sending, unrecorded: Option<&str>) -> Option<Vec<u8>> {
        if FEEDS.contains(&&*sending.receiver) {
            return feed(&sending.content, &sending.key, unrecorded).map(String::into_bytes);
        }
        let (mut parts, mut over) = (Vec::new(), Vec::new());
        match &sending.content {
            Content::Incidents(all) => {
                for case in all.iter().map(|t| t.case(None)) {
                    let mut episodes: Vec<String> =
                        case.episodes.iter().map(|n| n.transition.episode.to_string()).collect();
                    episodes.sort();
                    parts.push(json!({
                        "incident": case.id.full(), "step": case.step, "news": format!("{:?}", case.news),
                        "severity": case.severity.name(), "over": case.ended.is_some(), "episodes": episodes,
                        "notes": case.notes,
                    }));
                }
            }
            Content::Service(m) => {
                if let Message::Digest(d) = &**m {
                    over.extend(d.over.iter().map(|n| n.transition.episode.to_string()));
                }
            }
            Content::Change(..) | Content::Trial(_) | Content::TrialOver(_) => {}
        }
        Some(json!({"parts": parts, "digest": over, "unrecorded": unrecorded}).to_string().into_bytes())
    }
}

/// What people are told of one incident.
#[derive(Clone, Debug)]
pub struct Part {
    pub incident: IncidentId,
    pub step: u32,
    pub news: String,
    pub severity: String,
    pub over: bool,
}

/// What a letter says.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// To people, of incidents.
    pub parts: Vec<Part>,
    /// Episodes that were over before.
    pub digest: Vec<String>,
    /// To machines: a number that grows.
    pub seq: Option<u64>,
    pub episode: Option<String>,
}

impl Said {
    pub fn read(body: &[u8]) -> Said {
        let v: Json = serde_json::from_slice(body).unwrap();
        let part = |p: &Json| Part {
            incident: IncidentId::parse(p["incident"].as_str().unwrap()).unwrap(),
            step: p["step"].as_u64().unwrap() as u32,
            news: p["news"].as_str().unwrap().to_string(),
            severity: p["severity"].as_str().unwrap().to_string(),
            over: p["over"].as_bool().unwrap(),
        };
        let list = |v: &Json| v.as_array().cloned().unwrap_or_default();
        Said {
            parts: list(&v["parts"]).iter().map(part).collect(),
            digest: list(&v["digest"]).iter().filter_map(|e| Some(e.as_str()?.to_string())).collect(),
            seq: v["seq"].as_u64(),
            episode: v["episode"].as_str().map(str::to_string),
        }
    }
}

/// Something people order, if there is anything to order about.
pub fn order(dice: &mut Dice, desk: &Desk) -> Option<Order> {
    let open: Vec<String> = desk.incidents().filter(|i| i.ended.is_none()).map(|i| i.id.full()).collect();
    let name = open.get(dice.below(open.len() as u64) as usize).cloned();
    let span = Span::millis(1000 + dice.below(120_000) as i64);
    let silence = |of, incident| Task::Silence { of, incident, span, reason: "a drill".into() };
    let task = match dice.below(8) {
        0 => Task::Acknowledge(name?, dice.one_in(2).then_some(span)),
        1 => Task::Claim(name?),
        2 | 3 => Task::Close(name?, Verdict::Real, "known".into()),
        4 => silence(Match::default(), Some(name?)),
        5 => silence(Match { alerts: vec!["Story".into(), "Steps".into()], ..Match::default() }, None),
        6 => silence(Match { brands: vec!["acme".into()], ..Match::default() }, None),
        _ => {
            let all: Vec<u64> = desk.silences().map(|s| s.id).collect();
            Task::Unsilence(*all.get(dice.below(all.len() as u64) as usize)?)
        }
    };
    Some(Order { by: "Ana".into(), task })
}

pub type Incidents = BTreeMap<IncidentId, Incident>;

/// What the desk remembers, as it is in memory or in the store.
#[derive(Clone, PartialEq, Default)]
pub struct Kept {
    pub incidents: Incidents,
    pub silences: BTreeMap<u64, Silence>,
}

impl Kept {
    pub fn of(desk: &Desk) -> Kept {
        Kept {
            incidents: desk.incidents().map(|i| (i.id, i.clone())).collect(),
            silences: desk.silences().map(|s| (s.id, s.clone())).collect(),
        }
    }
}

/// What the store knows of them.
pub fn stored(db: &Db) -> Result<Kept, String> {
    let rows = db.incidents(Time(i64::MIN), usize::MAX >> 1).map_err(|e| e.to_string())?;
    let n = rows.len();
    let bytes: Vec<Vec<u8>> = rows.into_iter().filter_map(|r| r.bytes).collect();
    let silences = db.silences(Time(i64::MIN)).map_err(|e| e.to_string())?;
    let out = Kept::of(&Desk::of_rows(&bytes, &silences));
    let readable = out.incidents.len();
    if readable == n { Ok(out) } else { Err(format!("of {n} incidents in the store {readable} can be read")) }
}

/// A key has one open incident.
pub fn one_a_key(desk: &Desk) -> Result<(), String> {
    let mut keys = BTreeMap::new();
    for i in desk.incidents().filter(|i| i.ended.is_none()) {
        for key in &i.keys {
            if let Some(other) = keys.insert(*key, i.id) {
                return Err(format!("two open incidents of {key:?}: {} and {}", i.id.full(), other.full()));
            }
        }
    }
    Ok(())
}

/// What is over is open in no incident.
pub fn none_stuck(incidents: &Incidents, db: &Db) -> Result<(), String> {
    let rows = db.transitions(None).map_err(|e| e.to_string())?;
    let last: BTreeMap<EpisodeId, Transition> =
        rows.into_iter().filter_map(|r| r.transition).map(|t| (t.episode, t)).collect();
    let untold = db.untold().map_err(|e| e.to_string())?;
    let untold: BTreeSet<EpisodeId> = untold.iter().map(|t| t.episode).collect();
    for i in incidents.values() {
        for episode in i.episodes.iter().filter(|(e, m)| m.open && !untold.contains(e)).map(|(e, _)| e) {
            if let Some(t) = last.get(episode).filter(|t| matches!(t.to, Phase::Resolved | Phase::Inactive)) {
                return Err(format!("incident {} holds {episode} to be open, which is {:?}", i.id.full(), t.to));
            }
        }
    }
    Ok(())
}

/// Everything of a story that is told or not.
pub struct Told<'a> {
    pub ledger: Vec<LedgerRow>,
    pub incidents: Incidents,
    pub receivers: &'a Receivers,
    pub rules: BTreeMap<u64, Arc<RuleSet>>,
    /// Whether each change was told as it came.
    pub exact: bool,
}

pub fn ledger(db: &Db) -> Result<Vec<LedgerRow>, String> {
    db.ledger(About::All, Time(i64::MIN), usize::MAX >> 1).map_err(|e| e.to_string())
}

/// A letter that ended so was taken by nobody.
fn is_dead(row: &LedgerRow) -> bool {
    matches!(&*row.what, "refused" | "expired" | "dropped")
}

impl Told<'_> {
    /// Every page was told to all whom it concerns, or the ledger says why not.
    pub fn nothing_lost(&self, changes: &[Transition]) -> Result<(), String> {
        let policy = policy();
        for t in changes {
            let people = t.to == Phase::Firing && t.severity == Severity::Page;
            if !people && !self.exact {
                continue;
            }
            let rules = self.rules.get(&t.made_under).ok_or("a change under rules that were never in force")?;
            let message = Message::Episode(Notice { transition: t.clone(), rules: rules.clone(), outage: None });
            if rules.rules[t.rule as usize].shadow {
                continue;
            }
            for r in policy.routes.receivers(&message) {
                let is_feed = FEEDS.contains(&&*r.receiver);
                let told = match is_feed {
                    true => self.feed(&r.receiver, &message.key(), t),
                    false => !people || self.people(&r.receiver, &message.key(), t),
                };
                if !told {
                    return Err(format!("{} was never told of {} of episode {}", r.receiver, message.key(), t.episode));
                }
            }
        }
        Ok(())
    }

    fn rows(&self, what: &'static str) -> impl Iterator<Item = &LedgerRow> {
        self.ledger.iter().filter(move |r| r.what == what)
    }

    /// That a change is not sent, to this receiver or to nobody, for a reason.
    fn not_sent(&self, receiver: &str, key: &str, whys: &[&str]) -> bool {
        let about = |r: &&LedgerRow| *r.key == *key && r.receiver.as_deref().is_none_or(|n| n == receiver);
        let why = |r: &LedgerRow| whys.iter().any(|w| r.detail.as_deref().is_some_and(|d| d.contains(w)));
        self.rows("not sent").filter(about).any(why)
    }

    fn feed(&self, receiver: &Arc<str>, key: &str, t: &Transition) -> bool {
        let full: Name = (receiver.clone(), key.into());
        let died = |r: &LedgerRow| is_dead(r) && r.receiver.as_deref() == Some(receiver) && *r.key == *key;
        let episode = t.episode.to_string();
        let later = |(name, said): (&Name, &Said)| {
            name.0 == *receiver && said.episode.as_ref() == Some(&episode) && said.seq.is_some_and(|s| s >= t.seq)
        };
        self.receivers.seen.contains_key(&full)
            || self.ledger.iter().any(died)
            || self.not_sent(receiver, key, &["silenced by", "inhibited by"])
            || self.late(t, &["its rule is in shadow"])
            || (!self.exact && (self.receivers.said.iter().any(later) || self.in_digest(t)))
    }

    /// It was over before anybody could be told.
    fn in_digest(&self, t: &Transition) -> bool {
        let episode = t.episode.to_string();
        self.receivers.said.values().any(|s| s.digest.contains(&episode))
    }

    fn people(&self, receiver: &Arc<str>, key: &str, t: &Transition) -> bool {
        let whys = ["was closed by", "over before anybody was told"];
        let mine = self.incidents.values().filter(|i| i.episodes.contains_key(&t.episode));
        self.not_sent(receiver, key, &whys)
            || self.late(t, &[&whys[..], &["its rule is in shadow"]].concat())
            || mine.into_iter().any(|i| self.heard_of(receiver, i))
            || (!self.exact && self.in_digest(t))
    }

    /// The same of any step of its episode.
    fn late(&self, t: &Transition, whys: &[&str]) -> bool {
        let why = |r: &LedgerRow| whys.iter().any(|w| r.detail.as_deref().is_some_and(|d| d.contains(w)));
        self.rows("not sent").any(|r| !self.exact && r.episode == Some(t.episode) && why(r))
    }

    /// It was told of an incident as of a page; or that died on its way; or it was kept from it to the end.
    fn heard_of(&self, receiver: &Arc<str>, i: &Incident) -> bool {
        let pages = |(name, said): &(&Name, &Said)| {
            name.0 == *receiver && said.parts.iter().any(|p| p.incident == i.id && p.severity == Severity::Page.name())
        };
        let ended = |name: &Name| {
            let died = |r: &LedgerRow| is_dead(r) && r.receiver.as_ref() == Some(&name.0) && r.key == name.1;
            self.receivers.seen.contains_key(name) || self.ledger.iter().any(died)
        };
        let kept = i.lines.get(receiver).and_then(|l| l.owed.as_ref()).is_some_and(|o| o.held.is_some());
        let over = |r: &LedgerRow| {
            let why = |d: &str| d.starts_with("over before it was told");
            r.incident == Some(i.id) && r.receiver.as_ref() == Some(receiver) && r.detail.as_deref().is_some_and(why)
        };
        kept || self.receivers.said.iter().filter(pages).any(|(name, _)| ended(name)) || self.rows("not sent").any(over)
    }

    /// What was taken is not handed over.
    pub fn handed_well(&self) -> Result<(), String> {
        let wakes = |p: &&Part| p.severity == "page" && matches!(&*p.news, "Opened" | "Rise" | "Cause" | "HandedOver");
        let mut woken: BTreeMap<(&str, IncidentId), u32> = BTreeMap::new();
        let mut taken: BTreeMap<(&str, IncidentId), (u32, Time)> = BTreeMap::new();
        for (place, row) in self.ledger.iter().enumerate() {
            let (Some(incident), detail) = (row.incident, row.detail.as_deref().unwrap_or("")) else { continue };
            let receiver = row.receiver.as_deref().unwrap_or("");
            let part = |name: Name| self.receivers.said.get(&name)?.parts.iter().find(|p| p.incident == incident);
            let part = part((receiver.into(), row.key.clone()));
            match &*row.what {
                "queued" => {
                    if let Some(p) = part.filter(wakes) {
                        woken.insert((receiver, incident), p.step);
                    }
                }
                "delivered" => {
                    if let Some(p) = part {
                        taken.insert((receiver, incident), (p.step, row.at));
                    }
                }
                "handed over" => {
                    let from = detail.split('`').nth(1).unwrap_or("");
                    let of = (from, incident);
                    let has_it = |woken: &u32| taken.get(&of).is_some_and(|(step, at)| step >= woken && *at < row.at);
                    // a page that was decided before may be written only after this
                    let comes = self.ledger.iter().skip(place).any(|later| {
                        let name = (from.into(), later.key.clone());
                        let parts = self.receivers.said.get(&name).into_iter().flat_map(|said| &said.parts);
                        later.what == "queued"
                            && later.receiver.as_deref() == Some(from)
                            && later.at - row.at < Span::seconds(600)
                            && parts.filter(|p| p.incident == incident).any(|p| wakes(&p))
                    });
                    if woken.get(&of).is_some_and(has_it) && !comes {
                        return Err(format!("{} is handed over though {from} has it: {detail}", incident.full()));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What is queued comes to one end, or waits; nothing is queued twice.
pub fn each_ends_once(db: &Db, rows: &[LedgerRow], crashes: usize) -> Result<(), String> {
    let all = db.outbox(usize::MAX >> 1).map_err(|e| e.to_string())?;
    let kept: BTreeMap<(&str, &str), bool> = all.iter().map(|r| ((&*r.receiver, &*r.key), r.dead.is_some())).collect();
    // ends for good, and those after which it is kept to be sent after all
    let mut ends: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    let mut queued: BTreeMap<(&str, &str), (usize, bool)> = BTreeMap::new();
    for row in rows {
        let name = (row.receiver.as_deref().unwrap_or(""), &*row.key);
        match &*row.what {
            "delivered" | "superseded" | "discarded" => ends.entry(name).or_default().0 += 1,
            "refused" | "expired" | "dropped" => ends.entry(name).or_default().1 += 1,
            "queued" => {
                let again = row.detail.as_deref().is_some_and(|d| d.starts_with("again"));
                let (times, recorded) = queued.entry(name).or_insert((0, row.detail.is_none()));
                if *times > 0 && !again {
                    return Err(format!("{} is told again of {}", name.0, name.1));
                }
                (*times, *recorded) = (*times + 1, *recorded);
            }
            _ => {}
        }
    }
    // what was sent from memory may be lost with it
    for (name, (times, _)) in queued.into_iter().filter(|(_, (_, recorded))| *recorded) {
        let (ended, died) = ends.get(&name).copied().unwrap_or_default();
        let (waits, dead) = (kept.get(&name) == Some(&false), kept.get(&name) == Some(&true));
        if ended + usize::from(waits) + usize::from(dead) != 1 || died > times + crashes {
            return Err(format!(
                "{} for {} was queued {times} times, ended {ended} times, was given up {died} times, waits: {waits}, dead: {dead}",
                name.1, name.0
            ));
        }
    }
    Ok(())
}
