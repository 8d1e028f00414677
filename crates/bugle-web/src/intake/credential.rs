//! Where senders put an integration's key.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};

/// The key: as a bearer token, as the password of HTTP Basic (or its user name, where there is no
/// password), or as `token` or `key` in the URL.
pub(crate) fn credential<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<Cow<'a, str>> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.and_then(from_header).or_else(|| from_query(uri.query()?))
}

fn from_header(value: &str) -> Option<Cow<'_, str>> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return (!rest.is_empty()).then_some(Cow::Borrowed(rest));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    let key = if password.is_empty() { user } else { password };
    (!key.is_empty()).then(|| Cow::Owned(key.to_owned()))
}

fn from_query(query: &str) -> Option<Cow<'_, str>> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, value)| matches!(name.as_ref(), "token" | "key") && !value.is_empty())
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(authorization: Option<&str>, uri: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        credential(&headers, &uri.parse().unwrap()).map(Cow::into_owned)
    }

    #[test]
    fn keys_are_found_where_senders_put_them() {
        let key = Some("abc".to_owned());
        assert_eq!(read(Some("Bearer abc"), "/x"), key);
        assert_eq!(read(Some("bearer  abc "), "/x?token=other"), key);
        assert_eq!(read(Some("Basic dXNlcjphYmM="), "/x"), key);
        assert_eq!(read(Some("Basic YWJjOg=="), "/x"), key);
        assert_eq!(read(None, "/x?a=b&token=abc"), key);
        assert_eq!(read(Some("Token token=None"), "/x?key=a%62c"), key);
        assert_eq!(read(Some("Basic !"), "/x"), None);
        assert_eq!(read(None, "/x?token="), None);
    }
}
