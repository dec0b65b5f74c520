//! A rule file is read or refused with places; what is read has the same meaning when read again;
//! what is said about it can be shown.
#![no_main]

use groundswell::app::report::{Look, excerpts_of, told};
use groundswell::base::rule::{RuleSet, SourceText, lint};
use groundswell::base::folding::fold;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let files = [SourceText { file: "f".into(), text: text.into() }];
    let mut faults = lint::warnings(&files, true, &|t| fold(t).into_owned());
    match RuleSet::load(&files) {
        Ok((set, more)) => {
            faults.extend(more);
            let again = RuleSet::load(&files).ok().map(|(s, _)| s.fingerprint);
            assert_eq!(again, Some(set.fingerprint));
        }
        Err(more) => faults.extend(more),
    }
    for (fault, excerpt) in faults.iter().zip(excerpts_of(&faults, &|_| Some(text.into()))) {
        let shown = told(fault, excerpt.as_ref(), Look { colour: false, unicode: text.len() % 2 == 0 });
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\0']), "{shown:?}");
    }
});
