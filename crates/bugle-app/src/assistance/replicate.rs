//! Replicating: something harmless is sent along the very path of a request, and it is shown hop
//! by hop how far it comes.
//!
//! An event that pages nobody goes through the tenant's own way in, into the ledger and through
//! alerting. From there on the path is resolved as alerting would now, and each channel is judged
//! by the canaries that go through it: nobody is paged.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bugle_domain::contact::Channel;
use bugle_domain::event::{Action, EventBody, EventOutcome, NewEvent, SuppressReason};
use bugle_domain::integration::{Dialect, Integration};
use bugle_domain::object::Directory;
use bugle_domain::policy::Policy;
use bugle_domain::{AssistanceId, EventId, Severity, TenantScope, Urgency};
use bugle_engine::assistance::AssistanceRequest;
use bugle_engine::assistance::replica::{Passage, Passed, Replica};
use bugle_engine::message::text::names;
use bugle_engine::watch::{Canary, View};
use bugle_engine::{reach, rules};
use jiff::Timestamp;

use super::AssistanceView;
use super::error::AssistanceError;
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::error::Chain;
use crate::requests::would_page;

/// What is sent is known by this: its idempotency key begins with it, and its dedup key.
pub(super) const REPLICA: &str = "bugle/replica/";
/// What is sent must be accepted, be in the ledger, and be decided within this time each.
const STEP_LIMIT: Duration = Duration::from_secs(5);
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
        let replica = self.replicated(&row.request).await?;
        let note = |request: &mut AssistanceRequest| {
            request.replica = Some(replica.clone());
            Ok(())
        };
        let (request, trace) = self.amend_assistance(scope, id, note).await?;
        self.view(request, trace).await
    }

    async fn replicated(&self, request: &AssistanceRequest) -> Result<Replica, AssistanceError> {
        let scope = TenantScope::granted(request.tenant);
        let directory = self.directory(scope).await?;
        let integration = request.integration.and_then(|id| directory.integrations.get(&id));
        let integration = integration.ok_or(AssistanceError::NoPath)?;
        let at = self.now();
        let mut hops = self.sent(request, integration).await?;
        hops.extend(resolved(&directory, integration, at, &self.inner().watch_view()));
        Ok(Replica::new(at, hops))
    }

    /// From the way in to the decision, with a real event.
    async fn sent(
        &self,
        request: &AssistanceRequest,
        integration: &Integration,
    ) -> Result<Vec<Passed>, AssistanceError> {
        let hop = format!("integration \"{}\"", integration.name);
        if integration.disabled {
            return Ok(vec![Passed::new(hop, Passage::Stopped, "It is disabled.")]);
        }
        let mut hops = vec![Passed::new(hop, Passage::Through, "It takes events.")];
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
        hops.push(Passed::new("intake", passage, text));
        if passage == Passage::Through {
            let (passage, text) = self.decided(scope, id).await?;
            hops.push(Passed::new("alerting", passage, text));
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

/// From the service to the channels, as alerting would go now.
fn resolved(directory: &Directory, by: &Integration, now: Timestamp, view: &View) -> Vec<Passed> {
    let (policy, why) = would_page::policy(directory, by.service);
    let service = by.service.and_then(|id| directory.services.get(&id));
    let hop = service.map_or("service".to_owned(), |it| format!("service \"{}\"", it.name));
    let Some(policy) = policy else {
        let text = "There is no policy to follow and no fallback.";
        return vec![Passed::new(hop, Passage::Stopped, text)];
    };
    let mut hops = vec![Passed::new(hop, Passage::Through, format!("It leads to {why}."))];
    let (people, channels) = told(directory, policy, now);
    hops.push(people);
    hops.extend(channels.into_iter().map(|channel| through(channel, view)));
    hops
}

/// Whom the policy's first level that reaches anybody tells, and by which channels.
fn told(directory: &Directory, policy: &Policy, now: Timestamp) -> (Passed, BTreeSet<Channel>) {
    let hop = format!("policy \"{}\"", policy.name);
    let mut levels = policy.levels.iter().map(|it| reach::resolve(directory, &it.targets, now));
    let Some(reached) = levels.find(|it| !it.told.is_empty()) else {
        let text = "None of its levels reaches anybody now.";
        return (Passed::new(hop, Passage::Stopped, text), BTreeSet::new());
    };
    let methods = |user| rules::steps(directory, user, Urgency::Urgent).into_iter();
    let channels = reached.told.iter().flat_map(|told| methods(told.user));
    let channels = channels.filter_map(|(_, id)| directory.methods.get(&id));
    let channels = channels.map(|method| method.address.channel()).collect();
    let people: Vec<&str> = reached.told.iter().map(|told| told.name.as_str()).collect();
    let text = format!("It would tell {}; nobody was told now.", names(&people));
    (Passed::new(hop, Passage::Through, text), channels)
}

/// What the canaries say of a channel: it is through when one of its providers is.
fn through(channel: Channel, view: &View) -> Passed {
    let of_channel: Vec<&Canary> =
        view.canaries.iter().filter(|canary| canary.channel == channel).collect();
    let well = of_channel.iter().find(|it| it.stuck.is_none() && it.through.is_some());
    let stuck = of_channel.iter().find_map(|it| Some((it, it.stuck.as_ref()?)));
    let (passage, text) = match (well, stuck) {
        (Some(it), _) => (Passage::Through, format!("Canaries come through {}.", it.provider)),
        (None, Some((it, hop))) => {
            let (provider, hop) = (&it.provider, hop.name());
            (Passage::Stopped, format!("Canaries by {provider} are stuck at {hop}."))
        }
        (None, None) => (Passage::Unknown, "No canary goes this way.".to_owned()),
    };
    Passed::new(channel.as_str(), passage, text)
}

#[cfg(test)]
mod tests {
    use bugle_domain::stage::Stage;
    use bugle_domain::{IntegrationId, NodeId};
    use bugle_engine::watch::Hop;

    use super::*;
    use crate::sample;

    fn canary(channel: Channel, stuck: bool) -> Canary {
        Canary {
            node: NodeId::from_stored(sample::nth(1)),
            channel,
            provider: "twilio".to_owned(),
            sent_at: sample::now(),
            through: Some(sample::now()),
            stuck: stuck.then_some(Hop::Stage { stage: Stage::Dispatch }),
            hops_ms: Vec::new(),
        }
    }

    /// The hops behind alerting, each with its passage.
    fn hops(directory: &Directory, canaries: Vec<Canary>) -> Vec<(String, Passage)> {
        let by = directory.integrations[&IntegrationId::from_stored(sample::nth(61))].clone();
        let view = View { at: sample::now(), verdicts: Vec::new(), canaries };
        let seen = resolved(directory, &by, sample::now(), &view);
        seen.into_iter().map(|it| (it.hop, it.passage)).collect()
    }

    #[test]
    fn the_path_behind_alerting_is_shown_to_its_channels() {
        use Passage::{Stopped, Through, Unknown};
        let directory = sample::directory();
        let canaries = vec![canary(Channel::Sms, true), canary(Channel::Sms, false)];
        let named = |hop: &str, passage| (hop.to_owned(), passage);
        let all_but_voice = [
            named("service \"checkout-api\"", Through),
            named("policy \"Payments\"", Through),
            named("sms", Through),
            named("voice", Unknown),
        ];
        assert_eq!(hops(&directory, canaries), all_but_voice, "one provider is enough");
        let stuck = hops(&directory, vec![canary(Channel::Sms, true)]);
        assert_eq!(stuck[2], named("sms", Stopped));
    }

    #[test]
    fn it_stops_where_nobody_would_be_told() {
        let mut directory = sample::directory();
        directory.methods.clear();
        directory.methods_of.clear();
        let last = hops(&directory, Vec::new()).pop();
        assert_eq!(last, Some(("policy \"Payments\"".to_owned(), Passage::Stopped)));
        directory.policies.clear();
        let last = hops(&directory, Vec::new()).pop();
        assert_eq!(last, Some(("service \"checkout-api\"".to_owned(), Passage::Stopped)));
    }
}
