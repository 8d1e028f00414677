//! More at once than providers take: it waits for them, and what does not need them goes on.

use std::time::Duration;

use bugle_app::channels::Rate;
use bugle_domain::contact::Channel;
use bugle_lab::{Answer, Knobs, Service};

use crate::world::{PRIYA, World, critical};

/// Texts that the only provider takes in a second, and how many are owed at once.
const RATE: u32 = 8;
const OWED: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_above_a_providers_rate_arrives_whole() {
    let w = World::configured(|_, behaviour| {
        let channels = &mut behaviour.channels;
        channels.sms.truncate(1);
        channels.sms[0].limits.rate = Some(Rate { messages: RATE, per: Duration::from_secs(1) });
    })
    .await;
    let numbers = w.crowd(Channel::Sms, OWED).await;
    w.post_event("checkout", critical("db1 is down")).await;
    let texts = || numbers.iter().map(|number| w.lab.phone(number).texts().len()).sum::<usize>();
    w.let_time_pass(|| texts() >= OWED).await;
    w.settle().await;
    let most = numbers.iter().map(|number| w.lab.phone(number).texts().len()).max();
    assert_eq!((texts(), most), (OWED, Some(1)));
    assert_eq!(w.sums().await.ended.failed, 0);
    w.end().await;
}

/// Many more mails than there are places, and no server that answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_that_hang_do_not_keep_a_page_from_a_phone() {
    let w = World::configured(|_, behaviour| behaviour.stages.dispatch.parallel = 32).await;
    for service in [Service::Mail, Service::SpareMail] {
        w.lab.set(service, Knobs::answering(Answer::Hang));
    }
    w.crowd(Channel::Email, 100).await;
    w.post_event("checkout", critical("db1 is down")).await;
    w.until("mails hang", async || w.sums().await.sending >= 16).await;
    w.post_event("nowhere", critical("db2 is down")).await;
    let began = std::time::Instant::now();
    w.let_time_pass(|| !w.phone(PRIYA).texts().is_empty()).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    for service in [Service::Mail, Service::SpareMail] {
        w.lab.set(service, Knobs::default());
    }
    w.settle().await;
    w.end().await;
}
