//! The form is read back as it was meant.

use bugle_domain::UserId;
use jiff::Timestamp;

use super::*;

#[test]
fn a_level_without_anybody_is_left_out() {
    let user = UserId::new(Timestamp::UNIX_EPOCH, [1; 10]);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let draft = read(&[
        pair("name", " Payments "),
        pair("target", &user.to_string()),
        pair("target", ""),
        pair("delay_s", "300"),
        pair("target", ""),
        pair("delay_s", "600"),
        pair("repeat", "2"),
    ]);
    assert_eq!(draft.name, "Payments");
    assert_eq!(draft.levels, [Level { targets: vec![Target::User(user)], delay_s: 300 }]);
    assert_eq!(draft.repeat, 2);
}
