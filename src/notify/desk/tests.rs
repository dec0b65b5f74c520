//! The desk, from episodes to what is sent and why not.

use super::*;
use crate::base::account::key_id;
use crate::base::model::{DeskRow, Reason, Severity, SourceNotice, Verdict};
use crate::base::rule::RuleSet;
use crate::base::time::Span;
use crate::notify::group::Quiet;
use crate::notify::inhibit::Inhibit;
use crate::notify::policy::Receiver;
use crate::notify::routes::{Match, Route, Routes};
use crate::notify::tests::{at, loaded, page};

const RULES: &str = "brands: {united: {query: united}, delta: {query: delta}, other: {query: other}}\ngroups: {air: {brands: [united, delta]}}\nrules:\n  - {alert: StorySpreading, by: [brand, story], when: 'mentions[1h] >= 3', severity: page}\n  - {alert: HostileSurge, by: [brand], when: 'mentions[1h] >= 4', severity: page}\n  - {alert: BigVoice, by: [brand], when: 'mentions[1h] >= 4', severity: warn}\n  - {alert: Group, by: [group], when: 'mentions[1h] >= 4', severity: page}\n";

/// Receivers of every manner, all told of everything.
fn policy() -> Policy {
    let of = |name: &str, manner, repeat: Option<i64>| {
        (Arc::from(name), Receiver { manner, repeat: repeat.map(Span::seconds), ..Receiver::default() })
    };
    let receivers: BTreeMap<Arc<str>, Receiver> = [
        of("hook", Manner::Feed, None),
        of("mail", Manner::Letters, Some(3600)),
        of("pager", Manner::Pager, None),
        of("slack", Manner::Edited, None),
    ]
    .into();
    Policy {
        routes: Routes { routes: Vec::new(), all: receivers.keys().cloned().collect() },
        receivers,
        inhibit: Vec::new(),
    }
}

struct World {
    desk: Desk,
    policy: Policy,
    rules: Arc<RuleSet>,
    now: Time,
}

impl World {
    fn new(policy: Policy) -> World {
        World { desk: Desk::default(), policy, rules: loaded(RULES), now: at() }
    }

    /// A change of an episode: `rule` of `brand`, number `episode`.
    fn notice(&self, rule: u32, brand: &str, episode: u64, severity: Severity, from: Phase, to: Phase) -> Notice {
        let Message::Episode(mut n) = page() else { unreachable!() };
        n.rules = self.rules.clone();
        let t = &mut n.transition;
        (t.rule, t.group.key, t.episode, t.severity) = (rule, key_id(brand), EpisodeId(episode), severity);
        (t.from, t.to, t.at, t.since, t.reason) = (from, to, self.now, self.now, Reason::Condition);
        n
    }

    fn fires(&mut self, rule: u32, brand: &str, episode: u64, severity: Severity) -> String {
        let n = self.notice(rule, brand, episode, severity, Phase::Inactive, Phase::Firing);
        self.take(n)
    }

    fn ends(&mut self, rule: u32, brand: &str, episode: u64, severity: Severity) -> String {
        let n = self.notice(rule, brand, episode, severity, Phase::Clearing, Phase::Resolved);
        self.take(n)
    }

    fn take(&mut self, n: Notice) -> String {
        let out = self.desk.take(&Message::Episode(n), &self.policy, self.now);
        self.keep();
        shown(&out)
    }

    fn tick(&mut self, seconds: i64) -> String {
        self.now = self.now + Span::seconds(seconds);
        let out = self.desk.tick(&self.policy, self.now);
        self.keep();
        shown(&out)
    }

    fn order(&mut self, task: Task) -> Result<String, String> {
        let order = Order { by: "Ana".into(), task };
        let (_, out) = self.desk.order(&order, &self.policy, self.now)?;
        self.keep();
        Ok(shown(&out))
    }

    /// What it remembers survives a restart, after every single step.
    fn keep(&mut self) {
        let (mut incidents, mut silences) = (Vec::new(), Vec::new());
        self.desk.changed.extend(self.desk.incidents.keys());
        self.desk.changed_silences.extend(self.desk.silences.keys());
        for row in self.desk.take_rows() {
            match row {
                DeskRow::Incident { bytes, .. } => incidents.push(bytes),
                DeskRow::Silence(_, _, bytes) => silences.extend(bytes),
            }
        }
        let mut again = Desk::of_rows(&incidents, &silences);
        let wanted = again.wanted();
        assert!(wanted.iter().all(|(e, _)| self.desk.notices.contains_key(e)));
        again.know(self.desk.notices.clone());
        again.trials = self.desk.trials.clone();
        assert_eq!(again.lively, self.desk.lively);
        again.over.clone_from(&self.desk.over);
        assert_eq!(
            (&again.incidents, &again.of, &again.silences),
            (&self.desk.incidents, &self.desk.of, &self.desk.silences)
        );
        self.desk = again;
    }

    fn only(&self) -> &Incident {
        assert_eq!(self.desk.incidents.len(), 1);
        self.desk.incidents.values().next().unwrap()
    }

    fn code(&self) -> String {
        self.only().id.full()
    }
}

/// `receiver: News` of what is sent to people, in order.
fn shown(out: &Out) -> String {
    use crate::notify::telling::Content;
    let of = |s: &Sending| match &s.content {
        Content::Incidents(all) => {
            let news: Vec<String> = all.iter().map(|t| format!("{:?}", t.news)).collect();
            Some(format!("{}: {}", s.receiver, news.join("+")))
        }
        Content::Trial(_) => Some(format!("{}: Trial", s.receiver)),
        Content::TrialOver(_) => Some(format!("{}: TrialOver", s.receiver)),
        Content::Service(_) => Some(format!("{}: Service", s.receiver)),
        Content::Change(..) => None,
    };
    out.sendings.iter().filter_map(of).collect::<Vec<_>>().join(", ")
}

const ALL_OPENED: &str = "mail: Opened, pager: Opened, slack: Opened";

#[test]
fn the_whole_guitar_story_is_one_incident() {
    let mut w = World::new(policy());
    assert_eq!(w.fires(2, "united", 1, Severity::Warn), "", "what is no page waits for more of the same");
    assert_eq!(w.tick(10), "");
    assert_eq!(w.fires(0, "united", 2, Severity::Page), ALL_OPENED, "a page does not wait");
    assert_eq!(w.fires(1, "united", 3, Severity::Page), "slack: Update", "one that is no worse wakes nobody");
    assert_eq!(w.fires(3, "air", 4, Severity::Page), "slack: Update", "nor does that of the group");
    assert_eq!(w.tick(30), "", "what waited was told along");
    assert_eq!(w.ends(0, "united", 2, Severity::Page), "slack: Update");
    w.ends(2, "united", 1, Severity::Warn);
    w.ends(1, "united", 3, Severity::Page);
    assert_eq!(w.only().ended, None);
    assert_eq!(w.ends(3, "air", 4, Severity::Page), "mail: Over, pager: Over, slack: Over");
    assert_eq!(w.only().ended, Some(w.now));
    // what comes after that is another one
    assert_eq!(w.fires(0, "united", 5, Severity::Page), ALL_OPENED);
    assert_eq!(w.desk.incidents.len(), 2);
}

#[test]
fn a_rise_is_told_and_a_return_is_not() {
    let mut w = World::new(policy());
    w.fires(2, "united", 1, Severity::Warn);
    assert_eq!(w.tick(30), ALL_OPENED);
    let back = w.notice(2, "united", 1, Severity::Warn, Phase::Clearing, Phase::Firing);
    assert_eq!(w.take(back), "");
    assert_eq!(w.tick(30), "slack: Update", "edits wait for each other too");
    let rise = w.notice(2, "united", 1, Severity::Page, Phase::Firing, Phase::Firing);
    assert_eq!(w.take(rise), "mail: Rise, pager: Rise, slack: Rise");
    // pending and clearing are nobody's business
    let clearing = w.notice(2, "united", 1, Severity::Page, Phase::Firing, Phase::Clearing);
    assert_eq!(w.take(clearing), "");
    let pending = w.notice(0, "other", 9, Severity::Page, Phase::Inactive, Phase::Pending);
    assert_eq!((w.take(pending).as_str(), w.desk.incidents.len()), ("", 1));
}

#[test]
fn a_new_cause_is_told() {
    let mut w = World::new(policy());
    w.fires(1, "united", 1, Severity::Page);
    let mut n = w.notice(0, "united", 2, Severity::Page, Phase::Inactive, Phase::Firing);
    n.transition.group.cause = Some(crate::base::model::Cause::Safety);
    assert_eq!(w.take(n.clone()), "mail: Cause, pager: Cause, slack: Cause");
    n.transition.episode = EpisodeId(3);
    assert_eq!(w.take(n.clone()), "slack: Update", "the same again is none");
    n.transition.group.cause = None;
    let causes = |texts| vec![(crate::base::model::Cause::Staff, texts)];
    n.transition.evidence.as_mut().unwrap().causes = causes(limits::CAUSE_TEXTS - 1);
    assert_eq!(w.take(n.clone()), "slack: Update", "a text or two can be misread");
    n.transition.evidence.as_mut().unwrap().causes = causes(limits::CAUSE_TEXTS);
    assert_eq!(w.take(n), "mail: Cause, pager: Cause, slack: Cause");
}

#[test]
fn brands_of_a_group_are_one_only_if_they_share_something() {
    let mut w = World::new(policy());
    w.fires(1, "united", 1, Severity::Page);
    let mut other = w.notice(1, "delta", 2, Severity::Page, Phase::Inactive, Phase::Firing);
    if let Some(e) = &mut other.transition.evidence {
        let mut body = (*e.top[0].body).clone();
        body.id = "another post".into();
        e.top[0].body = Arc::new(body);
    }
    w.take(other.clone());
    assert_eq!(w.desk.incidents.len(), 2, "another post of another brand");
    w.fires(1, "other", 4, Severity::Page);
    assert_eq!(w.desk.incidents.len(), 3, "the same post, but of no common group");
    let mut w = World::new(policy());
    w.fires(1, "united", 1, Severity::Page);
    w.fires(1, "delta", 2, Severity::Page);
    assert_eq!(w.desk.incidents.len(), 1, "the same top post");
}

#[test]
fn repeats_end_with_whoever_takes_it() {
    let mut w = World::new(policy());
    w.fires(1, "united", 1, Severity::Page);
    assert_eq!(w.tick(3599), "");
    assert_eq!(w.tick(1), "mail: Repeat");
    let code = w.code();
    assert_eq!(
        w.order(Task::Acknowledge(code.clone(), Some(Span::seconds(7200)))).unwrap(),
        "pager: Hand, slack: Hand"
    );
    assert_eq!(w.tick(3600), "");
    assert_eq!(w.tick(3600), "mail: Repeat", "the acknowledgement has expired");
    w.order(Task::Claim(code[..4].to_lowercase())).unwrap();
    assert_eq!(w.tick(90_000), "");
    // a rise is told all the same
    w.fires(2, "united", 2, Severity::Warn);
    assert!(w.order(Task::Claim("QQQQ".into())).unwrap_err().contains("QQQQ"));
}

#[test]
fn what_is_closed_is_over_unless_it_becomes_worse() {
    let mut w = World::new(policy());
    w.fires(2, "united", 1, Severity::Warn);
    w.tick(30);
    let code = w.code();
    assert_eq!(
        w.order(Task::Close(code.clone(), Verdict::FalseAlarm, "not us".into())).unwrap(),
        "mail: Over, pager: Over, slack: Over"
    );
    assert_eq!(w.fires(2, "united", 2, Severity::Warn), "", "no worse");
    assert!(w.order(Task::Claim(code)).unwrap_err().contains("is over"));
    assert_eq!(w.fires(0, "united", 3, Severity::Page), ALL_OPENED);
    assert_eq!(w.desk.incidents.len(), 2);
    let rise = w.notice(2, "united", 1, Severity::Page, Phase::Firing, Phase::Firing);
    w.take(rise);
    assert_eq!(w.desk.incidents.len(), 2, "its rise joins the new one");
    w.ends(2, "united", 1, Severity::Page);
    w.ends(2, "united", 2, Severity::Warn);
    assert_eq!(w.ends(0, "united", 3, Severity::Page), "mail: Over, pager: Over, slack: Over");
    // the episode that left the one that was closed keeps nobody quiet
    w.fires(2, "united", 4, Severity::Warn);
    assert_eq!(w.tick(30), ALL_OPENED);
}

#[test]
fn what_is_over_for_long_is_over_on_the_desk_too() {
    let mut w = World::new(policy());
    w.fires(1, "united", 1, Severity::Page);
    let over = w.notice(1, "united", 1, Severity::Page, Phase::Firing, Phase::Resolved);
    w.desk.ended(&[over], &w.policy, w.now);
    assert_eq!(w.tick(0), "mail: Over, pager: Over, slack: Over");
}

#[test]
fn a_silence_holds_back_what_matches_and_tells_it_at_its_end() {
    let mut w = World::new(policy());
    let of = Match { brands: vec!["united".into()], ..Match::default() };
    let silence = |span, reason: &str| Task::Silence { of: of.clone(), incident: None, span, reason: reason.into() };
    assert!(w.order(silence(Span::seconds(60), " ")).unwrap_err().contains("reason"));
    assert!(w.order(silence(Span::seconds(60 * 86_400), "x")).is_err());
    w.order(silence(Span::seconds(600), "drill")).unwrap();
    let n = w.notice(1, "united", 1, Severity::Page, Phase::Inactive, Phase::Firing);
    let out = w.desk.take(&Message::Episode(n), &w.policy, w.now);
    assert!(out.sendings.is_empty(), "machines neither");
    let held = |n: &&Noted| n.detail.contains("silenced by Ana") && n.detail.contains("drill");
    assert_eq!(out.notes.iter().filter(held).count(), 4, "{:?}", out.notes);
    assert!(w.desk.tick(&w.policy, w.now + Span::seconds(60)).notes.is_empty(), "said once");
    assert_eq!(w.fires(1, "other", 2, Severity::Page), ALL_OPENED, "only what matches");
    assert_eq!(w.tick(600), ALL_OPENED);
    assert_eq!(w.desk.silences().count(), 0);
}

#[test]
fn what_is_inhibited_is_told_when_the_cause_is_over() {
    let when = Match { alerts: vec!["Group".into()], ..Match::default() };
    let quiet = Match { least: Some(Severity::Warn), alerts: vec!["HostileSurge".into()], ..Match::default() };
    let inhibit = vec![Inhibit { when, quiet, same_brand: false }];
    let mut w = World::new(Policy { inhibit, ..policy() });
    w.fires(3, "air", 1, Severity::Page);
    assert_eq!(w.fires(1, "other", 2, Severity::Page), "");
    w.ends(3, "air", 1, Severity::Page);
    assert_eq!(w.tick(60), ALL_OPENED);
}

#[test]
fn a_page_nobody_takes_is_handed_over() {
    let route = Route { to: vec!["pager".into()], then: vec!["mail".into(), "slack".into()], ..Route::default() };
    let all = policy();
    let mut w = World::new(Policy { routes: Routes { routes: vec![route], all: all.routes.all.clone() }, ..all });
    assert_eq!(w.fires(1, "united", 1, Severity::Page), "pager: Opened");
    assert_eq!(w.tick(59), "");
    assert_eq!(w.tick(1), "mail: HandedOver");
    assert_eq!(w.tick(60), "slack: HandedOver", "mail did not take it either");
    let mut taken = World::new(w.policy.clone());
    taken.fires(1, "united", 1, Severity::Page);
    let key = format!("{}-0001", taken.code());
    taken.desk.heard("delivered", Some("pager"), &key);
    assert_eq!(taken.tick(100), "", "it was taken");
    let mut refused = World::new(w.policy.clone());
    refused.fires(1, "united", 1, Severity::Page);
    refused.desk.heard("refused", Some("pager"), &key);
    assert_eq!(refused.tick(0), "mail: HandedOver", "at once");
}

#[test]
fn a_pager_in_its_quiet_hours_is_told_of_each_end_at_once() {
    let mut all = policy();
    let pager = Receiver { manner: Manner::Pager, ..Receiver::default() };
    all.receivers.insert("pager".into(), pager.clone());
    let mut w = World::new(all);
    w.fires(2, "united", 1, Severity::Warn);
    w.fires(2, "other", 2, Severity::Warn);
    w.tick(30);
    let quiet = Some(Quiet { from: 7 * 60, to: 9 * 60 });
    w.policy.receivers.insert("pager".into(), Receiver { quiet, ..pager });
    assert!(w.ends(2, "united", 1, Severity::Warn).contains("pager: Over"));
    w.fires(2, "third", 3, Severity::Warn);
    w.fires(2, "fourth", 4, Severity::Warn);
    assert!(!w.tick(60).contains("pager"));
    let told = w.tick(3600);
    assert_eq!(told.matches("pager: Opened").count(), 2, "one by one: {told}");
}

#[test]
fn what_was_deleted_is_told_no_more() {
    let mut w = World::new(policy());
    w.fires(1, "united", 1, Severity::Page);
    let post = w.desk.notices[&EpisodeId(1)].transition.evidence.as_ref().unwrap().top[0].body.clone();
    w.desk.forget_texts(Gone::Post(crate::base::account::post_id(&post.source, post.id.as_bytes())));
    let top = &w.desk.notices[&EpisodeId(1)].transition.evidence.as_ref().unwrap().top[0];
    assert!(top.deleted && top.body.text.is_empty() && top.name.is_none());
}

#[test]
fn an_edit_that_takes_the_place_of_a_page_is_the_page() {
    let route = Route { to: vec!["slack".into()], then: vec!["mail".into()], ..Route::default() };
    let all = policy();
    let mut w = World::new(Policy { routes: Routes { routes: vec![route], all: all.routes.all.clone() }, ..all });
    w.fires(1, "united", 1, Severity::Page);
    assert_eq!(w.fires(0, "united", 2, Severity::Page), "slack: Update");
    let second = format!("{}-0002", w.code());
    w.desk.heard("superseded", Some("slack"), &format!("{}-0001", w.code()));
    w.desk.heard("delivered", Some("slack"), &second);
    assert_eq!(w.tick(100), "", "slack has it");
}

#[test]
fn what_is_not_known_any_more_is_not_dropped_in_silence() {
    let mut w = World::new(policy());
    w.fires(2, "united", 1, Severity::Warn);
    w.desk.notices.clear();
    let out = w.desk.tick(&w.policy, w.now + Span::seconds(30));
    assert_eq!(out.notes.iter().filter(|n| n.detail.contains("nothing is known")).count(), 3, "{:?}", out.notes);
}

#[test]
fn who_took_a_later_message_has_the_page() {
    let route = Route { to: vec!["pager".into()], then: vec!["mail".into()], ..Route::default() };
    let all = policy();
    let mut w = World::new(Policy { routes: Routes { routes: vec![route], all: all.routes.all.clone() }, ..all });
    w.fires(1, "united", 1, Severity::Page);
    let code = w.code();
    assert_eq!(w.order(Task::Acknowledge(code.clone(), None)).unwrap(), "pager: Hand");
    w.desk.heard("superseded", Some("pager"), &format!("{code}-0001"));
    w.desk.heard("delivered", Some("pager"), &format!("{code}-0002"));
    assert_eq!(w.tick(100), "");
}

#[test]
fn the_end_of_what_was_told_is_told_even_in_shadow() {
    let mut w = World::new(policy());
    w.fires(1, "united", 1, Severity::Page);
    w.rules = loaded(&RULES.replace("severity: page}", "severity: page, mode: shadow}"));
    assert_eq!(w.fires(1, "united", 2, Severity::Page), "");
    assert_eq!(w.ends(1, "united", 2, Severity::Page), "", "of this nobody knows");
    assert_eq!(w.ends(1, "united", 1, Severity::Page), "mail: Over, pager: Over, slack: Over");
}

#[test]
fn an_episode_joins_the_incident_of_its_own_key() {
    let mut w = World::new(policy());
    w.fires(1, "united", 1, Severity::Page);
    let mut other = w.notice(1, "delta", 2, Severity::Page, Phase::Inactive, Phase::Firing);
    other.transition.evidence = None;
    w.take(other.clone());
    assert_eq!(w.desk.incidents.len(), 2);
    // that of the group joins the first, which is then one of the group of both
    w.fires(3, "air", 3, Severity::Page);
    other.transition.episode = EpisodeId(4);
    w.take(other);
    assert_eq!(w.desk.incident_of(EpisodeId(4)), w.desk.incident_of(EpisodeId(2)));
    let keys: Vec<usize> = w.desk.incidents.values().map(|i| i.keys.len()).collect();
    assert_eq!(keys.iter().sum::<usize>(), 3, "none has two");
}

#[test]
fn what_came_and_went_unnoticed_leaves_a_line() {
    let mut w = World::new(policy());
    let n = w.notice(1, "united", 1, Severity::Page, Phase::Firing, Phase::Resolved);
    let out = w.desk.take(&Message::Episode(n), &w.policy, w.now);
    let said = |out: &Out| out.notes.iter().any(|n| n.what == "not sent" && n.detail == "over before anybody was told");
    assert!(said(&out) && out.notes.len() == 1);
    w.fires(2, "united", 2, Severity::Warn);
    let n = w.notice(2, "united", 2, Severity::Page, Phase::Firing, Phase::Resolved);
    assert!(said(&w.desk.take(&Message::Episode(n), &w.policy, w.now)), "it became worse meanwhile");
    w.fires(2, "united", 3, Severity::Warn);
    let n = w.notice(2, "united", 3, Severity::Warn, Phase::Clearing, Phase::Resolved);
    assert!(!said(&w.desk.take(&Message::Episode(n), &w.policy, w.now)));
}

#[test]
fn quiet_hours_let_pages_through_and_gather_the_rest() {
    let mut all = policy();
    // it is 08:04
    all.receivers.insert(
        "mail".into(),
        Receiver { manner: Manner::Letters, quiet: Some(Quiet { from: 7 * 60, to: 9 * 60 }), ..Receiver::default() },
    );
    let mut w = World::new(all);
    w.fires(2, "united", 1, Severity::Warn);
    w.fires(2, "other", 2, Severity::Warn);
    assert_eq!(w.tick(30), "pager: Opened, slack: Opened, pager: Opened, slack: Opened");
    assert_eq!(w.fires(1, "other", 3, Severity::Page).split(", ").next(), Some("mail: Opened"));
    w.fires(2, "delta", 4, Severity::Warn);
    w.tick(30);
    w.fires(2, "united", 5, Severity::Warn);
    w.policy.receivers.get_mut("mail").unwrap().quiet = Some(Quiet { from: 7 * 60, to: 10 * 60 });
    let mut third = w.notice(2, "united", 6, Severity::Warn, Phase::Inactive, Phase::Firing);
    third.transition.group.key = key_id("third");
    w.take(third);
    assert_eq!(w.tick(30), "slack: Update, pager: Opened, slack: Opened", "two wait for mail");
    assert_eq!(w.tick(3500), "", "longer than was said first");
    assert_eq!(w.tick(3600), "mail: Opened+Opened", "in one letter");
}

#[test]
fn news_of_the_service_and_trials_are_for_everybody() {
    let mut all = policy();
    all.receivers.get_mut("mail").unwrap().trial = Some(8 * 60 + 5);
    let mut w = World::new(all);
    let lost = Message::Source(SourceNotice::new(at(), "bluesky".into(), true, at(), "x".into(), vec![]));
    let out = w.desk.take(&lost, &w.policy, w.now);
    assert_eq!(shown(&out), "mail: Service, pager: Service, slack: Service");
    assert_eq!(out.sendings.len(), 4, "machines too");
    assert_eq!(w.tick(30), "mail: Trial");
    assert_eq!(w.tick(60), "");
    assert_eq!(
        w.order(Task::Try(None)).unwrap(),
        "hook: Trial, mail: Trial, pager: Trial, pager: TrialOver, slack: Trial"
    );
    assert_eq!(w.order(Task::Try(Some("pager".into()))).unwrap(), "pager: Trial, pager: TrialOver");
    assert!(w.order(Task::Try(Some("pgaer".into()))).unwrap_err().contains("known: hook, mail, pager, slack"));
}

#[test]
fn incidents_are_bounded() {
    let mut w = World::new(policy());
    let mut n = w.notice(0, "other", 0, Severity::Warn, Phase::Inactive, Phase::Firing);
    let mut forgotten = 0;
    for k in 0..(limits::INCIDENTS as u64 + 10) {
        n.transition.episode = EpisodeId(k);
        n.transition.group.key = key_id(&format!("brand {k}"));
        let out = w.desk.take(&Message::Episode(n.clone()), &Policy::feeds(&["hook"]), w.now);
        forgotten += out.notes.iter().filter(|n| n.what == "forgotten").count();
    }
    let over = |row: &DeskRow| matches!(row, DeskRow::Incident { ended: Some(_), .. });
    let rows = w.desk.take_rows();
    assert_eq!((forgotten, rows.iter().filter(|r| over(r)).count()), (10, 10), "whoever is forgotten is over");
    let sizes = |d: &Desk| (d.incidents.len(), d.notices.len(), d.of.len(), d.lively.len());
    assert_eq!(sizes(&w.desk), (limits::INCIDENTS, limits::INCIDENTS, limits::INCIDENTS, limits::INCIDENTS));
    let one = w.desk.incidents.values().next_back().unwrap().clone();
    for k in 0..(limits::INCIDENT_EPISODES as u64 * 2) {
        n.transition.episode = EpisodeId(1_000_000 + k);
        n.transition.group.key = *one.keys.first().unwrap();
        w.desk.take(&Message::Episode(n.clone()), &Policy::feeds(&["hook"]), w.now);
        w.desk.take(
            &Message::Episode(Notice {
                transition: crate::base::model::Transition { to: Phase::Resolved, ..n.transition.clone() },
                ..n.clone()
            }),
            &Policy::feeds(&["hook"]),
            w.now,
        );
    }
    assert!(w.desk.incidents[&one.id].episodes.len() <= limits::INCIDENT_EPISODES);
    assert_eq!(w.desk.notices.len(), w.desk.of.len());
    let mut w = World::new(policy());
    for k in 0..(limits::INCIDENTS_OVER as u64 + 50) {
        w.fires(1, "united", k, Severity::Page);
        w.ends(1, "united", k, Severity::Page);
    }
    assert_eq!((sizes(&w.desk).0, sizes(&w.desk).3), (limits::INCIDENTS_OVER, 0), "what is over is soon forgotten");
}
