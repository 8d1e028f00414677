//! The form of a schedule is read, changed and turned into what is wanted.

use bugle_app::objects::error::ObjectError;
use bugle_domain::UserId;
use jiff::Timestamp;

use super::*;

fn user(number: u8) -> UserId {
    UserId::new(Timestamp::UNIX_EPOCH, [number; 10])
}

/// A form as a browser sends it.
fn sent(pairs: &[(&str, &str)]) -> Typed {
    let pairs: Vec<(String, String)> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Typed::read(&pairs)
}

fn two_layers() -> Typed {
    let (one, two) = (user(1).to_string(), user(2).to_string());
    sent(&[
        ("name", " Payments "),
        ("time_zone", "Europe/Berlin"),
        ("version", "7"),
        ("layer", ""),
        ("layer_name", "Nights"),
        ("count", "1"),
        ("unit", "weeks"),
        ("start", "2026-10-05T10:00"),
        ("person", &one),
        ("person", &two),
        ("person", ""),
        ("hours", ""),
        ("day", "1"),
        ("day", "5"),
        ("from", "18:00"),
        ("to", "08:00"),
        ("layer", ""),
        ("layer_name", "Days"),
        ("count", "12"),
        ("unit", "hours"),
        ("start", "2026-10-05T08:00"),
        ("person", &two),
    ])
}

/// The same after the button, and the field to go on with.
fn after(mut typed: Typed, button: &str) -> (Typed, Option<String>) {
    let press = Press::of(&[("do".to_owned(), button.to_owned())]);
    let focus = typed.press(press, "2026-01-05T10:00");
    (typed, focus)
}

fn names(typed: &Typed) -> Vec<&str> {
    typed.layers.iter().map(|layer| layer.name.as_str()).collect()
}

#[test]
fn what_is_sent_is_what_is_wanted() {
    let typed = two_layers();
    let draft = typed.draft().unwrap();
    assert_eq!((draft.name.as_str(), typed.version, draft.layers.len()), ("Payments", 7, 2));
    assert_eq!(draft.layers[0].participants, [user(1), user(2)]);
    assert_eq!(draft.layers[0].length, ShiftLength::Weeks(1));
    assert_eq!(draft.layers[0].restrictions[0].weekdays, [1, 5]);
    assert_eq!(draft.layers[0].restrictions[0].to.to_string(), "08:00:00");
    assert_eq!(draft.layers[1].length, ShiftLength::Hours(12));
    assert!(draft.layers[1].restrictions.is_empty());
}

#[test]
fn layers_move_and_the_finger_stays_on_the_button_that_moves_on() {
    let (typed, focus) = after(two_layers(), "down 0");
    assert_eq!(names(&typed), ["Days", "Nights"]);
    assert_eq!(focus.as_deref(), Some("layers-1-up"));
    let (typed, focus) = after(typed, "up 1");
    assert_eq!(names(&typed), ["Nights", "Days"]);
    assert_eq!(focus.as_deref(), Some("layers-0-down"));
    for nowhere in ["up 0", "down 1", "up 9", "down 18446744073709551615", "up", "fly 1"] {
        let (same, focus) = after(typed.clone(), nowhere);
        assert_eq!((same, focus), (typed.clone(), None), "{nowhere}");
    }
}

#[test]
fn people_move_and_go() {
    let (typed, focus) = after(two_layers(), "person-down 0 0");
    assert_eq!(typed.layers[0].people, [user(2), user(1)]);
    assert_eq!(focus.as_deref(), Some("layers-0-participants-1-up"));
    let (typed, _) = after(typed, "person-remove 0 0");
    assert_eq!(typed.layers[0].people, [user(1)]);
    let (same, focus) = after(typed.clone(), "person-remove 0 5");
    assert_eq!((same, focus), (typed, None));
}

#[test]
fn a_layer_that_is_taken_out_can_be_taken_back_until_the_whole_is_saved() {
    let (gone, focus) = after(two_layers(), "remove 0");
    assert_eq!(focus.as_deref(), Some("layers-0-keep"));
    assert_eq!(gone.draft().unwrap().layers.len(), 1);
    let (back, _) = after(gone, "keep 0");
    assert_eq!(back, two_layers());
}

#[test]
fn hours_come_and_go() {
    let (typed, focus) = after(two_layers(), "hours-add 1");
    assert_eq!(focus.as_deref(), Some("layers-1-restrictions-0-from"));
    assert_eq!(typed.draft().unwrap().layers[1].restrictions[0].weekdays, [1, 2, 3, 4, 5]);
    let (typed, _) = after(typed, "hours-remove 1 0");
    assert_eq!(typed, two_layers());
}

#[test]
fn a_new_layer_hands_off_when_the_last_one_does() {
    let (typed, focus) = after(two_layers(), "add");
    assert_eq!(focus.as_deref(), Some("layers-2-name"));
    assert_eq!(typed.layers[2].start, "2026-10-05T08:00");
    let (alone, _) = after(Typed::default(), "add");
    assert_eq!(alone.layers[0].start, "2026-01-05T10:00");
}

#[test]
fn what_cannot_be_read_is_told_at_its_field() {
    let mut typed = two_layers();
    typed.layers[0].count = "a few".to_owned();
    typed.layers[0].hours[0].to = String::new();
    typed.layers[1].start = "soon".to_owned();
    let fields: Vec<String> =
        typed.draft().unwrap_err().into_iter().map(|error| error.field).collect();
    assert_eq!(fields, ["layers-0-length-count", "layers-0-restrictions-0-from", "layers-1-start"]);
}

#[test]
fn errors_count_the_layers_that_were_taken_out() {
    let (typed, _) = after(two_layers(), "remove 0");
    let problem = bugle_app::Problem {
        pointer: "/layers/0/participants".to_owned(),
        code: "count",
        message: "must have 1 to 100 entries".to_owned(),
    };
    let errors = typed.errors(&ObjectError::Invalid(vec![problem]));
    assert_eq!(errors[0].field, "layers-1-participants");
    assert_eq!(errors[0].text, "Layer 2, who takes turns: must have 1 to 100 entries.");
}
