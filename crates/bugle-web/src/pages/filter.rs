//! The filter box of the alert list: `is:open service:payments sev:critical since:2h words`.

use bugle_app::alerts::AlertQuery;
use bugle_domain::UserId;
use bugle_domain::alert::AlertStatus;
use bugle_domain::service::Service;
use bugle_domain::severity::Severity;
use jiff::{SignedDuration, Timestamp};

use super::parts::FieldError;

/// Reads what was typed. What is not understood is said, and the rest holds.
pub(super) fn parse(
    text: &str,
    services: &[Service],
    reader: Option<UserId>,
    now: Timestamp,
) -> (AlertQuery, Vec<FieldError>) {
    let (mut query, mut errors, mut words) = (AlertQuery::default(), Vec::new(), Vec::new());
    let mut statuses: Option<Vec<AlertStatus>> = None;
    for token in text.split_whitespace() {
        let wrong = match token.split_once(':') {
            Some(("is", value)) => read_status(value, &mut statuses),
            Some(("sev" | "severity", value)) => read_severity(value, &mut query.severities),
            Some(("service", value)) => read_service(value, services, &mut query),
            Some(("since", value)) => read_since(value, now, &mut query),
            Some(("told", "me")) => {
                query.told = reader;
                None
            }
            _ => {
                words.push(token);
                None
            }
        };
        errors.extend(wrong.map(|text| FieldError::new("q", text)));
    }
    query.statuses = statuses.unwrap_or_else(|| vec![AlertStatus::Open, AlertStatus::Acknowledged]);
    query.text = (!words.is_empty()).then(|| words.join(" "));
    (query, errors)
}

fn read_status(value: &str, statuses: &mut Option<Vec<AlertStatus>>) -> Option<String> {
    let chosen = statuses.get_or_insert_default();
    match (value, AlertStatus::parse(value)) {
        (_, Some(status)) => chosen.push(status),
        ("any", None) => chosen.extend(AlertStatus::ALL),
        _ => {
            let text = "use is:open, is:acknowledged, is:resolved or is:any";
            return Some(format!("“is:{value}” is not known: {text}."));
        }
    }
    None
}

fn read_severity(value: &str, severities: &mut Vec<Severity>) -> Option<String> {
    let found = Severity::ALL.into_iter().find(|severity| {
        severity.as_str() == value || severity.short().eq_ignore_ascii_case(value)
    });
    if let Some(severity) = found {
        severities.push(severity);
        return None;
    }
    let text = "use critical, high, medium, low or info";
    Some(format!("“sev:{value}” is not known: {text}."))
}

fn read_service(value: &str, services: &[Service], query: &mut AlertQuery) -> Option<String> {
    let name = |service: &Service| service.name.to_lowercase().replace(' ', "-");
    let value = value.to_lowercase();
    let found = services
        .iter()
        .find(|service| name(service) == value)
        .or_else(|| services.iter().find(|service| name(service).starts_with(&value)));
    if let Some(service) = found {
        query.service = Some(service.id);
        return None;
    }
    Some(format!("There is no service “{value}”."))
}

fn read_since(value: &str, now: Timestamp, query: &mut AlertQuery) -> Option<String> {
    let span = value.char_indices().last().and_then(|(at, unit)| {
        let count: i64 = value[..at].parse().ok()?;
        let minutes = match unit {
            'm' => 1,
            'h' => 60,
            'd' => 1_440,
            _ => return None,
        };
        (0..=525_600).contains(&count).then(|| SignedDuration::from_mins(count * minutes))
    });
    match span.and_then(|span| now.checked_sub(span).ok()) {
        Some(since) => query.since = Some(since),
        None => return Some(format!("“since:{value}” is not known: use since:30m, 2h or 7d.")),
    }
    None
}

#[cfg(test)]
mod tests;
