//! What fold measures of one group at one moment.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::model::{Cause, KeyId, Seq, StoryRef};
use crate::base::time::Time;

/// A measured or computed value: `None` is unknown and stays unknown.
pub type Value = Option<f64>;

/// What a rule's condition is evaluated for: a brand, or a part of its talk.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Group {
    /// Which `by` it belongs to, by its place among the rule set's plans.
    pub plan: u32,
    /// The brand.
    pub key: KeyId,
    /// The story, where `by` holds it.
    pub story: Option<StoryRef>,
    /// The source, where `by` holds it.
    pub source: Option<Arc<str>>,
    /// The language, where `by` holds it; empty for posts that name none.
    pub lang: Option<Arc<str>>,
    /// The cause, where `by` holds it.
    pub cause: Option<Cause>,
    /// The hashtag, folded and without `#`, where `by` holds it.
    pub tag: Option<Arc<str>>,
}

/// A group as it is written in logs and snapshots.
#[derive(Serialize, Deserialize)]
struct Written {
    plan: u32,
    key: KeyId,
    story: Option<StoryRef>,
    source: Option<Arc<str>>,
    lang: Option<Arc<str>>,
    part: Option<Part>,
}

/// Cause and hashtag. The first nine are written as causes alone always were.
#[derive(Serialize, Deserialize)]
enum Part {
    Outage,
    Delay,
    Damage,
    Billing,
    Staff,
    Safety,
    Privacy,
    Quality,
    Other,
    Tag(Option<Cause>, Arc<str>),
}

impl Part {
    fn of(cause: Cause) -> Part {
        match cause {
            Cause::Outage => Part::Outage,
            Cause::Delay => Part::Delay,
            Cause::Damage => Part::Damage,
            Cause::Billing => Part::Billing,
            Cause::Staff => Part::Staff,
            Cause::Safety => Part::Safety,
            Cause::Privacy => Part::Privacy,
            Cause::Quality => Part::Quality,
            Cause::Other => Part::Other,
        }
    }

    fn parts(self) -> (Option<Cause>, Option<Arc<str>>) {
        let cause = match self {
            Part::Outage => Cause::Outage,
            Part::Delay => Cause::Delay,
            Part::Damage => Cause::Damage,
            Part::Billing => Cause::Billing,
            Part::Staff => Cause::Staff,
            Part::Safety => Cause::Safety,
            Part::Privacy => Cause::Privacy,
            Part::Quality => Cause::Quality,
            Part::Other => Cause::Other,
            Part::Tag(cause, tag) => return (cause, Some(tag)),
        };
        (Some(cause), None)
    }
}

impl From<Group> for Written {
    fn from(g: Group) -> Written {
        let Group { plan, key, story, source, lang, cause, tag } = g;
        let part = match tag {
            Some(tag) => Some(Part::Tag(cause, tag)),
            None => cause.map(Part::of),
        };
        Written { plan, key, story, source, lang, part }
    }
}

impl From<Written> for Group {
    fn from(w: Written) -> Group {
        let Written { plan, key, story, source, lang, part } = w;
        let (cause, tag) = part.map(Part::parts).unwrap_or_default();
        Group { plan, key, story, source, lang, cause, tag }
    }
}

impl Group {
    /// Whether it is a part of a brand's talk; parts come and go, brands stay.
    pub fn is_part(&self) -> bool {
        let named = self.source.is_some() || self.lang.is_some() || self.tag.is_some();
        named || self.story.is_some() || self.cause.is_some()
    }

    /// The group of all of a key's talk.
    pub fn whole(plan: u32, key: KeyId) -> Group {
        Group { plan, key, story: None, source: None, lang: None, cause: None, tag: None }
    }
}

/// The values of a plan's series for one group.
#[derive(Clone, PartialEq, Debug)]
pub struct Reading {
    /// The entry that caused it.
    pub seq: Seq,
    /// Engine time it holds for.
    pub at: Time,
    /// The group.
    pub group: Group,
    /// One value a series, in the plan's order.
    pub values: SmallVec<[Value; 8]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Before {
        plan: u32,
        key: KeyId,
        story: Option<StoryRef>,
        source: Option<Arc<str>>,
        lang: Option<Arc<str>>,
        cause: Option<Cause>,
    }

    #[test]
    fn groups_are_written_as_before_and_hashtags_beside() {
        let whole = Group::whole(3, KeyId(9));
        for cause in Cause::ALL.map(Some).into_iter().chain([None]) {
            let before = Before { plan: 3, key: KeyId(9), story: None, source: Some("x".into()), lang: None, cause };
            let group = Group { source: Some("x".into()), cause, ..whole.clone() };
            let bytes = postcard::to_stdvec(&before).unwrap();
            assert_eq!(postcard::to_stdvec(&group).unwrap(), bytes);
            assert_eq!(postcard::from_bytes::<Group>(&bytes).unwrap(), group);
            let tagged = Group { tag: Some("nofly".into()), ..group };
            let bytes = postcard::to_stdvec(&tagged).unwrap();
            assert_eq!(postcard::from_bytes::<Group>(&bytes).unwrap(), tagged);
        }
    }
}
