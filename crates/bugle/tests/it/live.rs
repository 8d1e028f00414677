//! Who may watch a page that keeps itself up to date.

use reqwest::redirect::Policy;

use crate::on_each_database;
use crate::world::{LIMIT, World};

on_each_database! {
    a_stream_ends_soon_after_its_reader_has_signed_out
}

async fn a_stream_ends_soon_after_its_reader_has_signed_out(w: World) {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let signed_in = client.post(w.sign_in_link().await).send().await.unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let url = format!("{}/live?topic=ledger", w.base);
    let mut stream = client.get(url).header("cookie", cookie).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert!(stream.chunk().await.unwrap().is_some());
    w.forward(20).await;

    let url = format!("{}/sign-out", w.base);
    client.post(url).header("cookie", cookie).send().await.unwrap();
    w.forward(20).await;
    let to_its_end = async { while stream.chunk().await.unwrap().is_some() {} };
    assert!(tokio::time::timeout(LIMIT, to_its_end).await.is_ok(), "it goes on");
    w.end().await;
}
