//! What notify tells people: a transition with the words of its rule and brand.

use std::sync::Arc;

use crate::base::model::Transition;
use crate::base::rule::RuleSet;

/// A transition together with the rule set it was made under.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What changed.
    pub transition: Transition,
    /// The words: rule, brand, operand names.
    pub rules: Arc<RuleSet>,
}
