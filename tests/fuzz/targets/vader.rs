//! Any text has figures within their ranges.
#![no_main]

use groundswell::enrich::negativity::{look, polarity};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let p = polarity(text);
    assert!((-1.0..=1.0).contains(&p.compound), "{p:?}");
    for share in [p.negative, p.neutral, p.positive] {
        assert!((0.0..=1.0).contains(&share), "{p:?}");
    }
    let _ = (look(text, None), look(text, Some("en")));
});
