//! What operators are told of a page about assistance requests.

use std::collections::BTreeMap;

use bugle_domain::{AssistanceId, Severity, TenantId};
use bugle_engine::assistance::finding::Standing;
use bugle_engine::assistance::group::Group;
use bugle_engine::assistance::page::OpenPage;
use bugle_engine::message::text::names;
use jiff::Timestamp;

use crate::operators::Notice;

/// Requests that a page says the words of, the newest. The others are on the desk.
const MAX_SAID: usize = 20;

/// What the operators' page about requests folds by.
pub(super) fn notice_key(named: AssistanceId) -> String {
    format!("bugle/assistance/{named}")
}

/// What is wrong, in a line.
pub(super) fn summary(
    page: &OpenPage<'_>,
    tenants: &BTreeMap<TenantId, String>,
    now: Timestamp,
) -> String {
    let mut all: Vec<&String> = Vec::new();
    for name in page.requests.iter().filter_map(|it| tenants.get(&it.tenant)) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    let unexplained = page.requests.iter().any(|it| it.standing(now) == Standing::Unexplained);
    match (unexplained, all.len()) {
        (true, _) => format!("{}: nobody was paged, and the ledger cannot say why", names(&all)),
        (false, 1) => format!("One more client says that nobody was paged: {}", names(&all)),
        (false, count) => format!("{count} clients say that nobody was paged: {}", names(&all)),
    }
}

/// What the pipeline says. `desk` is where it is answered.
pub(super) fn notice(
    page: &OpenPage<'_>,
    groups: &[Group],
    (tenants, desk): (&BTreeMap<TenantId, String>, &str),
    now: Timestamp,
) -> Notice {
    let mut details = serde_json::Map::new();
    for request in page.requests.iter().rev().take(MAX_SAID) {
        let name = tenants.get(&request.tenant).cloned().unwrap_or_default();
        let found = request.finding.as_ref().map_or("no trace yet", |it| it.text.as_str());
        let said = format!("{name} expected: {}. The ledger: {found}", request.expected);
        details.insert(request.id.to_string(), said.into());
    }
    if let Some(more) = page.requests.len().checked_sub(MAX_SAID).filter(|more| *more > 0) {
        details.insert("more".to_owned(), format!("{more} older requests are on the desk").into());
    }
    let of_page = |group: &&Group| group.pages.iter().any(|it| it.named == page.named);
    for shared in groups.iter().filter(of_page).flat_map(|group| &group.shared) {
        let text = format!("{} ({} requests)", shared.value, shared.requests.len());
        details.insert(format!("same {}", shared.what), text.into());
    }
    details.insert("answer at".to_owned(), desk.into());
    let (key, summary) = (notice_key(page.named), summary(page, tenants, now));
    Notice { key, summary, severity: Severity::Critical, details }
}
