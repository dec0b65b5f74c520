//! A condition, quantity or template is read or refused; what is read prints to one that reads
//! back equal.
#![no_main]

use groundswell::base::rule::Template;
use groundswell::base::rule::expr::{Lets, parse_condition, parse_quantity};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for read in [parse_condition, parse_quantity] {
        if let Ok(e) = read(text) {
            assert_eq!(read(&e.to_string()).as_ref(), Ok(&e), "{text}");
        }
    }
    let _ = Template::parse(text, &Lets::default());
});
