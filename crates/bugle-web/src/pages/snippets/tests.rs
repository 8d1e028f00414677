//! Snippets have the address and the key in them.

use super::*;

#[test]
fn every_snippet_names_the_installation_and_the_key() {
    for sender in Sender::ALL {
        let code = sender.snippet("http://bugle.example:7070", "k3y").code;
        assert!(code.contains("bugle.example:7070"), "{code}");
        assert!(code.contains("k3y"), "{code}");
    }
}

#[test]
fn prometheus_is_told_scheme_host_and_prefix() {
    let code = Sender::Prometheus.snippet("https://example.com/bugle", "k3y").code;
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
    assert_eq!(Sender::chosen(Some("curl"), Dialect::AlertmanagerApi), Sender::Curl);
    assert_eq!(Sender::chosen(Some("nonsense"), Dialect::Native), Sender::Curl);
}
