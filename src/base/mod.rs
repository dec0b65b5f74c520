//! Shared words: what crosses borders, rule files, time, limits, faults. Imports nothing of ours.

pub mod account;
pub mod backoff;
pub mod broken;
pub mod fault;
pub mod figures;
pub mod folding;
pub mod hash;
pub mod items;
pub mod keys;
pub mod limits;
pub mod link;
pub mod metric;
pub mod model;
pub mod outcome;
pub mod reach;
pub mod recent;
pub mod rule;
pub mod secret;
pub mod tags;
pub mod time;
pub mod weighed;

pub mod yaml;
