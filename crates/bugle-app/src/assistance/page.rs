//! Pages operators about groups of requests, by the pipeline and by the way of the alarm: what
//! somebody misses may be what the pipeline would lose, too.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bugle_domain::{AllTenants, AssistanceId, Severity};
use bugle_engine::assistance::group::{self, Group, Reason};
use bugle_engine::assistance::{AssistanceRequest, Paged};
use bugle_engine::message::text::names;
use bugle_store::AssistanceRow;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::error::AssistanceError;
use super::open::attach;
use crate::app::App;
use crate::error::Chain;
use crate::incidents::{TELL_WITHIN, told};
use crate::operators::Notice;
use crate::rehearsal::Mechanism;

/// How often open requests are looked at where nobody wakes the worker.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Traces that one look reads.
const MAX_TRACES: usize = 20;
/// Reading one may take this long.
const TRACE_LIMIT: Duration = Duration::from_secs(10);

/// When the traces were last tried of requests that are open.
type Tried = BTreeMap<AssistanceId, Timestamp>;

/// What the worker shares with the rest of the process.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    wake: Notify,
    /// What the alarm says, while nobody has answered the request it is named after.
    call: Mutex<Option<(AssistanceId, String)>>,
}

impl Shared {
    /// Something was asked, answered or closed.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Option<(AssistanceId, String)>> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the alarm is to say, where somebody asks whom nobody has answered.
    pub(crate) fn call(&self) -> Option<String> {
        self.lock().as_ref().map(|(_, text)| text.clone())
    }
}

/// Looks at open requests, and pages operators about them.
#[derive(Clone)]
pub(crate) struct AssistanceLoop {
    app: App,
}

impl AssistanceLoop {
    pub(crate) fn new(app: App) -> Self {
        Self { app }
    }

    /// Runs until `stop` is cancelled.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut tried = Tried::new();
        while !stop.is_cancelled() {
            if let Err(error) = self.look(&mut tried).await {
                tracing::error!(error = %Chain(&error), "could not look at assistance requests");
            }
            let shared = &self.app.inner().assistance;
            tokio::select! {
                () = stop.cancelled() => (),
                () = shared.wake.notified() => (),
                () = tokio::time::sleep(LOOK_EVERY) => (),
            }
        }
    }

    async fn look(&self, tried: &mut Tried) -> Result<(), AssistanceError> {
        let store = &self.app.inner().store;
        let mut rows = store.open_assistance_of_all(AllTenants::granted()).await?;
        self.quiet(&rows);
        if rows.is_empty() || self.app.inner().lacks(Mechanism::Assistance) {
            return Ok(());
        }
        let now = self.app.now();
        let requests: Vec<AssistanceRequest> = rows.iter().map(|it| it.request.clone()).collect();
        for group in &group::groups(&requests, now) {
            if group.wants_page() {
                self.page(group, &mut rows).await;
            } else if let Some(named) = group.paged {
                self.join(named, group, &mut rows).await;
            }
        }
        // Nobody waits for these to be paged. What they change is looked at again at once.
        self.trace_again(&mut rows, tried).await;
        Ok(())
    }

    /// What comes later to a group that operators were paged about belongs to the same page.
    async fn join(&self, named: AssistanceId, group: &Group, rows: &mut [AssistanceRow]) {
        let of_group = rows.iter_mut().filter(|row| group.requests.contains(&row.request.id));
        for row in of_group.filter(|row| row.request.paged.is_none()) {
            row.request.paged = Some(Paged { named, at: self.app.now() });
            self.keep(row, None).await;
        }
    }

    /// The alarm is quiet when whoever it is about was answered.
    fn quiet(&self, open: &[AssistanceRow]) {
        let mut call = self.app.inner().assistance.lock();
        let waits = |named: AssistanceId| {
            open.iter().map(|row| &row.request).any(|it| {
                let about = it.id == named || it.paged.is_some_and(|paged| paged.named == named);
                about && !it.answered()
            })
        };
        call.take_if(|(named, _)| !waits(*named));
    }

    /// Reads the traces that may be another thing by now, those first that wait longest.
    async fn trace_again(&self, rows: &mut [AssistanceRow], tried: &mut Tried) {
        let now = self.app.now();
        tried.retain(|id, _| rows.iter().any(|row| row.request.id == *id));
        let last =
            |row: &AssistanceRow| row.request.traced_at.max(tried.get(&row.request.id).copied());
        let wants = |row: &&mut AssistanceRow| {
            row.request.wants_trace(tried.get(&row.request.id).copied(), now)
        };
        let mut due: Vec<_> = rows.iter_mut().filter(wants).collect();
        due.sort_by_key(|row| last(row));
        for row in due.into_iter().take(MAX_TRACES) {
            tried.insert(row.request.id, now);
            self.trace(row).await;
        }
    }

    /// Reads a trace, and keeps it where there is one.
    async fn trace(&self, row: &mut AssistanceRow) {
        let reading = self.app.traced(&row.request);
        let Ok(traced) = tokio::time::timeout(TRACE_LIMIT, reading).await else {
            tracing::error!(request = %row.request.id, "a trace could not be read in time");
            return;
        };
        let trace = attach(&mut row.request, traced);
        if trace.is_some() {
            self.keep(row, trace.as_ref()).await;
        }
    }

    /// Keeps how a request stands. Whether nobody was faster: the next look sees what they did, and
    /// does again what could not be kept.
    async fn keep(&self, row: &mut AssistanceRow, trace: Option<&super::trace::Trace>) -> bool {
        match self.app.keep_assistance(row, trace).await {
            Ok(()) => true,
            Err(AssistanceError::Overtaken) => false,
            Err(error) => {
                let (request, error) = (row.request.id, Chain(&error));
                tracing::error!(%request, %error, "an assistance request could not be kept");
                true
            }
        }
    }

    /// Pages operators about a group, once. While the pipeline does not take it, the alarm rings,
    /// and it is tried again with the next look.
    async fn page(&self, group: &Group, rows: &mut [AssistanceRow]) {
        let Some(named) = group.named() else { return };
        let of_group: Vec<&mut AssistanceRow> =
            rows.iter_mut().filter(|row| group.requests.contains(&row.request.id)).collect();
        let mut requests: Vec<AssistanceRequest> =
            of_group.iter().map(|row| row.request.clone()).collect();
        requests.sort_by_key(|it| (it.opened_at, it.id));
        let notice = self.notice(group, &requests).await;
        tracing::error!(summary = notice.summary, "operators are paged about assistance requests");
        let taken = told(TELL_WITHIN, self.app.inner().raise(&notice)).await;
        let mut first = !taken;
        if taken {
            let paged = Some(Paged { named, at: self.app.now() });
            for row in of_group {
                row.request.paged = paged;
                first |= self.keep(row, None).await;
            }
        }
        // Where another node was faster, its alarm rings.
        if first {
            *self.app.inner().assistance.lock() = Some((named, notice.summary));
        }
    }

    async fn notice(&self, group: &Group, requests: &[AssistanceRequest]) -> Notice {
        let tenants = self.app.names(requests).await;
        let mut all: Vec<&String> = Vec::new();
        for name in requests.iter().filter_map(|it| tenants.get(&it.tenant)) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        let summary = match (group.reason, all.len()) {
            (Some(Reason::SeveralTenants), count) => {
                format!("{count} clients say that nobody was paged: {}", names(&all))
            }
            (_, _) => {
                format!("{}: nobody was paged, and the ledger cannot say why", names(&all))
            }
        };
        let mut details = serde_json::Map::new();
        for request in requests {
            let name = tenants.get(&request.tenant).cloned().unwrap_or_default();
            let found = request.finding.as_ref().map_or("no trace yet", |it| it.text.as_str());
            let said = format!("{name} expected: {}. The ledger: {found}", request.expected);
            details.insert(request.id.to_string(), said.into());
        }
        for shared in &group.shared {
            let text = format!("{} ({} requests)", shared.value, shared.requests.len());
            details.insert(format!("same {}", shared.what), text.into());
        }
        let desk = format!("{}assistance-desk", self.app.public_url());
        details.insert("answer at".to_owned(), desk.into());
        let key = group.named().map(notice_key).unwrap_or_default();
        Notice { key, summary, severity: Severity::Critical, details }
    }
}

/// What the operators' page about a group folds by.
pub(super) fn notice_key(named: AssistanceId) -> String {
    format!("bugle/assistance/{named}")
}
