//! One assistance request: what the ledger says, the causal record, the conversation, and the hops
//! of its replica.

use askama::Template;
use bugle_app::assistance::trace::{CameIn, Trace};
use bugle_app::assistance::{About, AssistanceRequest, AssistanceView, OfTenant, Standing};
use bugle_engine::assistance::Said;
use bugle_engine::assistance::finding::Finding;
use bugle_engine::assistance::replica::{Passage, Passed, Replica};

use crate::pages::parts::{FieldError, Link};
use crate::pages::times::{Times, When};
use crate::pages::why::{Step, step};

/// How well the ledger explains it, as pages draw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::pages) struct StandingBadge {
    /// The class that colours.
    pub(in crate::pages) class: &'static str,
    /// The word.
    pub(in crate::pages) word: &'static str,
}

impl StandingBadge {
    fn of(standing: Standing) -> Self {
        let (class, word) = match standing {
            Standing::Explained => ("ok", "Explained"),
            Standing::Undecided => ("", "Under way"),
            Standing::Unexplained => ("bad", "Not explained"),
        };
        Self { class, word }
    }
}

/// A request of a list.
pub(in crate::pages) struct Row {
    pub(in crate::pages) href: String,
    pub(in crate::pages) expected: String,
    pub(in crate::pages) tenant: String,
    pub(in crate::pages) open: bool,
    pub(in crate::pages) answered: bool,
    pub(in crate::pages) standing: StandingBadge,
    pub(in crate::pages) found: String,
    pub(in crate::pages) at: When,
}

impl Row {
    /// A request whose page is below `base`.
    pub(in crate::pages) fn new(base: &str, it: &OfTenant, times: &Times) -> Self {
        let OfTenant { request, tenant } = it;
        Self {
            href: format!("{base}/{}", request.id),
            expected: request.expected.clone(),
            tenant: tenant.clone(),
            open: request.open(),
            answered: request.answered(),
            standing: StandingBadge::of(request.standing(times.now())),
            found: found(request.finding.as_ref()),
            at: times.short(request.opened_at),
        }
    }
}

fn found(finding: Option<&Finding>) -> String {
    finding.map_or_else(|| "The ledger has not been read yet.".to_owned(), |it| it.text.clone())
}

/// Who reads the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::pages) enum For {
    /// Its tenant.
    Tenant {
        /// Whether they may say more.
        can_say: bool,
    },
    /// An operator.
    Operator,
}

#[derive(Template)]
#[template(path = "assistance_one.html")]
pub(in crate::pages) struct OnePage {
    pub(in crate::pages) said: Option<String>,
    pub(in crate::pages) errors: Vec<FieldError>,
    /// Where the page is.
    href: String,
    up: Link,
    operator: bool,
    can_say: bool,
    open: bool,
    closed: Option<String>,
    expected: String,
    tenant: String,
    asked: String,
    standing: StandingBadge,
    found: String,
    traced: Option<When>,
    about: Option<Link>,
    integration: Option<String>,
    time: String,
    zone: String,
    steps: Vec<Step>,
    cut: bool,
    came: Vec<Came>,
    conversation: Vec<Word>,
    replica: Option<Tried>,
}

/// An event of the time that is meant.
struct Came {
    href: String,
    at: When,
    summary: String,
    found: String,
    standing: StandingBadge,
}

/// Something that was said.
struct Word {
    at: When,
    by: String,
    operator: bool,
    text: String,
    mailed: Option<String>,
    record: bool,
}

/// A replica, hop by hop.
struct Tried {
    at: When,
    outcome: String,
    why: Option<String>,
    hops: Vec<Hop>,
}

/// A hop.
struct Hop {
    sign: &'static str,
    word: &'static str,
    name: String,
    text: String,
    at: Option<When>,
    took: Option<String>,
}

/// What the page says. Pure.
pub(in crate::pages) fn build(view: AssistanceView, times: &Times, reader: For) -> OnePage {
    let AssistanceView { request: it, trace, tenant, integration } = view;
    let operator = reader == For::Operator;
    let base = if operator { "/assistance-desk" } else { "/assistance" };
    let up = if operator { "Assistance desk" } else { "Assistance" };
    let (steps, cut, came) = traced(trace, times);
    OnePage {
        said: None,
        errors: Vec::new(),
        href: format!("{base}/{}", it.id),
        up: Link::new(base, up),
        operator,
        can_say: reader == For::Tenant { can_say: true } && it.open(),
        open: it.open(),
        closed: it.closed.as_ref().map(|by| format!("{}, {}", by.by, times.short(by.at).text)),
        tenant,
        asked: format!("{}, {}", it.by.name, times.exact(it.opened_at).text),
        standing: StandingBadge::of(it.standing(times.now())),
        found: found(it.finding.as_ref()),
        traced: it.traced_at.map(|at| times.exact(at)),
        about: about(&it, operator),
        integration,
        time: format!("{} to {}", times.date_hm(it.from), times.date_hm(it.until)),
        zone: times.zone_name().to_owned(),
        steps,
        cut,
        came,
        conversation: it.said.into_iter().map(|said| word(said, times)).collect(),
        replica: it.replica.map(|replica| tried(replica, times)),
        expected: it.expected,
    }
}

/// What it is about, as a link where its reader may follow it.
fn about(it: &AssistanceRequest, operator: bool) -> Option<Link> {
    let (href, text) = match it.about {
        About::Event { event } => (format!("/events/{event}"), event.to_string()),
        About::Alert { alert } => (format!("/alerts/{alert}"), alert.to_string()),
        About::Time => return None,
    };
    Some(Link::new(if operator { String::new() } else { href }, text))
}

fn traced(trace: Option<Trace>, times: &Times) -> (Vec<Step>, bool, Vec<Came>) {
    let Some(Trace { record, came: events, .. }) = trace else {
        return (Vec::new(), false, Vec::new());
    };
    let (steps, cut) = record.map_or((Vec::new(), false), |why| (why.steps, why.cut));
    let came = |it: CameIn| Came {
        href: format!("/events/{}", it.event),
        at: times.exact(it.at),
        summary: it.summary,
        found: it.finding.text,
        standing: StandingBadge::of(it.finding.cause.standing()),
    };
    let steps = steps.into_iter().map(|it| step(it, times)).collect();
    (steps, cut, events.into_iter().map(came).collect())
}

fn word(said: Said, times: &Times) -> Word {
    let Said { at, by, operator, text, mailed, record } = said;
    Word { at: times.exact(at), by, operator, text, mailed, record }
}

fn tried(replica: Replica, times: &Times) -> Tried {
    let outcome = replica.outcome();
    let why = replica.stops_at().map(|hop| hop.text.clone());
    let hop = |Passed { hop, passage, text, at, took_ms, provider }| {
        let (sign, word) = match passage {
            Passage::Through => ("ok", "Through"),
            Passage::Stopped => ("r-fail", "Stops here"),
            Passage::NotReached => ("r-none", "Not reached"),
            Passage::Unknown => ("r-wait", "Not known"),
        };
        let name = match provider {
            Some(provider) => format!("{hop} by {provider}"),
            None => hop,
        };
        let took = took_ms.filter(|it| *it > 0).map(|it| format!("{it} ms"));
        Hop { sign, word, name, text, at: at.map(|at| times.exact(at)), took }
    };
    Tried {
        at: times.exact(replica.at),
        outcome,
        why,
        hops: replica.hops.into_iter().map(hop).collect(),
    }
}
