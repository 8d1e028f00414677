//! Addresses that prove who writes, and what mails do.

use bugle_domain::role::Role;
use jiff::SignedDuration;

use super::*;
use crate::world::World;

fn mail(number: u32, text: &str) -> NewMail {
    NewMail {
        key: format!("mail {number}"),
        id: Some(format!("<{number}@halden.example>")),
        subject: "No page".to_owned(),
        text: text.to_owned(),
        answered: Vec::new(),
    }
}

fn local(address: &str) -> &str {
    address.split_once('@').unwrap().0
}

#[tokio::test]
async fn only_an_address_of_ours_finds_somebody_and_only_who_may_ask() {
    let w = World::new().await;
    let lena = w.person("Lena Ortiz", Role::Responder).await;
    let vera = w.person("Vera Sand", Role::Viewer).await;
    let address = w.app.help_address(lena.user.unwrap()).unwrap();
    let local = local(&address);
    assert!(address.ends_with("@in.example") && local.len() <= 64, "{address}");
    let found = w.app.correspondent(&local.to_uppercase()).await.unwrap().unwrap();
    assert_eq!((found.0.user, found.0.scope), (lena.user, lena.scope));
    let last = if local.ends_with('q') { "a" } else { "q" };
    let forged = format!("{}{last}", &local[..local.len() - 1]);
    for other in
        [forged.as_str(), "help", "help+", "help+aé1", "lena", &local[..40], &format!("{local}a")]
    {
        assert_eq!(w.app.correspondent(other).await.unwrap(), None, "{other}");
    }
    let viewer = w.app.help_address(vera.user.unwrap()).unwrap();
    assert_eq!(
        w.app.correspondent(self::local(&viewer)).await.unwrap(),
        None,
        "viewers ask nobody"
    );
    let gone = w.app.help_address(UserId::new(w.app.now(), [9; 10])).unwrap();
    assert_eq!(w.app.correspondent(self::local(&gone)).await.unwrap(), None);
    w.end().await;
}

#[tokio::test]
async fn a_mail_opens_one_request_and_an_answer_adds_to_it() {
    let w = World::new().await;
    let from = Correspondent(w.admin.clone());
    let taken = |mail: NewMail| {
        let (app, from) = (w.app.clone(), from.clone());
        async move { app.take_mail(&from, &mail).await }
    };
    assert_eq!(taken(mail(1, "db1 went down.\n-- \nPriya")).await.unwrap(), Taken::Done);
    assert_eq!(taken(mail(1, "db1 went down.")).await.unwrap(), Taken::Repeated);
    let asked = w.app.assistance_requests(&w.admin).await.unwrap();
    let [only] = asked.as_slice() else { panic!("{asked:#?}") };
    assert_eq!(only.request.expected, "db1 went down.");
    assert!(only.request.finding.is_some(), "the ledger has answered");
    let mut more = mail(2, "At two.\n\nOtto wrote:\n> When?");
    more.answered = vec![format!("<{}@bugle.example>", only.request.id)];
    assert_eq!(taken(more.clone()).await.unwrap(), Taken::Done);
    let view = w.app.assistance_request(&w.admin, only.request.id).await.unwrap();
    assert_eq!(view.request.said[0].text, "At two.");
    w.app.close_assistance(&w.admin, only.request.id).await.unwrap();
    more.key = "mail 3".to_owned();
    assert_eq!(taken(more).await.unwrap(), Taken::Done);
    assert_eq!(w.app.assistance_requests(&w.admin).await.unwrap().len(), 2, "a new one");
    let empty = taken(NewMail { subject: String::new(), ..mail(4, "> all quoted") }).await;
    assert!(matches!(empty, Err(AssistanceError::Invalid(_))), "{empty:?}");
    w.end().await;
}

#[tokio::test]
async fn a_mail_whose_node_died_is_taken_once_more() {
    let w = World::new().await;
    let mail = mail(1, "db1 went down.");
    let from = Correspondent(w.admin.clone());
    assert!(w.app.turn(&w.admin, &mail).await.unwrap().is_ok(), "and then it dies");
    assert_eq!(w.app.take_mail(&from, &mail).await.unwrap(), Taken::Running);
    w.clock.push(SignedDuration::from_mins(3));
    assert_eq!(w.app.take_mail(&from, &mail).await.unwrap(), Taken::Done);
    assert_eq!(w.app.take_mail(&from, &mail).await.unwrap(), Taken::Repeated);
    w.end().await;
}
