//! Plans: for each kind of group (`by`), the series its rules read, each computed once.

use crate::base::rule::Rule;
use crate::base::rule::expr::SeriesSpec;
use crate::base::time::Span;

/// A dimension of a group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dim {
    /// The brand; always present.
    Brand,
    /// The story a post belongs to.
    Story,
    /// The source it came from.
    Source,
    /// Its language as given.
    Lang,
}

impl Dim {
    /// All dimensions.
    pub const ALL: [Dim; 4] = [Dim::Brand, Dim::Story, Dim::Source, Dim::Lang];

    /// The word used in rules.
    pub fn name(self) -> &'static str {
        match self {
            Dim::Brand => "brand",
            Dim::Story => "story",
            Dim::Source => "source",
            Dim::Lang => "lang",
        }
    }
}

/// What is computed for every group of one kind.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// The kind of group, sorted.
    pub by: Vec<Dim>,
    /// The series, without repeats, in the order rules first name them.
    pub series: Vec<SeriesSpec>,
    /// The rules, by their place in the rule set.
    pub rules: Vec<usize>,
}

impl Plan {
    /// Whether groups of this kind have the dimension.
    pub fn has(&self, dim: Dim) -> bool {
        self.by.contains(&dim)
    }

    /// Plans for rules, in the order rules first need them; sets the places of series in the
    /// rules' expressions.
    pub fn build(rules: &mut [Rule]) -> Vec<Plan> {
        let mut plans: Vec<Plan> = Vec::new();
        for (index, rule) in rules.iter_mut().enumerate() {
            let found = plans.iter().position(|p| p.by == rule.by);
            let at = found.unwrap_or_else(|| {
                plans.push(Plan { by: rule.by.clone(), series: Vec::new(), rules: Vec::new() });
                plans.len() - 1
            });
            let plan = &mut plans[at];
            plan.rules.push(index);
            rule.plan = at;
            rule.place_series(&mut |spec| {
                plan.series.iter().position(|s| s == spec).unwrap_or_else(|| {
                    plan.series.push(spec.clone());
                    plan.series.len() - 1
                })
            });
        }
        plans
    }

    /// The longest window of any series, with its oldest pane.
    pub fn retention(plans: &[Plan]) -> Span {
        let longest = plans.iter().flat_map(|p| &p.series).map(|s| Span(s.window.0 + s.pane().0)).max();
        longest.unwrap_or(Span::ZERO).max(Span::seconds(3660))
    }
}
