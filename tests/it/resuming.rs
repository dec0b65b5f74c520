//! Sources that go on where an earlier run of the service has got to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use groundswell::app::clock::SystemClock;
use groundswell::app::intake::intake;
use groundswell::app::sources::Sources;
use groundswell::app::status::Status;
use groundswell::base::model::Position;
use tokio::net::TcpListener;

use crate::live::{HASTE, accept, config, jetstream};

/// What a source asks its server for that starts from a position of this name.
async fn asked(name: &str, position: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config(vec![jetstream(&[listener.local_addr().unwrap()], None)]);
    let (queue, urgent) = intake();
    let status = Arc::new(Status::new(Arc::new(SystemClock), Arc::new(config.clone())).unwrap());
    let mut sources = Sources::new(queue, Arc::new(urgent), status, HASTE);
    sources.start_from(BTreeMap::from([(name.into(), Position(position.into()))]));
    sources.set(&config.sources).await.unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let _socket = accept(&listener, &asked).await;
    sources.stop(std::time::Duration::from_secs(5)).await;
    asked.lock().unwrap().remove(0)
}

#[tokio::test]
async fn a_source_starts_a_little_before_its_stored_position() {
    let asked_for = asked("bluesky", "1783175888085434").await;
    assert!(asked_for.ends_with("&cursor=1783175883085434"), "{asked_for}");
}

#[tokio::test]
async fn positions_of_others_and_damaged_ones_are_not_followed() {
    for (name, position) in [("other", "1783175888085434"), ("bluesky", "1783175888085434x"), ("bluesky", "12 of 0f")] {
        let asked_for = asked(name, position).await;
        assert!(!asked_for.contains("cursor"), "{asked_for}");
    }
}
