//! More at once than providers take: it waits for them, and arrives.

use std::time::Duration;

use bugle_app::channels::Rate;

use crate::world::World;

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
    let numbers = w.crowd(OWED).await;
    w.post_event("checkout", crate::world::critical("db1 is down")).await;
    let texts = || numbers.iter().map(|number| w.lab.phone(number).texts().len()).sum::<usize>();
    w.let_time_pass(|| texts() >= OWED).await;
    w.settle().await;
    let most = numbers.iter().map(|number| w.lab.phone(number).texts().len()).max();
    assert_eq!((texts(), most), (OWED, Some(1)));
    assert_eq!(w.sums().await.ended.failed, 0);
    w.end().await;
}
