//! Tests of the description of the API.

use std::collections::BTreeSet;

use super::*;

#[test]
fn the_description_is_openapi_3_1_with_unique_operations() {
    let document = serde_json::to_value(document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let (mut ids, mut lines) = (BTreeSet::new(), Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            lines.push(format!("{:6} {path} · {id}", method.to_uppercase()));
            assert!(ids.insert(id.clone()), "{id} is there twice");
            let about = operation["summary"].as_str().unwrap_or_default();
            assert!(!about.is_empty(), "{id} says nothing of itself");
            assert!(operation["responses"]["default"].is_object(), "{id} tells of no errors");
        }
    }
    insta::assert_snapshot!("operations", lines.join("\n"));
}

#[test]
fn every_reference_in_the_description_leads_somewhere() {
    let document = serde_json::to_value(document()).unwrap();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn references(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(|it| it.as_str()) {
                found.push(reference.to_owned());
            }
            map.values().for_each(|value| references(value, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => (),
    }
}
