//! Lines of an SMTP connection: read strictly, within limits of size and time.
//!
//! A line ends with CRLF and with nothing else. A bare CR or LF is refused, because two programs
//! that read it in two ways can be made to see two mails where there is one.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::io::{AsyncWriteExt as _, BufStream};
use tokio::time::timeout;

/// Longest line of the dialogue, in bytes (RFC 5321, 4.5.3.1.4, with room for extensions).
const MAX_COMMAND: u64 = 2_048;
/// Longest line of a mail, in bytes. RFC 5321, 4.5.3.1.6 says 1,000; not every program keeps to it.
const MAX_TEXT_LINE: u64 = 4_096;
/// Bytes that are read past the largest mail before the connection is cut.
const MAX_DRAINED: usize = 32 * 1_024 * 1_024;
/// How long an answer may take to leave.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// Both directions of a connection.
pub(super) struct Wire<S> {
    stream: BufStream<S>,
    wait: Duration,
}

/// What was read, or why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Read {
    /// All of it: a line with its end, or a mail without its last dot.
    Whole(Vec<u8>),
    /// It is larger than it may be.
    TooBig,
    /// So much of it came that its end is not waited for: what follows is no command.
    Endless,
    /// A line has no end within its bound.
    TooLong,
    /// A CR without LF, or an LF without CR.
    Bare,
    /// Nothing came in time.
    TooSlow,
    /// The other side is gone.
    Gone,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Waits so long for each line.
    pub(super) fn new(stream: S, wait: Duration) -> Self {
        Self { stream: BufStream::new(stream), wait }
    }

    /// Waits so long for each line from now on.
    pub(super) fn wait_for(&mut self, wait: Duration) {
        self.wait = wait;
    }

    /// Sends what is complete with its line ends.
    pub(super) async fn say(&mut self, text: &str) -> std::io::Result<()> {
        let writing = async {
            self.stream.write_all(text.as_bytes()).await?;
            self.stream.flush().await
        };
        timeout(WRITE_LIMIT, writing)
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }

    /// The next line of the dialogue, with its end.
    ///
    /// # Cancel safety
    ///
    /// What was read of a line is lost; the connection is closed then.
    pub(super) async fn command(&mut self) -> Read {
        self.line(MAX_COMMAND).await
    }

    async fn line(&mut self, most: u64) -> Read {
        let mut line = Vec::new();
        let mut bounded = (&mut self.stream).take(most);
        match timeout(self.wait, bounded.read_until(b'\n', &mut line)).await {
            Err(_) => Read::TooSlow,
            Ok(Err(_) | Ok(0)) => Read::Gone,
            Ok(Ok(_)) if !line.ends_with(b"\n") && line.len() as u64 >= most => Read::TooLong,
            Ok(Ok(_)) if !line.ends_with(b"\n") => Read::Gone,
            Ok(Ok(_)) if is_strict(&line) => Read::Whole(line),
            Ok(Ok(_)) => Read::Bare,
        }
    }

    /// A mail up to its last dot, of at most so many bytes. What is wrong with it is found out at
    /// once and told at its end, because nobody listens before.
    pub(super) async fn text(&mut self, most: usize) -> Read {
        let (mut text, mut drained, mut fault) = (Vec::new(), 0, None);
        while drained < MAX_DRAINED {
            match self.line(MAX_TEXT_LINE).await {
                Read::Whole(line) if line == b".\r\n" => return fault.unwrap_or(Read::Whole(text)),
                Read::Whole(line) => {
                    let line = line.strip_prefix(b".").unwrap_or(&line);
                    drained += line.len();
                    match &fault {
                        None if text.len() + line.len() <= most => text.extend_from_slice(line),
                        None => fault = Some(Read::TooBig),
                        Some(_) => (),
                    }
                }
                end @ (Read::Gone | Read::TooSlow | Read::TooBig | Read::Endless) => return end,
                wrong @ (Read::Bare | Read::TooLong) => {
                    drained += usize::try_from(MAX_TEXT_LINE).unwrap_or(usize::MAX);
                    fault.get_or_insert(wrong);
                }
            }
            if fault.is_some() {
                text = Vec::new();
            }
        }
        Read::Endless
    }
}

/// Whether a line that ends with LF ends with CRLF, and has no other CR.
fn is_strict(line: &[u8]) -> bool {
    line.strip_suffix(b"\r\n").is_some_and(|rest| !rest.contains(&b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text_of(sent: &[u8], most: usize) -> Read {
        let (mut here, there) = tokio::io::duplex(64 * 1_024);
        here.write_all(sent).await.unwrap();
        drop(here);
        Wire::new(there, Duration::from_secs(5)).text(most).await
    }

    #[tokio::test]
    async fn a_mail_ends_with_a_dot_between_crlf_and_with_nothing_else() {
        let whole = |text: &str| Read::Whole(text.as_bytes().to_vec());
        assert_eq!(text_of(b"a\r\n..b\r\n.\r\n", 100).await, whole("a\r\n.b\r\n"));
        assert_eq!(text_of(b".\r\n", 100).await, whole(""));
        for smuggled in [
            &b"a\n.\nMAIL FROM:<x>\r\n.\r\n"[..],
            b"a\r\n.\nMAIL FROM:<x>\r\n.\r\n",
            b"a\n.\r\n.\r\n",
            b"a\r\r\n.\r\n",
            b"a\r.\r\n.\r\n",
        ] {
            assert_eq!(text_of(smuggled, 100).await, Read::Bare, "{smuggled:?}");
        }
    }

    #[tokio::test]
    async fn sizes_are_bounded() {
        assert_eq!(
            text_of(b"12345\r\n12345\r\n.\r\n", 14).await,
            Read::Whole(b"12345\r\n12345\r\n".to_vec())
        );
        assert_eq!(text_of(b"12345\r\n12345\r\n.\r\n", 13).await, Read::TooBig);
        let long = [vec![b'a'; 5_000], b"\r\n.\r\n".to_vec()].concat();
        assert_eq!(text_of(&long, 10_000).await, Read::TooLong);
        assert_eq!(text_of(b"a\r\n", 100).await, Read::Gone);
        let endless = b"1234567890123456789012345678901234567890\r\n".repeat(MAX_DRAINED / 40);
        let (mut here, there) = tokio::io::duplex(1 << 20);
        let mut wire = Wire::new(there, Duration::from_secs(5));
        let (sent, read) =
            tokio::join!(here.write_all(&endless[..MAX_DRAINED + 100]), wire.text(100));
        sent.unwrap();
        assert_eq!(read, Read::Endless);
    }
}
