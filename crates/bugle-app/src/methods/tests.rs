//! A contact method is used only after a code that was sent to it came back.

use bugle_domain::role::Role;
use bugle_domain::user::NotificationRule;
use jiff::SignedDuration;

use super::*;
use crate::error::UseCaseError;
use crate::world::World;

fn program(world: &World) -> NewMethod {
    let address = world.hook.to_string();
    NewMethod { name: String::new(), channel: Channel::Webhook, address }
}

#[tokio::test]
async fn a_method_is_proven_by_the_code_that_was_sent_to_it() {
    let mut world = World::new().await;
    let lena = world.person("Lena Ortiz", Role::Responder).await;
    let me = lena.user.unwrap();
    let added = world.app.add_method(&lena, me, program(&world)).await.unwrap();
    assert!(added.code.accepted, "{:?}", added.code);
    assert_eq!((added.method.name.as_str(), added.method.proven_at), ("program", None));
    let code = world.next_hook().await["code"].as_str().unwrap().to_owned();
    let app = &world.app;
    let id = added.method.id;
    assert_eq!(app.test_method(&lena, id).await.unwrap_err().code(), "method_not_proven");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(app.prove_method(&lena, id, wrong).await.unwrap_err().code(), "code_wrong");
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    assert!(app.prove_method(&lena, id, &spaced).await.unwrap().proven_at.is_some());
    assert_eq!(
        app.prove_method(&lena, id, &code).await.unwrap_err().code(),
        "method_already_proven"
    );
    assert!(app.test_method(&lena, id).await.unwrap().accepted);
    assert_eq!(world.next_hook().await["type"], "contact_method.test");
    let twice = world.app.add_method(&lena, me, program(&world)).await.unwrap_err();
    assert_eq!(twice.problems()[0].code, "duplicate");
    world.end().await;
}

#[tokio::test]
async fn a_code_dies_of_age_and_of_guessing_and_is_not_sent_without_end() {
    let mut world = World::new().await;
    let lena = world.person("Lena Ortiz", Role::Responder).await;
    let added = world.app.add_method(&lena, lena.user.unwrap(), program(&world)).await.unwrap();
    let id = added.method.id;
    let code = world.next_hook().await["code"].as_str().unwrap().to_owned();
    world.clock.push(CODE_LIFETIME);
    assert_eq!(world.app.prove_method(&lena, id, &code).await.unwrap_err().code(), "code_wrong");

    world.app.send_code(&lena, id).await.unwrap();
    let code = world.next_hook().await["code"].as_str().unwrap().to_owned();
    for guess in 0..CODE_TRIES {
        let guess = format!("{:06}", (code.parse::<u32>().unwrap() + guess + 1) % 1_000_000);
        assert!(world.app.prove_method(&lena, id, &guess).await.is_err());
    }
    assert_eq!(world.app.prove_method(&lena, id, &code).await.unwrap_err().code(), "code_wrong");

    let mut limited = None;
    for _ in 0..5 {
        limited = world.app.send_code(&lena, id).await.err();
    }
    assert_eq!(limited.unwrap().code(), "method_rate_limited");
    world.clock.push(SignedDuration::from_mins(2));
    world.app.send_code(&lena, id).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn rules_name_own_methods_and_go_with_them() {
    let world = World::new().await;
    let app = &world.app;
    let lena = world.person("Lena Ortiz", Role::Responder).await;
    let me = lena.user.unwrap();
    let phone = "+4930901820318".parse().unwrap();
    let id = world.proven(me, bugle_domain::contact::Address::Sms(phone)).await;
    assert_eq!(app.rules(&lena, me).await.unwrap().urgent_steps, [(0, id)]);
    let rule = |delay_s| NotificationRule { delay_s, method: id };
    let rules = NotificationRules { urgent: vec![rule(60), rule(0)], normal: vec![rule(600)] };
    let put = app.put_rules(&lena, me, rules.clone()).await.unwrap();
    assert_eq!(put.urgent_steps, [(0, id), (60, id)]);
    let others = app.put_rules(&lena, world.admin.user.unwrap(), rules.clone()).await;
    assert_eq!(others.unwrap_err().code(), "forbidden");
    let wrong = app.put_rules(&world.admin, world.admin.user.unwrap(), rules).await.unwrap_err();
    assert_eq!(wrong.problems()[0].pointer, "/urgent/0/method");

    let removed = app.remove_method(&lena, id).await.unwrap();
    assert_eq!(removed.sentence, "3 notification rules that used it were removed.");
    assert_eq!(app.rules(&lena, me).await.unwrap().urgent_steps, []);
    let viewer = world.person("Vera Holm", Role::Viewer).await;
    assert!(app.contact_methods(&viewer, me).await.is_err());
    assert_eq!(app.contact_methods(&world.admin, me).await.unwrap(), []);
    world.end().await;
}
