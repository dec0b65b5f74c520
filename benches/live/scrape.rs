//! How long `/metrics` takes with a thousand brands, while frames come.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::frames::{Frames, Recipe};
use super::readers;
use super::server::{Plan, Server, Wire};

/// Brands with metrics of their own.
const BRANDS: usize = 1000;
/// Frames a second meanwhile.
const RATE: usize = 20_000;

/// Scrapes again and again while frames come, and prints what that took.
pub async fn scrapes(seconds: usize) {
    let mut generated = Frames::new(Recipe { brands: BRANDS, ..Recipe::default() });
    let frame = |_| {
        let mut line = String::new();
        generated.frame(&mut line);
        line
    };
    let frames = (seconds + 4) * RATE;
    let wire = std::sync::Arc::new(Wire::text((0..frames).map(frame)));
    let server = Server::bind();
    let address = server.address();
    let plan = Plan { frames, rate: Some(RATE as f64), marker_every: RATE, scattered: false };
    let (server, hold) = server.send(wire, plan);
    let (service, seen) = readers::service(address, readers::rules_of(BRANDS, 0), false, frames).await;
    // every brand has had its turn
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (mut took, mut lines, mut bytes) = (Histogram::<u64>::new(3).unwrap(), 0, 0);
    let until = Instant::now() + Duration::from_secs(seconds as u64);
    while Instant::now() < until {
        let began = Instant::now();
        let text = scrape(service.address).await;
        took.record(began.elapsed().as_micros() as u64).unwrap();
        (lines, bytes) = (text.lines().filter(|l| !l.starts_with('#')).count(), text.len());
        tokio::time::sleep(Duration::from_millis(110)).await;
    }
    let ms = |q: f64| took.value_at_quantile(q) as f64 / 1e3;
    println!(
        "\n/metrics with {BRANDS} brands, at {RATE} frames/s\n{:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "scrapes", "lines", "kB", "p50 ms", "p99 ms", "max ms"
    );
    println!("{:>8} {lines:>8} {:>8} {:>8.1} {:>8.1} {:>8.1}", took.len(), bytes / 1000, ms(0.5), ms(0.99), ms(1.0));
    seen.last(Duration::from_secs(10)).await;
    service.stop().await.unwrap();
    drop(hold);
    let _ = server.join();
}

async fn scrape(address: std::net::SocketAddr) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    text
}
