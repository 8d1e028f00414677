//! Who is told, once, and that words from outside stay words.

use bugle_domain::contact::Address;

use super::super::State;
use super::super::bulletin::{Kind, Update};
use super::*;
use crate::testing::at;

fn update(minute: i64, phase: Phase) -> Update {
    Update { at: at(minute), phase, text: format!("at {minute}"), by: None }
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
