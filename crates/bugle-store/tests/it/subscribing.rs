//! Subscribers of the status page: one entry an address, and nobody is told twice.

use bugle_domain::contact::{Address, Channel};
use bugle_domain::{BulletinId, NoticeId, SubscriberId};
use bugle_engine::status::bulletin::{Bulletin, Kind, Phase, Update};
use bugle_engine::status::subscribers::{Notice, Subscriber, news};
use bugle_engine::status::{Component, State};
use bugle_store::{Audited, SubscriberClaim, SubscriberMessage};

use crate::support::{World, all, at, on_each_store, uuid};

on_each_store! {
    an_address_asks_once_and_stays_as_it_was_confirmed
    the_newest_come_first_and_who_is_removed_is_on_record
    who_only_asked_is_found_after_a_day_and_dropped
    what_was_said_is_told_once
    a_notice_goes_out_in_steps_to_who_wants_it
    a_message_is_claimed_once_and_given_up_if_nobody_says_what_came_of_it
    what_cannot_be_read_keeps_nobody_else_from_being_told
    each_channel_is_claimed_apart_and_what_may_not_go_is_put_off_behind_the_rest
}

fn asks(number: u128, name: &str, components: &[Component]) -> Subscriber {
    Subscriber {
        id: SubscriberId::from_stored(uuid(number)),
        address: Address::parse(Channel::Email, &format!("{name}@example.com")).unwrap(),
        components: components.to_vec(),
        asked_at: at(1),
        confirmed_at: None,
    }
}

fn bulletin() -> Bulletin {
    let update =
        Update { at: at(10), phase: Phase::Investigating, text: "late".to_owned(), by: None };
    Bulletin {
        id: BulletinId::from_stored(uuid(90)),
        kind: Kind::Trouble { incident: None },
        title: "Texts are late".to_owned(),
        state: State::Degraded,
        components: vec![Component::Sms],
        began_at: at(9),
        updates: vec![update],
        next_by: None,
        hand: None,
    }
}

fn notice_id(number: u128) -> NoticeId {
    NoticeId::from_stored(uuid(number))
}

/// Somebody who has pressed the button.
async fn confirmed(world: &World, number: u128, components: &[Component]) {
    let asks = asks(number, &format!("person{number}"), components);
    world.store.ask_to_subscribe(&asks).await.unwrap();
    assert!(world.store.confirm_subscriber(asks.id, components, at(2)).await.unwrap());
}

async fn claim(world: &World, limit: u32, now: i64) -> Vec<SubscriberMessage> {
    let claim =
        SubscriberClaim { channel: Channel::Email, limit, takes: &|_, _| true, else_at: at(0) };
    world.store.claim_subscriber_messages(&claim, at(now)).await.unwrap()
}

async fn tell(world: &World, number: u128) -> Notice {
    let notice = news(&bulletin(), None, at(11)).unwrap();
    let of = (bulletin().id, None, at(10));
    let told = world.store.tell_subscribers((notice_id(number), Some(&notice)), of, at(11)).await;
    assert!(told.unwrap());
    notice
}

async fn an_address_asks_once_and_stays_as_it_was_confirmed(world: World) {
    let (store, first) = (&world.store, asks(70, "ada", &[Component::Sms]));
    store.ask_to_subscribe(&first).await.unwrap();
    store.ask_to_subscribe(&asks(71, "ada", &[Component::Email])).await.unwrap();
    let kept = store.subscriber(first.id).await.unwrap().unwrap();
    assert_eq!(kept.components, [Component::Email], "nobody has confirmed the first");
    assert_eq!(store.subscriber_at(&first.address).await.unwrap(), Some(first.id));
    assert_eq!(claim(&world, 9, 1).await.len(), 1, "one question at a time");
    store.confirm_subscriber(first.id, &[Component::Email], at(2)).await.unwrap();
    store.ask_to_subscribe(&asks(72, "ada", &[])).await.unwrap();
    let kept = store.subscriber(first.id).await.unwrap().unwrap();
    assert_eq!((kept.components, kept.confirmed_at), (vec![Component::Email], Some(at(2))));
    let counts = store.count_subscribers(all()).await.unwrap();
    assert_eq!((counts.len(), counts[0].confirmed, counts[0].asked), (1, 1, 0));
    assert!(store.drop_subscriber(first.id).await.unwrap());
    assert!(!store.drop_subscriber(first.id).await.unwrap());
    assert!(claim(&world, 9, 99).await.is_empty(), "what waited for it is gone, too");
}

async fn the_newest_come_first_and_who_is_removed_is_on_record(world: World) {
    let (store, scope) = (&world.store, crate::support::scope(1));
    for number in 70..73 {
        confirmed(&world, number, &[]).await;
    }
    let list = async |before, limit| {
        let found = store.newest_subscribers(all(), before, limit).await.unwrap();
        found.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    let id = |number| SubscriberId::from_stored(uuid(number));
    assert_eq!(list(None, 2).await, [id(72), id(71)]);
    assert_eq!(list(Some(id(71)), 2).await, [id(70)]);
    let logged = store.audit(scope, None, 9).await.unwrap().len();
    let remove = async || {
        store.remove_subscriber(scope, (id(71), "p…@example.com"), at(5), "user Lena").await
    };
    assert!(remove().await.unwrap());
    assert!(!remove().await.unwrap(), "only once");
    let log = store.audit(scope, None, 9).await.unwrap();
    assert_eq!(log.len(), logged + 1);
    assert_eq!((log[0].about, log[0].object), (Audited::Subscriber, uuid(71)));
    assert_eq!(log[0].before.as_deref(), Some("p…@example.com"), "no more than may be shown");
    assert_eq!(list(None, 9).await, [id(72), id(70)]);
    let waiting = claim(&world, 9, 5).await;
    assert!(waiting.iter().all(|it| it.to.id != id(71)), "nothing waits for it");
}

async fn who_only_asked_is_found_after_a_day_and_dropped(world: World) {
    world.store.ask_to_subscribe(&asks(70, "ada", &[])).await.unwrap();
    confirmed(&world, 71, &[]).await;
    let found = async |until| world.store.unconfirmed_subscribers(at(until), 9).await.unwrap();
    assert!(found(0).await.is_empty());
    assert_eq!(found(1).await, [asks(70, "ada", &[]).id]);
}

async fn what_was_said_is_told_once(world: World) {
    world.store.publish_bulletin(&bulletin()).await.unwrap();
    let untold = world.store.untold(at(0)).await.unwrap();
    assert_eq!((untold.len(), untold[0].told), (1, None));
    assert!(world.store.untold(at(10)).await.unwrap().is_empty(), "it is too old");
    let notice = tell(&world, 80).await;
    let of = (bulletin().id, None, at(10));
    let again = world.store.tell_subscribers((notice_id(81), Some(&notice)), of, at(12)).await;
    assert!(!again.unwrap(), "another node was faster");
    assert!(world.store.untold(at(0)).await.unwrap().is_empty());
}

async fn a_notice_goes_out_in_steps_to_who_wants_it(world: World) {
    for number in 70..75 {
        confirmed(&world, number, &[]).await;
    }
    confirmed(&world, 75, &[Component::Voice]).await;
    assert!(claim(&world, 99, 5).await.is_empty(), "who has confirmed is asked no more");
    let notice = tell(&world, 80).await;
    let mut queued = Vec::new();
    while let Some(step) = world.store.fan_out(2, at(12)).await.unwrap() {
        queued.push(step);
    }
    assert_eq!(queued, [2, 2, 1, 0], "the last one wants to know of calls only");
    let claimed = claim(&world, 99, 12).await;
    assert_eq!(claimed.len(), 5);
    assert!(claimed.iter().all(|it| it.notice.as_ref() == Some(&notice)));
}

async fn a_message_is_claimed_once_and_given_up_if_nobody_says_what_came_of_it(world: World) {
    world.store.ask_to_subscribe(&asks(70, "ada", &[])).await.unwrap();
    world.store.ask_to_subscribe(&asks(71, "ben", &[])).await.unwrap();
    let first = claim(&world, 1, 2).await;
    assert_eq!((first.len(), first[0].tries), (1, 1));
    world.store.retry_subscriber_message(&first[0], at(20)).await.unwrap();
    assert_eq!(claim(&world, 9, 3).await.len(), 1, "the other one");
    assert!(claim(&world, 9, 4).await.is_empty());
    let again = claim(&world, 9, 20).await;
    assert_eq!((again.len(), again[0].tries), (1, 2));
    assert_eq!(world.store.give_up_subscriber_messages(at(3), at(0)).await.unwrap(), 1);
    assert!(claim(&world, 9, 99).await.is_empty(), "nobody is told twice");
}

async fn each_channel_is_claimed_apart_and_what_may_not_go_is_put_off_behind_the_rest(
    world: World,
) {
    world.store.ask_to_subscribe(&asks(70, "ada", &[])).await.unwrap();
    for number in 71_u8..90 {
        let host = if number < 89 { "hangs" } else { "answers" };
        let url = format!("https://{host}.example/{number}");
        let address = Address::parse(Channel::Webhook, &url).unwrap();
        let asks = Subscriber { address, asked_at: at(number.into()), ..asks(70, "ada", &[]) };
        let asks = Subscriber { id: SubscriberId::from_stored(uuid(number.into())), ..asks };
        world.store.ask_to_subscribe(&asks).await.unwrap();
    }
    let one = |to: &Address, with: &[SubscriberMessage]| {
        let host = |it: &Address| it.masked();
        !with.iter().any(|it| host(&it.to.address) == host(to))
    };
    let claim =
        SubscriberClaim { channel: Channel::Webhook, limit: 2, takes: &one, else_at: at(200) };
    let hosts = async |now| -> Vec<String> {
        let claimed = world.store.claim_subscriber_messages(&claim, at(now)).await.unwrap();
        claimed.iter().map(|it| it.to.address.masked()).collect()
    };
    assert_eq!(hosts(100).await, ["hangs.example"], "as many are looked at as are put off");
    assert_eq!(hosts(100).await, ["hangs.example", "answers.example"], "it was behind them");
    assert!(hosts(100).await.is_empty(), "the rest is put off");
    assert_eq!(hosts(200).await, ["hangs.example"]);
    assert_eq!(self::claim(&world, 9, 100).await.len(), 1, "mails wait for nobody");
}

async fn what_cannot_be_read_keeps_nobody_else_from_being_told(world: World) {
    let person = |number| asks(number, &format!("person{number}"), &[]);
    for number in 70..74 {
        world.store.ask_to_subscribe(&person(number)).await.unwrap();
    }
    world.spoil(("subscribers", "address"), uuid(70)).await;
    world.spoil(("subscribers", "components"), uuid(73)).await;
    let questions = claim(&world, 9, 5).await;
    assert_eq!(questions.len(), 2, "to the others");
    assert!(questions.iter().all(|it| it.notice.is_none()));
    assert!(claim(&world, 9, 5).await.is_empty());
    for number in 70..74 {
        let id = person(number).id;
        assert!(world.store.confirm_subscriber(id, &[], at(6)).await.unwrap());
    }
    world.spoil(("subscribers", "components"), uuid(73)).await;

    let spoilt = tell(&world, 80).await;
    world.spoil(("status_notices", "document"), uuid(80)).await;
    let of = (bulletin().id, Some(at(10)), at(20));
    let told = world.store.tell_subscribers((notice_id(81), Some(&spoilt)), of, at(20)).await;
    assert!(told.unwrap());
    let mut steps = 0;
    while world.store.fan_out(2, at(21)).await.unwrap().is_some() {
        steps += 1;
        assert!(steps < 9, "it goes on for ever");
    }
    let claimed = claim(&world, 9, 21).await;
    let ids: Vec<_> = claimed.iter().map(|it| it.to.id.as_uuid()).collect();
    assert_eq!(ids, [uuid(71), uuid(72)]);
    assert!(claimed.iter().all(|it| it.notice_id == notice_id(81)));

    // A notice that became unreadable after its messages were made.
    let of = (bulletin().id, Some(at(20)), at(30));
    world.store.tell_subscribers((notice_id(82), Some(&spoilt)), of, at(30)).await.unwrap();
    while world.store.fan_out(9, at(31)).await.unwrap().is_some() {}
    world.spoil(("status_notices", "document"), uuid(82)).await;
    world.store.ask_to_subscribe(&asks(75, "new", &[])).await.unwrap();
    assert_eq!(claim(&world, 9, 31).await.len(), 1, "who asks is still asked back");
    assert!(claim(&world, 9, 99).await.is_empty(), "and what says nothing is gone");
}
