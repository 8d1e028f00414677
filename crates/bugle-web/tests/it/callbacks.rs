//! Callbacks of providers: nothing is believed that is not signed.

use http::StatusCode;

use crate::world::World;

#[tokio::test]
async fn a_callback_of_an_unknown_provider_is_not_believed() {
    let world = World::new().await;
    let path = "/callbacks/twilio/main/message/ntf_0198c0de0000700080000000000000aa";
    let answer = world.post(path, &[], "MessageSid=SM1&MessageStatus=delivered").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["code"], "callback_not_signed");
    let text = world.post("/callbacks/twilio/main/sms", &[], "From=%2B4930123456&Body=4").await;
    assert_eq!(text.status, StatusCode::FORBIDDEN);
    let bad = world.post("/callbacks/twilio/main/message/ntf_1", &[], "").await;
    assert_eq!(bad.status, StatusCode::NOT_FOUND);
}
