//! What is accepted as a password, and that an unknown address costs as much as a known one.

use super::*;

fn problems(password: &str) -> Vec<&'static str> {
    let found = check("/password", &password.into(), "lena.ortiz@halden.example");
    found.into_iter().map(|problem| problem.code).collect()
}

#[test]
fn only_length_and_the_own_address_count() {
    assert_eq!(problems("sieben7"), ["too_short"]);
    assert_eq!(problems("acht8888"), [""; 0]);
    assert_eq!(problems(&"x".repeat(257)), ["too_long"]);
    assert_eq!(problems("Lena.Ortiz@halden.example"), ["is_email"]);
    assert_eq!(problems("lena.ortiz"), ["is_email"]);
}

#[tokio::test]
async fn a_password_is_known_again_and_no_other() {
    let stored = hash(&"correct horse".into()).await;
    assert!(stored.starts_with("$argon2id$"));
    assert!(verify(&"correct horse".into(), Some(stored.clone())).await);
    assert!(!verify(&"correct horsf".into(), Some(stored)).await);
    assert!(!verify(&"correct horse".into(), None).await);
}

/// The dummy must parse and must ask for the same work, or the time of an answer would tell which
/// addresses exist.
#[test]
fn an_unknown_address_costs_the_same_work() {
    let real = hash_now(&"correct horse".into());
    let (real, dummy) = (PasswordHash::new(&real).unwrap(), PasswordHash::new(DUMMY).unwrap());
    assert_eq!(real.algorithm, dummy.algorithm);
    assert_eq!(real.version, dummy.version);
    assert_eq!(real.params.to_string(), dummy.params.to_string());
    let length = |it: &PasswordHash| it.hash.as_ref().map(|hash| hash.as_bytes().len());
    assert_eq!(length(&real), length(&dummy));
}
