//! Documents say what they mean, all of it, or every mistake.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

const DOCUMENT: &str = include_str!("tests/revision.toml");

fn revision() -> Revision {
    Revision::parse(DOCUMENT).unwrap()
}

fn mistakes(text: &str) -> String {
    let Mistakes(mistakes) = Revision::parse(text).unwrap_err();
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_document_is_read_and_written_alike() {
    let read = revision();
    assert_eq!(Revision::parse(&read.to_string()), Ok(read.clone()));
    assert_eq!(read.to_string(), DOCUMENT);
}

#[test]
fn what_means_the_same_has_the_same_fingerprint() {
    let remarked = format!("# a remark\n{}", DOCUMENT.replace("\"5s\"", "\"5000ms\""));
    let same = Revision::parse(&remarked).unwrap();
    assert_eq!(same.fingerprint(), revision().fingerprint());
    let text = same.fingerprint().to_string();
    assert_eq!(Fingerprint::parse(&text), Some(same.fingerprint()));
    assert_eq!(Fingerprint::parse("12"), None);
    let other = Revision::parse(&DOCUMENT.replace("parallel = 256", "parallel = 255")).unwrap();
    assert_ne!(other.fingerprint(), same.fingerprint());
}

#[test]
fn every_mistake_is_told_at_once() {
    let wrong = DOCUMENT
        .replace("parallel = 256", "parallel = 0")
        .replace("bundle_window = \"5s\"", "bundle_window = 5")
        .replace("[\"bulk\", \"urgent\"]", "[\"bulk\", \"Ürgent\"]")
        .replace("raw_bytes = \"30d\"\n", "")
        .replace("max_body", "max_boby");
    assert_snapshot!(mistakes(&wrong), @r#"
    intake.max_body is missing
    retention.raw_bytes is missing
    line 3: intake.max_boby is not a setting of the stages
    line 8: alerting.lanes must be of names in quotes, of small letters, digits and _
    line 13: dispatch.lanes must be of names in quotes, of small letters, digits and _
    line 14: dispatch.parallel must be a number from 1 to 2000
    line 15: dispatch.bundle_window must be a duration in quotes, such as "30s" or "5m"
    "#);
    let unknown = DOCUMENT.replace("[intake]", "[intake]\nmagic = true\nspeed = 3");
    assert_snapshot!(mistakes(&unknown), @r"
    line 2: intake.magic must be a text, a whole number or a list
    line 3: intake.speed is not a setting of the stages
    ");
}

#[test]
fn a_document_that_is_cut_off_empty_or_too_long_is_none() {
    assert!(mistakes("").contains("intake.writes is missing"));
    assert!(mistakes("[intake").starts_with("line 1: "));
    let long = format!("{DOCUMENT}{}", "# remark\n".repeat(8_000));
    assert!(mistakes(&long).starts_with("the document has "));
}

#[test]
fn a_difference_names_the_setting_and_its_stage() {
    let before = revision();
    let after = DOCUMENT
        .replace(
            "lanes = [\"bulk\", \"urgent\"]\nparallel",
            "lanes = [\"notifications\"]\nparallel",
        )
        .replace("providers = [\"mail\"]", "providers = []");
    let after = Revision::parse(&after).unwrap();
    let said: Vec<String> = before.diff(&after).iter().map(ToString::to_string).collect();
    assert_snapshot!(said.join("\n"), @r#"
    channels.email.providers: ["mail"] → []
    dispatch.lanes: ["bulk", "urgent"] → ["notifications"]
    "#);
    assert_eq!(before.changed(&after), BTreeSet::from([Stage::Dispatch]));
    assert_eq!(before.changed(&before), BTreeSet::new());
}

proptest! {
    #[test]
    fn a_document_cut_anywhere_is_refused_or_the_same(cut in 0..DOCUMENT.len()) {
        // All that can be lost without harm is the last line's end.
        let kept = DOCUMENT.get(..cut).unwrap();
        let read = Revision::parse(kept);
        prop_assert!(read.is_err() || read == Ok(revision()), "{read:?}");
    }
}
