//! Mails of the watch to this node's own door, whose answers are read word for word.

use std::net::SocketAddr;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use super::reply::chain;

/// Mails to one server, each on a connection of its own.
#[derive(Clone, Debug)]
pub struct MailProbe {
    server: SocketAddr,
    limit: Duration,
}

/// A mail was not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{text}")]
pub struct NotTaken {
    /// The code that was answered; `None`: nothing was.
    pub code: Option<u16>,
    /// Why, in words.
    pub text: String,
}

impl From<SmtpError> for NotTaken {
    fn from(error: SmtpError) -> Self {
        Self { code: error.status().map(u16::from), text: chain(&error) }
    }
}

impl MailProbe {
    /// Asks `server`, and gives up on a mail after `limit`.
    pub fn new(server: SocketAddr, limit: Duration) -> Self {
        Self { server, limit }
    }

    /// Mails `text`, headers and all; gives what the server says of it.
    ///
    /// # Errors
    ///
    /// [`NotTaken`].
    pub async fn send(&self, from: &str, to: &str, text: &str) -> Result<String, NotTaken> {
        let wrong = |_| NotTaken { code: None, text: "an address is none".to_owned() };
        let from: Address = from.parse().map_err(wrong)?;
        let to: Address = to.parse().map_err(wrong)?;
        let limit = || NotTaken { code: None, text: "no answer in time".to_owned() };
        tokio::time::timeout(self.limit, self.deliver(from, to, text)).await.map_err(|_| limit())?
    }

    async fn deliver(&self, from: Address, to: Address, text: &str) -> Result<String, NotTaken> {
        let (limit, name) = (Some(self.limit), ClientId::default());
        let mut server =
            AsyncSmtpConnection::connect_tokio1(self.server, limit, &name, None, None).await?;
        server.command(Mail::new(Some(from), Vec::new())).await?;
        server.command(Rcpt::new(to, Vec::new())).await?;
        server.command(Data).await?;
        let said = server.message(text.as_bytes()).await?;
        // It is taken, however they part.
        drop(server.quit().await);
        Ok(said.message().collect::<Vec<&str>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(500);

    async fn send(server: SocketAddr) -> Result<String, NotTaken> {
        let probe = MailProbe::new(server, LIMIT);
        probe.send("a@in.example", "int-a@in.example", "Subject: x\r\n\r\nx\r\n").await
    }

    /// A server that says one line after the other: the first at once, each other when a line of
    /// its client's has come, and what is behind 354 when a mail has.
    #[expect(clippy::disallowed_methods, reason = "a server of a test")]
    async fn saying(lines: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            for line in lines {
                stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
                let mut heard = String::new();
                while stream.read_line(&mut heard).await.unwrap_or(0) > 0 {
                    if !line.starts_with("354") || heard.ends_with("\r\n.\r\n") {
                        break;
                    }
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn what_a_server_says_of_a_mail_is_read_word_for_word() {
        let lines = &[
            "220 x",
            "250 x",
            "250 ok",
            "250 ok",
            "354 go",
            "250 2.0.0 OK queued as evt_1",
            "221 x",
        ];
        assert_eq!(send(saying(lines).await).await.unwrap(), "2.0.0 OK queued as evt_1");
    }

    #[tokio::test]
    async fn a_refusal_has_its_code_and_silence_has_none() {
        let refused = send(saying(&["421 4.7.0 too many connections from there"]).await).await;
        let refused = refused.unwrap_err();
        assert!(refused.code == Some(421) && refused.text.contains("4.7.0"), "{refused:?}");
        let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = send(mute.local_addr().unwrap()).await.unwrap_err();
        assert_eq!((silent.code, silent.text.as_str()), (None, "no answer in time"));
        let address = mute.local_addr().unwrap();
        drop(mute);
        assert_eq!(send(address).await.unwrap_err().code, None);
    }
}
