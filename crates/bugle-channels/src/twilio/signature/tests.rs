//! Vectors: the manual's own, and what must not pass.

use std::time::Duration;

use super::*;
use crate::settings::{Limits, SharedKey};

fn settings() -> TwilioSettings {
    let second = Duration::from_secs(1);
    TwilioSettings {
        name: "main".to_owned(),
        api_base: Url::parse("https://api.twilio.com").unwrap(),
        account_sid: "AC1".to_owned(),
        auth_token: "12345".into(),
        callback_keys: vec![SharedKey { id: "k1".to_owned(), secret: "s3cret".into() }],
        from: "+15017122661".to_owned(),
        limits: Limits { connect: second, request: second, rate: None },
    }
}

/// The example of Twilio's manual.
fn request() -> CallbackRequest {
    let params = [
        ("To", "+18005551212"),
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
    ];
    CallbackRequest {
        path_and_query: "/myapp.php?foo=1&bar=2".to_owned(),
        params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        signature: Some("RSOYDt4T1cUTdK1PDd93/VVr8B8=".to_owned()),
        signature_settings: None,
    }
}

#[track_caller]
fn check(public_url: &str, request: &CallbackRequest, expected: Result<(), SignatureError>) {
    let public_url = Url::parse(public_url).unwrap();
    assert_eq!(verify(&settings(), &public_url, request), expected);
}

fn sign(url: &str, params: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(b"12345").unwrap();
    STANDARD.encode(mac.chain_update(url).chain_update(params).finalize().into_bytes())
}

#[test]
fn the_manuals_own_example_passes() {
    check("https://mycompany.com/", &request(), Ok(()));
    check("https://mycompany.com", &request(), Ok(()));
}

#[test]
fn anything_changed_does_not_pass() {
    let mismatch = Err(SignatureError::Mismatch);
    check("http://mycompany.com/", &request(), mismatch);
    check("https://other.com/", &request(), mismatch);
    let change = |change: fn(&mut CallbackRequest)| {
        let mut request = request();
        change(&mut request);
        request
    };
    let changed = [
        change(|request| request.path_and_query.push_str("&x=1")),
        change(|request| request.params[3].1 = "1235".to_owned()),
        change(|request| request.params.push(("Digits".to_owned(), "4".to_owned()))),
        change(|request| drop(request.params.pop())),
        change(|request| request.signature = Some(STANDARD.encode([0; 20]))),
        change(|request| request.signature = Some(STANDARD.encode([0; 3]))),
    ];
    for request in &changed {
        check("https://mycompany.com/", request, mismatch);
    }
    let missing = Err(SignatureError::Missing);
    check("https://mycompany.com/", &change(|request| request.signature = None), missing);
    let garbage = change(|request| request.signature = Some("###".to_owned()));
    check("https://mycompany.com/", &garbage, missing);
}

#[test]
fn urls_are_signed_with_or_without_their_port() {
    let mut request = CallbackRequest {
        path_and_query: "/sms".to_owned(),
        params: vec![("Body".to_owned(), "4".to_owned())],
        ..CallbackRequest::default()
    };
    for url in ["https://bugle.example:8443/sms", "https://bugle.example/sms"] {
        request.signature = Some(sign(url, "Body4"));
        check("https://bugle.example:8443", &request, Ok(()));
    }
    request.signature = Some(sign("https://bugle.example:443/sms", "Body4"));
    check("https://bugle.example", &request, Ok(()));
}

#[test]
fn a_path_that_a_proxy_takes_away_is_put_back() {
    let mut request = CallbackRequest {
        path_and_query: "/callbacks/twilio/main/sms".to_owned(),
        signature: Some(sign("https://x.example/bugle/callbacks/twilio/main/sms", "")),
        ..CallbackRequest::default()
    };
    check("https://x.example/bugle/", &request, Ok(()));
    request.path_and_query = "/bugle/callbacks/twilio/main/sms".to_owned();
    check("https://x.example/bugle/", &request, Ok(()));
}

#[test]
fn equal_values_of_one_name_count_once_and_others_are_sorted() {
    let mut request = CallbackRequest {
        path_and_query: "/x".to_owned(),
        params: ["b", "a", "b"].map(|value| ("P".to_owned(), value.to_owned())).to_vec(),
        ..CallbackRequest::default()
    };
    request.signature = Some(sign("https://x.example/x", "PaPb"));
    check("https://x.example", &request, Ok(()));
}

#[test]
fn the_newer_kind_is_checked_with_the_key_it_names() {
    let mut request = CallbackRequest { path_and_query: "/x".to_owned(), ..request() };
    let signed = format!("https://x.example/x{}", signed_params(&request.params));
    let mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap().chain_update(&signed);
    request.signature = Some(STANDARD.encode(mac.finalize().into_bytes()));
    let unknown = Err(SignatureError::UnknownKey);
    for (header, expected) in [
        ("key=k1,algorithm=HMAC_SHA256", Ok(())),
        ("algorithm=HMAC_SHA256, key=k1", Ok(())),
        ("key=k2,algorithm=HMAC_SHA256", unknown),
        ("key=k1,algorithm=HMAC_MD5", unknown),
        ("key=k1", unknown),
        ("", unknown),
    ] {
        request.signature_settings = Some(header.to_owned());
        check("https://x.example", &request, expected);
    }
    request.signature_settings = None;
    check("https://x.example", &request, Err(SignatureError::Mismatch));
}
