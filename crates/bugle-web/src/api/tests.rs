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
    insta::assert_snapshot!(lines.join("\n"), @r"
    GET    /api/v1/alerts · list alerts
    GET    /api/v1/alerts/counts · count alerts
    GET    /api/v1/alerts/{id} · get alerts
    POST   /api/v1/alerts/{id}/acknowledge · acknowledge alert
    POST   /api/v1/alerts/{id}/notes · add note
    POST   /api/v1/alerts/{id}/pass-on · pass on alert
    POST   /api/v1/alerts/{id}/resolve · resolve alert
    GET    /api/v1/alerts/{id}/why · why alert
    GET    /api/v1/api-keys · list API keys
    POST   /api/v1/api-keys · create API key
    DELETE /api/v1/api-keys/{id} · revoke API key
    POST   /api/v1/apply · apply
    GET    /api/v1/audit · list changes
    DELETE /api/v1/contact-methods/{id} · remove contact method
    PATCH  /api/v1/contact-methods/{id} · rename contact method
    POST   /api/v1/contact-methods/{id}/code · send code
    POST   /api/v1/contact-methods/{id}/test · test contact method
    POST   /api/v1/contact-methods/{id}/verify · verify contact method
    GET    /api/v1/doctor · doctor
    GET    /api/v1/events · list events
    GET    /api/v1/events/{id} · get event
    GET    /api/v1/events/{id}/raw · get raw event
    GET    /api/v1/events/{id}/why · why event
    GET    /api/v1/export · export
    GET    /api/v1/integrations · list integrations
    POST   /api/v1/integrations · create integrations
    DELETE /api/v1/integrations/{id} · delete integrations
    GET    /api/v1/integrations/{id} · get integrations
    PUT    /api/v1/integrations/{id} · replace integrations
    POST   /api/v1/integrations/{id}/events · send event
    PUT    /api/v1/integrations/{id}/key · set key
    GET    /api/v1/integrations/{id}/requests · list requests
    GET    /api/v1/integrations/{id}/would-page · would page
    GET    /api/v1/ledger · ledger
    GET    /api/v1/me · me
    PUT    /api/v1/me/password · change password
    GET    /api/v1/notifications · list notifications
    GET    /api/v1/notifications/{id} · get notification
    GET    /api/v1/on-call · on call
    GET    /api/v1/overrides · list overrides
    POST   /api/v1/overrides · create overrides
    DELETE /api/v1/overrides/{id} · delete overrides
    GET    /api/v1/overrides/{id} · get overrides
    PUT    /api/v1/overrides/{id} · replace overrides
    GET    /api/v1/policies · list policies
    POST   /api/v1/policies · create policies
    DELETE /api/v1/policies/{id} · delete policies
    GET    /api/v1/policies/{id} · get policies
    PUT    /api/v1/policies/{id} · replace policies
    GET    /api/v1/schedules · list schedules
    POST   /api/v1/schedules · create schedules
    DELETE /api/v1/schedules/{id} · delete schedules
    GET    /api/v1/schedules/{id} · get schedules
    PUT    /api/v1/schedules/{id} · replace schedules
    GET    /api/v1/schedules/{id}/gaps · list gaps
    GET    /api/v1/schedules/{id}/on-call · on call in schedule
    GET    /api/v1/schedules/{id}/shifts · list shifts
    GET    /api/v1/services · list services
    POST   /api/v1/services · create services
    DELETE /api/v1/services/{id} · delete services
    GET    /api/v1/services/{id} · get services
    PUT    /api/v1/services/{id} · replace services
    GET    /api/v1/sessions · list sessions
    DELETE /api/v1/sessions/{id} · end session
    GET    /api/v1/teams · list teams
    POST   /api/v1/teams · create teams
    DELETE /api/v1/teams/{id} · delete teams
    GET    /api/v1/teams/{id} · get teams
    PUT    /api/v1/teams/{id} · replace teams
    GET    /api/v1/tenant · get settings
    PUT    /api/v1/tenant · replace settings
    GET    /api/v1/tenants · list tenants
    POST   /api/v1/tenants · create tenant
    GET    /api/v1/users · list users
    POST   /api/v1/users · create users
    DELETE /api/v1/users/{id} · delete users
    GET    /api/v1/users/{id} · get users
    PUT    /api/v1/users/{id} · replace users
    GET    /api/v1/users/{id}/contact-methods · list contact methods
    POST   /api/v1/users/{id}/contact-methods · add contact method
    GET    /api/v1/users/{id}/rules · get rules
    PUT    /api/v1/users/{id}/rules · replace rules
    POST   /api/v1/users/{id}/sign-in-link · renew sign-in link
    ");
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
