//! Snippets have the address and the key in them.

use super::*;

const GIVEN: Given<'_> = Given {
    base: "http://bugle.example:7070",
    key: "k3y",
    address: Some("int-k3y@in.bugle.example:7070"),
};

#[test]
fn every_snippet_names_the_installation_and_the_key() {
    for sender in Sender::ALL {
        let code = sender.snippet(GIVEN).code;
        assert!(code.contains("bugle.example:7070"), "{code}");
        assert!(code.contains("k3y"), "{code}");
    }
}

#[test]
fn where_no_mail_is_taken_in_it_says_so() {
    let snippet = Sender::Mail.snippet(Given { address: None, ..GIVEN });
    assert!(snippet.before.contains("takes no mail in") && snippet.code.starts_with("[mail_in]"));
}

#[test]
fn prometheus_is_told_scheme_host_and_prefix() {
    let given = Given { base: "https://example.com/bugle", ..GIVEN };
    let code = Sender::Prometheus.snippet(given).code;
    insta::assert_snapshot!(code, @r#"
    alerting:
      alertmanagers:
        - scheme: https
          path_prefix: /bugle
          authorization:
            credentials: k3y
          static_configs:
            - targets: ["example.com"]
    "#);
}

#[test]
fn the_tab_follows_the_dialect_unless_one_is_named() {
    assert_eq!(Sender::chosen(None, Dialect::AlertmanagerApi), Sender::Prometheus);
    assert_eq!(Sender::chosen(None, Dialect::Email), Sender::Mail);
    assert_eq!(Sender::chosen(Some("curl"), Dialect::AlertmanagerApi), Sender::Curl);
    assert_eq!(Sender::chosen(Some("nonsense"), Dialect::Native), Sender::Curl);
}
