//! Pages operators about groups of requests, by the pipeline and by the way of the alarm: what
//! somebody misses may be what the pipeline would lose, too.

use std::collections::BTreeMap;
use std::time::Duration;

use bugle_domain::{AllTenants, AssistanceId};
use bugle_engine::assistance::group::{self, Group, Reason, Step};
use bugle_engine::assistance::page::{OpenPage, pages};
use bugle_engine::assistance::{Alarm, AssistanceRequest, Paged};
use bugle_store::AssistanceRow;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::error::AssistanceError;
use super::notice::{self, notice_key, summary};
use super::open::attach;
use crate::app::App;
use crate::error::Chain;
use crate::incidents::{TELL_WITHIN, told};
use crate::operators::Notice;
use crate::rehearsal::Mechanism;
use crate::watch::Call;

/// How often open requests are looked at where nobody wakes the worker.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Traces that one look reads.
const MAX_TRACES: usize = 20;
/// Reading one may take this long.
const TRACE_LIMIT: Duration = Duration::from_secs(10);

/// When the traces were last tried of requests that are open.
type Tried = BTreeMap<AssistanceId, Timestamp>;

/// What came of keeping a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kept {
    Yes,
    /// Somebody did something else at the same moment.
    Overtaken,
    /// The database did not take it.
    Failed,
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
                () = shared.woken() => (),
                () = tokio::time::sleep(LOOK_EVERY) => (),
            }
        }
    }

    /// What is decided is kept first. Then the alarm rings, and the pipeline is told: whoever dies
    /// in between leaves what the next look, here or elsewhere, goes on with.
    async fn look(&self, tried: &mut Tried) -> Result<(), AssistanceError> {
        let store = &self.app.inner().store;
        let mut rows = store.open_assistance_of_all(AllTenants::granted()).await?;
        self.note_alarms(&mut rows).await;
        if !self.app.inner().lacks(Mechanism::Assistance) {
            self.decide(&mut rows).await;
        }
        self.ring(&mut rows).await;
        self.tell(&mut rows).await;
        // Nobody waits for these to be paged. What they change is looked at again at once.
        self.trace_again(&mut rows, tried).await;
        Ok(())
    }

    async fn decide(&self, rows: &mut [AssistanceRow]) {
        let now = self.app.now();
        let requests: Vec<AssistanceRequest> = rows.iter().map(|it| it.request.clone()).collect();
        for group in &group::groups(&requests, now) {
            let Some(heard) = self.heard(group, &requests).await else { continue };
            self.take(group.step(heard, now), &requests, rows).await;
        }
    }

    /// Whether somebody has answered the page that something joined. `None`: that is not known.
    async fn heard(&self, group: &Group, open: &[AssistanceRequest]) -> Option<bool> {
        let Some(joined) = group.joined() else { return Some(false) };
        if pages(open).iter().any(|page| page.named == joined.named && page.answered()) {
            return Some(true);
        }
        match self.app.inner().is_answered(&notice_key(joined.named)).await {
            Ok(answered) => Some(answered),
            Err(error) => {
                tracing::error!(error = %Chain(&error), "whether a page was answered is not known");
                None
            }
        }
    }

    /// Keeps what is to be done about a group.
    async fn take(&self, step: Step, open: &[AssistanceRequest], rows: &mut [AssistanceRow]) {
        let now = self.app.now();
        let page = |named| pages(open).into_iter().find(|page| page.named == named);
        let (about, paged) = match step {
            Step::Nothing => return,
            Step::Page(about, reason) => {
                let Some(named) = about.first().copied() else { return };
                let (requests, unexplained) = (about.len(), reason == Reason::Unexplained);
                tracing::error!(requests, unexplained, "operators are paged about who asks");
                let alarm = Some(Alarm { node: self.app.inner().node, rang: None });
                (about, Paged { owed: true, alarm, ..Paged::new(named, now) })
            }
            Step::Add(to, about) => {
                let Some(page) = page(to) else { return };
                (about, page.with_another(now))
            }
            Step::Join(to, about) => (about, Paged::new(to, now)),
        };
        for row in rows.iter_mut().filter(|row| about.contains(&row.request.id)) {
            row.request.paged = Some(paged);
            // Where somebody was faster, the next look sees what they did.
            if self.keep(row, None).await == Kept::Overtaken {
                row.request.paged = None;
            }
        }
    }

    /// Keeps what the alarm has told operators of, and what they answered.
    async fn note_alarms(&self, rows: &mut [AssistanceRow]) {
        for (about, noted) in self.app.inner().assistance.noted() {
            let of_page = |row: &&mut AssistanceRow| {
                row.request.paged.is_some_and(|it| it.named.to_string() == about)
            };
            let mut kept = true;
            for row in rows.iter_mut().filter(of_page) {
                let Some(paged) = &mut row.request.paged else { continue };
                let before = *paged;
                noted.apply(paged);
                if *paged != before {
                    kept &= self.keep(row, None).await == Kept::Yes;
                }
            }
            if !kept {
                self.app.inner().assistance.note_again(about, noted);
            }
        }
    }

    /// Has the alarm ring for the pages that are this node's to ring about, or were a dead one's.
    async fn ring(&self, rows: &mut [AssistanceRow]) {
        let inner = self.app.inner();
        let orphaned = |row: &&mut AssistanceRow| {
            let alarm = row.request.paged.and_then(|it| it.alarm);
            alarm.is_some_and(|it| it.node != inner.node && inner.knows_dead(it.node))
        };
        for row in rows.iter_mut().filter(orphaned) {
            let before = row.request.paged;
            if let Some(alarm) = row.request.paged.as_mut().and_then(|it| it.alarm.as_mut()) {
                alarm.node = inner.node;
            }
            // Of several that live, one rings.
            if self.keep(row, None).await != Kept::Yes {
                row.request.paged = before;
            }
        }
        let (mut calls, mut elsewhere) = (Vec::new(), false);
        for page in pages(rows.iter().map(|row| &row.request)) {
            let own = page.alarm().filter(|alarm| alarm.node == inner.node);
            if let Some(Alarm { rang, .. }) = own {
                let text = self.summary(&page).await;
                let (about, answered) = (page.named.to_string(), page.alarm_answered());
                calls.push(Call { about, text, rang, answered });
            } else if page.alarm().is_some() {
                elsewhere = true;
            }
        }
        inner.assistance.call(calls, elsewhere);
    }

    /// Tells the pipeline what it has not taken of the pages. It is tried again with the next look.
    async fn tell(&self, rows: &mut [AssistanceRow]) {
        let open: Vec<AssistanceRequest> = rows.iter().map(|row| row.request.clone()).collect();
        for page in pages(&open).iter().filter(|page| page.owed()) {
            let notice = self.notice(page, &group::groups(&open, self.app.now())).await;
            if !told(TELL_WITHIN, self.app.inner().raise(&notice)).await {
                continue;
            }
            let of_page = |it: &&mut Paged| it.owed && it.named == page.named;
            for row in rows.iter_mut() {
                if let Some(paged) = row.request.paged.as_mut().filter(of_page) {
                    paged.owed = false;
                    self.keep(row, None).await;
                }
            }
        }
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

    /// Keeps how a request stands. Where somebody was faster, the next look sees what they did, and
    /// does again what could not be kept.
    async fn keep(&self, row: &mut AssistanceRow, trace: Option<&super::trace::Trace>) -> Kept {
        match self.app.keep_assistance(row, trace).await {
            Ok(()) => Kept::Yes,
            Err(AssistanceError::Overtaken) => Kept::Overtaken,
            Err(error) => {
                let (request, error) = (row.request.id, Chain(&error));
                tracing::error!(%request, %error, "an assistance request could not be kept");
                Kept::Failed
            }
        }
    }

    async fn summary(&self, page: &OpenPage<'_>) -> String {
        let tenants = self.app.names(page.tenants()).await;
        summary(page, &tenants, self.app.now())
    }

    async fn notice(&self, page: &OpenPage<'_>, groups: &[Group]) -> Notice {
        let tenants = self.app.names(page.tenants()).await;
        let desk = format!("{}assistance-desk", self.app.public_url());
        notice::notice(page, groups, (&tenants, &desk), self.app.now())
    }
}
