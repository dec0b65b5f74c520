//! A rule file is read or refused with places; what is read has the same meaning when read again.
#![no_main]

use groundswell::base::rule::{RuleSet, SourceText};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: String| {
    let file = SourceText { file: "f".into(), text };
    if let Ok((set, _)) = RuleSet::load(&[file.clone()]) {
        let again = RuleSet::load(&[file]).ok().map(|(s, _)| s.fingerprint);
        assert_eq!(again, Some(set.fingerprint));
    }
});
