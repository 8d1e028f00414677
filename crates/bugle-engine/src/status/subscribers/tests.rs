//! Who is told, once, and that words from outside stay words.

use bugle_domain::contact::Address;

use super::super::State;
use super::super::bulletin::{Kind, Update};
use super::*;
use crate::testing::at;

/// More exact than what was told is kept.
fn update(minute: i64, phase: Phase) -> Update {
    let at = at(minute).saturating_add(jiff::SignedDuration::from_nanos(700)).unwrap();
    Update { at, phase, text: format!("at {minute}"), by: None }
}

fn bulletin(minutes: &[i64]) -> Bulletin {
    Bulletin {
        id: BulletinId::new(at(0), [1; 10]),
        kind: Kind::Trouble { incident: None },
        title: "Texts <are> late".to_owned(),
        state: State::Degraded,
        components: vec![Component::Sms],
        began_at: at(0),
        updates: minutes.iter().map(|minute| update(*minute, Phase::Investigating)).collect(),
        next_by: None,
        hand: None,
    }
}

fn subscriber(components: &[Component], confirmed: Option<i64>) -> Subscriber {
    Subscriber {
        id: SubscriberId::new(at(0), [2; 10]),
        address: Address::parse(Channel::Email, "ada@example.com").unwrap(),
        components: components.to_vec(),
        asked_at: at(0),
        confirmed_at: confirmed.map(at),
    }
}

fn links() -> Links {
    let own = "https://bugle.example/status/subscribers/sub_1/token".to_owned();
    Links {
        page: "https://bugle.example/status".to_owned(),
        unsubscribe: format!("{own}/unsubscribe"),
        short: "https://bugle.example/u/AbCdEfGhIjk".to_owned(),
        own,
    }
}

#[test]
fn only_what_was_not_told_is_news_and_nothing_old_is() {
    let minutes = |told: Option<i64>, now| {
        let notice = news(&bulletin(&[1, 5, 9]), told.map(at), at(now));
        let said = notice.map(|it| it.said).unwrap_or_default();
        said.iter().map(|it| it.text.clone()).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(minutes(None, 10), "at 1, at 5, at 9");
    assert_eq!(minutes(Some(5), 10), "at 9");
    assert_eq!(minutes(Some(9), 10), "");
    assert_eq!(minutes(None, 24 * 60 + 6), "at 9", "what is a day old is no news");
}

#[test]
fn who_confirmed_is_told_of_what_they_chose() {
    let notice = news(&bulletin(&[5]), None, at(6)).unwrap();
    let wants =
        |components: &[Component], confirmed| subscriber(components, confirmed).wants(&notice);
    assert!(wants(&[], Some(1)) && wants(&[Component::Email, Component::Sms], Some(1)));
    assert!(!wants(&[Component::Email], Some(1)), "it does not touch that");
    assert!(!wants(&[], None), "nobody pressed the button");
    assert!(!wants(&[], Some(6)), "it was said before");
}

#[test]
fn a_mail_says_what_is_new_first_and_how_to_end_it() {
    let mail = mail(&news(&bulletin(&[1, 5]), None, at(6)).unwrap(), "Halden", &links());
    assert_eq!(mail.subject, "[Halden status] We are looking: Texts <are> late");
    let (newer, older) = (mail.text.find("at 5").unwrap(), mail.text.find("at 1\n").unwrap());
    assert!(newer < older, "{}", mail.text);
    assert!(mail.text.contains("unsubscribe: https://bugle.example/status/subscribers/"));
    assert!(mail.html.contains("Texts &lt;are&gt; late"), "{}", mail.html);
    assert!(mail.html.contains("<a href=\"https://bugle.example/status\">"), "{}", mail.html);
}

#[test]
fn a_question_names_the_button_and_a_hook_its_kind() {
    let question = question("Halden", &links());
    assert!(question.text.contains("press the button:\nhttps://bugle.example/status/subscribers/"));
    let hook = hook(&news(&bulletin(&[5]), None, at(6)).unwrap(), &links());
    assert!(
        hook.contains("\"type\":\"status.update\"") && hook.contains("\"components\":[\"sms\"]")
    );
    assert!(hook_question(&links()).contains("\"type\":\"status.confirm\""));
}

#[test]
fn a_text_is_for_the_first_update_and_for_each_change_of_phase() {
    let mut told = bulletin(&[1, 5, 9]);
    told.updates[2].phase = Phase::Identified;
    let turned = |after: Option<i64>, until: usize| {
        let bulletin = Bulletin { updates: told.updates[..until].to_vec(), ..told.clone() };
        news(&bulletin, after.map(at), at(10)).unwrap().turned
    };
    assert!(turned(None, 1), "the first");
    assert!(!turned(Some(1), 2), "it goes on");
    assert!(turned(Some(5), 3), "the cause is found");
    assert!(turned(Some(1), 3), "both at once");
    let notice = |turned| Notice { turned, ..news(&told, None, at(10)).unwrap() };
    let phone = Address::parse(Channel::Sms, "+4512345678").unwrap();
    let by_text = Subscriber { address: phone, ..subscriber(&[], Some(0)) };
    assert!(by_text.wants(&notice(true)) && !by_text.wants(&notice(false)));
    assert!(subscriber(&[], Some(0)).wants(&notice(false)), "a mail tells of each update");
}

#[test]
fn a_text_says_what_and_where_and_only_its_title_is_cut() {
    let mut notice = news(&bulletin(&[1]), None, at(2)).unwrap();
    assert_eq!(
        text(&notice, "Halden", &links(), 300),
        "Halden status: We are looking: Texts <are> late (SMS notifications). \
         https://bugle.example/status End: https://bugle.example/u/AbCdEfGhIjk"
    );
    notice.title = "x".repeat(500);
    let long = text(&notice, "Halden", &links(), 300);
    assert_eq!(long.chars().count(), 300);
    assert!(long.contains("SMS notifications") && long.ends_with("/u/AbCdEfGhIjk"), "{long}");
    let short = text(&notice, "Halden", &links(), 150);
    assert!(short.chars().count() <= 150 && !short.contains("SMS notifications"), "{short}");
    assert!(short.ends_with("/u/AbCdEfGhIjk"), "{short}");
}

#[test]
fn only_the_word_alone_ends_it() {
    for end in ["STOP", " stop. ", "Unsubscribe", "END", "quit!"] {
        assert!(ends(end), "{end}");
    }
    for other in ["", "4", "ack", "stop it", "please stop", "ok", "stopp"] {
        assert!(!ends(other), "{other}");
    }
}
