//! What a command that talks to a server works with: the server, the key, and how to write.

use secrecy::SecretString;
use url::Url;

use super::Common;
use crate::client::Client;
use crate::environment::Environment;
use crate::failure::{Failure, Reason};
use crate::output::Output;
use crate::profile::{self, DEFAULT_PROFILE, Profile};
use crate::suggest;

/// The server used when nothing names one.
const DEFAULT_SERVER: &str = "http://127.0.0.1:7070";

/// What a command works with.
pub struct Context {
    /// The server.
    pub client: Client,
    /// How to write.
    pub output: Output,
}

impl Context {
    /// Finds the server (flag, variable, profile, default) and the key (variable, profile).
    ///
    /// # Errors
    ///
    /// The profile can't be read, is not there, or the server's address is no URL.
    pub fn new(common: &Common, environment: &Environment) -> Result<Self, Failure> {
        let profile = saved_profile(common, environment)?;
        let server = common
            .server
            .as_deref()
            .or(environment.variable("BUGLE_SERVER"))
            .map(str::to_owned)
            .or(profile.as_ref().map(|profile| profile.server.clone()))
            .unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let server = parse_server(&server)?;
        let key = match environment.variable("BUGLE_API_KEY") {
            Some(key) => Some(key.to_owned()),
            // A key goes to no other server than the one it was saved with.
            None => profile
                .filter(|profile| parse_server(&profile.server).is_ok_and(|url| url == server))
                .map(|profile| profile.key),
        };
        let client = Client::new(server, key.map(SecretString::from))?;
        Ok(Self { client, output: Output::new(common.json, environment) })
    }
}

/// Reads the address of a server.
///
/// # Errors
///
/// It is no `http` or `https` URL.
pub fn parse_server(text: &str) -> Result<Url, Failure> {
    text.parse::<Url>()
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Failure::new(Reason::Usage, format!("{text:?} is not the address of a server."))
                .with_hint("--server http://127.0.0.1:7070")
        })
}

fn saved_profile(common: &Common, environment: &Environment) -> Result<Option<Profile>, Failure> {
    let Some(path) = environment.profile_file() else { return Ok(None) };
    let profiles = profile::load(&path)?;
    let named = common.profile.as_deref().or(environment.variable("BUGLE_PROFILE"));
    let Some(name) = named else { return Ok(profiles.get(DEFAULT_PROFILE).cloned()) };
    if let Some(profile) = profiles.get(name) {
        return Ok(Some(profile.clone()));
    }
    let near = suggest::did_you_mean(name, profiles.keys().map(String::as_str));
    Err(Failure::new(Reason::NotFound, format!("There is no profile {name:?}.{near}"))
        .with_hint(format!("bugle login --profile {name}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn common(server: Option<&str>) -> Common {
        Common { json: false, server: server.map(str::to_owned), profile: None }
    }

    fn environment(path: &std::path::Path) -> Environment {
        let file = path.to_str().unwrap().to_owned();
        let variables = BTreeMap::from([("BUGLE_PROFILE_FILE".to_owned(), file)]);
        Environment { variables, ..Environment::default() }
    }

    #[test]
    fn a_saved_key_is_not_sent_to_another_server() {
        crate::install_tls();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("profiles.toml");
        let saved = Profile { server: "https://a.example".into(), key: "bgl_live_1".into() };
        profile::save(&path, &BTreeMap::from([("default".to_owned(), saved)])).unwrap();
        let own = Context::new(&common(None), &environment(&path)).unwrap();
        assert!(own.client.has_key());
        let other = Context::new(&common(Some("https://b.example")), &environment(&path)).unwrap();
        assert!(!other.client.has_key());
    }

    #[test]
    fn a_missing_profile_is_not_found() {
        let dir = tempfile::tempdir().unwrap();
        let common = Common { profile: Some("prod".to_owned()), ..common(None) };
        let result = Context::new(&common, &environment(&dir.path().join("none")));
        assert_eq!(result.err().map(|failure| failure.reason), Some(Reason::NotFound));
    }
}
