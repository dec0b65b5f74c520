//! The series of one group.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::baseline::{self, Baseline, Gaps};
use super::history::History;
use super::series::{Series, passes};
use super::spread::Course;
use super::story::Life;
use super::terms::Terms;
use super::usual::Usual;
use super::voices::Size;
use crate::base::model::{Group, Reading, Seq, Told, Value};
use crate::base::rule::expr::Measure;
use crate::base::rule::{Brand, Dim, Plan, Slot};
use crate::base::tags::tags_of;
use crate::base::time::{Span, Time};

/// How often groups are looked at whose rules ask for something that changes with time alone.
const TIMED_LOOK: Span = Span::seconds(10);
/// How often they are looked at at least, where it changes slowly.
const SLOW_LOOK: Span = Span::seconds(600);
/// How often they are looked at where it is asked how long nothing has come: within a thirtieth of that time, between
/// these.
const WAITING_LOOK: Span = Span::seconds(60);
const LONG_LOOK: Span = Span::seconds(3600);

/// The series of one group, in the order of its plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cell {
    pub(super) windows: Vec<Series>,
    pub(super) pasts: Vec<History>,
    pub(super) bases: Vec<Baseline>,
    pub(super) life: Option<Box<Life>>,
    /// The last entry that concerned it.
    pub(super) last: Seq,
}

/// What is known of a group beside what it counts.
#[derive(Clone, Copy)]
pub(super) struct About<'s> {
    /// The brand.
    pub(super) brand: Option<&'s Brand>,
    /// The course of its story, if it has one.
    pub(super) course: Option<&'s Course>,
    /// What is usual for the brand.
    pub(super) usual: &'s Usual,
    /// The hashtags the brand is known with.
    pub(super) terms: &'s Terms,
    /// When sources were down.
    pub(super) gaps: Gaps<'s>,
}

impl About<'_> {
    /// Hostile reach of a usual hour; nothing while too few are known.
    pub(super) fn usual_hour(&self) -> Value {
        Some(self.usual.middle().unwrap_or(0.0))
    }
}

/// A post with the size of its author as it is known now.
#[derive(Clone, Copy)]
pub(super) struct Sized<'t> {
    pub(super) told: &'t Told,
    pub(super) size: Size,
    pub(super) brand: Option<&'t Brand>,
}

impl Cell {
    pub(super) fn new(plan: &Plan) -> Cell {
        Cell::since(plan, Time(i64::MIN))
    }

    /// A cell that has counted everything since a time only.
    pub(super) fn since(plan: &Plan, whole_from: Time) -> Cell {
        let by_story = plan.has(Dim::Story);
        Cell {
            windows: plan.windows.iter().map(|w| Series::new(&w.spec, by_story, whole_from)).collect(),
            pasts: plan.pasts.iter().map(History::new).collect(),
            bases: plan.bases.iter().map(|b| Baseline::new(b.spec.measure)).collect(),
            life: plan.tells_story.then(Box::default),
            last: 0,
        }
    }

    pub(super) fn add(&mut self, plan: &Plan, p: Sized<'_>) {
        for (series, w) in self.windows.iter_mut().zip(&plan.windows) {
            if passes(&w.spec, &w.filter, p.told, p.size, p.brand) {
                series.add(&w.spec, p.told, p.size);
            }
        }
        for (base, b) in self.bases.iter_mut().zip(&plan.bases) {
            if passes(&b.spec, &b.filter, p.told, p.size, p.brand) {
                base.add(&b.spec, p.told, p.size);
            }
        }
        if let Some(life) = self.life.as_mut().filter(|_| p.told.foreign.is_none()) {
            life.add(p.told);
        }
    }

    pub(super) fn uncount(&mut self, plan: &Plan, p: Sized<'_>) {
        for (series, w) in self.windows.iter_mut().zip(&plan.windows) {
            if passes(&w.spec, &w.filter, p.told, p.size, p.brand) {
                series.uncount(&w.spec, p.told);
            }
        }
        for (base, b) in self.bases.iter_mut().zip(&plan.bases) {
            if passes(&b.spec, &b.filter, p.told, p.size, p.brand) {
                base.uncount(&b.spec, p.told);
            }
        }
        if let Some(life) = self.life.as_mut().filter(|_| p.told.foreign.is_none()) {
            life.uncount(p.told);
        }
    }

    /// The author of a post became known: it may pass selectors now that it did not, or no more.
    pub(super) fn regard(&mut self, plan: &Plan, p: Sized<'_>, now: Size) {
        let change = |spec, filter: &crate::base::rule::Filter| {
            let was = filter.reads_audience() && passes(spec, filter, p.told, p.size, p.brand);
            let is = filter.reads_audience() && passes(spec, filter, p.told, now, p.brand);
            (was, is)
        };
        for (series, w) in self.windows.iter_mut().zip(&plan.windows) {
            match change(&w.spec, &w.filter) {
                (true, false) => series.uncount(&w.spec, p.told),
                (false, true) => series.add(&w.spec, p.told, now),
                _ => {}
            }
        }
        for (base, b) in self.bases.iter_mut().zip(&plan.bases) {
            match change(&b.spec, &b.filter) {
                (true, false) => base.uncount(&b.spec, p.told),
                (false, true) => base.add(&b.spec, p.told, now),
                _ => {}
            }
        }
    }

    /// A post of an account whose size became known: it is taken into samples that left it out.
    pub(super) fn readmit(&mut self, plan: &Plan, p: Sized<'_>) {
        for (series, w) in self.windows.iter_mut().zip(&plan.windows) {
            if series.is_sampled() && passes(&w.spec, &w.filter, p.told, p.size, p.brand) {
                series.readmit(&w.spec, p.told, p.size);
            }
        }
    }

    pub(super) fn resize(&mut self, account: u64, size: Size) {
        self.windows.iter_mut().for_each(|s| s.resize(account, size));
        self.bases.iter_mut().for_each(|b| b.resize(account, size));
    }

    /// Brings everything to `now`; on the way the past is recorded at the ends of its steps.
    pub(super) fn advance(&mut self, plan: &Plan, now: Time, gaps: Gaps<'_>) {
        if !self.pasts.is_empty() {
            let each = self.pasts.iter_mut().enumerate();
            let mut due: Vec<(Time, usize)> = each.flat_map(|(i, p)| p.due(now).map(move |t| (t, i))).collect();
            due.sort_unstable();
            for (at, i) in due {
                let window = plan.pasts.get(i).map_or(0, |p| p.window);
                let spec = plan.windows.get(window).map(|w| &w.spec);
                if let (Some(series), Some(spec), Some(past)) =
                    (self.windows.get_mut(window), spec, self.pasts.get_mut(i))
                {
                    series.advance(at);
                    past.record(at, series.value(spec.measure));
                }
            }
        }
        if let Some(life) = self.life.as_mut().filter(|l| l.expiry().is_some_and(|t| t <= now)) {
            **life = Life::default();
        }
        self.windows.iter_mut().for_each(|s| s.advance(now));
        for (base, b) in self.bases.iter_mut().zip(&plan.bases) {
            base.advance(&b.spec, now, gaps);
        }
    }

    /// The values of all series; call [`Cell::advance`] before.
    pub(super) fn read(&mut self, plan: &Plan, about: About<'_>, group: &Group, now: Time, seq: Seq) -> Reading {
        let rare: SmallVec<[_; 2]> =
            self.bases.iter_mut().zip(&plan.bases).map(|(b, spec)| b.observe(&spec.spec, now)).collect();
        let value = |slot: &Slot| match slot {
            Slot::Window(i) => self.window(plan, *i, about.gaps, now),
            Slot::Past(i) => self.pasts.get(*i).and_then(|p| p.value(now)),
            Slot::Base(i, view) => {
                let base = plan.bases.get(*i)?;
                baseline::view(*rare.get(*i)?, *view, base.spec.measure)
            }
            Slot::NewTerm(gap) => is_new(about.terms, group, *gap, now),
            Slot::Usual => about.usual_hour(),
            Slot::Story(_) | Slot::Outlook(..) => self.of_story(*slot, about, now),
        };
        Reading { seq, at: now, group: group.clone(), values: plan.slots.iter().map(value).collect() }
    }

    /// What is told of the story; nobody answers for a brand without own accounts.
    pub(super) fn of_story(&self, slot: Slot, about: About<'_>, now: Time) -> Value {
        match slot {
            Slot::Outlook(measure, horizon, level) => {
                let coming = about.course?.by(now, horizon)?;
                let band = if measure == Measure::Shares { coming.shares } else { coming.reach };
                Some(band.at(level))
            }
            Slot::Story(Measure::StoryState) => Some(about.course?.outlook(now)?.state.value()),
            Slot::Story(Measure::ResponseTime) if about.brand.is_none_or(|b| b.own.is_empty()) => None,
            Slot::Story(measure) => self.life.as_ref()?.value(measure, now),
            _ => None,
        }
    }

    pub(super) fn window(&self, plan: &Plan, i: usize, gaps: Gaps<'_>, now: Time) -> Value {
        let (spec, series) = (plan.windows.get(i)?, self.windows.get(i)?);
        match series.last() {
            Some(last) => Some((now - gaps.heard_since(last, now)?).as_seconds().max(0.0)),
            None => series.value(spec.spec.measure),
        }
    }

    /// Whether it counts anything now, or did within its recorded past.
    pub(super) fn is_quiet(&self, now: Time) -> bool {
        self.expiries(now).is_none() && !self.pasts.iter().any(History::holds_any)
    }

    /// Whether it is kept though it counts nothing now.
    pub(super) fn remembers(&self) -> bool {
        !self.bases.is_empty() || self.windows.iter().any(Series::remembers)
    }

    /// When the first and when the last of what is counted expires; `None` if nothing is.
    pub(super) fn expiries(&self, now: Time) -> Option<(Time, Time)> {
        let life = self.life.as_ref().and_then(|l| l.expiry()).filter(|t| *t > now).map(|t| (t, t));
        let each = self.windows.iter().filter_map(Series::expiries).chain(life);
        each.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
    }

    /// When it changes by time alone, though nothing expires; `falls` if somebody waits for
    /// something to fall.
    pub(super) fn next_change(&self, plan: &Plan, now: Time, falls: bool) -> Option<Time> {
        let quiet = self.is_quiet(now);
        let waits = |p: &&History| !quiet || p.value(now).is_none();
        let recorded = self.pasts.iter().filter(waits).map(|p| p.next(now));
        let falling = (falls && !self.bases.is_empty()).then(|| Baseline::next_look(now));
        let timed = (plan.timed && !quiet).then(|| now + TIMED_LOOK);
        let last = self.windows.iter().filter_map(Series::last).max().filter(|_| plan.waits);
        let waiting = last.map(|t| now + Span(((now - t).0 / 30).clamp(WAITING_LOOK.0, LONG_LOOK.0)));
        let drifting = (plan.drifts && !quiet).then(|| now + self.drifting_look(now));
        recorded.chain(falling).chain(timed).chain(drifting).chain(waiting).min()
    }

    /// How long what is expected of a story stays about the same: a tenth of the time since its last post.
    fn drifting_look(&self, now: Time) -> Span {
        let since = self.life.as_ref().and_then(|l| l.silent_for(now)).unwrap_or(Span::ZERO);
        Span((since.0 / 10).clamp(TIMED_LOOK.0, SLOW_LOOK.0))
    }

    /// When the last of its windows will have counted all it should, if some have not.
    pub(super) fn warm_at(&self, plan: &Plan, now: Time) -> Option<Time> {
        self.windows.iter().zip(&plan.windows).filter_map(|(s, w)| s.warm_at(&w.spec, now)).max()
    }

    /// Whether any series is estimated from a sample.
    pub(super) fn is_sampled(&self) -> bool {
        self.windows.iter().any(Series::is_sampled)
    }

    /// The largest stated error of any series that is estimated from a sample.
    pub(super) fn error(&self) -> Option<f64> {
        self.windows.iter().filter_map(Series::error).reduce(f64::max)
    }
}

/// Whether the hashtag of a group is new.
pub(super) fn is_new(terms: &Terms, group: &Group, gap: Span, now: Time) -> Value {
    terms.is_new(group.tag.as_deref()?, gap, now).map(|new| f64::from(u8::from(new)))
}

/// The groups of a plan that a post belongs to; none if it does not count there. `cause` and `tag` can
/// give several.
pub(super) fn groups_of(index: usize, plan: &Plan, t: &Told) -> SmallVec<[Group; 1]> {
    let by_story = plan.has(Dim::Story);
    let counts = (by_story || t.in_brand) && (t.foreign.is_none() || plan.by.len() == 1);
    if !counts {
        return SmallVec::new();
    }
    let group = Group {
        plan: index as u32,
        key: t.key,
        story: by_story.then(|| t.story.clone()),
        source: plan.has(Dim::Source).then(|| t.body.source.clone()),
        lang: plan.has(Dim::Lang).then(|| t.body.lang.as_deref().unwrap_or("").into()),
        cause: None,
        tag: None,
    };
    let mut out: SmallVec<[Group; 1]> = smallvec::smallvec![group];
    if plan.has(Dim::Cause) {
        out = out.iter().flat_map(|g| t.causes.iter().map(|c| Group { cause: Some(c), ..g.clone() })).collect();
    }
    if plan.has(Dim::Tag) {
        let tags = tags_of(&t.body);
        out =
            out.iter().flat_map(|g| tags.iter().map(|x| Group { tag: Some(x.as_ref().into()), ..g.clone() })).collect();
    }
    out
}
