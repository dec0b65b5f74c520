//! What a page shows of a group, and what it would be without its largest account.

use super::cell::{About, Cell, is_new};
use super::chart;
use super::evidence;
use super::key::{KeyFold, World, hostile_reach};
use super::naive;
use super::story::Life;
use crate::base::model::{Answered, Evidence, Group, StoryRef, Value};
use crate::base::rule::expr::{Measure, View};
use crate::base::rule::{Dim, Plan, Slot};
use crate::base::time::Time;

impl KeyFold {
    /// The arithmetic behind a page of this group.
    pub fn evidence(&mut self, w: World<'_>, group: &Group, now: Time) -> Evidence {
        self.hostile.advance(&hostile_reach(), now, w.gaps(&self.sources));
        let (mut e, largest) = evidence::gather(&self.posts, &self.usual, group, now);
        let (plan, cell) = (w.rules.plans.get(group.plan as usize), self.cells.get(group));
        if let Some((plan, cell)) = plan.zip(cell) {
            let slots = plan.slots.iter();
            e.without_largest = slots.map(|s| self.without(w, largest, (plan, cell), *s, group, now)).collect();
            e.error = cell.error();
            e.warm_at = cell.warm_at(plan, now);
        }
        e.points = chart::points(&self.posts, &self.usual, self.kept_from(w.rules.retention, now), now);
        e.answered = group.story.as_ref().map_or(Answered::Unknown, |s| self.answered(w, s));
        e.asked = evidence::asked(&self.posts, group, |s| self.answered(w, s));
        let rare = self.hostile.without(&hostile_reach(), now, None);
        e.surge = rare.rarity_days.map(|d| (rare.lift, d * 86_400.0));
        e.going = self.going(group, now);
        e
    }

    /// Whether the brand answered in a story; nobody answers for a brand without own accounts.
    fn answered(&self, w: World<'_>, story: &StoryRef) -> Answered {
        if w.rules.brand(self.key).is_none_or(|b| b.own.is_empty()) {
            return Answered::Unknown;
        }
        self.courses.get(story.id).map_or(Answered::Unknown, |c| c.answered())
    }

    /// The value of a series without an account.
    fn without(
        &self,
        w: World<'_>,
        account: Option<u64>,
        (plan, cell): (&Plan, &Cell),
        slot: Slot,
        group: &Group,
        now: Time,
    ) -> Value {
        let course = group.story.as_ref().and_then(|s| self.courses.get(s.id));
        let brand = w.rules.brand(self.key);
        let about = About { brand, course, usual: &self.usual, terms: &self.terms, gaps: w.gaps(&self.sources) };
        let rest = || {
            let own = self.posts.since(Time(i64::MIN)).filter(|k| evidence::belongs(group, k));
            own.filter(|k| Some(k.told.account.0) != account)
        };
        match slot {
            Slot::Window(i) => {
                let window = plan.windows.get(i)?;
                if window.spec.measure == Measure::Silence || window.spec.view == View::Usual {
                    return cell.window(plan, i, about.gaps, now);
                }
                if window.filter.brand.is_some_and(|b| b != self.key) {
                    return cell.windows.get(i)?.value(window.spec.measure);
                }
                naive::value(window, plan.has(Dim::Story), &self.posts, rest(), brand, now)
            }
            Slot::Past(i) => cell.pasts.get(i)?.value(now),
            Slot::Base(i, view) => {
                let spec = plan.bases.get(i)?;
                super::baseline::view(cell.bases.get(i)?.without(&spec.spec, now, account), view, spec.spec.measure)
            }
            Slot::Story(measure @ (Measure::Lead | Measure::HostileTexts | Measure::OtherTexts)) => {
                Life::of_texts(measure, rest().map(|k| &*k.told))
            }
            Slot::NewTerm(gap) => is_new(about.terms, group, gap, now),
            Slot::Usual => about.usual_hour(),
            Slot::Story(_) | Slot::Outlook(..) => cell.of_story(slot, about, now),
        }
    }
}
