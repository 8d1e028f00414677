//! Changes of the tenant's settings, as the audit log tells them.

use super::*;
use crate::tenants::TenantSettings;
use crate::world::World;

#[tokio::test]
async fn a_change_of_the_settings_is_told_with_before_and_after() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let before = app.settings(admin).await.unwrap();
    let latest = async || app.audit(admin, &Page::default()).await.unwrap().items.remove(0);
    let same = latest().await;
    app.save_settings(admin, before.clone()).await.unwrap();
    assert_eq!(latest().await, same, "nothing has changed");
    let (name, time_zone) = ("Halden Group".to_owned(), "Asia/Kolkata".to_owned());
    let after = TenantSettings { name, time_zone, ..before.clone() };
    app.save_settings(admin, after).await.unwrap();
    let line = latest().await;
    assert_eq!(line.actor, admin.audit_name());
    let expected = format!(
        "changed the settings: name from \"{}\" to \"Halden Group\", time zone from \"{}\" to \
         \"Asia/Kolkata\"",
        before.name, before.time_zone
    );
    assert_eq!(line.text, expected);
    world.end().await;
}
