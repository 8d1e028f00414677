//! What an alert page says.

use super::*;

#[test]
fn only_web_addresses_become_links() {
    assert!(is_web("https://runbooks.example/checkout"));
    assert!(!is_web("javascript:alert(1)"));
    assert!(!is_web("data:text/html,x"));
    assert!(!is_web("runbook"));
}
