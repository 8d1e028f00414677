//! A provider as fast as can be: takes every message, answers at once, keeps count.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::board::{Board, DIGITS, KEY};
use super::wire;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const REFUSAL: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";

/// A sink on a thread of its own. It lives until the program ends.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    address: SocketAddr,
    codes: Codes,
}

/// The last verification code that was sent to each path.
type Codes = Arc<Mutex<BTreeMap<String, String>>>;

impl Sink {
    /// Starts it on a loopback port of the system's choice.
    pub(crate) fn start(board: Arc<Board>) -> Result<Self> {
        let listener =
            std::net::TcpListener::bind("127.0.0.1:0").context("no port for the sink")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let codes = Codes::default();
        let sink = Self { address, codes: Arc::clone(&codes) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        std::thread::Builder::new()
            .name("sink".to_owned())
            .spawn(move || LocalSet::new().block_on(&runtime, serve(listener, board, codes)))?;
        Ok(sink)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The code that was last sent to a path, taken.
    pub(crate) fn take_code(&self, path: &str) -> Option<String> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(path)
    }
}

async fn serve(listener: std::net::TcpListener, board: Arc<Board>, codes: Codes) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (board, codes) = (Arc::clone(&board), Arc::clone(&codes));
        // A connection that breaks is the client's affair; what arrived by it is noted.
        tokio::task::spawn_local(async move {
            let _ = answer(stream, &board, &codes).await;
        });
    }
}

async fn answer(mut stream: TcpStream, board: &Board, codes: &Codes) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(64 * 1024);
    let mut answers = Vec::with_capacity(1024);
    while stream.read_buf(&mut buffer).await? > 0 {
        let mut done = 0;
        while let Some(message) = wire::message(&buffer[done..]) {
            let taken = note(&message, board, codes);
            answers.extend_from_slice(if taken { ANSWER } else { REFUSAL });
            done += message.length;
        }
        buffer.drain(..done);
        stream.write_all(&answers).await?;
        answers.clear();
    }
    Ok(())
}

/// Notes what a message is about. Returns whether it is about anything of ours.
fn note(message: &wire::Message<'_>, board: &Board, codes: &Codes) -> bool {
    if let Some(event) = event_number(message.body) {
        board.note_arrived(event, says_repeat(message));
        return true;
    }
    if let Some(code) = verification_code(message.body) {
        let path = message.path().to_owned();
        codes.lock().unwrap_or_else(PoisonError::into_inner).insert(path, code);
        return true;
    }
    board.note_stranger();
    false
}

/// Whether a message says, in header or body, that it may have been sent before.
fn says_repeat(message: &wire::Message<'_>) -> bool {
    wire::find(message.head, b"bugle-possible-repeat: true").is_some()
        || wire::find(message.body, b"\"possible_repeat\":true").is_some()
}

/// The number in the first dedup key of ours.
fn event_number(body: &[u8]) -> Option<usize> {
    let at = wire::find(body, KEY.as_bytes())? + KEY.len();
    std::str::from_utf8(body.get(at..at + DIGITS)?).ok()?.parse().ok()
}

fn verification_code(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(body.get("code")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_message_is_about() {
        assert_eq!(event_number(b"{\"dedup_key\":\"bench-0000042\"}"), Some(42));
        assert_eq!(event_number(b"{\"dedup_key\":\"other\"}"), None);
        let body = b"{\"type\":\"verification\",\"code\":\"012345\"}";
        assert_eq!(verification_code(body).as_deref(), Some("012345"));
    }
}
