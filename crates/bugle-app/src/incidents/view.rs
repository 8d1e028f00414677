//! Reading incidents: whose a caller may see, and the timeline put together from what was written
//! down and from what the alerts say.

use std::collections::BTreeMap;

use bugle_domain::alert::{Alert, TimelineEntry};
use bugle_domain::{IncidentId, TenantId, TenantScope};
use bugle_engine::incident::room::{Origin, Room};
use bugle_engine::incident::{Incident, IncidentLine};
use bugle_engine::narrate;
use bugle_engine::status::bulletin::Bulletin;
use bugle_store::{RoomRow, StoreError};

use super::error::IncidentError;
use super::people::Candidate;
use super::{notice_key, page};
use crate::app::App;
use crate::caller::Caller;
use crate::permission::Permission;

/// Incidents in the list.
const MAX_LISTED: u32 = 100;
/// Lines that one alert brings into a timeline.
const MAX_LINES_OF_ALERT: u32 = 200;

/// An incident: what people made of it, and what the watch knows where it declared it.
#[derive(Clone, PartialEq, Debug)]
pub struct IncidentView {
    /// The room.
    pub room: Room,
    /// What the watch knows.
    pub watch: Option<Incident>,
    /// Its timeline, oldest first; every line has a link.
    pub lines: Vec<IncidentLine>,
    /// What the public is told of it; for operators.
    pub bulletin: Option<Bulletin>,
    /// Who can work on it, for those who may.
    pub candidates: Vec<Candidate>,
    /// Whether the caller may work on it.
    pub may_act: bool,
}

/// An incident as it was found for a caller.
pub(super) struct Found {
    pub(super) row: RoomRow,
    pub(super) watch: Option<Incident>,
}

impl Found {
    fn new(watch: Option<Incident>, row: Option<RoomRow>) -> Option<Self> {
        let mut row = match (&watch, row) {
            (_, Some(row)) => row,
            (Some(incident), None) => RoomRow { room: Room::of_watch(incident), version: 0 },
            (None, None) => return None,
        };
        if let Some(incident) = &watch {
            row.room.follow(incident);
        }
        Some(Self { row, watch })
    }
}

impl App {
    /// The newest incidents that the caller may see, newest first: those of the tenant, and for
    /// operators those of the installation.
    pub async fn incidents(
        &self,
        caller: &Caller,
    ) -> Result<Vec<(Room, Option<Incident>)>, IncidentError> {
        if !caller.operator {
            caller.require(Permission::ReadOwnIncidents)?;
        }
        let store = &self.inner().store;
        let mut found = Vec::new();
        if caller.may(Permission::ReadOwnIncidents) {
            let own = store.rooms(caller.scope, MAX_LISTED).await?;
            found.extend(own.into_iter().map(|row| (row.room, None)));
        }
        if let Ok(all) = caller.all_tenants(Permission::ReadIncidents) {
            let rooms = store.installation_rooms(all, MAX_LISTED).await?;
            let mut rooms: BTreeMap<IncidentId, RoomRow> =
                rooms.into_iter().map(|row| (row.room.id, row)).collect();
            for row in store.incidents(all, MAX_LISTED).await? {
                let id = row.incident.id;
                let it = Found::new(Some(row.incident), rooms.remove(&id));
                found.extend(it.map(|it| (it.row.room, it.watch)));
            }
            // The watch declared some longer ago than is listed.
            let declared = rooms.into_values().map(|row| row.room);
            let by_people = declared.filter(|room| room.origin != Origin::Watch);
            found.extend(by_people.map(|room| (room, None)));
        }
        found.sort_by_key(|(room, _)| std::cmp::Reverse((room.declared_at, room.id)));
        found.truncate(usize::try_from(MAX_LISTED).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// One incident with all that its page needs.
    pub async fn incident(
        &self,
        caller: &Caller,
        id: IncidentId,
    ) -> Result<IncidentView, IncidentError> {
        let Found { row: RoomRow { mut room, .. }, watch } = self.find_incident(caller, id).await?;
        let inner = self.inner();
        let bulletin = match room.tenant {
            None => inner.store.bulletin_of_incident(id).await?.map(|row| row.bulletin),
            Some(_) => None,
        };
        if let Some(told) = &bulletin {
            let first = told.updates.first().map(|update| update.at);
            room.first_post_at = first.or(room.first_post_at);
            room.next_update_by = told.next_by.or(room.next_update_by);
        }
        let may_act = caller.may(to_lead(room.tenant));
        let candidates = if may_act { inner.candidates(&room).await? } else { Vec::new() };
        let lines = self.timeline(caller, &room).await?;
        Ok(IncidentView { room, watch, lines, bulletin, candidates, may_act })
    }

    /// The incident, if it is one of the tenant's or, for operators, of the installation's.
    pub(super) async fn find_incident(
        &self,
        caller: &Caller,
        id: IncidentId,
    ) -> Result<Found, IncidentError> {
        let store = &self.inner().store;
        if !caller.operator {
            caller.require(Permission::ReadOwnIncidents)?;
        }
        if caller.may(Permission::ReadOwnIncidents)
            && let Some(found) = Found::new(None, store.room(caller.scope, id).await?)
        {
            return Ok(found);
        }
        let Ok(all) = caller.all_tenants(Permission::ReadIncidents) else {
            return Err(IncidentError::NotFound);
        };
        let room = store.installation_room(all, id).await?;
        let watch = store.incident(all, id).await?.map(|row| row.incident);
        Found::new(watch, room).ok_or(IncidentError::NotFound)
    }

    /// What was written down, and what the alerts say, in order. Alerts of a tenant are seen by
    /// its own people only.
    async fn timeline(
        &self,
        caller: &Caller,
        room: &Room,
    ) -> Result<Vec<IncidentLine>, StoreError> {
        let kept = self.inner().store.incident_lines(room.id).await?;
        let own = |(number, mut line): (i64, IncidentLine)| {
            line.link.get_or_insert_with(|| format!("/incidents/{}#l{number}", room.id));
            line
        };
        let mut lines: Vec<IncidentLine> = kept.into_iter().map(own).collect();
        if caller.may(Permission::ReadAlerts) {
            for alert in self.alerts_of(caller.scope, room).await? {
                lines.extend(self.lines_of(caller.scope, &alert).await?);
            }
        }
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }

    /// The alerts that an incident is about and that the reader's tenant has: those that were
    /// added, those of who was paged from it, and the one by which the operators were paged.
    async fn alerts_of(&self, scope: TenantScope, room: &Room) -> Result<Vec<Alert>, StoreError> {
        let inner = self.inner();
        let mut found = Vec::new();
        if room.tenant.is_none() {
            found.extend(inner.notice_alert(scope.tenant(), &notice_key(room.id)).await?);
        }
        for paged in room.paged.iter().filter(|it| it.tenant == scope.tenant()) {
            let key = page::key(room.id, paged.user);
            found.extend(inner.own_alert(scope.tenant(), &key).await?);
        }
        for linked in room.alerts.iter().filter(|it| it.tenant == scope.tenant()) {
            found.extend(inner.store.alert(scope, linked.id).await?);
        }
        Ok(found)
    }

    async fn lines_of(
        &self,
        scope: TenantScope,
        alert: &Alert,
    ) -> Result<Vec<IncidentLine>, StoreError> {
        let directory = self.directory(scope).await?;
        let timeline = self.inner().store.timeline(scope, alert.id, MAX_LINES_OF_ALERT).await?;
        let number = alert.number;
        let line = |(at, entry): &(_, TimelineEntry)| {
            let text = format!("#{number}: {}", narrate::line(entry, &directory));
            IncidentLine::new(source(entry), text, *at).linked(format!("/alerts/{number}"))
        };
        Ok(timeline.iter().map(line).collect())
    }
}

/// What somebody must be allowed who works on an incident of this tenant, or of the installation.
pub(super) fn to_lead(tenant: Option<TenantId>) -> Permission {
    match tenant {
        Some(_) => Permission::LeadOwnIncidents,
        None => Permission::LeadIncidents,
    }
}

/// Where in an incident's timeline a line of an alert is looked for.
fn source(entry: &TimelineEntry) -> &'static str {
    match entry {
        TimelineEntry::Opened { .. }
        | TimelineEntry::Worsened { .. }
        | TimelineEntry::WaitsAgain { .. } => "alert",
        TimelineEntry::LevelTold { .. }
        | TimelineEntry::LevelSkipped { .. }
        | TimelineEntry::ClockStands { .. }
        | TimelineEntry::ClockRuns { .. }
        | TimelineEntry::FallbackBegun { .. }
        | TimelineEntry::Exhausted
        | TimelineEntry::Hopped { .. } => "page",
        TimelineEntry::Acknowledged { .. }
        | TimelineEntry::PassedOn { .. }
        | TimelineEntry::Resolved { .. } => "answer",
        TimelineEntry::Note { .. } => "note",
    }
}
