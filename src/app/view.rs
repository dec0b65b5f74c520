//! The service's state as JSON, for `GET /v1/status`; tools rely on its keys.

use serde_json::{Value as Json, json};

use crate::app::config::Config;
use crate::app::engine::RuleState;
use crate::app::status::{EngineView, Status};
use crate::base::metric::{self, Stage};
use crate::base::rule::{Rule, RuleSet};
use crate::base::time::{Span, Time};
use crate::collect::health::Health;

/// All of it.
pub(super) fn status(s: &Status) -> Json {
    let engine = s.engine_view();
    let (config, now) = (s.config(), s.clock().now());
    let unready = s.reasons();
    let mut sources: Vec<Json> = s.sources.iter().map(|e| source(s, e.key(), e.value(), &engine, now)).collect();
    let mut receivers: Vec<Json> = config.receivers.iter().map(|r| receiver(s, &r.name, r.kind())).collect();
    let by_name = |j: &Json| j["name"].as_str().unwrap_or("").to_string();
    sources.sort_by_key(by_name);
    receivers.sort_by_key(by_name);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "now": now.to_string(),
        "started": s.started().to_string(),
        "ready": unready.is_empty(),
        "unready": unready,
        "engine": {
            "time": s.engine_time().to_string(),
            "lag_seconds": s.lag().as_seconds(),
            "waiting_frames": s.waiting(),
            "entries": engine.seq,
            "posts_kept": engine.kept,
            "receive_to_transition_seconds": {
                "p50": s.metrics.quantile(Stage::ReceiveToTransition, 0.5),
                "p99": s.metrics.quantile(Stage::ReceiveToTransition, 0.99),
            },
        },
        "store": store(s, &config),
        "sources": sources,
        "brands": engine.rules.as_ref().map_or(0, |r| r.brands.len()),
        "rules": rules(s, &engine, now),
        "receivers": receivers,
        "blind_spots": config.blind_spots,
        "reload": reloaded(s),
        "external_url": config.external_url,
    })
}

fn store(s: &Status, config: &Config) -> Json {
    let Some(store) = &config.store else { return Json::Null };
    let trouble = s.unrecorded();
    json!({
        "path": store.path.display().to_string(),
        "recording": trouble.is_none(),
        "past_since": s.past().to_string(),
        "pending_entries": s.metrics.get(&metric::STORE_PENDING, &[]),
        "failing_since": trouble.as_ref().map(|t| t.since.to_string()),
        "why": trouble.as_ref().map(|t| t.why.clone()),
        "hint": trouble.as_ref().map(|t| t.hint.clone()),
    })
}

fn source(s: &Status, name: &str, status: &super::status::SourceStatus, engine: &EngineView, now: Time) -> Json {
    let (health, uptime) = (&status.health, s.uptime());
    let rules = engine.rules.iter().flat_map(|r| r.hearing(status.info.network()).map(|r| r.name.clone()));
    let down = health.down_since();
    json!({
        "name": name,
        "type": status.kind,
        "connected": health.is_connected(),
        "heard": down.is_none(),
        "down_since": down.map(|t| (now - (uptime - t)).to_string()),
        "why": if health.is_connected() && down.is_none() && !health.is_at_end() { "" } else { health.why() },
        "silent_seconds": (uptime - health.last_heard()).as_seconds(),
        "frames_per_second": health.rate(),
        "usual_frames_per_second": health.usual_rate(),
        "rate_known_in_seconds": health.learning_left().as_seconds(),
        "last_event": last_event(s, name, health).map(|t| t.to_string()),
        "degrades": if down.is_some() { rules.collect() } else { Vec::new() },
    })
}

/// Event time of the last frame. A gauge that is asked for begins to exist: not before there is one.
fn last_event(s: &Status, name: &str, health: &Health) -> Option<Time> {
    let seconds = if health.frames() > 0 { s.metrics.get(&metric::LAST_EVENT, &[name]) } else { None };
    seconds.filter(|t| *t > 0.0).map(|t| Time((t * 1e6) as i64))
}

fn receiver(s: &Status, name: &str, kind: &str) -> Json {
    let status = s.receivers.get(name).map(|r| r.value().clone()).unwrap_or_default();
    json!({
        "name": name,
        "type": kind,
        "proved": status.proved.map(|t| t.to_string()),
        "trouble": status.trouble,
        "waiting": s.inboxes.get(name).map_or(0, |i| i.len()),
    })
}

fn rules(s: &Status, engine: &EngineView, now: Time) -> Vec<Json> {
    let Some(rules) = &engine.rules else { return Vec::new() };
    let running = (now - s.past()).max(Span::ZERO);
    rules.rules.iter().zip(&engine.states).map(|(r, state)| rule(rules, r, state, running)).collect()
}

/// `shadow`, `silent` (says nothing yet), `learning`, `filling` (windows are not whole yet) or
/// `live`, and how long that takes.
fn rule(rules: &RuleSet, r: &Rule, state: &RuleState, running: Span) -> Json {
    // the engine speaks of all rules that share a plan; one that asks for no baseline waits for none
    let learns = rules.operands(r).any(|s| s.has_baseline());
    let shared = rules.plans.get(r.plan).is_some_and(|p| !p.bases.is_empty());
    let state = if shared && !learns { RuleState { open: state.open, ..RuleState::default() } } else { *state };
    let window = rules.longest_window(r);
    let filling = Span((window.0 - running.0).max(0));
    let (word, left) = match () {
        () if r.shadow => ("shadow", state.left.max(filling)),
        () if state.silent > 0 => ("silent", state.mute),
        () if state.left > Span::ZERO && state.left >= filling => ("learning", state.left),
        () if filling > Span::ZERO => ("filling", filling),
        () => ("live", Span::ZERO),
    };
    json!({
        "name": r.name,
        "place": r.place,
        "mode": r.mode(),
        "twin": rules.twin_of(r).map(|t| &t.name),
        "severity": r.levels.iter().map(|l| l.severity).max().map(|s| s.name()),
        "state": word,
        "left_seconds": left.as_seconds(),
        "keys_learning": state.learning,
        "keys_silent": state.silent,
        "open": state.open,
    })
}

fn reloaded(s: &Status) -> Json {
    let last = s.reloaded.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    last.map_or(Json::Null, |r| match r.result {
        Ok(what) => json!({ "at": r.at.to_string(), "ok": true, "what": what }),
        Err(mistakes) => json!({ "at": r.at.to_string(), "ok": false, "mistakes": mistakes }),
    })
}
