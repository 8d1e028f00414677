//! Who a level's targets are, and why some reach nobody.

use bugle_domain::object::Object;
use bugle_domain::schedule::Override;
use bugle_domain::{OverrideId, ScheduleId};

use super::*;
use crate::testing::{
    JONAS, LENA, PLATFORM, PRIYA, TOMAS, at, halden, id, only, second_line, second_line_target,
    user,
};

fn show(directory: &Directory, targets: &[Target]) -> String {
    let resolved = resolve(directory, targets, at(0));
    let told = resolved.told.iter().map(|told| match (&told.schedule, &told.team) {
        (Some((_, name)), _) | (None, Some((_, name))) => format!("{} by {name}", told.name),
        (None, None) => told.name.clone(),
    });
    let missed = resolved.missed.iter().map(|it| format!("not {} ({:?})", it.name, it.why));
    told.chain(missed).collect::<Vec<_>>().join(", ")
}

fn platform() -> Target {
    Target::Team(id(TeamId::from_stored, PLATFORM))
}

#[test]
fn each_person_is_told_once_by_the_first_way() {
    let mut directory = halden();
    directory.add(Object::Schedule(second_line(&[TOMAS])));
    let targets = [only(PRIYA), second_line_target(), platform(), only(PRIYA)];
    let expected = "Priya Nair, Tomás Ruiz by Payments second line";
    assert_eq!(show(&directory, &targets), expected);
    assert_eq!(show(&directory, &[platform()]), "Priya Nair by Platform, Tomás Ruiz by Platform");
}

#[test]
fn who_is_not_reached_is_named_with_the_reason() {
    let mut directory = halden();
    let gone = [
        only(99),
        Target::Team(id(TeamId::from_stored, 99)),
        Target::Schedule(id(ScheduleId::from_stored, 99)),
    ];
    assert_eq!(
        show(&directory, &gone),
        "not a removed user (Gone), not a removed team (Gone), not a removed schedule (Gone)"
    );
    assert_eq!(show(&directory, &[second_line_target()]), "not Payments second line (Gap)");
    directory.users.get_mut(&user(LENA)).unwrap().disabled = true;
    directory.methods_of.remove(&user(JONAS));
    assert_eq!(
        show(&directory, &[only(LENA), only(JONAS)]),
        "not Lena Kovač (Disabled), not Jonas Weber (NoProvenMethod)"
    );
    directory.teams.get_mut(&id(TeamId::from_stored, PLATFORM)).unwrap().members.clear();
    assert_eq!(show(&directory, &[platform()]), "not Platform (EmptyTeam)");
    let broken = directory.schedules.get_mut(&id(ScheduleId::from_stored, 1)).unwrap();
    broken.time_zone = "Mars/Base".to_owned();
    assert_eq!(show(&directory, &[second_line_target()]), "not Payments second line (Gap)");
}

#[test]
fn a_cover_is_told_instead() {
    let mut directory = halden();
    directory.add(Object::Schedule(second_line(&[TOMAS])));
    let cover = |number, who: Option<u128>| {
        Object::Override(Override {
            id: id(OverrideId::from_stored, number),
            schedule: id(ScheduleId::from_stored, 1),
            user: who.map(user),
            from: at(-60),
            until: at(60),
            reason: "dentist".to_owned(),
        })
    };
    directory.add(cover(1, Some(JONAS)));
    let shown = show(&directory, &[second_line_target()]);
    assert_eq!(shown, "Jonas Weber by Payments second line");
    directory.add(cover(2, None));
    let shown = show(&directory, &[second_line_target()]);
    assert_eq!(shown, "not Payments second line (Gap)");
}
