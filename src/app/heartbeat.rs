//! Beats as long as sources are heard, the engine keeps up and what is decided can be recorded. A heart that stops is
//! noticed by whoever waits for it, when nobody is left here to say so.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::app::config::Heartbeat;
use crate::app::status::Status;
use crate::base::metric;
use crate::notify::Heart;

/// How often it is looked whether the config wants one.
const LOOK: Duration = Duration::from_secs(1);

/// Runs until cancelled; follows the config.
pub async fn run(status: Arc<Status>, cancel: CancellationToken) {
    let mut of: Option<(Heartbeat, Heart)> = None;
    let (mut next, mut said) = (Instant::now(), String::new());
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = sleep_until(next.min(Instant::now() + LOOK)) => {}
        }
        let wanted = status.config().heartbeat.clone();
        if of.as_ref().map(|(config, _)| config) != wanted.as_ref() {
            of = wanted.and_then(|config| made(config, &mut said));
            next = Instant::now();
        }
        let Some((config, heart)) = &of else {
            next = Instant::now() + LOOK;
            continue;
        };
        if Instant::now() < next {
            continue;
        }
        next = Instant::now() + config.every.as_std();
        let why = status.reasons().join("; ");
        let result = if why.is_empty() { heart.beat().await } else { Err(format!("held back: {why}")) };
        let word = match &result {
            Ok(()) => "delivered",
            Err(_) if !why.is_empty() => "held back",
            Err(_) => "failed",
        };
        status.metrics.add(&metric::HEARTBEATS, &[word], 1.0);
        note(&mut said, result.err().unwrap_or_default());
    }
}

fn made(config: Heartbeat, said: &mut String) -> Option<(Heartbeat, Heart)> {
    match Heart::new(&config.url) {
        Ok(heart) => Some((config, heart)),
        Err(why) => {
            note(said, why);
            None
        }
    }
}

/// Logs when what is wrong with it changes.
fn note(said: &mut String, why: String) {
    match (said.is_empty(), why.is_empty()) {
        (false, true) => tracing::info!("the heartbeat beats again"),
        (true, false) => tracing::warn!(why, "the heartbeat does not beat"),
        _ => {}
    }
    *said = why;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::app::clock::SystemClock;
    use crate::app::config::Config;
    use crate::base::secret::Secret;
    use crate::base::time::{Span, Time};

    #[tokio::test]
    async fn it_beats_while_all_is_well_and_no_longer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Secret::new(format!("http://{}/beat", listener.local_addr().unwrap()));
        let mut config = Config::new(Vec::new());
        config.heartbeat = Some(Heartbeat { url, every: Span::millis(5) });
        let status = Arc::new(Status::new(Arc::new(SystemClock), Arc::new(config)).unwrap());
        let count = |status: &Status, what| status.metrics.get(&metric::HEARTBEATS, &[what]).unwrap_or(0.0);
        let until = async |what, least: f64| {
            while count(&status, what) < least {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let cancel = CancellationToken::new();
        let beating = tokio::spawn(run(status.clone(), cancel.clone()));
        // the engine has no time yet: it is far behind
        until("held back", 3.0).await;
        assert_eq!((count(&status, "delivered"), count(&status, "failed")), (0.0, 0.0));
        status.set_engine_time(status.clock().now());
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = [0; 4];
        socket.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"POST");
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
        until("delivered", 1.0).await;
        drop((socket, listener));
        until("failed", 1.0).await;
        let held = count(&status, "held back");
        status.set_engine_time(Time(0));
        until("held back", held + 3.0).await;
        cancel.cancel();
        beating.await.unwrap();
    }
}
