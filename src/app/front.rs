//! decode + enrich joined: a frame in, what it came to out. No memory from frame to frame.

use std::sync::Arc;

use crate::base::account::{account_id, post_id};
use crate::base::limits;
use crate::base::model::{Decoded, Frame, FrameBatch, Mention, Ref, Removal, Sifted, SiftedBatch, WireFormat};
use crate::base::outcome::Outcome;
use crate::decode::decode;
use crate::decode::raw::{self, HeadKind};
use crate::enrich::sift::targets;
use crate::enrich::{Front, Matcher};

/// One front: as many run in parallel as there are threads for it.
pub struct FrontLine {
    front: Front,
    /// Off for checking the prefilter against the full parse.
    prefilter: bool,
}

impl FrontLine {
    /// A front with these queries.
    pub fn new(matcher: Arc<Matcher>, prefilter: bool) -> FrontLine {
        FrontLine { front: Front::new(matcher), prefilter }
    }

    /// Sifts a batch.
    pub fn batch(&mut self, batch: FrameBatch) -> SiftedBatch {
        let format = batch.source.format;
        let sifted = batch.frames.iter().map(|f| self.sift(format, f)).collect();
        SiftedBatch { source: batch.source, frames: batch.frames, sifted }
    }

    /// Decodes and scores a frame that refers to something tracked.
    pub fn resolve(&mut self, format: WireFormat, bytes: &[u8]) -> Option<Mention> {
        let text = std::str::from_utf8(bytes).ok()?;
        match decode(format, text)? {
            Decoded::Post(p) => Some(self.front.mention(&p)),
            _ => None,
        }
    }

    fn sift(&mut self, format: WireFormat, frame: &Frame) -> Sifted {
        if frame.oversize || frame.bytes.len() > limits::FRAME_BYTES {
            return Sifted::Damaged(Outcome::Oversize);
        }
        let Ok(text) = std::str::from_utf8(&frame.bytes) else {
            return Sifted::Damaged(Outcome::Malformed);
        };
        if format == WireFormat::Jetstream
            && self.prefilter
            && let Some(done) = self.glance(text)
        {
            return done;
        }
        self.parse(format, text)
    }

    /// What can be said without parsing; `None` if that is too little.
    fn glance(&self, text: &str) -> Option<Sifted> {
        let head = raw::head(text.as_bytes())?;
        match head.kind {
            HeadKind::OtherCollection => return Some(Sifted::Done(head.time, Outcome::Ignored)),
            HeadKind::Parse => return None,
            HeadKind::NewPost | HeadKind::NewRepost if raw::has_hiding_escape(text.as_bytes()) => return None,
            HeadKind::NewPost if raw::any_text(text, |t| self.front.may_match(t)) => return None,
            HeadKind::NewPost | HeadKind::NewRepost => {}
        }
        let targets = raw::targets(text.as_bytes())?;
        if targets.is_empty() {
            return Some(Sifted::Done(head.time, Outcome::Unmatched));
        }
        Some(Sifted::Ref(Ref { time: head.time, targets }))
    }

    fn parse(&mut self, format: WireFormat, text: &str) -> Sifted {
        match decode(format, text) {
            None => Sifted::Damaged(Outcome::Malformed),
            Some(Decoded::Other { time }) => Sifted::Done(time, Outcome::Ignored),
            Some(Decoded::Delete { source, id, time }) => {
                Sifted::Removal(time, Removal::Post(post_id(&source, id.as_bytes())))
            }
            Some(Decoded::Profile { gone: false, time, .. }) => Sifted::Done(time, Outcome::Profile),
            Some(Decoded::Profile { source, author, time, .. }) => {
                Sifted::Removal(time, Removal::Account(account_id(&source, &author)))
            }
            Some(Decoded::Post(p)) => {
                let m = self.front.mention(&p);
                if !m.keys.is_empty() {
                    return Sifted::Mention(Box::new(m));
                }
                // the same bytes must come to the same end on both paths: targets as the glance sees them
                let seen = if format == WireFormat::Jetstream {
                    raw::targets(text.as_bytes()).unwrap_or_default()
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
