use super::*;

const HOUR: Span = Span::seconds(3600);

/// Look-ups, the time, and a server that knows accounts by rules of the test.
struct World {
    asking: Asking,
    now: Now,
    /// Accounts asked for, request by request, with the second it was made.
    asked: Vec<(i64, Vec<String>)>,
    learned: Vec<Learned>,
}

fn did(n: u64) -> String {
    format!("did:plc:{n}")
}

fn told(dids: &[String]) -> Said {
    let of = |d: &String| Learned { did: d.clone(), followers: d.len() as u64 * 100, handle: Some("h.example".into()) };
    Said::Told(dids.iter().map(of).collect(), None)
}

impl World {
    fn new() -> World {
        let now = Now { clock: Time(1_700_000_000_000_000), uptime: Time(0) };
        World { asking: Asking::new(Manners::default()), now, asked: Vec::new(), learned: Vec::new() }
    }

    fn see(&mut self, n: u64) -> Option<Learned> {
        self.asking.see(&Seen { did: did(n).into(), unknown: true, unnamed: true }, self.now)
    }

    fn pass(&mut self, span: Span) {
        (self.now.clock, self.now.uptime) = (self.now.clock + span, self.now.uptime + span);
    }

    /// Goes on until nothing is to be done, waiting as it is told to.
    fn go_on(&mut self, mut server: impl FnMut(&[String]) -> Said) {
        for _ in 0..10_000 {
            match self.asking.next(self.now) {
                Next::Rest => return,
                Next::Wait(until) => self.pass(until - self.now.uptime),
                Next::Ask(dids) => {
                    let said = server(&dids);
                    self.asked.push((self.now.uptime.0 / 1_000_000, dids));
                    self.learned.extend(self.asking.answered(said, self.now, 1.0));
                }
            }
        }
        panic!("without end: {:?}", self.asking.figures(self.now));
    }

    fn count(&self, list: fn(&Figures) -> &[(&'static str, u64)], name: &str) -> u64 {
        let figures = self.asking.figures(self.now);
        list(&figures).iter().find(|(n, _)| *n == name).unwrap().1
    }

    fn accounts(&self, name: &str) -> u64 {
        self.count(|f| &f.accounts, name)
    }

    fn seen(&self, name: &str) -> u64 {
        self.count(|f| &f.seen, name)
    }

    fn times_asked(&self, n: u64) -> usize {
        self.asked.iter().flat_map(|(_, dids)| dids).filter(|d| **d == did(n)).count()
    }
}

#[test]
fn an_account_waits_once_and_is_asked_for_once_a_day() {
    let mut w = World::new();
    for n in (0..60).chain(0..60) {
        assert_eq!(w.see(n), None);
    }
    assert!(matches!(w.asking.next(w.now), Next::Ask(d) if d.len() == 25));
    // also while it is asked for
    assert_eq!((w.see(59), w.asking.next(w.now)), (None, Next::Rest));
    let first: Vec<String> = (35..60).map(did).collect();
    assert_eq!(w.asking.answered(told(&first), w.now, 0.0).len(), 25);
    assert_eq!(w.asking.next(w.now), Next::Wait(w.now.uptime + limits::LOOKUP_PACE));
    w.go_on(told);
    let sizes: Vec<usize> = w.asked.iter().map(|(_, dids)| dids.len()).collect();
    assert_eq!((sizes, w.learned.len(), w.accounts("learned")), (vec![25, 10], 35, 60));
    assert_eq!((w.seen("unknown"), w.seen("waiting")), (60, 61));

    w.pass(Span::seconds(23 * 3600));
    assert_eq!(w.see(7).map(|l| l.followers), Some(900), "from memory, for an engine that forgot");
    let known = Seen { did: did(7).into(), unknown: false, unnamed: false };
    assert_eq!(w.asking.see(&known, w.now), None, "no news");
    assert_eq!((w.asking.next(w.now), w.seen("fresh")), (Next::Rest, 2));
    w.pass(HOUR);
    assert_eq!(w.see(7).map(|l| l.followers), Some(900), "what is old is told at once");
    assert_eq!((w.see(7).is_some(), w.seen("stale"), w.seen("waiting")), (true, 1, 62), "and asked for again, once");
    w.go_on(|_| Said::Told(vec![Learned { did: did(7), followers: 5, handle: None }], None));
    assert_eq!((w.times_asked(7), w.learned.last().map(|l| l.followers)), (2, Some(5)));
}

#[test]
fn only_what_was_asked_for_is_believed_and_the_rest_is_missing_for_a_while() {
    let mut w = World::new();
    (1..4).for_each(|n| drop(w.see(n)));
    let of = |n, followers| Learned { did: did(n), followers, handle: None };
    w.go_on(|_| Said::Told(vec![of(1, 10), of(99, 1_000_000), of(1, 77), of(2, 20)], None));
    assert_eq!(
        w.learned.iter().map(|l| (&*l.did, l.followers)).collect::<Vec<_>>(),
        [("did:plc:2", 20), ("did:plc:1", 10)]
    );
    assert_eq!((w.accounts("learned"), w.accounts("missing")), (2, 1));
    // nothing of a stranger was kept
    assert_eq!((w.see(99), w.seen("unknown")), (None, 4));
    w.go_on(told);
    w.pass(Span(limits::LOOKUP_MISSING.0 - HOUR.0));
    assert_eq!((w.see(3), w.asking.next(w.now), w.seen("missing")), (None, Next::Rest, 1));
    w.pass(HOUR);
    assert_eq!(w.see(3), None);
    w.go_on(told);
    assert_eq!((w.times_asked(3), w.accounts("learned")), (2, 4));
}

#[test]
fn what_is_no_did_is_never_asked_for() {
    let mut w = World::new();
    for bad in
        ["", "alice", "did:x y", "did:plc:a&actors=did:plc:b", "did:plc:\u{e9}", &format!("did:{}", "x".repeat(600))]
    {
        assert_eq!(w.asking.see(&Seen { did: bad.into(), unknown: true, unnamed: true }, w.now), None);
    }
    assert_eq!((w.asking.next(w.now), w.asking.figures(w.now).waiting), (Next::Rest, 0));
}

#[test]
fn whom_a_server_refuses_costs_nobody_else_an_answer() {
    for bad in [vec![17], vec![0, 24], (0..25).collect()] {
        let mut w = World::new();
        (0..40).for_each(|n| drop(w.see(n)));
        let is_bad = |d: &String| bad.iter().any(|n| did(*n) == *d);
        w.go_on(|dids| if dids.iter().any(is_bad) { Said::Refused } else { told(dids) });
        assert_eq!((w.learned.len(), w.accounts("refused")), (40 - bad.len(), bad.len() as u64));
        assert!(w.asked.len() <= 2 + 10 * bad.len(), "{} requests", w.asked.len());
        assert_eq!(w.see(bad[0]), None);
        assert_eq!(w.asking.next(w.now), Next::Rest, "not again for a while");
    }
}

#[test]
fn what_fails_is_tried_again_later_and_later_and_nobody_is_lost() {
    let mut w = World::new();
    (0..30).for_each(|n| drop(w.see(n)));
    let mut failures = 6;
    w.go_on(|dids| {
        failures -= 1;
        if failures >= 0 { Said::Failed(None) } else { told(dids) }
    });
    let times: Vec<i64> = w.asked.iter().take(7).map(|(t, _)| *t).collect();
    assert_eq!(times, [0, 1, 3, 7, 15, 31, 63], "each wait is twice the one before");
    assert_eq!((w.learned.len(), w.accounts("dropped")), (30, 0));
    let mut all: Vec<&str> = w.learned.iter().map(|l| &*l.did).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 30, "each once");
    // what went well makes past failures forgotten
    let before = w.asked.len();
    w.see(30);
    let mut first = true;
    w.go_on(|dids| if std::mem::take(&mut first) { Said::Failed(None) } else { told(dids) });
    assert_eq!(w.asked[before + 1].0 - w.asked[before].0, 1);
}

#[test]
fn an_account_that_always_fails_holds_nobody_up_and_is_given_up_in_time() {
    let mut w = World::new();
    (0..50).for_each(|n| drop(w.see(n)));
    let poison = did(30);
    w.go_on(|dids| if dids.contains(&poison) { Said::Failed(None) } else { told(dids) });
    assert_eq!((w.learned.len(), w.accounts("dropped"), w.accounts("missing")), (49, 1, 0));
    assert!(w.asked.len() < 30, "{} requests", w.asked.len());
    assert!(w.now.uptime <= Time(limits::LOOKUP_PATIENCE.0) + limits::BACKOFF_MOST, "{}", w.now.uptime);
    // it may be asked for when it is seen again
    w.see(30);
    w.go_on(told);
    assert_eq!(w.learned.len(), 50);
}

#[test]
fn a_server_that_is_down_for_long_is_asked_rarely_and_for_the_newest_first() {
    let mut w = World::new();
    for minute in 0..60 {
        w.see(minute);
        w.pass(Span::seconds(30));
        for _ in 0..60 {
            if let Next::Ask(_) = w.asking.next(w.now) {
                w.asked.push((w.now.uptime.0 / 1_000_000, Vec::new()));
                w.asking.answered(Said::Failed(None), w.now, 1.0);
            }
            w.pass(Span::millis(500));
        }
    }
    assert!((55..75).contains(&w.asked.len()), "{} requests an hour", w.asked.len());
    assert_eq!(w.asking.figures(w.now).waiting as u64 + w.accounts("dropped"), 60);
    assert!(w.asking.figures(w.now).oldest <= Span(limits::LOOKUP_PATIENCE.0 + 1_000_000));
    w.go_on(told);
    assert!((8..=10).contains(&w.learned.len()), "{} of the last ten minutes", w.learned.len());
}

#[test]
fn a_server_is_left_alone_as_long_as_it_asks_for_within_reason() {
    for (pause, seconds) in [(Some(7), 7), (Some(0), 1), (None, 1), (Some(999_999), limits::LOOKUP_PAUSE.0 / 1_000_000)]
    {
        let mut w = World::new();
        (0..30).for_each(|n| drop(w.see(n)));
        let mut first = true;
        w.go_on(|dids| if std::mem::take(&mut first) { Said::Limited(pause.map(Span::seconds)) } else { told(dids) });
        assert_eq!((w.asked[0].0, w.asked[1].0, w.asked[2].0), (0, seconds, seconds), "{pause:?}");
        assert_eq!((w.asked[0].1.len(), &w.asked[1].1), (25, &w.asked[0].1), "the same, whole");
        assert_eq!((w.learned.len(), w.count(|f| &f.requests, "limited")), (30, 1));
    }
    let mut w = World::new();
    (0..30).for_each(|n| drop(w.see(n)));
    w.go_on(|dids| match told(dids) {
        Said::Told(told, _) => Said::Told(told, Some(Span::seconds(9))),
        other => other,
    });
    assert_eq!((w.asked[0].0, w.asked[1].0), (0, 9), "the last request that is allowed for now");
}

#[test]
fn where_too_many_wait_the_newest_are_asked_for() {
    let mut w = World::new();
    let many = limits::LOOKUP_QUEUE as u64 + 100;
    (0..many).for_each(|n| drop(w.see(n)));
    let figures = w.asking.figures(w.now);
    assert_eq!((figures.waiting, figures.left_out, w.accounts("dropped")), (limits::LOOKUP_QUEUE, 100, 100));
    w.go_on(told);
    assert_eq!((w.times_asked(99), w.times_asked(100), w.asked[0].1.contains(&did(many - 1))), (0, 1, true));
    w.see(99);
    w.go_on(told);
    assert_eq!(w.times_asked(99), 1, "when it is seen again");
}

#[test]
fn what_a_store_kept_is_not_asked_for_again() {
    let mut w = World::new();
    (0..30).for_each(|n| drop(w.see(n)));
    w.go_on(|dids| told(&dids[5..]));
    let kept = w.asking.take_unsaved();
    assert_eq!((kept.len(), kept.iter().filter(|k| k.followers.is_none()).count()), (30, 10));
    assert!(w.asking.take_unsaved().is_empty());
    w.asking.not_saved(&kept[..2]);
    assert_eq!(w.asking.take_unsaved().len(), 2);
    w.asking = Asking::new(Manners::default()).remembering(kept);
    w.pass(HOUR);
    let answers = (0..30).filter(|n| w.see(*n).is_some()).count();
    assert_eq!((answers, w.asking.next(w.now)), (20, Next::Rest));
    assert!(w.asking.take_unsaved().is_empty(), "what came from the store is there");
}
