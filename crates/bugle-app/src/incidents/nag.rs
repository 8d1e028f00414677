//! Tells whoever promised an update of an incident that it is due.
//!
//! Every node looks; the one that notes it in the room tells, so that it is told once. Whoever owes
//! the update is told by their own contact methods, but not by a call; where nobody does or nobody
//! was reached, the operators or the tenant's fallback policy are told.

use std::sync::Arc;

use bugle_domain::contact::Channel;
use bugle_domain::{AllTenants, Severity, TenantScope};
use bugle_engine::incident::room::{Person, Room};
use bugle_store::{RoomRow, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use tokio_util::sync::CancellationToken;

use super::TELL_WITHIN;
use crate::app::Inner;
use crate::error::Chain;
use crate::methods::send::{Saying, send};
use crate::operators::Notice;

/// How often it is looked for promises that are due.
const EVERY: SignedDuration = SignedDuration::from_secs(10);
/// Rooms that one look takes.
const MAX_ROOMS: u32 = 50;
/// Contact methods of one person that are used.
const MAX_METHODS: usize = 4;

/// Looks for promises that are due.
#[derive(Clone)]
pub(crate) struct NagLoop {
    app: Arc<Inner>,
}

impl NagLoop {
    pub(crate) fn new(app: Arc<Inner>) -> Self {
        Self { app }
    }

    /// Runs until `stop` is cancelled.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.app.clock.sleep(EVERY) => (),
            }
            if let Err(error) = self.look().await {
                tracing::error!(error = %Chain(&error), "could not look for updates that are due");
            }
        }
    }

    async fn look(&self) -> Result<(), StoreError> {
        let (all, now) = (AllTenants::granted(), self.app.clock.now());
        for row in self.app.store.rooms_due(all, now, MAX_ROOMS).await? {
            let room = row.room.id;
            if let Err(error) = self.look_at(row, now).await {
                tracing::error!(%room, error = %Chain(&error), "could not see to an update");
            }
        }
        Ok(())
    }

    async fn look_at(&self, mut row: RoomRow, now: Timestamp) -> Result<(), StoreError> {
        self.keep_up(&mut row).await?;
        let Some(line) = row.room.nag(now) else {
            return self.app.store.save_room(&row, &[]).await.map(drop);
        };
        if self.app.store.save_room(&row, &[line]).await? {
            self.app.room_changed(row.room.id);
            let app = Arc::clone(&self.app);
            let room = row.room;
            self.app.tasks.once(async move { tell(&app, &room).await });
        }
        Ok(())
    }

    /// What the public was told elsewhere, and what the watch has ended, counts here, too.
    async fn keep_up(&self, row: &mut RoomRow) -> Result<(), StoreError> {
        let RoomRow { room, .. } = row;
        if room.tenant.is_some() {
            return Ok(());
        }
        let store = &self.app.store;
        if let Some(watch) = store.incident(AllTenants::granted(), room.id).await? {
            room.follow(&watch.incident);
        }
        if let Some(told) = store.bulletin_of_incident(room.id).await? {
            room.keep_promise(told.bulletin.next_by);
        }
        Ok(())
    }
}

/// Tells whoever owes the update, or else those who are there for what nobody does.
async fn tell(app: &Arc<Inner>, room: &Room) {
    let reached = match room.speaker() {
        Some(person) => tell_person(app, room, person).await,
        None => Ok(false),
    };
    match reached {
        Ok(true) => return,
        Ok(false) => (),
        Err(error) => tracing::error!(error = %Chain(&error), "who owes an update is not known"),
    }
    let notice = notice(room);
    let told = async {
        match room.tenant {
            Some(tenant) => app.raise_in(tenant, &notice).await,
            None => app.raise(&notice).await,
        }
    };
    super::told(TELL_WITHIN, told).await;
}

/// Whether a provider took the message to one of their contact methods.
async fn tell_person(app: &Arc<Inner>, room: &Room, person: &Person) -> Result<bool, StoreError> {
    let directory = app.directories.get(TenantScope::granted(person.tenant)).await?;
    let ways = directory.methods_of.get(&person.user).into_iter().flatten();
    let ways = ways
        .filter_map(|id| directory.methods.get(id))
        .filter(|method| method.proven_at.is_some() && method.address.channel() != Channel::Voice);
    let saying = Saying::UpdateDue { title: room.title.clone(), link: super::page(app, room.id) };
    let mut reached = false;
    for method in ways.take(MAX_METHODS) {
        reached |= send(app, person.tenant, method, &saying).await.accepted;
    }
    Ok(reached)
}

fn notice(room: &Room) -> Notice {
    let count = room.nags.map_or(0, |nags| nags.count);
    let promised = room.next_update_by.map_or(0, Timestamp::as_second);
    Notice {
        key: format!("bugle/incident/{}/update/{promised}/{count}", room.id),
        summary: format!("An update is due: {}", room.title),
        severity: Severity::Medium,
        details: Map::new(),
    }
}
