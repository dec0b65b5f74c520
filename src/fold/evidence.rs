//! The arithmetic a page shows, worked out from the posts kept.

use std::collections::BTreeMap;

use super::chart;
use super::panes::Panes;
use super::posts::{Kept, Posts};
use super::usual::{HOUR, Usual};
use crate::base::limits;
use crate::base::model::{AccountId, Answered, Asked, Cause, Evidence, Group, PostKind, StoryRef, Tone, TopPost};
use crate::base::reach;
use crate::base::tags::tags_of;
use crate::base::time::{Span, Time};

/// What one account adds, and its strongest post.
pub(super) struct Part<'k> {
    pub(super) hostile: i128,
    pub(super) reach: i128,
    known: bool,
    pub(super) post: &'k Kept,
}

/// Whether a post is of a group.
pub(super) fn belongs(group: &Group, k: &Kept) -> bool {
    let in_group = match &group.story {
        Some(story) => k.told.story.id == story.id,
        None => k.told.in_brand,
    };
    let source = group.source.as_ref().is_none_or(|s| *s == k.told.body.source);
    let cause = group.cause.is_none_or(|c| k.told.causes.has(c));
    let lang = group.lang.as_ref().is_none_or(|l| **l == *k.told.body.lang.as_deref().unwrap_or(""));
    // hashtags are looked for last: that takes longest
    let tag = || group.tag.as_ref().is_none_or(|x| tags_of(&k.told.body).iter().any(|t| **t == **x));
    in_group && source && cause && lang && tag()
}

/// Posts and reach of a group over the last hour, and its largest account.
pub(super) fn gather(posts: &Posts, usual: &Usual, group: &Group, now: Time) -> (Evidence, Option<u64>) {
    let all: Vec<&Kept> = posts.since(Time(i64::MIN)).filter(|k| belongs(group, k)).collect();
    let panes = Panes::new(HOUR, Span::seconds(60));
    let oldest = panes.oldest(now);
    let recent: Vec<&Kept> = all.iter().copied().filter(|k| panes.of(k.told.time) >= oldest).collect();
    let parts = parts(posts, &recent);
    let hostile: i128 = parts.values().map(|p| p.hostile).sum();
    let total: i128 = parts.values().map(|p| p.reach).sum();
    let mut order: Vec<(&u64, &Part)> = parts.iter().collect();
    let size = |p: &Part| if hostile > 0 { p.hostile } else { p.reach };
    order
        .sort_by(|a, b| size(b.1).cmp(&size(a.1)).then(a.1.post.told.time.cmp(&b.1.post.told.time)).then(a.0.cmp(b.0)));
    let largest = order.first().map(|(account, _)| **account);
    let whole = (if hostile > 0 { hostile } else { total }).max(1);
    let texts = recent.iter().filter(|k| k.told.kind != PostKind::Repost);
    let tones = texts.clone().map(|k| Tone::of(k.told.n));
    let first = all.iter().copied().find(|k| k.told.kind != PostKind::Repost);
    let biggest = order.first().map(|(_, p)| p.post);
    let typical = typical(&recent, [largest.map(AccountId), first.map(|k| k.told.account)]);
    let evidence = Evidence {
        window: HOUR,
        first: first.map(|k| show(posts, k, share_of(&parts, k, hostile, total))),
        began: all.first().map_or(now, |k| k.told.time),
        hostile_reach: hostile as f64 / reach::SUM_ONE,
        reach: total as f64 / reach::SUM_ONE,
        posts: recent.len(),
        shares: recent.iter().filter(|k| k.told.passes_on()).count(),
        accounts: parts.len(),
        known: parts.values().filter(|p| p.known).count(),
        texts: texts.count(),
        tone_known: tones.clone().filter(|t| *t != Tone::Unknown).count(),
        negative: tones.filter(|t| *t == Tone::Negative).count(),
        top: order
            .iter()
            .take(limits::TOP_POSTS)
            .map(|(_, p)| show(posts, p.post, size(p) as f64 / whole as f64))
            .collect(),
        without_largest: Vec::new(),
        still_holds: None,
        usual: usual.mean(),
        surge: None,
        error: None,
        warm_at: None,
        sources_down: Vec::new(),
        rest: (hostile - order.first().map_or(0, |(_, p)| p.hostile)) as f64 / reach::SUM_ONE,
        points: Vec::new(),
        line: None,
        band: usual.band(),
        causes: causes(&recent),
        typical: typical.map(|k| show(posts, k, share_of(&parts, k, hostile, total))),
        answered: Answered::Unknown,
        asked: None,
        turns: chart::turns(posts, &all, first, biggest),
        going: None,
    };
    (evidence, largest)
}

/// How many texts name each cause, the most named first.
fn causes(recent: &[&Kept]) -> Vec<(Cause, usize)> {
    let texts = || recent.iter().filter(|k| k.told.kind != PostKind::Repost);
    let named = Cause::ALL.into_iter().map(|c| (c, texts().filter(|k| k.told.causes.has(c)).count()));
    let mut out: Vec<(Cause, usize)> = named.filter(|(_, n)| *n > 0).collect();
    out.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    out
}

/// The most hostile text of those that these accounts did not write; of equals the earliest.
fn typical<'k>(recent: &[&'k Kept], not: [Option<AccountId>; 2]) -> Option<&'k Kept> {
    let says = |k: &&Kept| k.told.kind != PostKind::Repost && !k.deleted && !k.told.body.text.trim().is_empty();
    let hostile = |k: &&Kept| Tone::of(k.told.n) == Tone::Negative && !not.contains(&Some(k.told.account));
    let texts = recent.iter().copied().filter(says).filter(hostile);
    texts.min_by_key(|k| (std::cmp::Reverse(k.told.n), k.told.time, k.told.post))
}

/// What the author of a story's first text wrote to the brand's own accounts before it; `answered`
/// tells of a story.
pub(super) fn asked(posts: &Posts, group: &Group, answered: impl Fn(&StoryRef) -> Answered) -> Option<Asked> {
    group.story.as_ref()?;
    let mine = posts.since(Time(i64::MIN)).filter(|k| belongs(group, k));
    let first = mine.into_iter().find(|k| k.told.kind != PostKind::Repost)?;
    let before = |k: &&Kept| k.told.to_own && k.told.time < first.told.time;
    let (mut times, mut last, mut so) = (0, Time(i64::MIN), Some(false));
    for k in posts.of_account(first.told.account.0).filter(before) {
        (times, last) = (times + 1, last.max(k.told.time));
        so = match (so, answered(&k.told.story)) {
            (Some(true), _) | (_, Answered::At(_)) => Some(true),
            (so, Answered::No) => so,
            (_, Answered::Unknown) => None,
        };
    }
    (times > 0).then_some(Asked { times, last, answered: so })
}

/// Hostile reach over the hour that ends at `end`, in units of weight x base.
pub(super) fn hostile_reach(posts: &Posts, end: Time) -> i128 {
    let hour: Vec<&Kept> = posts.since(end - HOUR).filter(|k| k.told.in_brand && k.told.time < end).collect();
    parts(posts, &hour).values().map(|p| p.hostile).sum()
}

/// What each account of these posts adds.
pub(super) fn parts<'k>(posts: &Posts, kept: &[&'k Kept]) -> BTreeMap<u64, Part<'k>> {
    let mut out: BTreeMap<u64, Part> = BTreeMap::new();
    for k in kept {
        let Some(account) = posts.account(k.told.account.0) else { continue };
        let base = i128::from(account.size.base);
        let hostile = i128::from(reach::hostile_weight(k.told.n, k.told.kind)) * base;
        let seen = i128::from(reach::kind_weight(k.told.kind)) * base;
        let fresh = || Part { hostile, reach: seen, known: account.audience.known, post: k };
        let part = out.entry(k.told.account.0).or_insert_with(fresh);
        if (hostile, seen) > (part.hostile, part.reach) {
            part.post = k;
        }
        part.hostile = part.hostile.max(hostile);
        part.reach = part.reach.max(seen);
    }
    out
}

/// The part of the whole that the account of a post makes.
fn share_of(parts: &BTreeMap<u64, Part>, k: &Kept, hostile: i128, total: i128) -> f64 {
    let part = parts.get(&k.told.account.0);
    let (part, whole) = if hostile > 0 { (part.map(|p| p.hostile), hostile) } else { (part.map(|p| p.reach), total) };
    part.unwrap_or(0) as f64 / whole.max(1) as f64
}

pub(super) fn show(posts: &Posts, k: &Kept, share: f64) -> TopPost {
    let account = posts.account(k.told.account.0);
    TopPost {
        name: account.and_then(|a| a.name.clone()).or_else(|| k.told.body.author_name.clone()),
        body: k.told.body.clone(),
        deleted: k.deleted,
        time: k.told.time,
        kind: k.told.kind,
        n_milli: k.told.n.map(|n| n.milli()),
        followers: account.map_or(0, |a| a.audience.followers),
        known: account.is_some_and(|a| a.audience.known),
        share,
    }
}
