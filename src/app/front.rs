//! decode + enrich joined: a frame in, what it came to out. No memory from frame to frame.

use std::sync::Arc;

use crate::base::account::{account_id, post_id};
use crate::base::limits;
use crate::base::model::{
    Decoded, Frame, FrameBatch, Mention, Post, Ref, Removal, Sifted, SiftedBatch, SourceInfo, Told, WireFormat,
};
use crate::base::outcome::Outcome;
use crate::base::rule::RuleSet;
use crate::decode::raw::{self, HeadKind};
use crate::decode::{decode, head};
use crate::enrich::sift::targets;
use crate::enrich::{Front, Matched, Matcher};

/// One front: as many run in parallel as there are threads for it.
pub struct FrontLine {
    front: Front,
    matcher: Arc<Matcher>,
    /// Fingerprint of the rule set it matches by.
    rules: u64,
    /// Off for checking the prefilter against the full parse.
    prefilter: bool,
}

impl FrontLine {
    /// A front with the queries of a rule set.
    pub fn new(rules: &RuleSet, prefilter: bool) -> FrontLine {
        let matcher = Arc::new(Matcher::new(&rules.brands));
        FrontLine { front: Front::new(matcher.clone()), matcher, rules: rules.fingerprint, prefilter }
    }

    /// The same for another thread.
    pub fn another(&self) -> FrontLine {
        let matcher = self.matcher.clone();
        FrontLine { front: Front::new(matcher.clone()), matcher, rules: self.rules, prefilter: self.prefilter }
    }

    /// Fingerprint of the rule set it matches by.
    pub fn rules(&self) -> u64 {
        self.rules
    }

    /// Matches a post that was kept once more, as far as its text was kept.
    pub fn again(&mut self, t: &Told) -> Matched {
        let b = &t.body;
        let blank = Post::blank((*b.source).into(), (*b.id).into(), (*b.author).into(), t.time);
        let post = Post {
            author_name: b.author_name.as_deref().map(Into::into),
            text: (*b.text).into(),
            followers: t.audience.known.then_some(t.audience.followers),
            lang: b.lang.as_deref().map(Into::into),
            kind: t.kind,
            ..blank
        };
        self.front.matches(&post)
    }

    /// Sifts one frame of a source.
    pub fn sift_bytes(&mut self, source: &SourceInfo, bytes: &[u8]) -> Sifted {
        let frame = Frame { bytes: bytes.to_vec().into(), received: None, oversize: false };
        self.sift(&source.format, &frame)
    }

    /// Sifts a batch.
    pub fn batch(&mut self, batch: FrameBatch) -> SiftedBatch {
        let format = &batch.source.format;
        let sifted = batch.frames.iter().map(|f| self.sift(format, f)).collect();
        SiftedBatch { source: batch.source, frames: batch.frames, sifted, sifted_under: self.rules }
    }

    /// Decodes and scores a frame that refers to something tracked.
    pub fn resolve(&mut self, format: &WireFormat, bytes: &[u8]) -> Option<Mention> {
        let text = std::str::from_utf8(bytes).ok()?;
        match decode(format, text)? {
            Decoded::Post(p) => Some(self.front.mention(&p)),
            _ => None,
        }
    }

    fn sift(&mut self, format: &WireFormat, frame: &Frame) -> Sifted {
        if frame.oversize || frame.bytes.len() > limits::FRAME_BYTES {
            return Sifted::Damaged(Outcome::Oversize);
        }
        let Ok(text) = simdutf8::basic::from_utf8(&frame.bytes) else {
            return Sifted::Damaged(Outcome::Malformed);
        };
        if self.prefilter
            && let Some(done) = self.glance(format, text)
        {
            return done;
        }
        self.parse(format, text)
    }

    /// What can be said without parsing; `None` if that is too little.
    fn glance(&self, format: &WireFormat, text: &str) -> Option<Sifted> {
        let head = head(format, text.as_bytes())?;
        match head.kind {
            HeadKind::OtherCollection => return Some(Sifted::Done(head.time, Outcome::Ignored)),
            HeadKind::Parse => return None,
            HeadKind::NewPost | HeadKind::NewRepost if raw::has_hiding_escape(text.as_bytes()) => return None,
            HeadKind::NewPost if raw::any_text(text, |t| self.front.may_match(t)) => return None,
            HeadKind::NewPost if self.front.wants_account(raw::NETWORK, head.did) => return None,
            HeadKind::NewPost | HeadKind::NewRepost => {}
        }
        let fresh = head.kind == HeadKind::NewPost && self.front.reads_beside_text();
        let targets = raw::targets(text.as_bytes(), |uri| fresh && self.matters(uri))?;
        if targets.is_empty() {
            return Some(Sifted::Done(head.time, Outcome::Unmatched));
        }
        Some(Sifted::Ref(Ref { time: head.time, targets }))
    }

    /// Whether a link or the account of a post that is named can make a post a mention.
    fn matters(&self, uri: &[u8]) -> bool {
        match std::str::from_utf8(uri).ok().and_then(raw::account_of) {
            Some(did) => self.front.wants_account(raw::NETWORK, did.as_bytes()),
            None => self.front.may_link(uri),
        }
    }

    fn parse(&mut self, format: &WireFormat, text: &str) -> Sifted {
        match decode(format, text) {
            None => Sifted::Damaged(Outcome::Malformed),
            Some(Decoded::Other { time: Some(time) }) => Sifted::Done(time, Outcome::Ignored),
            Some(Decoded::Other { time: None }) => Sifted::Damaged(Outcome::Ignored),
            Some(Decoded::Delete { source, id, time }) => {
                Sifted::Removal(time, Removal::Post(post_id(&source, id.as_bytes())))
            }
            Some(Decoded::Profile { gone: false, time, .. }) => Sifted::Done(time, Outcome::Profile),
            Some(Decoded::Profile { source, author, time, .. }) => {
                Sifted::Removal(time, Removal::Account(account_id(&source, &author)))
            }
            Some(Decoded::Post(p)) => {
                let found = self.front.matches(&p);
                if !found.keys.is_empty() || !found.own.is_empty() {
                    return Sifted::Mention(Box::new(self.front.score(&p, found)));
                }
                // the same bytes must come to the same end on both paths: targets as the glance sees them
                let seen = if matches!(format, WireFormat::Jetstream | WireFormat::JetstreamV2) {
                    raw::targets(text.as_bytes(), |_| false).unwrap_or_default()
                } else {
                    Default::default()
                };
                let mut all = targets(&p);
                for target in seen {
                    if !all.contains(&target) {
                        all.push(target);
                    }
                }
                if all.is_empty() {
                    Sifted::Done(p.time, Outcome::Unmatched)
                } else {
                    Sifted::Ref(Ref { time: p.time, targets: all })
                }
            }
        }
    }
}
