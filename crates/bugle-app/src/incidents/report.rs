//! The incident report: what Bugle knows of an incident, in numbers and in order.

use bugle_domain::object::Tenant;
use bugle_domain::{AllTenants, IncidentId, TenantScope};
use bugle_engine::incident::report::Report;
use jiff::{SignedDuration, Timestamp};

use super::error::IncidentError;
use super::view::IncidentView;
use crate::app::App;
use crate::caller::Caller;
use crate::ledger::MAX_WINDOW;

/// A change that ended so long before an incident may still have to do with it.
const CHANGED_BEFORE: SignedDuration = SignedDuration::from_mins(30);

impl App {
    /// The draft of an incident's report. Of an incident of the installation every tenant that
    /// something was said to is counted; of a tenant's, its own. Of a long one only the last 31
    /// days are.
    pub async fn incident_report(
        &self,
        caller: &Caller,
        id: IncidentId,
    ) -> Result<Report, IncidentError> {
        let IncidentView { room, watch, lines, .. } = self.incident(caller, id).await?;
        let until = room.until(self.now());
        let earliest = until.saturating_sub(MAX_WINDOW).unwrap_or(Timestamp::MIN);
        let from = room.began_at.max(earliest);
        let store = &self.inner().store;
        let tenants: Vec<Tenant> = match room.tenant {
            Some(tenant) => store.tenant(TenantScope::granted(tenant)).await?.into_iter().collect(),
            None => store.tenants(AllTenants::granted()).await?,
        };
        let tenants = self.impacts(tenants, (from, until)).await?;
        let mut changes = Vec::new();
        // What was done to the stages is the installation's affair.
        if room.tenant.is_none() {
            changes = store.guarded_changes(AllTenants::granted()).await?;
            let earliest = from.saturating_sub(CHANGED_BEFORE).unwrap_or(Timestamp::MIN);
            changes.retain(|it| it.entered_at >= earliest && it.began_at <= until);
            changes.reverse();
        }
        let base = self.public_url().as_str().trim_end_matches('/').to_owned();
        let evidence = watch.map(|incident| incident.evidence);
        Ok(Report { room, evidence, lines, changes, tenants, from, until, base })
    }
}
