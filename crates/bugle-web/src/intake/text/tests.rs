//! Tests of reading odd text.

use super::*;

#[test]
fn dates_of_real_senders_are_read() {
    let read = |text: &str| time(text).map(|at| at.to_string());
    let same = Some("2015-07-17T08:42:58.315Z".to_owned());
    for text in [
        "2015-07-17T08:42:58.315Z",
        "2015-07-17T08:42:58.315+0000",
        "2015-07-17T10:42:58.315+0200",
        "2015-07-17T08:42:58.315+00:00",
        "2015-07-17 08:42:58.315",
        "2015-07-17 08:42:58.315Z",
        "2015-07-17t08:42:58.315z",
        " 1437122578.315 ",
        "1437122578315",
    ] {
        assert_eq!(read(text), same, "{text}");
    }
    assert_eq!(read("2026-11-20T09:58:55.459342124Z").unwrap(), "2026-11-20T09:58:55.459342124Z");
    for text in ["", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z", "0", "soon", "NaN", "-5"] {
        assert!(read(text).is_none_or(|at| at == "1970-01-01T00:00:00Z"), "{text}");
    }
}

#[test]
fn texts_are_put_on_one_line_and_cut() {
    assert_eq!(summary("disk full".to_owned()), "disk full");
    assert_eq!(summary(" Disk\r\n full\u{a0}99 % ".to_owned()), "Disk full 99 %");
    let long = summary("ö".repeat(5_000));
    assert_eq!(long.chars().count(), MAX_SUMMARY_CHARS);
    assert!(long.ends_with('…'));
}

#[test]
fn a_long_dedup_key_still_folds_with_itself_only() {
    let long = "ä".repeat(200);
    let (one, other) = (dedup_key(long.clone()), dedup_key(format!("{long}x")));
    assert!(one.len() <= MAX_DEDUP_KEY_BYTES && other.len() <= MAX_DEDUP_KEY_BYTES);
    assert_ne!(one, other);
    assert_eq!(one, dedup_key(long));
    assert_eq!(dedup_key("k".repeat(255)), "k".repeat(255));
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced() {
    let read: Vec<String> = json(b"\xef\xbb\xbf[\"caf\xe9\"]").unwrap();
    assert_eq!(read, ["caf\u{fffd}"]);
}

#[test]
fn nul_characters_are_taken_out() {
    let raw = br#"{"summary":"a\u0000b","details":{"k\u0000":["v\u0000"]}}"#;
    let mut events = super::super::native::parse(raw).unwrap();
    without_nul(raw, &mut events);
    assert_eq!(events[0].summary, "a b");
    assert_eq!(serde_json::to_string(&events[0].details).unwrap(), r#"{"k":["v"]}"#);
}
