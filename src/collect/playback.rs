//! A recording as a source: read in batches that say where it goes on, and paced by the times its
//! frames tell.

use std::io;
use std::sync::Arc;

use super::recording::Lines;
use crate::base::hash;
use crate::base::limits;
use crate::base::model::{Frame, FrameBatch, Position, SourceInfo};
use crate::base::time::{Span, Time};

/// Before the position of a recording that was read to its end, and before the hash of its first frame.
const END: &str = "END ";
const OF: &str = " of ";

/// Where a recording has been read to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    /// Frames read so far.
    pub frames: u64,
    /// Hash of the first of them, which tells recordings apart; 0 before it.
    pub first: u64,
    /// Whether its end was told.
    pub ended: bool,
}

impl Mark {
    /// What a position says; `None` if it is none of a recording.
    pub fn at(position: &Position) -> Option<Mark> {
        let ended = position.0.starts_with(END);
        let rest = position.0.strip_prefix(END).unwrap_or(&position.0);
        let (frames, first) = rest.split_once(OF)?;
        let mark = Mark { frames: frames.parse().ok()?, first: u64::from_str_radix(first, 16).ok()?, ended };
        // a mark is written in one way only: another text was damaged
        (mark.position() == *position).then_some(mark)
    }

    /// The mark in words that outlive the process.
    pub fn position(self) -> Position {
        let Mark { frames, first, ended } = self;
        Position(format!("{}{frames}{OF}{first:016x}", if ended { END } else { "" }).into())
    }

    fn past(self, frame: &Frame) -> Mark {
        let first = if self.frames == 0 { hash::parts(&[&frame.bytes]) } else { self.first };
        Mark { frames: self.frames + 1, first, ended: false }
    }
}

/// How a recording is found when it is gone on with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// As it was left.
    Same,
    /// Its first frame is another one: it is read from its beginning.
    Other,
}

/// Why a recording cannot be read on.
#[derive(Debug)]
pub enum Trouble {
    /// It has fewer frames than were read of it before.
    Short {
        /// Frames read before.
        expected: u64,
        /// Frames it has.
        found: u64,
    },
    /// It cannot be read; with the frames before.
    Damaged(u64, io::Error),
    /// Nobody waits for it any more.
    Stopped,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Short { expected, found } => {
                write!(
                    f,
                    "expected a recording of at least {expected} frames, as many as were read before, found {found}"
                )
            }
            Trouble::Damaged(after, e) => {
                write!(f, "expected a recording that can be read to its end, found after {after} frames: {e}")
            }
            Trouble::Stopped => f.write_str("stopped"),
        }
    }
}

/// A recording that is being read.
pub struct Playback {
    source: Arc<SourceInfo>,
    lines: Lines,
    mark: Mark,
    /// A frame that was looked at and not given out.
    next: Option<Frame>,
}

impl Playback {
    /// A recording from its beginning.
    pub fn new(source: Arc<SourceInfo>, lines: Lines) -> Playback {
        Playback { source, lines, mark: Mark::default(), next: None }
    }

    /// Goes on where another reading of the same recording has got to: reads as many frames and
    /// drops them, for as long as they are `wanted`.
    ///
    /// # Errors
    /// Where it is shorter, damaged before that, or not wanted any more.
    pub fn go_on(&mut self, from: Mark, wanted: impl Fn() -> bool) -> Result<Found, Trouble> {
        while self.mark.frames < from.frames {
            if self.mark.frames.is_multiple_of(limits::BATCH_FRAMES as u64) && !wanted() {
                return Err(Trouble::Stopped);
            }
            let Some(frame) = self.frame()? else {
                return Err(Trouble::Short { expected: from.frames, found: self.mark.frames });
            };
            let mark = self.mark.past(&frame);
            if mark.first != from.first {
                self.next = Some(frame);
                return Ok(Found::Other);
            }
            self.mark = mark;
        }
        Ok(Found::Same)
    }

    /// Where it has been read to.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The next batch; `None` at the end.
    ///
    /// # Errors
    /// Where it is damaged; frames before were given out.
    pub fn next_batch(&mut self) -> Result<Option<FrameBatch>, Trouble> {
        let (mut frames, mut bytes) = (Vec::new(), 0);
        while frames.len() < limits::BATCH_FRAMES && bytes < limits::BATCH_BYTES {
            // damage is met again with the next batch: nothing is read beyond it
            let frame = match self.frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(e) if frames.is_empty() => return Err(e),
                Err(Trouble::Damaged(_, e)) => {
                    self.lines = Lines::broken(e);
                    break;
                }
                Err(e) => return Err(e),
            };
            bytes += frame.bytes.len();
            self.mark = self.mark.past(&frame);
            frames.push(frame);
        }
        let position = Some(self.mark.position());
        Ok((!frames.is_empty()).then(|| FrameBatch { source: self.source.clone(), frames, position }))
    }

    fn frame(&mut self) -> Result<Option<Frame>, Trouble> {
        if let Some(frame) = self.next.take() {
            return Ok(Some(frame));
        }
        self.lines.next_line().map_err(|e| Trouble::Damaged(self.mark.frames, e))
    }
}

/// The time of a recording as its frames tell it. A jump of more than a day must be confirmed by
/// the next frame: one bad line sets no clock.
#[derive(Clone, Copy, Default, Debug)]
struct Story {
    now: Option<Time>,
    doubtful: Option<Time>,
}

impl Story {
    /// A frame tells this time; gives the time it is now, if any is known.
    fn tell(&mut self, time: Time) -> Option<Time> {
        match (self.now, self.doubtful.take()) {
            (Some(now), _) if time <= now + limits::FILE_JUMP => self.now = Some(now.max(time)),
            (_, Some(before)) if near(before, time) => self.now = Some(before.max(time)),
            _ => self.doubtful = Some(time),
        }
        self.now
    }
}

fn near(a: Time, b: Time) -> bool {
    (a - b).0.abs() <= limits::FILE_JUMP.0
}

/// How long frames wait for their moment. Pure: times of a clock that never goes back are passed in.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    speed: f64,
    story: Story,
    /// A moment, and the recording's time then.
    zero: Option<(Time, Time)>,
}

impl Pace {
    /// So many times as fast as it was recorded; above 0.
    pub fn new(speed: f64) -> Pace {
        Pace { speed, story: Story::default(), zero: None }
    }

    /// How long a frame that tells this time waits from `now` on. Who is late hurries; a gap of more
    /// than a day is not waited for.
    pub fn wait(&mut self, time: Time, now: Time) -> Span {
        let before = self.story.now;
        let Some(told) = self.story.tell(time) else { return Span::ZERO };
        let jumped = before.is_some_and(|b| told > b + limits::FILE_JUMP);
        let (began, first) = match self.zero {
            Some(zero) if !jumped => zero,
            _ => *self.zero.insert((now, told)),
        };
        let due = began + Span(((told - first).0 as f64 / self.speed) as i64);
        (due - now).max(Span::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::WireFormat;

    fn playback(text: &str) -> Playback {
        let source = Arc::new(SourceInfo { name: "day".into(), format: WireFormat::Post });
        Playback::new(source, Lines::new(Box::new(io::Cursor::new(text.to_string().into_bytes()))).unwrap())
    }

    fn lines(n: usize) -> String {
        (0..n).map(|k| format!("{{\"k\":{k}}}\n")).collect()
    }

    fn rest(p: &mut Playback) -> (String, Vec<Position>) {
        let (mut out, mut positions) = (String::new(), Vec::new());
        while let Some(batch) = p.next_batch().unwrap() {
            batch.frames.iter().for_each(|f| out += &format!("{}\n", String::from_utf8_lossy(&f.bytes)));
            positions.extend(batch.position);
        }
        (out, positions)
    }

    #[test]
    fn goes_on_at_exactly_the_frame_it_has_got_to() {
        let whole = lines(1300);
        let (out, positions) = rest(&mut playback(&whole));
        assert_eq!(out, whole);
        let marks: Vec<Mark> = positions.iter().map(|p| Mark::at(p).unwrap()).collect();
        assert_eq!(marks.iter().map(|m| m.frames).collect::<Vec<_>>(), [512, 1024, 1300]);
        let first = marks[0].first;
        for n in [0, 1, 2, 511, 512, 513, 1299, 1300] {
            let mut p = playback(&whole);
            assert_eq!(p.go_on(Mark { frames: n, first, ended: false }, || true).unwrap(), Found::Same);
            assert_eq!(rest(&mut p).0, whole.lines().skip(n as usize).map(|l| format!("{l}\n")).collect::<String>());
            assert_eq!((p.mark().frames, n == 1300 || p.mark().first == first), (1300, true));
        }
    }

    #[test]
    fn another_recording_is_read_from_its_beginning_and_a_shorter_one_not_at_all() {
        let from = |text: &str, n| Mark {
            frames: n,
            first: hash::parts(&[text.lines().next().unwrap().as_bytes()]),
            ended: false,
        };
        let mut p = playback("{\"other\":1}\n{\"other\":2}\n");
        assert_eq!(p.go_on(from(&lines(9), 2), || true).unwrap(), Found::Other);
        assert_eq!(rest(&mut p).0, "{\"other\":1}\n{\"other\":2}\n");
        let short = playback(&lines(5)).go_on(from(&lines(9), 6), || true);
        assert!(matches!(short, Err(Trouble::Short { expected: 6, found: 5 })), "{short:?}");
        let stopped = playback(&lines(5)).go_on(from(&lines(9), 6), || false);
        assert!(matches!(stopped, Err(Trouble::Stopped)), "{stopped:?}");
    }

    #[test]
    fn damage_is_told_after_the_frames_before_it() {
        use std::io::Write;
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        gz.write_all(lines(20_000).as_bytes()).unwrap();
        let mut bytes = gz.finish().unwrap();
        bytes.truncate(bytes.len() - 50_000);
        let mut p = playback("");
        p.lines = Lines::new(Box::new(io::Cursor::new(bytes))).unwrap();
        let mut frames = 0;
        let trouble = loop {
            match p.next_batch() {
                Ok(batch) => frames += batch.unwrap().frames.len() as u64,
                Err(e) => break e,
            }
        };
        assert!(matches!(trouble, Trouble::Damaged(n, _) if n == frames && n > 5000), "{trouble}, {frames}");
        assert_eq!(p.mark().frames, frames);
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_or_not_at_all() {
        let mark = Mark { frames: 12, first: 0xf00d, ended: true };
        assert_eq!(&*mark.position().0, "END 12 of 000000000000f00d");
        for ended in [false, true] {
            let mark = Mark { ended, ..mark };
            assert_eq!(Mark::at(&mark.position()), Some(mark));
        }
        let bad =
            ["", "12", "1783175888085434", "12 of f00d", "+12 of 000000000000f00d", "12 of 000000000000F00D", "END"];
        bad.iter().for_each(|b| assert_eq!(Mark::at(&Position((*b).into())), None, "{b}"));
    }

    fn at(s: i64) -> Time {
        Time::from_millis((1_700_000_000 + s) * 1000)
    }

    #[test]
    fn one_bad_line_sets_no_clock() {
        let mut story = Story::default();
        assert_eq!(story.tell(at(4_000_000_000)), None);
        assert_eq!((story.tell(at(0)), story.tell(at(1))), (None, Some(at(1))));
        assert_eq!((story.tell(at(4_000_000_000)), story.tell(at(2))), (Some(at(1)), Some(at(2))));
        assert_eq!(story.tell(at(-900)), Some(at(2)), "it never goes back");
        assert_eq!((story.tell(at(900_000)), story.tell(at(900_001))), (Some(at(2)), Some(at(900_001))));
    }

    #[test]
    fn frames_wait_for_their_moment() {
        let mut pace = Pace::new(2.0);
        let mut wait = |time, now| pace.wait(time, Time::from_millis(now)).0 / 1000;
        assert_eq!((wait(at(0), 5000), wait(at(0), 5000)), (0, 0));
        assert_eq!((wait(at(10), 5000), wait(at(10), 9000)), (5000, 1000));
        assert_eq!(wait(at(4_000_000_000), 9000), 1000, "a bad time is nobody's moment");
        assert_eq!((wait(at(12), 20_000), wait(at(40), 20_000)), (0, 5000), "who is late hurries");
        assert_eq!((wait(at(1_000_000), 25_000), wait(at(1_000_001), 25_000)), (0, 0), "a long gap is jumped over");
        assert_eq!(wait(at(1_000_003), 25_000), 1000);
    }
}
