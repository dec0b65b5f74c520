//! Quantities that a rule gives names to (`let`), so that its condition can be read.

use crate::base::fault::Fault;
use crate::base::limits;
use crate::base::model::StoryState;
use crate::base::rule::expr::{FUNCTIONS, Lets, Measure, Type, with_names};
use crate::base::rule::keys::QUANTITY;
use crate::base::yaml::{Fields, Node, Reader};

/// Words that conditions are made of.
const WORDS: [&str; 10] = ["and", "or", "not", "unless", "then", "within", "offset", "in", "vars", "lists"];

/// Reads `let`: each quantity may use those before it. `left`: how many measures and numbers names may still stand for
/// in the rules of a set.
pub(super) fn read(r: &mut Reader, fields: &Fields, left: usize) -> Lets {
    let mut known = Lets::new(left.min(limits::NAMED_VALUES));
    let Some(node) = fields.get("let") else { return known };
    for (key, value) in r.pairs(node, "`let`") {
        let Some(name) = name(r, key, &known) else { continue };
        if known.names().count() >= limits::NAMED_QUANTITIES {
            let what = format!("expected at most {} names in `let`, found more", limits::NAMED_QUANTITIES);
            r.fault(key, what);
            break;
        }
        let Some(text) = r.text(value, "a quantity") else { continue };
        match with_names(text, &known, Type::Number) {
            Ok(e) => known.add(name, e),
            Err(e) => r.tell(Fault { hint: e.hint, ..Fault::at(r.place_in(value, e.offset), e.what) }),
        }
    }
    known
}

fn name(r: &mut Reader, key: &Node, known: &Lets) -> Option<String> {
    let name = r.text(key, "a name")?.to_string();
    let mut letters = name.chars();
    let sound = letters.next().is_some_and(|c| c.is_ascii_lowercase())
        && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let taken = Measure::ALL.into_iter().any(|m| m.name() == name)
        || FUNCTIONS.contains(&&*name)
        || StoryState::named(&name).is_some()
        || WORDS.contains(&&*name);
    if !sound || taken {
        let what = if taken { "a name that means nothing yet" } else { "a name" };
        let hint = format!("names are {QUANTITY}, and no measure, function or word of conditions");
        r.fault(key, format!("expected {what} in `let`, found `{name}`")).hint = Some(hint);
        return None;
    }
    if known.get(&name).is_some() {
        r.fault(key, format!("expected `{name}` once in `let`, found it again"));
        return None;
    }
    Some(name)
}
