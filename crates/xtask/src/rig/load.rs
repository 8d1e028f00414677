//! A load as cheap as can be: requests rendered once, one thread, kept connections.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::board::{Board, DIGITS, KEY};
use super::wire;

const RECONNECT_AFTER: Duration = Duration::from_millis(2);
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A request with a place for the event's number.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    digits_at: usize,
}

impl Template {
    /// Renders a request; `body` has the first dedup key `bench-0000000`.
    ///
    /// # Errors
    ///
    /// It has not.
    pub(crate) fn new(head: &str, body: &str) -> Result<Self> {
        let bytes = format!(
            "{head}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes();
        let key = wire::find(&bytes, KEY.as_bytes()).context("a request without a dedup key")?;
        Ok(Self { bytes, digits_at: key + KEY.len() })
    }

    fn set_number(&mut self, mut number: usize) {
        for byte in self.bytes[self.digits_at..self.digits_at + DIGITS].iter_mut().rev() {
            *byte = b"0123456789"[number % 10];
            number /= 10;
        }
    }
}

/// What to send, and how.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) target: SocketAddr,
    /// Taken in turn.
    pub(crate) templates: Arc<[Template]>,
    pub(crate) board: Arc<Board>,
    pub(crate) connections: usize,
    /// Numbers of the events to send, in order.
    pub(crate) events: Range<usize>,
    /// `None`: each connection sends its next as soon as it has an answer.
    pub(crate) per_second: Option<f64>,
    /// No event is begun after this.
    pub(crate) time: Option<Duration>,
    /// The server may go away and come back: its silence is noted, and no error.
    pub(crate) survives: bool,
    /// Set from outside to end it early.
    pub(crate) stop: Arc<AtomicBool>,
}

/// What came of a load.
#[derive(Clone, Default, Debug)]
pub(crate) struct Fired {
    /// Events begun: the first so many of the range.
    pub(crate) begun: usize,
    /// Answered with 2xx.
    pub(crate) accepted: usize,
    /// Sent, at least in part, and never answered.
    pub(crate) cut: usize,
    /// Other answers, by status, with one of each.
    pub(crate) refused: BTreeMap<u16, (usize, String)>,
}

impl Fired {
    /// All that was begun was accepted.
    pub(crate) fn check(self) -> Result<Self> {
        if let Some((status, (count, example))) = self.refused.first_key_value() {
            bail!("{count} of {} events were refused with {status}: {example}", self.begun);
        }
        if self.accepted != self.begun {
            bail!("{} of {} events had no answer", self.begun - self.accepted, self.begun);
        }
        Ok(self)
    }
}

impl Load {
    /// Sends it all, on a thread of its own.
    pub(crate) async fn fire(self) -> Result<Fired> {
        tokio::task::spawn_blocking(move || self.run()).await.context("the load panicked")?
    }

    fn run(self) -> Result<Fired> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connections = self.connections;
        let gun = Rc::new(Gun {
            next: Cell::new(self.events.start),
            began: Instant::now(),
            fired: RefCell::new(Fired::default()),
            load: self,
        });
        LocalSet::new().block_on(&runtime, async {
            let shooters: Vec<_> = (0..connections)
                .map(|_| tokio::task::spawn_local(Rc::clone(&gun).shoot()))
                .collect();
            for shooter in shooters {
                shooter.await.context("a connection of the load panicked")??;
            }
            anyhow::Ok(())
        })?;
        let mut fired = gun.fired.borrow().clone();
        fired.begun = gun.next.get() - gun.load.events.start;
        Ok(fired)
    }
}

/// What the connections of a load share.
struct Gun {
    load: Load,
    began: Instant,
    next: Cell<usize>,
    fired: RefCell<Fired>,
}

impl Gun {
    /// One connection's work.
    async fn shoot(self: Rc<Self>) -> Result<()> {
        let mut templates = self.load.templates.to_vec();
        let mut buffer = Vec::with_capacity(16 * 1024);
        let mut connection = None;
        while let Some(event) = self.next_event().await {
            let turn = event % templates.len();
            let template = &mut templates[turn];
            template.set_number(event);
            if connection.is_none() {
                connection = self.connect().await?;
            }
            let Some(stream) = &mut connection else { break };
            self.load.board.note_sent(event);
            match exchange(stream, &template.bytes, &mut buffer).await {
                Ok((200..=299, _)) => {
                    self.load.board.note_acked(event);
                    self.fired.borrow_mut().accepted += 1;
                }
                Ok((status, body)) => {
                    let mut fired = self.fired.borrow_mut();
                    fired.refused.entry(status).or_insert((0, body)).0 += 1;
                }
                Err(error) if self.load.survives => {
                    drop(error);
                    self.fired.borrow_mut().cut += 1;
                    connection = None;
                }
                Err(error) => return Err(error).context("an event was not answered"),
            }
        }
        Ok(())
    }

    /// Takes the next event when it is due. `None`: it is over.
    async fn next_event(&self) -> Option<usize> {
        let event = self.next.get();
        let over = self.load.time.is_some_and(|time| self.began.elapsed() > time);
        if event >= self.load.events.end || over || self.load.stop.load(Relaxed) {
            return None;
        }
        self.next.set(event + 1);
        if let Some(per_second) = self.load.per_second {
            let turn = u32::try_from(event - self.load.events.start).unwrap_or(u32::MAX);
            let due = self.began + Duration::from_secs_f64(f64::from(turn) / per_second);
            tokio::time::sleep_until(due.into()).await;
        }
        Some(event)
    }

    /// Connects; `None` once it is over.
    async fn connect(&self) -> Result<Option<TcpStream>> {
        loop {
            match TcpStream::connect(self.load.target).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Some(stream));
                }
                Err(_) if self.load.survives && !self.load.stop.load(Relaxed) => {
                    tokio::time::sleep(RECONNECT_AFTER).await;
                }
                Err(_) if self.load.survives => return Ok(None),
                Err(error) => return Err(error).context("could not connect"),
            }
        }
    }
}

/// Sends a request and reads its answer. The body is returned only of one that is not 2xx.
async fn exchange(
    stream: &mut TcpStream,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<(u16, String)> {
    let answer = async {
        stream.write_all(request).await?;
        buffer.clear();
        loop {
            if stream.read_buf(buffer).await? == 0 {
                bail!("the connection was closed");
            }
            if let Some(message) = wire::message(buffer) {
                let status = message.status();
                let said = if status < 300 { &b""[..] } else { message.body };
                return Ok((status, String::from_utf8_lossy(said).into_owned()));
            }
        }
    };
    tokio::time::timeout(ANSWER_LIMIT, answer).await.context("no answer in time")?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::sink::Sink;

    fn template() -> Template {
        Template::new("POST /x HTTP/1.1\r\nhost: x", "{\"dedup_key\":\"bench-0000000\"}").unwrap()
    }

    #[test]
    fn the_number_is_written_into_the_request() {
        let mut template = template();
        template.set_number(1_234);
        assert!(String::from_utf8(template.bytes).unwrap().ends_with("\"bench-0001234\"}"));
    }

    #[tokio::test]
    async fn every_event_of_a_load_arrives_at_the_sink_once() {
        let board = Arc::new(Board::new(500));
        let sink = Sink::start(Arc::clone(&board)).unwrap();
        let load = Load {
            target: sink.address(),
            templates: Arc::from([template(), template()]),
            board: Arc::clone(&board),
            connections: 3,
            events: board.reserve(500).unwrap(),
            per_second: None,
            time: None,
            survives: false,
            stop: Arc::default(),
        };
        let fired = load.fire().await.unwrap().check().unwrap();
        assert_eq!((fired.begun, fired.accepted, board.arrived()), (500, 500, 500));
        let fates = board.fates(0..500);
        assert_eq!((fates.missing, fates.doubled), (vec![], vec![]));
    }
}
