//! The log of entries, in memory. The oldest leave when the limit is reached.

use std::collections::VecDeque;

use crate::base::limits;
use crate::base::model::{Entry, Seq};

/// Entries in their order, without gaps.
#[derive(Clone, Debug)]
pub struct Log {
    entries: VecDeque<Entry>,
    limit: usize,
    dropped: u64,
}

impl Default for Log {
    fn default() -> Log {
        Log::new(limits::LOG_ENTRIES)
    }
}

impl Log {
    /// A log that keeps at most so many entries.
    pub fn new(limit: usize) -> Log {
        Log { entries: VecDeque::new(), limit, dropped: 0 }
    }

    /// Appends entries. Their numbers follow on the last one's.
    pub fn append(&mut self, entries: Vec<Entry>) {
        debug_assert!(entries.first().is_none_or(|e| self.last().is_none_or(|l| e.seq == l + 1)));
        self.entries.extend(entries);
        while self.entries.len() > self.limit {
            self.entries.pop_front();
            self.dropped += 1;
        }
    }

    /// The number of the last entry.
    pub fn last(&self) -> Option<Seq> {
        self.entries.back().map(|e| e.seq)
    }

    /// The entries after a number; `None` where some of them are no longer kept.
    pub fn after(&self, seq: Seq) -> Option<impl Iterator<Item = &Entry>> {
        let first = self.entries.front().map_or(seq + 1, |e| e.seq);
        let skip = usize::try_from((seq + 1).checked_sub(first)?).ok()?;
        Some(self.entries.iter().skip(skip))
    }

    /// Entries that left because of the limit.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::EntryBody;
    use crate::base::time::Time;

    #[test]
    fn keeps_the_newest_and_says_when_it_is_too_short() {
        let mut log = Log::new(4);
        for seq in 1..=6 {
            log.append(vec![Entry { seq, clock: Time(0), body: EntryBody::Tick }]);
        }
        let after = |seq| log.after(seq).map(|e| e.map(|e| e.seq).collect::<Vec<_>>());
        assert_eq!(after(2), Some(vec![3, 4, 5, 6]));
        assert_eq!(after(5), Some(vec![6]));
        assert_eq!(after(6), Some(vec![]));
        assert_eq!(after(1), None);
        assert_eq!(log.dropped(), 2);
    }
}
