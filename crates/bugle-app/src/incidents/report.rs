//! The incident report: what Bugle knows of an incident, in numbers and in order.

use bugle_domain::object::Tenant;
use bugle_domain::{AllTenants, IncidentId, TenantScope};
use bugle_engine::incident::report::{Impact, Report, TenantImpact};
use bugle_engine::incident::room::Room;
use jiff::{SignedDuration, Timestamp};

use super::error::IncidentError;
use super::view::IncidentView;
use crate::app::App;
use crate::caller::Caller;

/// The longest time whose events and notifications are counted: the last of a longer one.
const MAX_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 7);

impl App {
    /// The draft of an incident's report. Of an incident of the installation every tenant that
    /// something was said to is counted; of a tenant's, its own.
    pub async fn incident_report(
        &self,
        caller: &Caller,
        id: IncidentId,
    ) -> Result<Report, IncidentError> {
        let IncidentView { room, watch, lines, .. } = self.incident(caller, id).await?;
        let until = room.until(self.now());
        let earliest = until.saturating_sub(MAX_WINDOW).unwrap_or(Timestamp::MIN);
        let from = room.began_at.max(earliest);
        let tenants = self.impacts(&room, (from, until)).await?;
        let base = self.public_url().as_str().trim_end_matches('/').to_owned();
        let evidence = watch.map(|incident| incident.evidence);
        Ok(Report { room, evidence, lines, tenants, from, until, base })
    }

    async fn impacts(
        &self,
        room: &Room,
        window: (Timestamp, Timestamp),
    ) -> Result<Vec<TenantImpact>, IncidentError> {
        let store = &self.inner().store;
        let tenants: Vec<Tenant> = match room.tenant {
            Some(tenant) => store.tenant(TenantScope::granted(tenant)).await?.into_iter().collect(),
            None => store.tenants(AllTenants::granted()).await?,
        };
        let mut found = Vec::new();
        for tenant in tenants {
            let scope = TenantScope::granted(tenant.id);
            let impact = store.impact(scope, window, self.now()).await?;
            if impact != Impact::default() {
                found.push(TenantImpact { tenant: tenant.id, name: tenant.name, impact });
            }
        }
        Ok(found)
    }
}
