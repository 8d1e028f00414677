//! The sample company is sound on any day of the week.

use bugle_domain::object::Directory;
use bugle_engine::check;
use bugle_engine::schedule::{gaps, on_call};

use super::*;

fn directory(now: Timestamp) -> (Company, Directory) {
    let company = Company::at(now, [1, 2]);
    let mut directory = Directory::empty(company.tenant.clone(), 1);
    for object in company.objects() {
        directory.add(object);
    }
    (company, directory)
}

fn days() -> impl Iterator<Item = Timestamp> {
    let start: Timestamp = "2026-10-19T03:00:00Z".parse().unwrap();
    (0..40).map(move |part| start + SignedDuration::from_hours(part * 9))
}

#[test]
fn it_is_of_the_size_it_says() {
    let (company, directory) = directory(days().next().unwrap());
    assert_eq!((company.people.len(), directory.teams.len()), (12, 3));
    assert_eq!((directory.services.len(), directory.policies.len()), (6, 3));
    assert_eq!((directory.schedules.len(), directory.integrations.len()), (2, 4));
    assert_eq!(company.methods.len(), 12 + 2 * 11);
}

#[test]
fn nothing_in_it_is_wrong() {
    let (company, directory) = directory(days().next().unwrap());
    for object in company.objects() {
        let problems = check::check(&object, &directory);
        assert!(problems.is_empty(), "{object:?}: {problems:?}");
    }
}

#[test]
fn lena_is_on_call_whenever_the_demo_is_started() {
    for now in days() {
        let (company, directory) = directory(now);
        let schedule = directory.schedules.values().find(|it| it.name == "Payments primary");
        let shift = on_call(schedule.unwrap(), &[], now).unwrap();
        assert_eq!(shift.map(|shift| shift.user), Some(company.people[0].id), "at {now}");
    }
}

#[test]
fn the_sun_schedule_has_one_gap_a_week() {
    let now = days().next().unwrap();
    let (_, directory) = directory(now);
    let schedule = directory.schedules.values().find(|it| it.name.starts_with("Platform"));
    let week = now + SignedDuration::from_hours(24 * 7);
    assert_eq!(gaps(schedule.unwrap(), &[], now, week).unwrap().len(), 1);
}
