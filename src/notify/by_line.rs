//! A connection that hands on what the other end says line by line, and no endless answer.
//!
//! What somebody slips in behind a line is still here when the connection turns to TLS: it goes to the handshake,
//! which fails, and is never taken for an answer that was given under TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::base::limits;

/// Bytes read at once.
const CHUNK: usize = 4096;

/// The connection.
#[derive(Debug)]
pub(super) struct ByLine {
    stream: TcpStream,
    /// Read, not handed on yet from `at` on.
    held: Vec<u8>,
    at: usize,
    /// Bytes that may still come until we say something.
    left: usize,
}

impl ByLine {
    pub(super) fn new(stream: TcpStream) -> ByLine {
        ByLine { stream, held: Vec::new(), at: 0, left: limits::MAIL_ANSWER_BYTES }
    }
}

impl AsyncTokioStream for ByLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for ByLine {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.at >= this.held.len() {
            if this.left == 0 {
                let most = limits::MAIL_ANSWER_BYTES;
                return Poll::Ready(Err(io::Error::other(format!("an answer of more than {most} bytes"))));
            }
            let mut chunk = [0u8; CHUNK];
            let mut read = ReadBuf::new(chunk.get_mut(..CHUNK.min(this.left)).unwrap_or_default());
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut read))?;
            this.held = read.filled().to_vec();
            this.at = 0;
            this.left -= this.held.len();
        }
        let rest = this.held.get(this.at..).unwrap_or_default();
        let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1).min(out.remaining());
        out.put_slice(rest.get(..line).unwrap_or_default());
        this.at += line;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ByLine {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.left = limits::MAIL_ANSWER_BYTES;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
