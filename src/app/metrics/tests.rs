use super::*;
use crate::base::metric::{FRAMES, IN_FLIGHT, LIMIT_HITS, MENTIONS, STAGE_IN, STAGE_OUT};

#[test]
fn what_is_counted_is_exported() {
    let m = Metrics::new().unwrap();
    m.add(&FRAMES, &["s", "mention"], 2.0);
    m.raise(&LIMIT_HITS, &["x"], 7.0);
    m.raise(&LIMIT_HITS, &["x"], 7.0);
    m.stage(Stage::Front, Duration::from_micros(20));
    let text = m.text();
    assert!(text.contains("groundswell_frames_total{outcome=\"mention\",source=\"s\"} 2"), "{text}");
    assert!(text.contains("groundswell_limit_hits_total{limit=\"x\"} 7"));
    assert!(text.contains("groundswell_stage_seconds_bucket{stage=\"front\",le=\"0.00003\"} 1"));
    assert!(text.contains("groundswell_stage_last_minute_seconds{quantile=\"1\",stage=\"front\"} 0.00002"), "{text}");
    assert!(text.contains("# TYPE groundswell_stage_last_minute_seconds summary\n"), "{text}");
    for (name, _) in metric::OF_PROCESS {
        assert!(text.contains(&format!("\n{name} ")), "{name}");
    }
}

#[test]
fn no_number_of_label_values_passes_the_stated_bound() {
    let m = Metrics::new().unwrap();
    for i in 0..1_000_000u32 {
        let hostile = format!("x{i}\"}} 1\n{{\\");
        m.add(&MENTIONS, &[&hostile, "negative"], 1.0);
    }
    for m_ in ALL.iter().filter(|m| !m.labels.is_empty()) {
        for i in 0..m_.most + 10 {
            let value = i.to_string();
            let labels = vec![value.as_str(); m_.labels.len()];
            m.add(m_, &labels, 1.0);
            m.set(m_, &labels, 1.0);
            m.observe(m_, &labels, Duration::from_secs(1));
        }
    }
    let text = m.text();
    let lines = text.lines().filter(|l| !l.starts_with('#')).count();
    assert!(lines <= metric::most_lines(), "{lines} lines, {} stated", metric::most_lines());
    assert!(lines > metric::most_lines() / 2, "{lines} lines: the test fills it");
    let left_out = m.get(&LIMIT_HITS, &["metric_lines"]);
    assert!(left_out.is_some_and(|n| n >= (1_000_000 - MENTIONS.most) as f64), "{left_out:?}");
    let value = |line: &str| line.rsplit(' ').next().unwrap_or("").parse::<f64>().is_ok();
    assert!(text.lines().filter(|l| !l.starts_with('#')).all(value), "no label value begins a line of its own");
}

#[test]
fn what_went_in_came_out_or_is_in_flight() {
    let m = Metrics::new().unwrap();
    let of = |what: &Metric, labels: &[&str]| m.get(what, labels).unwrap_or(0.0);
    let mut some = m.enter(Stage::Front, 10);
    some.out("passed", 3);
    assert_eq!(of(&IN_FLIGHT, &["front"]), 7.0);
    some.out("ended", 99);
    drop(some);
    m.enter(Stage::Front, 5).all_out("passed");
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = m.enter(Stage::Front, 4);
        panic!("on purpose");
    }));
    assert!(broken.is_err());
    assert_eq!(of(&STAGE_OUT, &["front", "lost"]), 4.0, "also where it fails");
    m.enter(Stage::Front, 2).stay();
    m.leave(Stage::Front, "passed", 1);
    let out: f64 = ["passed", "ended", "lost"].iter().map(|o| of(&STAGE_OUT, &["front", o])).sum();
    assert_eq!((of(&STAGE_IN, &["front"]), out, of(&IN_FLIGHT, &["front"])), (21.0, 20.0, 1.0));
}

#[test]
fn what_is_gone_says_nothing_and_makes_room() {
    let m = Metrics::new().unwrap();
    m.set(&metric::LIFT, &["a"], 2.0);
    m.add(&MENTIONS, &["a", "negative"], 2.0);
    m.add(&MENTIONS, &["b", "negative"], 2.0);
    m.forget_all("brand", "a");
    let text = m.text();
    assert!(!text.contains("brand=\"a\"") && text.contains("brand=\"b\""), "{text}");
    assert_eq!((m.get(&metric::LIFT, &["a"]), m.get(&MENTIONS, &["b", "negative"])), (None, Some(2.0)));
    m.set_or_forget(&metric::LIFT, &["b"], Some(1.0));
    m.set_or_forget(&metric::LIFT, &["b"], None);
    assert_eq!(m.get(&metric::LIFT, &["b"]), None);
}
