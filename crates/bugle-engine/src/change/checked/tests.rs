//! What fits, and what is said of what does not.

use insta::assert_snapshot;

use super::*;

const DOCUMENT: &str = include_str!("../../../../bugle-domain/src/revision/tests/revision.toml");

fn with(changes: &[(&str, &str)]) -> Revision {
    let mut text = DOCUMENT.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Revision::parse(&text).unwrap()
}

fn dependants(waiting: i64, methods: usize) -> Dependants {
    Dependants {
        tenants: ["Halden Freight".to_owned(), "Nord Bank".to_owned()].into(),
        services: ["Checkout".to_owned()].into(),
        methods,
        waiting,
    }
}

fn around(running: &[(i64, Revision)]) -> Surroundings<'_> {
    let all = running.iter().flat_map(|(number, revision)| {
        Stage::ALL.map(|stage| (stage, Numbered { number: *number, revision }))
    });
    let providers = [
        (Channel::Email, "mail"),
        (Channel::Sms, "twilio"),
        (Channel::Voice, "twilio"),
        (Channel::Webhook, "webhook"),
    ];
    Surroundings {
        running: all.collect(),
        providers: providers
            .map(|(channel, name)| (channel, BTreeSet::from([name.to_owned()])))
            .into(),
        channels: [(Channel::Sms, dependants(3, 40))].into(),
        lanes: [
            ("urgent".to_owned(), dependants(12, 0)),
            ("bulk".to_owned(), Dependants::default()),
        ]
        .into(),
        events: dependants(7, 0),
    }
}

fn check(running: &[Revision], wanted: &Revision) -> String {
    let running: Vec<(i64, Revision)> = (1..).zip(running.iter().cloned()).collect();
    let changed = running.last().unwrap().1.changed(wanted);
    let wanted = Numbered { number: 9, revision: wanted };
    let found = checked(wanted, &changed, &around(&running));
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const DISPATCH: (&str, &str) =
    ("lanes = [\"bulk\", \"urgent\"]\nparallel", "lanes = [\"notifications\"]\nparallel");

#[test]
fn a_revision_that_fits_is_told_so() {
    assert_eq!(check(&[with(&[])], &with(&[("parallel = 256", "parallel = 8")])), "");
}

#[test]
fn dispatch_that_reads_other_lanes_is_refused_with_both_ends() {
    assert_snapshot!(check(&[with(&[])], &with(&[DISPATCH])), @r#"
    alerting (revision 1) writes to the lane "bulk", and dispatch (revision 9) does not read it; 0 now waiting
    alerting (revision 1) writes to the lane "urgent", and dispatch (revision 9) does not read it; 12 now waiting, 2 tenants (Halden Freight, Nord Bank), 1 service (Checkout)
    "#);
}

#[test]
fn both_ends_at_once_strand_what_waits() {
    let alerting =
        ("[alerting]\naccepts = [1]\nwrites = 1", "[alerting]\naccepts = [1]\nwrites = 2");
    let dispatch = ("[dispatch]\naccepts = [1]", "[dispatch]\naccepts = [2]");
    assert_snapshot!(check(&[with(&[])], &with(&[alerting, dispatch])), @r"
    alerting (revision 1) writes version 1, and dispatch (revision 9) does not accept it; 12 now waiting, 2 tenants (Halden Freight, Nord Bank), 1 service (Checkout)
    alerting (revision 9) writes version 2, and dispatch (revision 1) does not accept it; 12 now waiting, 2 tenants (Halden Freight, Nord Bank), 1 service (Checkout)
    ");
    let widened = ("[dispatch]\naccepts = [1]", "[dispatch]\naccepts = [1, 2]");
    let both = with(&[widened]);
    assert_eq!(check(&[with(&[])], &both), "", "first the reader learns it");
    assert_eq!(check(&[both], &with(&[widened, alerting])), "", "then the writer writes it");
}

#[test]
fn a_used_channel_has_a_provider_and_a_named_one_exists() {
    let off = ("[channels.sms]\nproviders = [\"twilio\"]", "[channels.sms]\nproviders = []");
    assert_snapshot!(check(&[with(&[])], &with(&[off])), @"dispatch (revision 9) has no provider for sms, which is used; 3 now waiting, 40 contact methods, 2 tenants (Halden Freight, Nord Bank), 1 service (Checkout)");
    let unknown = ("providers = [\"mail\"]", "providers = [\"mail\", \"post\"]");
    assert_snapshot!(check(&[with(&[])], &with(&[unknown])), @r#"dispatch (revision 9) names the provider "post" for email, which is not configured; 0 now waiting"#);
    let unused = ("[channels.voice]\nproviders = [\"twilio\"]", "[channels.voice]\nproviders = []");
    assert_eq!(check(&[with(&[])], &with(&[unused])), "", "nobody uses it");
}

#[test]
fn alerting_needs_the_lanes_that_it_puts_things_in() {
    let alerting = ("lanes = [\"bulk\", \"urgent\"]\n\n[dispatch]", "lanes = []\n\n[dispatch]");
    assert_snapshot!(check(&[with(&[])], &with(&[alerting])), @r#"
    alerting (revision 9) has no lane "urgent" to write to; 12 now waiting, 2 tenants (Halden Freight, Nord Bank), 1 service (Checkout)
    alerting (revision 9) has no lane "bulk" to write to; 0 now waiting
    "#);
}

#[test]
fn what_did_not_fit_before_is_not_held_against_a_change_elsewhere_or_back() {
    let off = ("[channels.sms]\nproviders = [\"twilio\"]", "[channels.sms]\nproviders = []");
    let bad = with(&[DISPATCH, off]);
    let other = with(&[DISPATCH, off, ("parallel = 256", "parallel = 8")]);
    assert!(
        check(std::slice::from_ref(&bad), &other).contains("does not read"),
        "it still does not"
    );
    assert!(!check(std::slice::from_ref(&bad), &other).contains("provider"));
    assert_eq!(check(std::slice::from_ref(&bad), &with(&[])), "", "the way back is free");
    let intake = with(&[DISPATCH, off, ("\"512 KiB\"", "\"1 MiB\"")]);
    assert_eq!(check(&[bad], &intake), "", "intake has nothing to do with it");
}
