//! Plans: for each kind of group (`by`), the series its rules read, each computed once.

use std::collections::BTreeMap;

use crate::base::account::key_id;
use crate::base::model::{KeyId, Level};
use crate::base::rule::expr::{Measure, SeriesSpec, View};
use crate::base::rule::{Filter, Rule};
use crate::base::time::Span;

/// A dimension of a group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dim {
    /// The brand.
    Brand,
    /// The group of brands; stands instead of the brand.
    Group,
    /// The story a post belongs to.
    Story,
    /// The source it came from.
    Source,
    /// Its language as given.
    Lang,
    /// What it complains about; a post can be in several of these groups.
    Cause,
    /// A hashtag; a post can be in several of these groups.
    Tag,
}

impl Dim {
    /// All dimensions.
    pub const ALL: [Dim; 7] = [Dim::Brand, Dim::Group, Dim::Story, Dim::Source, Dim::Lang, Dim::Cause, Dim::Tag];

    /// The word used in rules.
    pub fn name(self) -> &'static str {
        match self {
            Dim::Brand => "brand",
            Dim::Group => "group",
            Dim::Story => "story",
            Dim::Source => "source",
            Dim::Lang => "lang",
            Dim::Cause => "cause",
            Dim::Tag => "tag",
        }
    }
}

/// Where the value of a series comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// A window of the plan.
    Window(usize),
    /// The recorded past of a window.
    Past(usize),
    /// A baseline of the plan, seen in this way.
    Base(usize, View),
    /// The story itself.
    Story(Measure),
    /// What the story will have come to after a time.
    Outlook(Measure, Span, Level),
    /// The brand's usual hour.
    Usual,
    /// Whether the hashtag is new, not seen for a time before.
    NewTerm(Span),
}

/// A window that is kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    /// Its measure and length.
    pub spec: SeriesSpec,
    /// Which posts count.
    pub filter: Filter,
}

/// The recorded past of a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Past {
    /// Which window.
    pub window: usize,
    /// How long ago.
    pub offset: Span,
    /// How often it is recorded.
    pub step: Span,
}

/// A series that is compared with its own past.
#[derive(Clone, PartialEq, Debug)]
pub struct Base {
    /// Its measure and selectors; without window.
    pub spec: SeriesSpec,
    /// Which posts count.
    pub filter: Filter,
}

/// What is computed for every group of one kind.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    /// The kind of group, sorted.
    pub by: Vec<Dim>,
    /// The keys it is computed for; empty means all of its kind.
    pub only: Vec<KeyId>,
    /// The series, without repeats, in the order rules first name them.
    pub series: Vec<SeriesSpec>,
    /// Where each comes from.
    pub slots: Vec<Slot>,
    /// Windows, without repeats.
    pub windows: Vec<Window>,
    /// Recorded pasts, without repeats.
    pub pasts: Vec<Past>,
    /// Baselines, without repeats.
    pub bases: Vec<Base>,
    /// Whether a rule asks for something of the story's whole life.
    pub tells_story: bool,
    /// Whether a rule asks for something that changes with time alone.
    pub timed: bool,
    /// Whether a rule asks for something that slowly changes with time alone.
    pub drifts: bool,
    /// Whether a rule asks how long nothing has come.
    pub waits: bool,
    /// The rules, by their place in the rule set.
    pub rules: Vec<usize>,
}

type Lists = BTreeMap<String, Vec<String>>;

/// Places of a plan's windows and baselines.
#[derive(Default)]
struct Made {
    windows: BTreeMap<SeriesSpec, usize>,
    bases: BTreeMap<SeriesSpec, usize>,
}

impl Plan {
    /// Whether groups of this kind have the dimension.
    pub fn has(&self, dim: Dim) -> bool {
        self.by.contains(&dim)
    }

    /// Whether a rule asks for new hashtags.
    pub fn asks_new(&self) -> bool {
        self.slots.iter().any(|s| matches!(s, Slot::NewTerm(_)))
    }

    /// Plans for rules, in the order rules first need them; sets the places of series in the
    /// rules' expressions.
    pub fn build(rules: &mut [Rule], lists: &Lists) -> Vec<Plan> {
        let mut plans: Vec<Plan> = Vec::new();
        let mut places: BTreeMap<(Vec<Dim>, Vec<KeyId>), usize> = BTreeMap::new();
        let mut known: BTreeMap<(usize, SeriesSpec), usize> = BTreeMap::new();
        let mut made: Vec<Made> = Vec::new();
        for (index, rule) in rules.iter_mut().enumerate() {
            let mut only: Vec<KeyId> = rule.only.iter().map(|slug| key_id(slug)).collect();
            only.sort_unstable();
            let at = *places.entry((rule.by.clone(), only.clone())).or_insert_with(|| {
                plans.push(Plan { by: rule.by.clone(), only, ..Plan::default() });
                made.push(Made::default());
                plans.len() - 1
            });
            rule.plan = at;
            if let (Some(plan), Some(made)) = (plans.get_mut(at), made.get_mut(at)) {
                plan.rules.push(index);
                rule.place_series(&mut |spec| {
                    *known.entry((at, spec.clone())).or_insert_with(|| plan.place(spec, lists, made))
                });
            }
        }
        plans
    }

    /// A plan for whole keys that no rule needs.
    pub fn of(series: &[SeriesSpec]) -> Plan {
        let mut plan = Plan { by: vec![Dim::Brand], ..Plan::default() };
        let mut made = Made::default();
        for spec in series {
            plan.place(spec, &Lists::new(), &mut made);
        }
        plan
    }

    /// Adds a series; gives its place.
    fn place(&mut self, spec: &SeriesSpec, lists: &Lists, made: &mut Made) -> usize {
        let filter = || Filter::new(&spec.selectors, lists);
        let slot = if let View::Forecast(level) = spec.view {
            (self.tells_story, self.drifts) = (true, true);
            Slot::Outlook(spec.measure, spec.window, level)
        } else if spec.measure == Measure::NewTerm {
            Slot::NewTerm(spec.window)
        } else if spec.measure == Measure::BrandUsual {
            Slot::Usual
        } else if spec.measure.is_of_story() {
            self.tells_story = true;
            self.drifts |= spec.measure == Measure::StoryState;
            self.timed |= matches!(spec.measure, Measure::StoryAge | Measure::ResponseTime);
            Slot::Story(spec.measure)
        } else if spec.view != View::Value && spec.measure.is_mass() {
            let base = SeriesSpec { view: View::Value, ..spec.clone() };
            let at = *made.bases.entry(base).or_insert_with_key(|base| {
                self.bases.push(Base { spec: base.clone(), filter: filter() });
                self.bases.len() - 1
            });
            Slot::Base(at, spec.view)
        } else {
            self.waits |= spec.measure == Measure::Silence;
            let now = spec.now();
            let window = *made.windows.entry(now).or_insert_with_key(|now| {
                self.windows.push(Window { spec: now.clone(), filter: filter() });
                self.windows.len() - 1
            });
            if spec.offset == Span::ZERO {
                Slot::Window(window)
            } else {
                self.pasts.push(Past { window, offset: spec.offset, step: spec.step() });
                Slot::Past(self.pasts.len() - 1)
            }
        };
        self.series.push(spec.clone());
        self.slots.push(slot);
        self.series.len() - 1
    }

    /// The longest window of any series, with its oldest pane.
    pub fn retention(plans: &[Plan]) -> Span {
        let longest = plans.iter().flat_map(|p| &p.windows).map(|w| Span(w.spec.window.0 + w.spec.pane().0)).max();
        longest.unwrap_or(Span::ZERO).max(Span::seconds(3660))
    }
}
