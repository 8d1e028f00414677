//! Replicating: something harmless is sent along the very path of a request, and it is shown hop
//! by hop how far it comes.
//!
//! An event that pages nobody goes through the tenant's own way in, into the ledger and through
//! alerting. From there on the path is resolved as alerting would now, and by each channel that it
//! leads to a message goes out to where canaries go: nobody is paged.

use std::time::{Duration, Instant};

use bugle_domain::contact::Channel;
use bugle_domain::event::{Action, EventBody, EventOutcome, NewEvent, SuppressReason};
use bugle_domain::integration::{Dialect, Integration};
use bugle_domain::object::Directory;
use bugle_domain::policy::Policy;
use bugle_domain::{AssistanceId, EventId, Severity, TenantScope, Urgency};
use bugle_engine::assistance::replica::{Passage, Passed, Replica};
use bugle_engine::assistance::{AssistanceRequest, Said};
use bugle_engine::message::text::names;
use bugle_engine::{reach, rules};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::AssistanceView;
use super::error::AssistanceError;
use super::open::record;
use super::trace::Trace;
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::error::Chain;
use crate::limits::REPLICAS_PER_MINUTE;
use crate::requests::would_page;

/// What is sent is known by this: its idempotency key begins with it, and its dedup key.
pub(super) const REPLICA: &str = "bugle/replica/";
/// What is sent must be accepted, be in the ledger, and be decided within this time each.
const STEP_LIMIT: Duration = Duration::from_secs(5);
/// Whoever replicates waits so long for what comes of it, which is less than a request may take.
/// After that it is recorded by itself.
const REPLICA_WAIT: Duration = Duration::from_secs(20);
/// How often it is looked how far it came.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl App {
    /// Sends something harmless along the path of a request, and shows where it stops. For
    /// operators.
    pub async fn replicate_assistance(
        &self,
        caller: &Caller,
        id: AssistanceId,
    ) -> Result<AssistanceView, AssistanceError> {
        let scope = self.scope_to_give(caller, id).await?;
        let (row, _) = self.find_assistance(scope, id).await?;
        let directory = self.directory(scope).await?;
        let by = row.request.integration.and_then(|id| directory.integrations.get(&id));
        let by = by.ok_or(AssistanceError::NoPath)?;
        let by = by.clone();
        self.begin_replica(scope, &row.request).await?;
        let (app, shown, (done, outcome)) = (self.clone(), caller.shown_name(), oneshot::channel());
        self.tasks().once(async move {
            let ended = app.end_replica(scope, &row.request, (&directory, &by), shown).await;
            // It is recorded, also where nobody waits for it any longer.
            if let Err(Err(error)) = done.send(ended) {
                tracing::error!(error = %Chain(&error), "a replica was not sent");
            }
        });
        match tokio::time::timeout(REPLICA_WAIT, outcome).await {
            Ok(Ok(ended)) => {
                let (request, trace) = ended?;
                self.view(request, trace).await
            }
            Ok(Err(_)) | Err(_) => Err(AssistanceError::Replicating),
        }
    }

    /// Sends one that has begun, and records what came of it.
    async fn end_replica(
        &self,
        scope: TenantScope,
        request: &AssistanceRequest,
        (directory, by): (&Directory, &Integration),
        shown: String,
    ) -> Result<(AssistanceRequest, Option<Trace>), AssistanceError> {
        let replica = self.replicated(request, directory, by).await;
        let kept = replica.as_ref().ok().or(request.replica.as_ref());
        let done = replica.as_ref().ok().map(|replica| Said {
            at: self.now(),
            by: shown,
            operator: true,
            text: in_words(replica),
            mailed: None,
            record: true,
        });
        let note = |request: &mut AssistanceRequest| {
            request.replica = kept.cloned();
            done.iter().cloned().for_each(|done| record(request, done));
            Ok(())
        };
        let amended = self.amend_assistance(scope, request.id, note).await?;
        replica?;
        Ok(amended)
    }

    /// Notes that one is under way. There is one of a request at a time, and so many in a minute.
    async fn begin_replica(
        &self,
        scope: TenantScope,
        request: &AssistanceRequest,
    ) -> Result<(), AssistanceError> {
        let now = self.now();
        let begin = |request: &mut AssistanceRequest| {
            if request.replica.as_ref().is_some_and(|it| it.is_under_way(now)) {
                return Err(AssistanceError::Replicating);
            }
            request.replica = Some(Replica::begun(now));
            Ok(())
        };
        begin(&mut request.clone())?;
        self.inner().limits.replicas.take(&()).map_err(|wait| {
            let (most, wait_s) = (REPLICAS_PER_MINUTE, wait.as_secs().max(1));
            AssistanceError::TooManyReplicas { most, wait_s }
        })?;
        self.amend_assistance(scope, request.id, begin).await.map(drop)
    }

    async fn replicated(
        &self,
        request: &AssistanceRequest,
        directory: &Directory,
        by: &Integration,
    ) -> Result<Replica, AssistanceError> {
        let at = self.now();
        let mut path = self.sent(request, by).await?;
        let (resolved, channels) = resolved(directory, by, self.now());
        path.extend(resolved);
        let stops = path.iter().any(|hop| hop.passage == Passage::Stopped);
        let channels = if stops {
            // Nothing comes this far.
            let none = |it: Channel| Passed::new(it.as_str(), Passage::NotReached, "");
            channels.into_iter().map(none).collect()
        } else {
            let view = self.inner().watch_view();
            self.by_channels(request.tenant, &channels, &view).await
        };
        Ok(Replica::new(at, path, channels))
    }

    /// From the way in to the decision, with a real event.
    async fn sent(
        &self,
        request: &AssistanceRequest,
        integration: &Integration,
    ) -> Result<Vec<Passed>, AssistanceError> {
        let hop = format!("integration \"{}\"", integration.name);
        if integration.disabled {
            let stops = Passed::new(hop, Passage::Stopped, "It is disabled.");
            return Ok(vec![stops.seen(self.now(), Duration::ZERO)]);
        }
        let takes = Passed::new(hop, Passage::Through, "It takes events.");
        let mut hops = vec![takes.seen(self.now(), Duration::ZERO)];
        let began = Instant::now();
        let event = harmless(request, integration, self.now());
        let (scope, id) = (TenantScope::granted(request.tenant), event.id);
        let accepting = self.intake().accept(vec![event], integration.quota_per_minute);
        let refused = match tokio::time::timeout(STEP_LIMIT, accepting).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(format!("It was not accepted: {}.", Chain(&error))),
            Err(_) => Some("It was not accepted in time.".to_owned()),
        };
        let (passage, text) = match refused {
            Some(why) => (Passage::Stopped, why),
            None => self.in_ledger(scope, id).await?,
        };
        hops.push(Passed::new("intake", passage, text).seen(self.now(), began.elapsed()));
        if passage == Passage::Through {
            let began = Instant::now();
            let (passage, text) = self.decided(scope, id).await?;
            hops.push(Passed::new("alerting", passage, text).seen(self.now(), began.elapsed()));
        }
        Ok(hops)
    }

    async fn in_ledger(
        &self,
        scope: TenantScope,
        id: EventId,
    ) -> Result<(Passage, String), AssistanceError> {
        Ok(match self.inner().store.event(scope, id).await? {
            Some(_) => (Passage::Through, format!("{id} was accepted and is in the ledger.")),
            None => (Passage::Stopped, format!("{id} was accepted and is not in the ledger.")),
        })
    }

    async fn decided(
        &self,
        scope: TenantScope,
        id: EventId,
    ) -> Result<(Passage, String), AssistanceError> {
        let began = Instant::now();
        while began.elapsed() < STEP_LIMIT {
            let found = self.inner().store.event(scope, id).await?;
            if let Some(outcome) = found.and_then(|event| event.outcome) {
                return Ok(outcome_of(outcome, began.elapsed()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let waited = STEP_LIMIT.as_secs();
        Ok((Passage::Stopped, format!("It was not decided within {waited} s.")))
    }
}

fn outcome_of(outcome: EventOutcome, took: Duration) -> (Passage, String) {
    let ms = took.as_millis();
    match outcome {
        EventOutcome::Suppressed { reason: SuppressReason::Info } => {
            (Passage::Through, format!("Decided after {ms} ms: its severity pages nobody."))
        }
        EventOutcome::Suppressed { reason } => {
            (Passage::Stopped, format!("Suppressed after {ms} ms: {}.", reason.as_str()))
        }
        EventOutcome::Alerted { .. } | EventOutcome::Folded { .. } => {
            (Passage::Through, format!("Decided after {ms} ms."))
        }
    }
}

/// An event that pages nobody, by the way in of a request.
fn harmless(request: &AssistanceRequest, by: &Integration, now: Timestamp) -> NewEvent {
    let id = entropy::event_id(now);
    let body = EventBody {
        action: Action::Trigger,
        summary: "Sent along the path of an assistance request; nothing is wrong".to_owned(),
        severity: Severity::Info,
        source: "bugle".to_owned(),
        dedup_key: format!("{REPLICA}{}", request.id),
        occurred_at: None,
        ends_at: None,
        links: Vec::new(),
        details: serde_json::Map::new(),
    };
    let raw = serde_json::to_vec(&body).ok();
    NewEvent {
        id,
        tenant: request.tenant,
        integration: by.id,
        dialect: Dialect::Native,
        received_at: now,
        idempotency_key: Some(format!("{REPLICA}{id}")),
        body,
        request: id,
        raw,
    }
}

/// From the service to the people, as alerting would go now, and the channels that lead on to them,
/// the first one first.
fn resolved(
    directory: &Directory,
    by: &Integration,
    now: Timestamp,
) -> (Vec<Passed>, Vec<Channel>) {
    let (policy, why) = would_page::policy(directory, by.service);
    let service = by.service.and_then(|id| directory.services.get(&id));
    let hop = service.map_or("service".to_owned(), |it| format!("service \"{}\"", it.name));
    let Some(policy) = policy else {
        let text = "There is no policy to follow and no fallback.";
        let stops = Passed::new(hop, Passage::Stopped, text).seen(now, Duration::ZERO);
        return (vec![stops], Vec::new());
    };
    let leads = Passed::new(hop, Passage::Through, format!("It leads to {why}."));
    let (people, channels) = told(directory, policy, now);
    (vec![leads.seen(now, Duration::ZERO), people.seen(now, Duration::ZERO)], channels)
}

/// Whom the policy's first level that reaches anybody tells, and by which channels, in the order in
/// which the first message goes out by each.
fn told(directory: &Directory, policy: &Policy, now: Timestamp) -> (Passed, Vec<Channel>) {
    let hop = format!("policy \"{}\"", policy.name);
    let mut levels = policy.levels.iter().map(|it| reach::resolve(directory, &it.targets, now));
    let Some(reached) = levels.find(|it| !it.told.is_empty()) else {
        let text = "None of its levels reaches anybody now.";
        return (Passed::new(hop, Passage::Stopped, text), Vec::new());
    };
    let steps = |user| rules::steps(directory, user, Urgency::Urgent).into_iter();
    let steps = reached.told.iter().flat_map(|told| steps(told.user));
    let of = |(delay, id)| Some((delay, directory.methods.get(&id)?.address.channel()));
    let mut steps: Vec<(u32, Channel)> = steps.filter_map(of).collect();
    steps.sort_unstable();
    let mut channels = Vec::new();
    for (_, channel) in steps {
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    let people: Vec<&str> = reached.told.iter().map(|told| told.name.as_str()).collect();
    let text = format!("It would tell {}; nobody was told now.", names(&people));
    (Passed::new(hop, Passage::Through, text), channels)
}

/// What the conversation records of one.
fn in_words(replica: &Replica) -> String {
    let why = replica.stops_at().map(|hop| format!(" {}", hop.text)).unwrap_or_default();
    format!("Sent something along the path. {}{why}", replica.outcome())
}

#[cfg(test)]
mod tests {
    use bugle_domain::IntegrationId;

    use super::*;
    use crate::sample;

    /// The hops behind alerting, each with its passage, and the channels.
    fn hops(directory: &Directory) -> (Vec<(String, Passage)>, Vec<Channel>) {
        let by = directory.integrations[&IntegrationId::from_stored(sample::nth(61))].clone();
        let (seen, channels) = resolved(directory, &by, sample::now());
        (seen.into_iter().map(|it| (it.hop, it.passage)).collect(), channels)
    }

    #[test]
    fn the_path_behind_alerting_is_shown_to_its_channels() {
        let directory = sample::directory();
        let named = |hop: &str| (hop.to_owned(), Passage::Through);
        let path = vec![named("service \"checkout-api\""), named("policy \"Payments\"")];
        assert_eq!(hops(&directory), (path, vec![Channel::Sms, Channel::Voice]));
    }

    #[test]
    fn it_stops_where_nobody_would_be_told() {
        let mut directory = sample::directory();
        directory.methods.clear();
        directory.methods_of.clear();
        let (mut path, channels) = hops(&directory);
        assert_eq!(path.pop(), Some(("policy \"Payments\"".to_owned(), Passage::Stopped)));
        assert_eq!(channels, []);
        directory.policies.clear();
        let last = hops(&directory).0.pop();
        assert_eq!(last, Some(("service \"checkout-api\"".to_owned(), Passage::Stopped)));
    }
}
