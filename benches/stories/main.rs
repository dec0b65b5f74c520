//! Stories: how well their end is forecast, what a share costs, what many of them take in memory.
//!
//! `cargo bench --bench stories`, or one part of it: `-- forecast`, `-- cost`, `-- memory`. The forecast is
//! compared on recorded cascades (CSV `seconds,followers`, the post first) in the folder that
//! `GROUNDSWELL_CASCADES` names; without them that part is left out.
#![allow(missing_docs, clippy::unwrap_used)]

mod cost;
mod forecast;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let wants = |part: &str| asked.is_empty() || asked.iter().any(|a| a == part);
    // first of all: what others have freed would be used again, and not counted
    if wants("memory") {
        cost::memory();
    }
    if wants("cost") {
        cost::forecast();
        cost::engine();
    }
    if wants("forecast") {
        forecast::table();
    }
}
