//! Mails as people's programs write them.

use super::*;

const EVENT: &str = "evt_0192f3a1c0de7000800000000000abcd";
const ALERT: &str = "alr_0192f3a1c0de7000800000000000abcd";

#[test]
fn only_what_is_new_was_said() {
    let cases = [
        ("db1 went down.\r\n\r\nNobody came.\r\n", "db1 went down.\n\nNobody came."),
        ("Nobody came.\n\n-- \nLena\nHalden Freight\n", "Nobody came."),
        ("Still not.\n\nOn Fri, Otto wrote:\n> Look at it.\n>\n> Otto\n", "Still not."),
        ("Immer noch nicht.\n\nAm Freitag schrieb Otto:\n\n> Bitte\n", "Immer noch nicht."),
        ("> Is it over?\nNo.\n> When?\nAt two.\n", "No.\nAt two."),
        ("See below.\n\n-----Original Message-----\nFrom: Otto\n\nOld\n", "See below."),
        ("See below.\n________________________________\nFrom: Otto\nOld\n", "See below."),
        ("---------- Forwarded message ---------\nFrom: Bugle\n", ""),
        ("It said:\n\n\n\n\ndown\n", "It said:\n\ndown"),
        ("> only quoted\n", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(said(text), expected, "{text:?}");
    }
}

#[test]
fn its_own_words_say_what_it_is_about_before_what_it_answers_and_quotes() {
    let thread = [format!("<{ALERT}@bugle.example>")];
    let quoted = "No page.\n\n> [CRIT] Payments: db1 is down (#15)\n";
    assert_eq!(named("Re: page", quoted, &[]).number, Some(15));
    let answers = named("Re: page", quoted, &thread);
    assert_eq!((answers.alert, answers.number), (ALERT.parse().ok(), None));
    let own = named("Alert #7", quoted, &thread);
    assert_eq!((own.number, own.alert), (Some(7), None));
    assert_eq!(named("", &format!("I sent {EVENT}."), &thread).event, EVENT.parse().ok());
    assert_eq!(named("no page", "at all", &[]), Named::default());
}

#[test]
fn what_is_no_id_names_nothing() {
    for text in ["evt_1", "issue#", "#", "#x", "#99999999999999999999", "alr_zz", "C# 15"] {
        assert_eq!(named(text, "", &[]), Named::default(), "{text}");
    }
}

#[test]
fn an_answer_within_a_request_belongs_to_it() {
    let request = "ast_0192f3a1c0de7000800000000000abcd";
    let thread = [format!("<{request}@bugle.example>"), "<ntf_x@bugle.example>".to_owned()];
    let named = named("Re: Answer", "It was #12.", &thread);
    assert_eq!((named.request, named.number), (request.parse().ok(), Some(12)));
}
