//! Who can work on an incident, and who is meant by a name.

use std::collections::BTreeSet;

use bugle_domain::contact::Channel;
use bugle_domain::object::Directory;
use bugle_domain::role::Role;
use bugle_domain::user::User;
use bugle_domain::{AllTenants, TenantId, TenantScope};
use bugle_engine::incident::room::{Person, Room};
use bugle_store::StoreError;

use super::error::IncidentError;
use crate::app::Inner;
use crate::caller::Caller;

/// Somebody who can work on an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Who.
    pub person: Person,
    /// Mail address.
    pub email: String,
    /// IANA name of the zone they live in.
    pub time_zone: String,
    /// Ways that they have proved to be reached by; none: they are not reached at all.
    pub reach: BTreeSet<Channel>,
}

impl Candidate {
    fn of(tenant: TenantId, user: &User, directory: &Directory) -> Self {
        let proven = directory.methods(user.id).filter(|method| method.proven_at.is_some());
        Self {
            person: Person { tenant, user: user.id, name: user.name.clone() },
            email: user.email.to_string(),
            time_zone: user.time_zone.clone(),
            reach: proven.map(|method| method.address.channel()).collect(),
        }
    }

    fn is_called(&self, wanted: &str) -> bool {
        let same = |text: &str| text.to_lowercase() == wanted.to_lowercase();
        same(&self.person.name) || same(&self.email) || self.person.user.to_string() == wanted
    }

    fn may_be_called(&self, wanted: &str) -> bool {
        self.person.name.to_lowercase().starts_with(&wanted.to_lowercase())
    }
}

impl Inner {
    /// Who can work on an incident: those of its tenant who may act, or the operators.
    pub(super) async fn candidates(&self, room: &Room) -> Result<Vec<Candidate>, StoreError> {
        let mut found = Vec::new();
        if let Some(tenant) = room.tenant {
            let directory = self.directories.get(TenantScope::granted(tenant)).await?;
            let able = directory.users.values().filter(|it| !it.disabled);
            let able = able.filter(|it| it.role >= Role::Responder);
            found.extend(able.map(|user| Candidate::of(tenant, user, &directory)));
        } else {
            for (tenant, id) in self.store.operators(AllTenants::granted()).await? {
                let directory = self.directories.get(TenantScope::granted(tenant)).await?;
                let user = directory.users.get(&id).filter(|user| !user.disabled);
                found.extend(user.map(|user| Candidate::of(tenant, user, &directory)));
            }
        }
        found.sort_by(|a, b| a.person.name.cmp(&b.person.name));
        Ok(found)
    }
}

/// Who is meant by a name, the beginning of one, a mail address, an id, or `me`.
pub(super) fn meant(
    candidates: &[Candidate],
    caller: &Caller,
    wanted: &str,
) -> Result<Person, IncidentError> {
    let wanted = wanted.trim().trim_start_matches('@');
    if wanted.eq_ignore_ascii_case("me") {
        let own = candidates.iter().find(|it| Some(it.person.user) == caller.user);
        return own
            .map(|it| it.person.clone())
            .ok_or_else(|| IncidentError::Nobody(wanted.to_owned()));
    }
    let pick = |fits: &dyn Fn(&&Candidate) -> bool| candidates.iter().filter(fits).collect();
    let mut found: Vec<&Candidate> = pick(&|it| it.is_called(wanted));
    if found.is_empty() && !wanted.is_empty() {
        found = pick(&|it| it.may_be_called(wanted));
    }
    match found[..] {
        [] => Err(IncidentError::Nobody(wanted.to_owned())),
        [one] => Ok(one.person.clone()),
        _ => Err(IncidentError::Several {
            wanted: wanted.to_owned(),
            found: found.iter().map(|it| format!("{} <{}>", it.person.name, it.email)).collect(),
        }),
    }
}

/// The caller as a person, where one acts.
pub(super) fn person(caller: &Caller) -> Option<Person> {
    let user = caller.user?;
    Some(Person { tenant: caller.scope.tenant(), user, name: caller.shown_name() })
}

#[cfg(test)]
mod tests {
    use bugle_domain::alert::Actor;
    use bugle_domain::{RequestId, UserId};

    use super::*;
    use crate::sample;

    fn candidate(number: u128, name: &str) -> Candidate {
        let tenant = TenantId::from_stored(sample::nth(1));
        let user = UserId::from_stored(sample::nth(number));
        let email = format!("{number}@halden.example");
        let person = Person { tenant, user, name: name.to_owned() };
        Candidate { person, email, time_zone: "UTC".to_owned(), reach: BTreeSet::new() }
    }

    fn caller(number: u128) -> Caller {
        Caller {
            scope: TenantScope::granted(TenantId::from_stored(sample::nth(1))),
            actor: Actor::System,
            user: Some(UserId::from_stored(sample::nth(number))),
            role: Role::Responder,
            operator: false,
            session: None,
            request: RequestId::from_stored(sample::nth(9)),
        }
    }

    #[test]
    fn a_name_means_one_person_or_says_who_it_may_be() {
        let all =
            [candidate(2, "Lena Ortiz"), candidate(3, "Lena Kovač"), candidate(4, "Priya Nair")];
        let name = |wanted: &str| meant(&all, &caller(4), wanted).map(|it| it.name);
        for (wanted, found) in [
            ("priya", "Priya Nair"),
            ("lena kovač", "Lena Kovač"),
            ("@2@halden.example", "Lena Ortiz"),
            ("me", "Priya Nair"),
        ] {
            assert_eq!(name(wanted).unwrap(), found, "{wanted}");
        }
        let several = name("Lena").unwrap_err().to_string();
        assert!(several.contains("Lena Ortiz <2@halden.example> or Lena Kovač"), "{several}");
        for nobody in ["Aiko", ""] {
            assert!(matches!(name(nobody), Err(IncidentError::Nobody(_))), "{nobody}");
        }
        assert!(meant(&all, &caller(5), "me").is_err(), "whoever asks can't work on it");
    }
}
