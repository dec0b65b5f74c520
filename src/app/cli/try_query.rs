//! `try query`: which of these texts does a query match?

use clap::Args;

use super::lines::answer_each;
use super::{FAILED, one_query};
use crate::base::model::Post;
use crate::base::time::Time;
use crate::enrich::{Matcher, Scratch};

/// Try a query: a text a line on standard input, {"match":true} a line on standard output
///
/// Fields that a text alone does not have (url:, author:, followers: and others) match nothing.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  echo 'United broke my guitar' | groundswell try query '\"united airlines\" OR (united guitar)'\n  \
                  echo 'United broke my guitar' | groundswell try query 'united NEAR/3 guitar'"
)]
pub(super) struct TryQuery {
    /// The query
    query: String,
}

impl TryQuery {
    pub(super) fn run(&self) -> u8 {
        let Some(brand) = one_query::brand(&self.query) else { return FAILED };
        let (matcher, mut scratch) = (Matcher::new(&[brand]), Scratch::default());
        answer_each(|text| {
            let blank = Post::blank("try".into(), "1".into(), "nobody".into(), Time::default());
            let hit = !matcher.matches(&Post { text: text.into(), ..blank }, &mut scratch).keys.is_empty();
            format!("{{\"match\":{hit}}}")
        })
    }
}
