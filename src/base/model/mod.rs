//! One file for each thing that crosses a border between stages.

mod cause;
mod desk_row;
mod entry;
mod evidence;
mod fields;
mod frame;
mod ids;
mod incident;
mod looked_up;
mod mention;
mod negativity;
mod notice;
mod outlook;
mod post;
mod reading;
mod sifted;
mod sketch;
mod step;
mod transition;
mod verdict;
mod vitals;

pub use cause::{Cause, Causes};
pub use desk_row::DeskRow;
pub use entry::{Audience, Entry, EntryBody, Gone, Place, SourceState, Told};
pub use evidence::{Answered, Asked, Evidence, TopPost, Turn, TurnKind};
pub use fields::{FieldMap, Pointer, TimeUnit};
pub use frame::{Frame, FrameBatch, Position, SourceInfo, WireFormat};
pub use ids::{AccountId, EpisodeId, KeyId, PostId, Seq, StoryId, StoryRef};
pub use incident::IncidentId;
pub use looked_up::LookedUp;
pub use mention::{Mention, PostBody};
pub use negativity::{Negativity, Tone};
pub use notice::{
    Digest, Message, Notice, OUTAGE_DIGEST, Outage, SOURCE_DOWN, STORE_FAILING, SourceNotice, StoreNotice, step,
};
pub use outlook::{Band, Going, Growth, Level, Outlook, Spread, StoryState};
pub use post::{Decoded, Post, PostKind};
pub use reading::{Group, Reading, Value};
pub use sifted::{Ref, Removal, Sifted, SiftedBatch};
pub use sketch::Sketch;
pub use step::{Change, ClockState, Step};
pub use transition::{Phase, Reason, Severity, Transition};
pub use verdict::Verdict;
pub use vitals::{StoryVitals, Vitals};
