//! Mail in: an SMTP server for addresses of ours alone.
//!
//! Like a route of HTTP it parses, calls one use case of `bugle-app`, and shapes the answer. A mail
//! is answered with 250 when what it asks for is kept, and it is never bounced after that.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bugle_app::assistance::error::AssistanceError;
use bugle_app::assistance::{Correspondent, Taken};
use bugle_app::keys::IntegrationRef;
use bugle_app::{App, Chain, ErrorKind, UseCaseError as _, limits};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::intake::{Refusal, answers, email};
use crate::server::ACCEPT_BACK_OFF;

pub(crate) mod letter;
mod reply;
mod session;
mod wire;

use letter::Letter;
use reply::Reply;
use session::{Desk, Office, Waits, of_unfit, talk};

/// Bounds on what mail servers may use.
#[derive(Clone, Copy, Debug)]
pub struct MailLimits {
    /// Connections at the same time; more are asked to come again.
    pub connections: usize,
    /// Those from one place: an address, or the network of a customer.
    pub connections_from: usize,
    /// Mails that are being read at the same time, each of up to 10 MB.
    pub reading: usize,
    /// Longest wait, when the server stops, for mails that are being taken.
    pub grace: Duration,
}

impl MailLimits {
    /// What suits a server of any size. From one place come as many as Postfix begins by itself
    /// (`default_destination_concurrency_limit`).
    pub const STANDARD: Self =
        Self { connections: 200, connections_from: 20, reading: 8, grace: Duration::from_secs(5) };
}

/// What all connections share.
struct Shared {
    app: App,
    domain: String,
    places: Semaphore,
    reading: Arc<Semaphore>,
    from: Mutex<BTreeMap<IpAddr, usize>>,
}

/// Takes mail for addresses at `domain` until `stop` is cancelled, then lets mails that are being
/// taken finish.
pub async fn serve_mail(
    listener: TcpListener,
    (app, domain): (App, String),
    limits: MailLimits,
    stop: CancellationToken,
) {
    let shared = Arc::new(Shared {
        app,
        domain,
        places: Semaphore::new(limits.connections),
        reading: Arc::new(Semaphore::new(limits.reading)),
        from: Mutex::default(),
    });
    let (connections, cut) = (TaskTracker::new(), CancellationToken::new());
    while let Some((stream, peer)) = next(&listener, &stop).await {
        let (shared, stop, cut) = (Arc::clone(&shared), stop.clone(), cut.clone());
        connections.spawn(async move {
            tokio::select! {
                () = connection(&shared, (stream, peer), limits.connections_from, stop) => (),
                () = cut.cancelled() => (),
            }
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.grace, connections.wait()).await.is_err() {
        cut.cancel();
        connections.wait().await;
    }
}

/// The next connection; `None` when the server stops.
async fn next(listener: &TcpListener, stop: &CancellationToken) -> Option<(TcpStream, SocketAddr)> {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return None,
        };
        match accepted {
            Ok(accepted) => return Some(accepted),
            Err(error) => {
                tracing::warn!(%error, "could not accept a mail server");
                tokio::time::sleep(ACCEPT_BACK_OFF).await;
            }
        }
    }
}

async fn connection(
    shared: &Shared,
    (mut stream, peer): (TcpStream, SocketAddr),
    most_from: usize,
    stop: CancellationToken,
) {
    let place = shared.places.try_acquire();
    let seat = Seat::take(&shared.from, peer.ip(), most_from);
    let refused = match (&place, &seat) {
        (Err(_), _) => Some(reply::CLOSING),
        (Ok(_), None) => Some(reply::TOO_MANY_FROM),
        (Ok(_), Some(_)) => None,
    };
    if let Some(refused) = refused {
        metrics::counter!("bugle_mails_in_total", "outcome" => refused.outcome()).increment(1);
        // Whoever is gone meanwhile is not told.
        let _ = stream.write_all(refused.to_string().as_bytes()).await;
        return;
    }
    let desk = Desk {
        office: &shared.app,
        domain: &shared.domain,
        reading: &shared.reading,
        waits: Waits::STANDARD,
    };
    talk(desk, stream, stop).await;
}

/// A connection from a place, as long as it lasts.
struct Seat<'a> {
    from: &'a Mutex<BTreeMap<IpAddr, usize>>,
    place: IpAddr,
}

impl<'a> Seat<'a> {
    fn take(from: &'a Mutex<BTreeMap<IpAddr, usize>>, ip: IpAddr, most: usize) -> Option<Self> {
        let place = limits::place(ip);
        let mut taken = from.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(place).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Self { from, place })
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut taken = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.place) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.place);
            }
        }
    }
}

/// Whose an address is.
enum Owner {
    /// Somebody who may ask for assistance.
    Person(Correspondent),
    /// An integration, which takes events.
    Integration(Arc<IntegrationRef>),
}

impl Office for App {
    type Owner = Owner;

    async fn find(&self, local: &str) -> Result<Option<Owner>, Reply> {
        match self.integration_at(local).await {
            Ok(Some(to)) if to.integration.disabled => return Err(reply::DISABLED),
            Ok(Some(to)) => return Ok(Some(Owner::Integration(to))),
            Ok(None) => (),
            Err(error) => {
                tracing::error!(error = %Chain(&error), "an address could not be looked up");
                return Err(reply::LATER);
            }
        }
        let person = self.correspondent(local).await.map_err(|error| of_error(&error))?;
        Ok(person.map(Owner::Person))
    }

    async fn take(&self, owners: &[Owner], letter: &Letter) -> Reply {
        let (mut events, mut worst) = (Vec::new(), None::<Reply>);
        for owner in owners {
            let said = match owner {
                Owner::Person(person) => ask(self, person, letter).await,
                Owner::Integration(to) => match letter.as_event() {
                    Ok(letter) => {
                        let taken = email::take(self, to, letter).await;
                        taken.map(|event| events.push(event)).map_err(|it| of_refusal(&it))
                    }
                    Err(unfit) => Err(of_unfit(unfit)),
                },
            };
            // What may go well later comes again for all; what was done is not done again.
            if let Err(said) = said
                && (worst.is_none() || (400..500).contains(&said.code))
            {
                worst = Some(said);
            }
        }
        match worst {
            Some(said) => said,
            None if events.is_empty() => reply::KEPT,
            None => Reply::queued(&events),
        }
    }
}

/// Has somebody ask by mail.
async fn ask(app: &App, person: &Correspondent, letter: &Letter) -> Result<(), Reply> {
    let mail = letter.by_a_person().map_err(of_unfit)?;
    match app.take_mail(person, mail).await {
        Ok(Taken::Done | Taken::Repeated) => Ok(()),
        Ok(Taken::Running) => Err(reply::LATER),
        Err(error) => Err(of_error(&error)),
    }
}

/// How it is said that an event is not taken.
fn of_refusal(refusal: &Refusal) -> Reply {
    let (code, enhanced) = email::answer(refusal);
    Reply::because(code, enhanced, &answers::reason(refusal))
}

fn of_error(error: &AssistanceError) -> Reply {
    match error.kind() {
        ErrorKind::Invalid => Reply::because(554, "5.6.0", &error.to_string()),
        ErrorKind::RateLimited => Reply::because(552, "5.2.2", &error.to_string()),
        ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound => {
            Reply::because(550, "5.7.1", &error.to_string())
        }
        ErrorKind::Conflict | ErrorKind::Unavailable | ErrorKind::Internal => {
            tracing::error!(error = %Chain(error), "a mail could not be taken");
            reply::LATER
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_seats() {
        let from = Mutex::default();
        let ip = |last| IpAddr::from([192, 0, 2, last]);
        let first = Seat::take(&from, ip(1), 2);
        let second = Seat::take(&from, ip(1), 2);
        assert!(first.is_some() && second.is_some() && Seat::take(&from, ip(1), 2).is_none());
        assert!(Seat::take(&from, ip(2), 2).is_some());
        drop(first);
        assert!(Seat::take(&from, ip(1), 2).is_some());
        drop(second);
        assert!(from.lock().unwrap().is_empty());
        let of_network = |last| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        let _first = Seat::take(&from, of_network(1), 1);
        assert!(Seat::take(&from, of_network(2), 1).is_none(), "a customer has all of it");
    }
}
