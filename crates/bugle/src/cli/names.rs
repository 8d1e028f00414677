//! Finding an object by the name or id that somebody typed, with "did you mean".

use serde::Deserialize;

use super::context::Context;
use crate::failure::{Failure, Reason};
use crate::suggest;

/// Pages of a list that are read at most: 20 × 100 names.
const MAX_PAGES: usize = 20;

/// An object of a list.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The service that an integration belongs to.
    #[serde(default)]
    pub service: Option<String>,
    /// Whether it refuses to be used.
    #[serde(default)]
    pub disabled: bool,
}

/// A page of a list.
#[derive(Deserialize)]
pub struct Page<T> {
    /// The items.
    pub data: Vec<T>,
    /// Where the next page begins.
    #[serde(default)]
    pub next: Option<String>,
}

/// All objects of a kind, such as `schedules`.
///
/// # Errors
///
/// The server does not answer, or says no.
pub async fn all(context: &Context, kind: &str) -> Result<Vec<Named>, Failure> {
    let path = format!("/api/v1/{kind}");
    let (mut found, mut after) = (Vec::new(), String::new());
    for _ in 0..MAX_PAGES {
        let mut query = vec![("limit", "100")];
        if !after.is_empty() {
            query.push(("after", &after));
        }
        let page: Page<Named> = context.client.get(&path, &query).await?;
        found.extend(page.data);
        match page.next {
            Some(next) if !next.is_empty() => after = next,
            _ => break,
        }
    }
    Ok(found)
}

/// The object of a kind that `typed` names, by id or by name in any case.
///
/// # Errors
///
/// [`Reason::NotFound`], with the nearest name.
pub fn find<'a>(kind: &str, typed: &str, among: &'a [Named]) -> Result<&'a Named, Failure> {
    let same =
        |named: &&Named| named.id == typed || named.name.to_lowercase() == typed.to_lowercase();
    among.iter().find(same).ok_or_else(|| {
        let noun = kind.trim_end_matches('s');
        let near = suggest::did_you_mean(typed, among.iter().map(|named| named.name.as_str()));
        let message = format!("{} {typed:?} not found.{near}", capital(noun));
        let hint = match kind {
            "schedules" => "bugle who",
            _ => "bugle export",
        };
        Failure::new(Reason::NotFound, message).with_hint(hint)
    })
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    first + chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str, name: &str) -> Named {
        Named { id: id.to_owned(), name: name.to_owned(), service: None, disabled: false }
    }

    #[test]
    fn a_slip_in_a_name_is_answered_with_the_right_one() {
        let among = [named("sch_1", "payments"), named("sch_2", "Front desk")];
        assert_eq!(find("schedules", "front DESK", &among).unwrap().id, "sch_2");
        assert_eq!(find("schedules", "sch_1", &among).unwrap().name, "payments");
        let failure = find("schedules", "paymnts", &among).unwrap_err();
        insta::assert_snapshot!(failure, @r#"
        Schedule "paymnts" not found. Did you mean "payments"?
        Try: bugle who
        "#);
        assert_eq!(failure.reason, Reason::NotFound);
    }
}
