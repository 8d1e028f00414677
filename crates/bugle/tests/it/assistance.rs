//! Assistance: what is sent along the path of a request goes through the tenant's own channels, and
//! stops where a message would.

use bugle_lab::{Answer, Knobs, Service};
use serde_json::{Value, json};

use crate::watch::quick;
use crate::world::{LENA, World, new_schema};

/// Services that no text comes through without.
pub(crate) const TEXTS: [Service; 2] = [Service::Texts, Service::SpareTexts];

impl World {
    /// Asks about the way in of the checkout; gives where the request is.
    async fn asks_about_the_checkout(&self) -> String {
        let all = self.get("/api/v1/integrations").await;
        let named = |it: &&Value| it["name"].as_str().unwrap().contains("checkout");
        let integration = &all["data"].as_array().unwrap().iter().find(named).unwrap()["id"];
        let body = json!({ "expected": "Lena should have had a text", "integration": integration });
        let asked = self.post("/api/v1/assistance", body).await;
        format!("/api/v1/assistance/{}", asked["id"].as_str().unwrap())
    }
}

fn hop<'a>(replica: &'a Value, name: &str) -> &'a Value {
    let hops = replica["hops"].as_array().unwrap();
    let found = hops.iter().find(|hop| hop["hop"] == name);
    found.unwrap_or_else(|| panic!("there is no hop {name} in {replica:#}"))
}

async fn a_replica_goes_by_the_tenants_channels_and_stops_at_what_fails(world: World) {
    world.until_green().await;
    let request = world.asks_about_the_checkout().await;
    let replicate = format!("{request}/replicate");
    let seen = world.post(&replicate, json!({})).await;
    let replica = &seen["replica"];
    assert_eq!(replica["outcome"], "Nothing stopped it.", "{replica:#}");
    for channel in ["sms", "voice", "email"] {
        let passed = hop(replica, channel);
        assert_eq!(
            (&passed["passage"], &passed["provider"]),
            (&json!("through"), &json!("simulated"))
        );
        let text = passed["text"].as_str().unwrap();
        assert!(text.starts_with("simulated took it after "), "{passed:#}");
        assert!(text.ends_with("to the probe address; its canaries come through."), "{passed:#}");
        assert!(passed["at"].is_string() && passed["took_ms"].is_u64(), "{passed:#}");
    }

    for service in TEXTS {
        world.lab.set(service, Knobs::answering(Answer::Error(503)));
    }
    let (status, seen) = world.try_post(&replicate, json!({})).await;
    for service in TEXTS {
        world.lab.set(service, Knobs::default());
    }
    assert_eq!(status, 200, "{seen:#}");
    let replica = &seen["replica"];
    assert_eq!(replica["stops_at"], "sms", "{replica:#}");
    let stopped = hop(replica, "sms");
    let provider = stopped["provider"].as_str().unwrap();
    assert_eq!(replica["outcome"], format!("It stops at sms, by {provider}."));
    let text = stopped["text"].as_str().unwrap();
    for provider in ["simulated", "simulated_spare"] {
        assert!(text.contains(&format!("{provider} did not take it: ")), "{text}");
    }
    assert!(text.contains("503"), "{text}");
    for channel in ["voice", "email"] {
        assert_eq!(hop(replica, channel)["passage"], "through", "{replica:#}");
    }
    let said = seen["said"].as_array().unwrap();
    assert_eq!(said.len(), 2);
    let recorded = said[1]["text"].as_str().unwrap();
    assert!(recorded.contains("It stops at sms, by ") && recorded.contains("503"), "{recorded}");
    assert_eq!(said[1]["record"], true);

    let phone = world.phone(LENA);
    assert!(phone.texts().is_empty() && phone.calls().is_empty(), "nobody was told");
    assert!(world.lab.mailbox("lena@halden.example").mails().is_empty(), "nobody was told");
    world.until_green().await;
    world.end().await;
}

mod a_replica_goes_by_the_tenants_channels {
    use super::{World, new_schema, quick};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        let world = World::watched(None, quick).await;
        super::a_replica_goes_by_the_tenants_channels_and_stops_at_what_fails(world).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        let world = World::watched(Some(new_schema().await), quick).await;
        super::a_replica_goes_by_the_tenants_channels_and_stops_at_what_fails(world).await;
    }
}
