//! What becomes of what is owed and late.

use super::*;

fn owed(words: &str) -> Owed {
    let mut owed = Owed {
        lane: Lane::Urgent,
        channel: Channel::Sms,
        severity: Severity::Critical,
        status: AlertStatus::Open,
        late: LATE_AFTER,
        past_deadline: false,
    };
    for word in words.split_whitespace() {
        match word {
            "call" => owed.channel = Channel::Voice,
            "mail" => owed.channel = Channel::Email,
            "web" => owed.channel = Channel::Webhook,
            "acked" => owed.status = AlertStatus::Acknowledged,
            "over" => owed.status = AlertStatus::Resolved,
            "dead" => owed.past_deadline = true,
            word => match word.trim_end_matches('m').parse() {
                Ok(minutes) => owed.late = SignedDuration::from_mins(minutes),
                Err(_) => owed.severity = Severity::parse(word).unwrap(),
            },
        }
    }
    owed.lane = Lane::of(owed.severity.urgency().unwrap());
    owed
}

#[test]
fn what_is_open_is_sent_or_told_in_a_digest_and_the_rest_is_not() {
    let table = [
        ("critical 59m", Fate::Sent),
        ("critical 61m dead", Fate::Digested),
        ("critical 61m dead call", Fate::Expired),
        ("high 31m", Fate::Sent),
        ("high 61m dead", Fate::Expired),
        ("medium 10m mail", Fate::Sent),
        ("medium 11m mail", Fate::Digested),
        ("low 5m", Fate::Sent),
        ("low 6m", Fate::Digested),
        ("low 6m web", Fate::Sent),
        ("low 6m call", Fate::Sent),
        ("critical acked", Fate::Acknowledged),
        ("critical 61m dead over", Fate::Resolved),
    ];
    for (words, expected) in table {
        assert_eq!(fate(owed(words)), expected, "{words}");
    }
}

#[test]
fn a_plan_counts_what_would_be_sent_told_in_digests_and_dropped() {
    let rows = [
        ("critical 20m", 3),
        ("critical 20m over", 5),
        ("high 20m", 2),
        ("low 20m mail", 40),
        ("low 20m mail acked", 1),
        ("low 20m dead", 7),
    ];
    let rows = rows.map(|(words, count)| BacklogRow { owed: owed(words), count });
    let plan = plan_backlog(&rows);
    let lines: Vec<String> = plan
        .lines
        .iter()
        .map(|line| {
            let Fates { sent, digested, acknowledged, resolved, expired } = line.fates;
            let (lane, severity) = (line.lane.as_str(), line.severity.as_str());
            format!("{lane} {severity}: {sent} {digested} {acknowledged} {resolved} {expired}")
        })
        .collect();
    assert_eq!(
        lines,
        ["urgent critical: 3 0 0 5 0", "urgent high: 2 0 0 0 0", "bulk low: 0 40 1 0 7"]
    );
    assert_eq!((plan.total.total(), plan.total.dropped()), (58, 13));
}
