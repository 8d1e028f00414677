//! Passwords: what is accepted as one, and argon2id.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};

use super::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS};
use crate::error::{Problem, problem};

/// What is compared with when nobody has the address: takes as long as a real one. Its password is
/// random and was thrown away.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$YnVnbGUgZHVtbXkgc2FsdA\
                     $eJ7oq4WcZ0kYHq0q3y2mVv5c1mZ7kq0c4d4bJ8o3l2E";

/// What speaks against `password` for somebody with this address. Length is all that is asked:
/// rules on kinds of characters make people choose worse ones (NIST SP 800-63B, 5.1.1.2).
pub(crate) fn check(pointer: &str, password: &SecretString, email: &str) -> Vec<Problem> {
    let text = password.expose_secret();
    let length = text.chars().count();
    if length < MIN_PASSWORD_CHARS {
        let message = format!("choose a password of at least {MIN_PASSWORD_CHARS} characters");
        return vec![problem(pointer, "too_short", message)];
    }
    if length > MAX_PASSWORD_CHARS {
        let message = format!("choose a password of at most {MAX_PASSWORD_CHARS} characters");
        return vec![problem(pointer, "too_long", message)];
    }
    let (text, email) = (text.to_lowercase(), email.to_lowercase());
    if text == email || email.split_once('@').is_some_and(|(local, _)| text == local) {
        return vec![problem(pointer, "is_email", "choose a password that is not your address")];
    }
    Vec::new()
}

/// Hashes a password, away from the threads that serve requests.
pub(crate) async fn hash(password: &SecretString) -> String {
    let password = password.clone();
    run(move || hash_now(&password)).await
}

/// Whether `password` is the one that `stored` was made of. With nothing stored it takes as long
/// and says no.
pub(crate) async fn verify(password: &SecretString, stored: Option<String>) -> bool {
    let password = password.clone();
    run(move || verify_now(&password, stored.as_deref())).await
}

#[expect(clippy::expect_used, reason = "the default parameters and a random salt are valid")]
fn hash_now(password: &SecretString) -> String {
    let hashed = Argon2::default().hash_password(password.expose_secret().as_bytes());
    hashed.expect("argon2 hashes with its own default parameters").to_string()
}

fn verify_now(password: &SecretString, stored: Option<&str>) -> bool {
    let Ok(parsed) = PasswordHash::new(stored.unwrap_or(DUMMY)) else {
        return false;
    };
    let matches = Argon2::default().verify_password(password.expose_secret().as_bytes(), &parsed);
    matches.is_ok() && stored.is_some()
}

#[expect(clippy::expect_used, reason = "a panic while hashing is a fault and goes on as one")]
async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
}

#[cfg(test)]
mod tests;
