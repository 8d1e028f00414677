//! Tests of contact methods.

use super::*;

#[test]
fn phone_numbers_are_read_as_people_write_them() {
    let read = |text: &str| text.parse::<PhoneNumber>().map(|n| n.to_string());
    assert_eq!(read("+49 (30) 123-456"), Ok("+4930123456".to_owned()));
    assert_eq!(read("0049 30 123456"), Ok("+4930123456".to_owned()));
    for bad in ["", "030123456", "+49", "+0123456789", "+49a30123456", "+1234567890123456"] {
        assert_eq!(read(bad), Err(AddressError::Phone), "{bad}");
    }
}

#[test]
fn mail_addresses_that_could_smuggle_are_refused() {
    assert!("lena@example.com".parse::<EmailAddress>().is_ok());
    for bad in ["", "lena", "@x", "a@", "a b@c", "a@b\r\nBcc: x@y", "<a@b>", "a@.b", "a@b@c"] {
        assert_eq!(bad.parse::<EmailAddress>(), Err(AddressError::Email), "{bad}");
    }
}

#[test]
fn a_webhook_needs_a_plain_http_url() {
    let read = |text| Address::parse(Channel::Webhook, text).is_ok();
    assert!(read("https://hooks.example.com/x?y=1"));
    for bad in ["ftp://x/", "https://u:p@x/", "mailto:a@b", "/x", "data:,x"] {
        assert!(!read(bad), "{bad}");
    }
}

#[test]
fn shown_addresses_hide_most_of_themselves() {
    let masked = |channel, text| Address::parse(channel, text).unwrap().masked();
    assert_eq!(masked(Channel::Sms, "+491701234318"), "…318");
    assert_eq!(masked(Channel::Email, "lena@example.com"), "l…@example.com");
    assert_eq!(masked(Channel::Webhook, "https://h.example.com/secret"), "h.example.com");
}

#[test]
fn a_method_is_one_flat_document() {
    let json = r#"{"id":"cm_00000000000070008000000000000001","user":"usr_00000000000070008000000000000002","name":"phone","channel":"voice","address":"+4930123456","proven_at":null}"#;
    let method: ContactMethod = serde_json::from_str(json).unwrap();
    assert_eq!(method.address.channel(), Channel::Voice);
    assert_eq!(serde_json::to_string(&method).unwrap(), json);
}
