//! Pages name what they watch.

use super::*;

#[test]
fn topics_are_read_as_pages_write_them() {
    let params = alerts::list::Params { q: "is:any db".to_owned(), after: None };
    assert_eq!(Topic::parse("list /alerts?q=is%3Aany+db"), Some(Topic::List(params)));
    assert_eq!(Topic::parse("list /alerts"), Some(Topic::List(alerts::list::Params::default())));
    assert_eq!(Topic::parse("ledger all"), Some(Topic::Ledger { everybody: true }));
    assert_eq!(Topic::parse("handset"), Some(Topic::Handset));
    assert_eq!(Topic::parse("alert nonsense"), None);
    assert_eq!(Topic::parse("passwords"), None);
}
