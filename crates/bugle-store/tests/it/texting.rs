//! Subscribers by text: a code holds for a while and a few tries, and a day has a ceiling.

use bugle_domain::SubscriberId;
use bugle_domain::contact::{Address, Channel, PhoneNumber};
use bugle_engine::status::subscribers::Subscriber;
use bugle_store::{CodeAsked, SubscriberClaim, TextCeiling};

use crate::support::{World, at, on_each_store, uuid};

on_each_store! {
    a_code_is_asked_for_once_in_a_while_and_sent_once
    a_code_ends_after_its_time_its_tries_and_its_use
    codes_have_a_ceiling_by_prefix_and_all_texts_by_day
}

const NUMBER: &str = "+4512345678";

fn asks(number: u128, phone: &str, second: i64) -> Subscriber {
    Subscriber {
        id: SubscriberId::from_stored(uuid(number)),
        address: Address::parse(Channel::Sms, phone).unwrap(),
        components: Vec::new(),
        asked_at: at(second),
        confirmed_at: None,
    }
}

fn ceiling(day: i64) -> TextCeiling<'static> {
    TextCeiling { day, in_all: 3, codes: ("+45", 2) }
}

async fn ask(world: &World, asks: &Subscriber, lately: i64, day: i64) -> CodeAsked {
    let link = [u8::try_from(asks.id.as_uuid().as_u128() % 200).unwrap(); 32];
    world.store.ask_by_text((asks, &link), at(lately), ceiling(day)).await.unwrap()
}

async fn a_code_is_asked_for_once_in_a_while_and_sent_once(world: World) {
    let (store, first) = (&world.store, asks(70, NUMBER, 100));
    assert_eq!(ask(&world, &first, 40, 1).await, CodeAsked::Queued);
    assert_eq!(ask(&world, &asks(71, NUMBER, 110), 50, 1).await, CodeAsked::UnderWay);
    assert_eq!(store.subscriber(first.id).await.unwrap(), Some(first.clone()));
    let claim =
        SubscriberClaim { channel: Channel::Sms, limit: 9, takes: &|_, _| true, else_at: at(0) };
    assert_eq!(store.claim_subscriber_messages(&claim, at(200)).await.unwrap().len(), 1);
    let again = Subscriber { id: first.id, ..asks(72, NUMBER, 300) };
    assert_eq!(ask(&world, &again, 240, 1).await, CodeAsked::Queued);
    assert_eq!(store.subscriber(first.id).await.unwrap(), Some(again), "a code of its own");
    assert_eq!(store.subscriber_by_link(&[70; 32]).await.unwrap(), Some(first.id));
    assert_eq!(store.subscriber_by_link(&[71; 32]).await.unwrap(), None);
}

async fn a_code_ends_after_its_time_its_tries_and_its_use(world: World) {
    let (store, asked) = (&world.store, asks(70, NUMBER, 100));
    let number: PhoneNumber = NUMBER.parse().unwrap();
    let tried = async |since| store.try_code(&number, at(since), 3).await.unwrap();
    assert_eq!(tried(0).await, None, "nobody asked");
    ask(&world, &asked, 40, 1).await;
    assert_eq!(tried(100).await, None, "it is too old");
    assert_eq!(tried(99).await, Some(asked.clone()));
    assert!(tried(99).await.is_some() && tried(99).await.is_some());
    assert_eq!(tried(99).await, None, "it was tried too often");
    ask(&world, &asks(71, NUMBER, 200), 140, 1).await;
    assert!(tried(199).await.is_some(), "another has tries of its own");
    assert!(store.prove_subscriber(asked.id, 3, at(210)).await.unwrap());
    assert_eq!(tried(199).await, None, "it holds once");
    let kept = store.subscriber(asked.id).await.unwrap().unwrap();
    assert_eq!(kept.confirmed_at, Some(at(210)));
    store.drop_subscriber(asked.id).await.unwrap();
    assert!(!store.prove_subscriber(asked.id, 3, at(220)).await.unwrap());
}

async fn codes_have_a_ceiling_by_prefix_and_all_texts_by_day(world: World) {
    let store = &world.store;
    let mut asked = Vec::new();
    for (number, phone) in [(70, "+4511111111"), (71, "+4522222222"), (72, "+4533333333")] {
        asked.push(ask(&world, &asks(number, phone, 100), 40, 1).await);
    }
    assert_eq!(asked, [CodeAsked::Queued, CodeAsked::Queued, CodeAsked::UsedUp]);
    let left = SubscriberId::from_stored(uuid(72));
    assert_eq!(store.subscriber(left).await.unwrap(), None, "nothing was kept of the third");
    assert!(store.count_text(ceiling(1)).await.unwrap(), "one more of three");
    assert!(!store.count_text(ceiling(1)).await.unwrap());
    store.uncount_text(1).await.unwrap();
    assert!(store.count_text(ceiling(1)).await.unwrap(), "one did not go out after all");
    assert!(store.count_text(ceiling(2)).await.unwrap(), "another day");
    store.forget_text_counts(2).await.unwrap();
    assert!(store.count_text(ceiling(1)).await.unwrap(), "the first was forgotten");
    assert!(
        store.count_text(ceiling(2)).await.unwrap() && store.count_text(ceiling(2)).await.unwrap()
    );
    assert!(!store.count_text(ceiling(2)).await.unwrap(), "the second was not");
}
