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

#[test]
fn a_stream_has_topics_and_all_of_them_exist() {
    let asked = |names: &[&str]| {
        let topic = |name: &&str| ("topic".to_owned(), (*name).to_owned());
        let watched = Watched::all(&names.iter().map(topic).collect::<Vec<_>>());
        watched.map(|all| all.into_iter().map(|it| it.name).collect::<Vec<_>>())
    };
    assert_eq!(asked(&["list /alerts", "handset"]).unwrap(), ["list /alerts", "handset"]);
    assert_eq!(asked(&[]), None);
    assert_eq!(asked(&["handset", "passwords"]), None);
    assert_eq!(asked(&["handset"; TOPICS + 1]).unwrap().len(), TOPICS);
}
