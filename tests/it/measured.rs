//! What metrics say of a running service, whatever is sent to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use groundswell::app::clock::{Clock, SystemClock};
use groundswell::app::config::{Config, PushConfig, SourceConfig, SourceKind};
use groundswell::base::metric::{self, Stage};
use groundswell::base::model::{SourceInfo, WireFormat};
use groundswell::base::secret::Secret;

use crate::live::{HASTE, Live, ask, config, rules};

const TOKEN: &str = "desk-token-0123456789";

fn source() -> Config {
    let info = SourceInfo { name: "desk".into(), format: WireFormat::Post };
    let kind = SourceKind::Push(PushConfig { token: Secret::new(TOKEN) });
    config(vec![SourceConfig { info: Arc::new(info), kind }])
}

async fn push(live: &Live, lines: &str) {
    let head = "POST /v1/posts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let head = format!("{head}Authorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n", lines.len());
    let (status, said) = ask(live.service.address, &(head + lines)).await;
    assert_eq!(status, 200, "{said}");
}

/// Values by line, without comments.
async fn lines(live: &Live) -> BTreeMap<String, f64> {
    let text = live.get("/metrics").await.1;
    let line = |l: &str| l.rsplit_once(' ').map(|(name, value)| (name.to_string(), value.parse().unwrap()));
    text.lines().filter(|l| !l.starts_with('#')).filter_map(line).collect()
}

/// What went into each stage, what came out, and what is in flight.
fn sums(lines: &BTreeMap<String, f64>) -> Vec<(&'static str, f64, f64, f64)> {
    let of = |name: &str, stage: Stage| {
        let own = |l: &&String| l.starts_with(name) && l.contains(&format!("stage=\"{}\"", stage.name()));
        lines.iter().filter(|(l, _)| own(l)).map(|(_, n)| n).sum::<f64>()
    };
    let stages = Stage::ALL.into_iter().filter(|s| s.holds());
    let sum = |s: Stage| {
        let (into, out) = (of("groundswell_stage_in_total{", s), of("groundswell_stage_out_total{", s));
        (s.name(), into, out, of("groundswell_stage_in_flight{", s))
    };
    stages.map(sum).collect()
}

#[tokio::test]
async fn what_goes_into_a_stage_comes_out_or_is_in_flight() {
    let live = Live::with(source(), rules(), HASTE).await;
    let now = SystemClock.now();
    for batch in 0..20 {
        let post = |id: u32| {
            let text = if id.is_multiple_of(3) { "united is late" } else { "nothing to see" };
            format!(r#"{{"id":"{batch}-{id}","source":"crm","author":"a{id}","text":"{text}","time":"{now}"}}"#) + "\n"
        };
        push(&live, &((0..50).map(post).collect::<String>() + "garbage\n{\"id\":1}\n")).await;
    }
    live.outcome("desk", "mention", 20 * 17).await;
    let mut last = Vec::new();
    for _ in 0..500 {
        let lines = lines(&live).await;
        last = sums(&lines);
        let frames: f64 = lines.iter().filter(|(l, _)| l.starts_with("groundswell_frames_total")).map(|(_, n)| n).sum();
        let settled = last.iter().all(|(_, _, _, flying)| *flying == 0.0);
        if settled && frames == 20.0 * 52.0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    for (stage, into, out, flying) in &last {
        assert_eq!(*into, out + flying, "{stage}: {last:?}");
    }
    let into: BTreeMap<_, _> = last.iter().map(|(stage, into, ..)| (*stage, *into)).collect();
    for stage in ["collect", "front", "junction"] {
        assert_eq!(into[stage], 20.0 * 52.0, "{last:?}");
    }
    assert!(into["back"] >= 340.0 && into["back"] == into["commit"], "{last:?}");
    live.metric("groundswell_stage_out_total{outcome=\"entered\",stage=\"junction\"} 340").await;
    live.metric("groundswell_brand_mentions_total{brand=\"u\",tone=").await;
    live.metric("groundswell_brand_authors{brand=\"u\"} 17").await;
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_that_strangers_write_makes_a_line() {
    let live = Live::with(source(), rules(), HASTE).await;
    let now = SystemClock.now();
    let post = |id: u32| {
        let hostile = format!("x{id}\\\"}} 1\\n{{");
        format!(
            r#"{{"id":"{id}","source":"net{id}{hostile}","author":"{hostile}","author_name":"{hostile}","lang":"{hostile}","text":"united {hostile}","time":"{now}","url":"https://x/{id}"}}"#
        ) + "\n"
    };
    push(&live, &(0..100).map(post).collect::<String>()).await;
    live.outcome("desk", "mention", 100).await;
    live.metric("groundswell_brand_authors{brand=\"u\"} 100").await;
    let names = |lines: &BTreeMap<String, f64>| lines.keys().cloned().collect::<BTreeSet<String>>();
    let before = names(&lines(&live).await);
    push(&live, &(100..20_000).map(post).collect::<String>()).await;
    live.outcome("desk", "mention", 20_000).await;
    live.metric("groundswell_brand_authors{brand=\"u\"} 20000").await;
    let after = names(&lines(&live).await);
    let fresh: Vec<&String> = after.difference(&before).collect();
    assert!(fresh.is_empty(), "{fresh:?}");
    assert!(after.len() < metric::most_lines());
    live.service.stop().await.unwrap();
}
