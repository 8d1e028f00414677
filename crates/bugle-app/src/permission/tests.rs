//! The permission table, whole: a change of it is a change of `docs/permissions.md`.

use super::*;

#[test]
fn the_table_is_as_documented() {
    assert_eq!(document(), include_str!("../../../../docs/permissions.md"));
}

#[test]
fn a_higher_role_may_all_that_a_lower_one_may() {
    for permission in Permission::ALL {
        for pair in Role::ALL.windows(2) {
            assert!(
                !allows(pair[0], false, permission) || allows(pair[1], false, permission),
                "{permission:?} is taken away from {:?}",
                pair[1]
            );
        }
    }
}

#[test]
fn nobody_but_the_operator_stands_above_tenants() {
    for permission in [Permission::ReadAllTenants, Permission::ManageTenants, Permission::Doctor] {
        assert!(!allows(Role::Admin, false, permission));
        assert!(allows(Role::Viewer, true, permission));
    }
    assert!(!allows(Role::Viewer, true, Permission::ManageUsers));
}
