//! Rows as JSON.

use super::*;

#[test]
fn rows_become_json_that_says_the_same() {
    let mut rows = Rows::new();
    rows.push(row![1_i64, "plain", Uuid::from_u128(255)]);
    rows.push(row![None::<i64>, "\"\\\n\u{1}\u{1f}ä\u{0}", Uuid::from_u128(1)]);
    let json: serde_json::Value = serde_json::from_str(&rows.into_json()).unwrap();
    assert_eq!(
        json,
        serde_json::json!([
            [1, "plain", "000000000000000000000000000000ff"],
            [null, "\"\\\n\u{1}\u{1f}ä\u{fffd}", "00000000000000000000000000000001"],
        ])
    );
}

#[test]
fn no_rows_are_an_empty_array() {
    assert_eq!(Rows::new().into_json(), "[]");
}

#[test]
fn bytes_become_hex() {
    let mut rows = Rows::new();
    rows.push(row![vec![0_u8, 255, 16]]);
    assert_eq!(rows.into_json(), r#"[["00ff10"]]"#);
}
