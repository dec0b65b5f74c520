//! A query is read or refused; what is read prints to a query that reads back equal, and matches
//! any text without a panic.
#![no_main]

use groundswell::base::model::Post;
use groundswell::base::rule::query::parse;
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::Time;
use groundswell::enrich::{Matcher, Scratch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (String, String)| {
    let (query, text) = data;
    let Ok(q) = parse(&query) else { return };
    assert_eq!(parse(&q.to_string()).as_ref(), Ok(&q), "{query}");
    let file = serde_json::json!({"brands": {"b": {"broad": true, "query": query}}}).to_string();
    let Ok((set, _)) = RuleSet::load(&[SourceText { file: "f".into(), text: file }]) else { return };
    let blank = Post::blank("s".into(), "i".into(), "a".into(), Time(0));
    let post = Post { text: text.as_str().into(), links: vec![text.as_str().into()], ..blank };
    Matcher::new(&set.brands).matches(&post, &mut Scratch::default());
});
