//! A simulated mail server: takes anything from anybody for anybody, and puts it into mailboxes.

mod mail;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};

use crate::knobs::{Answer, Knobs, Service};
use crate::lab::Lab;

/// Longest line of a dialogue, in bytes (RFC 5321, 4.5.3.1.4, doubled).
const MAX_LINE: u64 = 1_024;
/// Largest mail, in bytes.
const MAX_MAIL: usize = 1024 * 1024;

/// Serves connections until the lab stops.
pub(crate) async fn serve(lab: Lab, listener: TcpListener, service: Service) {
    let stop = lab.stop_token();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let session = Session::new(lab.clone(), service, stream);
                let stop = stop.clone();
                lab.spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => (),
                        // An error is a connection that was dropped, by them or on purpose.
                        _ = session.run() => (),
                    }
                });
            }
            Err(error) => tracing::debug!(%error, "simulated mail server could not accept"),
        }
    }
}

/// One connection.
struct Session {
    lab: Lab,
    service: Service,
    stream: BufStream<TcpStream>,
    from: String,
    to: Vec<String>,
}

/// Whether the dialogue goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Close,
}

impl Session {
    fn new(lab: Lab, service: Service, stream: TcpStream) -> Self {
        let stream = BufStream::new(stream);
        Self { lab, service, stream, from: String::new(), to: Vec::new() }
    }

    async fn run(mut self) -> std::io::Result<()> {
        self.say("220 lab.localhost ESMTP simulated").await?;
        while let Some(line) = self.line().await? {
            if self.answer(&line).await? == Next::Close {
                break;
            }
        }
        Ok(())
    }

    async fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.stream.write_all(line.as_bytes()).await?;
        self.stream.write_all(b"\r\n").await?;
        self.stream.flush().await
    }

    /// The next line without its end; `None` at the end of the connection.
    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = (&mut self.stream).take(MAX_LINE).read_until(b'\n', &mut line).await?;
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        Ok((read > 0).then_some(text))
    }

    fn knobs(&self) -> Knobs {
        self.lab.knobs(self.service)
    }

    async fn answer(&mut self, line: &str) -> std::io::Result<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => {
                self.say("250-lab.localhost").await?;
                self.say("250-SIZE 1048576").await?;
                self.say("250-8BITMIME").await?;
                self.say("250-SMTPUTF8").await?;
                self.say("250 AUTH PLAIN LOGIN").await?;
            }
            "AUTH" => self.sign_in(rest).await?,
            "MAIL" => self.sender(rest).await?,
            "RCPT" => self.recipient(rest).await?,
            "DATA" => return self.data().await,
            "RSET" => {
                self.reset();
                self.say("250 2.0.0 ok").await?;
            }
            "NOOP" => self.say("250 2.0.0 ok").await?,
            "QUIT" => {
                self.say("221 2.0.0 bye").await?;
                return Ok(Next::Close);
            }
            _ => self.say("502 5.5.1 not here").await?,
        }
        Ok(Next::GoOn)
    }

    fn reset(&mut self) {
        self.from.clear();
        self.to.clear();
    }

    async fn sign_in(&mut self, rest: &str) -> std::io::Result<()> {
        if self.knobs().answer == Answer::Suspended {
            return self.say("535 5.7.8 authentication credentials invalid").await;
        }
        let mut words = rest.split_whitespace();
        let is_plain = words.next().is_some_and(|name| name.eq_ignore_ascii_case("PLAIN"));
        let awaited = match (is_plain, words.next()) {
            (true, Some(_)) => 0,
            (true, None) => 1,
            (false, _) => 2,
        };
        for _ in 0..awaited {
            self.say("334 VXNlcm5hbWU6").await?;
            self.line().await?;
        }
        self.say("235 2.7.0 welcome").await
    }

    async fn sender(&mut self, rest: &str) -> std::io::Result<()> {
        if self.knobs().answer == Answer::Suspended {
            return self.say("530 5.7.0 authentication required").await;
        }
        self.reset();
        self.from = address(rest);
        self.say("250 2.1.0 ok").await
    }

    async fn recipient(&mut self, rest: &str) -> std::io::Result<()> {
        match self.knobs().answer {
            Answer::Refuse(code) => {
                self.counted();
                self.say(&format!("{code} 5.1.1 no such mailbox")).await
            }
            Answer::TooMany { .. } => {
                self.counted();
                self.say("451 4.7.1 too many mails, try later").await
            }
            Answer::Take
            | Answer::Error(_)
            | Answer::Hang
            | Answer::TakeAndHang
            | Answer::TakeAndDrop
            | Answer::Drop
            | Answer::Suspended => {
                self.to.push(address(rest));
                self.say("250 2.1.5 ok").await
            }
        }
    }

    /// The knobs of one mail, which is counted.
    fn counted(&self) -> Knobs {
        self.lab.state().take_knobs(self.service)
    }

    async fn data(&mut self) -> std::io::Result<Next> {
        if self.to.is_empty() {
            self.say("503 5.5.1 no recipient").await?;
            return Ok(Next::GoOn);
        }
        let knobs = self.counted();
        if knobs.answer == Answer::Drop {
            return Ok(Next::Close);
        }
        self.say("354 go on").await?;
        let Some(raw) = self.text().await? else { return Ok(Next::Close) };
        if !knobs.delay.is_zero() {
            self.lab.clock().sleep(knobs.delay.try_into().unwrap_or_default()).await;
        }
        match knobs.answer {
            Answer::Error(_) => self.say("451 4.3.0 trouble of our own").await?,
            Answer::Hang => std::future::pending().await,
            Answer::TakeAndHang => {
                self.deliver(&raw, knobs);
                std::future::pending::<()>().await;
            }
            Answer::TakeAndDrop => {
                self.deliver(&raw, knobs);
                return Ok(Next::Close);
            }
            Answer::Take
            | Answer::Refuse(_)
            | Answer::TooMany { .. }
            | Answer::Drop
            | Answer::Suspended => {
                self.deliver(&raw, knobs);
                self.say("250 2.0.0 taken").await?;
            }
        }
        self.reset();
        Ok(Next::GoOn)
    }

    /// Reads up to the line with a dot; `None` where it never comes or is too long.
    async fn text(&mut self) -> std::io::Result<Option<Bytes>> {
        let mut all = Vec::new();
        loop {
            let start = all.len();
            if self.stream.read_until(b'\n', &mut all).await? == 0 || all.len() > MAX_MAIL {
                return Ok(None);
            }
            match &all[start..] {
                b".\r\n" => {
                    all.truncate(start);
                    return Ok(Some(all.into()));
                }
                // A dot at the start of a line was doubled (RFC 5321, 4.5.2).
                [b'.', ..] => {
                    all.remove(start);
                }
                _ => (),
            }
        }
    }

    fn deliver(&self, raw: &Bytes, knobs: Knobs) {
        if !knobs.arrives() {
            return;
        }
        for to in &self.to {
            let mail = mail::read(raw.clone(), &self.from, to, self.lab.now());
            self.lab.state().add_mail(mail);
        }
        self.lab.changed();
    }
}

/// The address in `FROM:<a@b> SIZE=…`.
fn address(text: &str) -> String {
    let inside = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or("", |(address, _)| address).to_owned()
}
