//! Receivers that are down for a day, and letters that they never take: on a clock that is moved.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use groundswell::base::model::IncidentId;
use groundswell::base::time::{Span, Time};
use groundswell::notify::{Answer, Carried, Carrier, Deliverer, Inbox, Left, Letter, Pace, Report, Tried};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Takes nothing before a time, and some letters never.
struct Flaky {
    zero: Instant,
    up: Duration,
    poison: &'static str,
    /// Seconds, and the key, of each try that was taken.
    took: Mutex<Vec<(u64, String)>>,
    tries: Mutex<BTreeMap<String, usize>>,
}

impl Flaky {
    fn new(up: u64, poison: &'static str) -> Arc<Flaky> {
        let (took, tries) = Default::default();
        Arc::new(Flaky { zero: Instant::now(), up: Duration::from_secs(up), poison, took, tries })
    }

    fn keys(&self) -> Vec<String> {
        self.took.lock().unwrap().iter().map(|(_, key)| key.clone()).collect()
    }

    fn when(&self, key: &str) -> Option<u64> {
        self.took.lock().unwrap().iter().find(|(_, k)| k == key).map(|(at, _)| *at)
    }

    fn all_tries(&self) -> usize {
        self.tries.lock().unwrap().values().sum()
    }
}

impl Carrier for Flaky {
    fn carry<'a>(&'a self, letter: &'a Letter, _: Option<&'a str>, _: Time) -> Carried<'a> {
        Box::pin(async {
            *self.tries.lock().unwrap().entry(letter.key.to_string()).or_default() += 1;
            let since = self.zero.elapsed();
            if since < self.up {
                return Tried::new(Answer::None, "nobody is there");
            }
            if *letter.key == *self.poison {
                return Tried::new(Answer::Status(503, None), "not this one");
            }
            self.took.lock().unwrap().push((since.as_secs(), letter.key.to_string()));
            Tried::new(Answer::Status(200, None), "")
        })
    }

    fn place(&self) -> &str {
        "a test"
    }
}

/// Keys, by what became of them.
#[derive(Default)]
struct Reports(Mutex<BTreeMap<&'static str, Vec<String>>>);

impl Reports {
    fn note(&self, what: &'static str, letter: &Letter) {
        self.0.lock().unwrap().entry(what).or_default().push(letter.key.to_string());
    }

    fn all(&self, what: &str) -> Vec<String> {
        self.0.lock().unwrap().get(what).cloned().unwrap_or_default()
    }
}

impl Report for Reports {
    fn delivered(&self, _: &str, letter: &Letter, _: u32, _: Duration) {
        self.note("delivered", letter);
    }

    fn failed(&self, _: &str, _: &str) {}

    fn refused(&self, _: &str, letter: &Letter, _: &str) {
        self.note("refused", letter);
    }

    fn dropped(&self, _: &str, letter: &Letter) {
        self.note("dropped", letter);
    }

    fn expired(&self, _: &str, letter: &Letter) {
        self.note("expired", letter);
    }

    fn superseded(&self, _: &str, letter: &Letter) {
        self.note("superseded", letter);
    }

    fn handle(&self, _: &str, _: IncidentId, _: &str) {}

    fn now(&self) -> Time {
        Time(0)
    }

    fn jitter(&self) -> f64 {
        1.0
    }
}

/// A receiver with what is delivered to it.
struct Post {
    carrier: Arc<Flaky>,
    reports: Arc<Reports>,
    inbox: Arc<Inbox>,
    cancel: CancellationToken,
    task: JoinHandle<usize>,
}

impl Post {
    fn new(carrier: Arc<Flaky>) -> Post {
        let (reports, inbox, cancel) =
            (Arc::new(Reports::default()), Arc::new(Inbox::default()), CancellationToken::new());
        let deliverer = Deliverer::new("mail".into(), carrier.clone(), Pace::default());
        let task = tokio::spawn(deliverer.run(inbox.clone(), reports.clone(), cancel.clone(), Span::ZERO));
        Post { carrier, reports, inbox, cancel, task }
    }

    /// Step `step` of incident `incident`, which has waited elsewhere for so many seconds.
    fn push(&self, incident: u64, step: u32, whole: bool, age: u64) {
        let (key, body) = (format!("{incident}-{step}").into(), Default::default());
        let letter = Letter { key, body, episode: None, incident: Some(IncidentId(incident)), whole };
        for left in self.inbox.push(letter, Duration::from_secs(age)) {
            match left {
                Left::Dropped(letter) => self.reports.dropped("mail", &letter),
                Left::Superseded(letter) => self.reports.superseded("mail", &letter),
            }
        }
    }

    /// Goes on until so many seconds after the beginning.
    async fn until(&self, seconds: u64) {
        sleep_until(self.carrier.zero + Duration::from_secs(seconds)).await;
    }

    async fn end(self) -> usize {
        self.cancel.cancel();
        self.task.await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_receiver_missed_for_a_day_is_delivered_after_it_in_order_and_once() {
    // the first letters are tried once more before they are a day old
    let up = 23 * HOUR + 50 * MINUTE;
    let post = Post::new(Flaky::new(up, ""));
    // waited before: too old before the receiver is up
    post.push(900, 1, false, 12 * MINUTE);
    post.push(901, 1, false, 12 * MINUTE);
    for hour in 0..23 {
        post.until(hour * HOUR).await;
        // two incidents of single letters, of which one goes on; and one message that is edited
        post.push(100 + hour, 1, false, 0);
        post.push(7, hour as u32, false, 0);
        post.push(8, hour as u32, true, 0);
    }
    post.until(up - 1).await;
    assert_eq!(post.carrier.keys(), [""; 0]);
    assert_eq!(post.reports.all("expired"), ["900-1", "901-1"]);
    let tries = post.carrier.all_tries();
    assert!((250..400).contains(&tries), "{tries} tries");
    post.until(up + 20 * MINUTE).await;
    let keys = post.carrier.keys();
    let of = |incident: &str| -> Vec<String> { keys.iter().filter(|k| k.starts_with(incident)).cloned().collect() };
    let steps = |incident: u64| -> Vec<String> { (0..23).map(|step| format!("{incident}-{step}")).collect() };
    assert_eq!(of("7-"), steps(7), "in order");
    // what is on its way when more comes is not taken back
    let (edited, superseded) = (of("8-"), post.reports.all("superseded"));
    assert_eq!((edited.last().map(String::as_str), edited.len() <= 2), (Some("8-22"), true), "{edited:?}");
    let mut both = [edited, superseded].concat();
    both.sort_by_key(|k| k[2..].parse::<u32>().ok());
    assert_eq!(both, steps(8), "each was told, or superseded and said to be");
    let singles = (0..23).filter(|hour| of(&format!("{}-", 100 + hour)).len() == 1).count();
    assert_eq!(singles, 23, "{keys:?}");
    assert_eq!(post.reports.all("delivered"), keys);
    assert_eq!((post.reports.all("expired").len(), post.reports.all("refused").len()), (2, 0));
    assert_eq!(post.end().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_never_taken_holds_up_its_own_incident_only() {
    let post = Post::new(Flaky::new(0, "1-1"));
    post.push(1, 1, false, 0);
    post.push(1, 2, false, 0);
    for incident in 2..50 {
        post.push(incident, 1, false, 0);
        post.push(incident, 2, false, 0);
    }
    sleep(Duration::from_secs(MINUTE)).await;
    assert_eq!(post.carrier.keys().len(), 2 * 48, "all others, soon");
    // long after that it is tried rarely, and what comes then does not wait for it
    for hour in 1..20 {
        post.until(hour * HOUR + 7 * hour).await;
        post.push(100 + hour, 1, false, 0);
        post.until(hour * HOUR + 7 * hour + 5).await;
        assert!(post.carrier.when(&format!("{}-1", 100 + hour)).is_some(), "hour {hour}");
    }
    post.push(1, 3, false, 0);
    post.until(23 * HOUR).await;
    assert_eq!(post.carrier.when("1-3"), None, "in order");
    assert!(post.carrier.tries.lock().unwrap()["1-1"] < 320);
    // too old, both; and then the third is told
    post.until(25 * HOUR).await;
    assert_eq!(post.reports.all("expired"), ["1-1", "1-2"]);
    assert!(post.carrier.when("1-3").is_some());
    assert_eq!(post.end().await, 0);
}
