//! A receiver on this machine that notes what it is sent.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;

use crate::frames::Random;

/// What came: by what it is known, and the body.
pub type Got = (String, String);

/// The receiver.
#[derive(Clone)]
pub struct Hook {
    got: Arc<Mutex<Vec<Got>>>,
    /// What it answers.
    status: Arc<AtomicU16>,
    /// Milliseconds an answer may take, and chance.
    most: usize,
    dice: Arc<Mutex<Random>>,
    /// Where it is.
    pub url: String,
}

async fn take(State(hook): State<Hook>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let key = headers.get("idempotency-key").map_or("", |v| v.to_str().unwrap()).to_string();
    let status = StatusCode::from_u16(hook.status.load(Ordering::Relaxed)).unwrap();
    let wait = hook.dice.lock().unwrap().below(hook.most + 1);
    tokio::time::sleep(Duration::from_millis(wait as u64)).await;
    if status.is_success() {
        hook.got.lock().unwrap().push((key, String::from_utf8(body.to_vec()).unwrap()));
    }
    status
}

impl Hook {
    /// Answers 200, each time after at most so many milliseconds.
    pub async fn start(most: usize) -> Hook {
        Hook::at(TcpListener::bind("127.0.0.1:0").await.unwrap(), most)
    }

    /// The same, at an address that was kept for it.
    pub fn at(listener: TcpListener, most: usize) -> Hook {
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let dice = Arc::new(Mutex::new(Random::new(7)));
        let hook = Hook { got: Arc::default(), status: Arc::new(AtomicU16::new(200)), most, dice, url };
        let routes = Router::new().fallback(take).with_state(hook.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        hook
    }

    /// What it accepted, in order.
    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// The bodies it accepted, as JSON.
    pub fn told(&self) -> Vec<serde_json::Value> {
        self.got().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    /// Answers this from now on.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }
}
