//! What operators do: see who asks and what they share, answer, read the trace again, close.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bugle_domain::{AllTenants, AssistanceId, TenantId, TenantScope};
use bugle_engine::assistance::group::{self, Group};
use bugle_engine::assistance::{AssistanceRequest, Closed, Said};
use bugle_store::AssistanceRow;

use super::error::AssistanceError;
use super::open::{attach, say};
use super::{AssistanceView, MAX_LISTED, notice};
use crate::app::App;
use crate::caller::Caller;
use crate::error::Chain;
use crate::incidents;
use crate::permission::Permission;

/// A request with the name of its tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfTenant {
    /// The request.
    pub request: AssistanceRequest,
    /// Name of its tenant.
    pub tenant: String,
}

/// All that operators see at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AssistanceDesk {
    /// All requests that are open, and the newest that are not, newest first.
    pub requests: Vec<OfTenant>,
    /// The groups of those that are open, the one that began last first.
    pub groups: Vec<Group>,
}

impl App {
    /// The requests of all tenants. For operators.
    pub async fn assistance_desk(
        &self,
        caller: &Caller,
    ) -> Result<AssistanceDesk, AssistanceError> {
        let all = caller.all_tenants(Permission::GiveAssistance)?;
        let store = &self.inner().store;
        let mut found = store.open_assistance_of_all(all).await?;
        let newest = store.assistance_of_all(all, MAX_LISTED).await?;
        found.extend(newest.into_iter().filter(|row| !row.request.open()));
        found.sort_by_key(|row| std::cmp::Reverse(row.request.id));
        let requests: Vec<AssistanceRequest> = found.into_iter().map(|row| row.request).collect();
        let names = self.names(requests.iter().map(|it| it.tenant).collect()).await;
        let named = |request: AssistanceRequest| OfTenant {
            tenant: names.get(&request.tenant).cloned().unwrap_or_default(),
            request,
        };
        let groups = group::groups(&requests, self.now());
        Ok(AssistanceDesk { requests: requests.into_iter().map(named).collect(), groups })
    }

    /// Names of the tenants that ask; of one that cannot be read, its id.
    pub(super) async fn names(&self, tenants: BTreeSet<TenantId>) -> BTreeMap<TenantId, String> {
        let mut names = BTreeMap::new();
        for tenant in tenants {
            let directory = self.directory(TenantScope::granted(tenant)).await;
            names.insert(
                tenant,
                match directory {
                    Ok(directory) => directory.tenant.name.clone(),
                    Err(error) => {
                        let error = Chain(&error);
                        tracing::error!(%tenant, %error, "the name of a tenant could not be read");
                        tenant.to_string()
                    }
                },
            );
        }
        names
    }

    /// The tenant of a request. For operators.
    pub(super) async fn scope_to_give(
        &self,
        caller: &Caller,
        id: AssistanceId,
    ) -> Result<TenantScope, AssistanceError> {
        let all = caller.all_tenants(Permission::GiveAssistance)?;
        let whose = self.inner().store.tenant_of_assistance(all, id).await?;
        whose.map(TenantScope::granted).ok_or(AssistanceError::NotFound)
    }

    /// Answers, on the page and by mail to whoever asked. For operators.
    pub async fn answer_assistance(
        &self,
        caller: &Caller,
        id: AssistanceId,
        words: &str,
    ) -> Result<AssistanceView, AssistanceError> {
        let scope = self.scope_to_give(caller, id).await?;
        let said = Said {
            at: self.now(),
            by: caller.shown_name(),
            operator: true,
            text: words.trim().to_owned(),
            mailed: None,
            record: false,
        };
        let add = |request: &mut AssistanceRequest| say(request, said.clone());
        let (request, _) = self.amend_assistance(scope, id, add).await?;
        let mailed = self.mail_answer(&request, &said).await?;
        let note = |request: &mut AssistanceRequest| {
            if let Some(kept) = request.said.iter_mut().rfind(|kept| **kept == said) {
                kept.mailed = Some(mailed.clone());
            }
            Ok(())
        };
        let (request, trace) = self.amend_assistance(scope, id, note).await?;
        self.view(request, trace).await
    }

    /// Reads what the ledger says again, and attaches that. For operators.
    pub async fn trace_assistance(
        &self,
        caller: &Caller,
        id: AssistanceId,
    ) -> Result<AssistanceView, AssistanceError> {
        let scope = self.scope_to_give(caller, id).await?;
        let (mut row, _) = self.find_assistance(scope, id).await?;
        let traced = self.traced(&row.request).await?;
        let trace = attach(&mut row.request, Ok(traced));
        self.keep_assistance(&mut row, trace.as_ref()).await?;
        self.view(row.request, trace).await
    }

    /// Closes a request that has its trace. For operators. Closing twice is harmless.
    pub async fn close_assistance(
        &self,
        caller: &Caller,
        id: AssistanceId,
    ) -> Result<AssistanceView, AssistanceError> {
        let scope = self.scope_to_give(caller, id).await?;
        if self.find_assistance(scope, id).await?.1.is_none() {
            return Err(AssistanceError::Untraced);
        }
        let by = Closed { at: self.now(), by: caller.shown_name() };
        let close = |request: &mut AssistanceRequest| {
            request.closed.get_or_insert_with(|| by.clone());
            Ok(())
        };
        let (request, trace) = self.amend_assistance(scope, id, close).await?;
        self.end_page_of(&request).await?;
        self.view(request, trace).await
    }

    /// Ends the operators' page when nothing that it was about is open any more.
    async fn end_page_of(&self, closed: &AssistanceRequest) -> Result<(), AssistanceError> {
        let Some(paged) = closed.paged else { return Ok(()) };
        let all = AllTenants::granted();
        let open = self.inner().store.open_assistance_of_all(all).await?;
        let same = |row: &AssistanceRow| row.request.paged.map(|it| it.named) == Some(paged.named);
        if !open.iter().any(same) {
            let inner = Arc::clone(self.inner());
            let key = notice::notice_key(paged.named);
            incidents::tell(self.inner(), async move { inner.clear(&key).await });
        }
        Ok(())
    }
}
