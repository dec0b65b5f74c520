//! Things watched: brands and groups of brands.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::hash;
use crate::base::model::KeyId;
use crate::base::rule::query::Query;

/// A number of a file, and whether it is a duration (then in seconds).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Quantity {
    /// The number; seconds of a duration.
    pub value: f64,
    /// Whether it was written as a duration.
    pub span: bool,
}

/// A brand, or a group of brands with one reputation.
#[derive(Clone, PartialEq, Debug)]
pub struct Brand {
    /// Its key.
    pub key: KeyId,
    /// Its key in files: `[a-z0-9][a-z0-9_-]*`.
    pub slug: Arc<str>,
    /// Its name in messages.
    pub name: String,
    /// What makes a post a mention, `exclude` included. A group's is that of any of its brands.
    pub query: Query,
    /// Its own accounts: their posts are roots, never mentions.
    pub own: Vec<String>,
    /// Accounts that are ignored.
    pub staff: Vec<String>,
    /// Whether it is a group.
    pub group: bool,
    /// Keys in files of the brands of a group; empty for a brand.
    pub members: Vec<String>,
    /// Labels of a group, for routes and messages.
    pub labels: BTreeMap<String, String>,
    /// Who takes care of it.
    pub owner: Option<String>,
    /// What to do when it is in trouble.
    pub runbook: Option<String>,
    /// Its variables, defaults included.
    pub vars: BTreeMap<String, Quantity>,
}

impl Brand {
    /// Equal where the same posts count: query, own accounts and staff.
    pub fn mark(&self) -> u64 {
        let own = self.own.join("\n");
        let staff = self.staff.join("\n");
        hash::parts(&[self.query.to_string().as_bytes(), own.as_bytes(), staff.as_bytes()])
    }

    /// The value of a variable.
    pub fn var(&self, name: &str) -> Option<f64> {
        self.vars.get(name).map(|v| v.value)
    }
}
