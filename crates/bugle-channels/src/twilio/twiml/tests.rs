//! What is said, one element a line.

use super::*;

fn lines(xml: &str) -> String {
    xml.replace("><", ">\n<").replace(" action=", "\n  action=")
}

const MENU: Menu<'_> = Menu {
    spoken: "Critical, Payments. Checkout API errors 14 percent.",
    possible_repeat: false,
    gather_url: "https://bugle.example/callbacks/twilio/main/gather/ntf_1",
};

#[test]
fn a_menu_waits_twice_for_a_key() {
    insta::assert_snapshot!(lines(&menu(MENU)), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Gather input="dtmf" numDigits="1" timeout="10"
      action="https://bugle.example/callbacks/twilio/main/gather/ntf_1" method="POST">
    <Say>Bugle. Bugle.</Say>
    <Pause length="1"/>
    <Say>Critical, Payments. Checkout API errors 14 percent.</Say>
    <Say>Press 4 to acknowledge. 5 to pass it on. 6 if it is fixed. 0 to hear it again.</Say>
    </Gather>
    <Gather input="dtmf" numDigits="1" timeout="10"
      action="https://bugle.example/callbacks/twilio/main/gather/ntf_1" method="POST">
    <Say>Press 4 to acknowledge. 5 to pass it on. 6 if it is fixed. 0 to hear it again.</Say>
    </Gather>
    <Say>No key was pressed. Goodbye.</Say>
    <Hangup/>
    </Response>
    "#);
}

#[test]
fn a_call_that_may_be_a_repeat_says_so() {
    let text = menu(Menu { possible_repeat: true, ..MENU });
    assert!(text.contains("<Say>This may be a repeated call. Critical, Payments."), "{text}");
}

#[test]
fn a_result_is_said_and_the_call_ends() {
    insta::assert_snapshot!(lines(&said("Acknowledged. Priya will not be called.")), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Response>
    <Say>Acknowledged. Priya will not be called.</Say>
    <Hangup/>
    </Response>
    "#);
}

#[test]
fn a_wrong_key_leads_back_to_the_menu() {
    let text = said_then_menu("There is no key 9.", MENU);
    assert_eq!(text.matches("<?xml").count(), 1);
    assert_eq!(text.matches("<Response>").count(), 1);
    assert!(text.ends_with("</Response>"));
}

#[test]
fn a_machine_hears_no_keys() {
    let text = voicemail("Critical, Payments.");
    assert!(!text.contains("Gather") && !text.contains("Press"), "{text}");
}

#[test]
fn words_cannot_become_verbs() {
    let spoken = "</Say><Dial>+1900</Dial> & \"x\" 'y' \u{0}\u{1b}\u{ffff}";
    insta::assert_snapshot!(said(spoken), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Say>&lt;/Say&gt;&lt;Dial&gt;+1900&lt;/Dial&gt; &amp; &quot;x&quot; &apos;y&apos;    </Say><Hangup/></Response>"#);
    let text = menu(Menu { gather_url: "https://x/?a=1&b=\"2\"", ..MENU });
    assert!(text.contains(r#"action="https://x/?a=1&amp;b=&quot;2&quot;""#), "{text}");
    assert_eq!(reply("<b>"), format!("{HEAD}<Message>&lt;b&gt;</Message>{TAIL}"));
}
