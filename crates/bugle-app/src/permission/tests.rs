//! The permission table, whole: a change of it is a change of this snapshot.

use super::*;

#[test]
fn the_table_is_as_documented() {
    insta::assert_snapshot!(document(), @r"
    # Permissions

    Made by `cargo xtask generate` from `crates/bugle-app/src/permission.rs`.

    Every use case asks this table first.
    The operator stands above tenants: the role held in a tenant decides what an operator may do inside it.

    | permission | viewer | responder | manager | admin | operator |
    |---|---|---|---|---|---|
    | read alerts | yes | yes | yes | yes | by role |
    | read configuration | yes | yes | yes | yes | by role |
    | read the ledger | yes | yes | yes | yes | by role |
    | respond to alerts | – | yes | yes | yes | by role |
    | write notes | – | yes | yes | yes | by role |
    | change own password and sessions | yes | yes | yes | yes | by role |
    | change own contact methods | – | yes | yes | yes | by role |
    | make own API keys | yes | yes | yes | yes | by role |
    | cover shifts | – | yes | yes | yes | by role |
    | send events | – | yes | yes | yes | by role |
    | edit configuration | – | – | yes | yes | by role |
    | manage integration keys | – | – | yes | yes | by role |
    | export configuration | – | – | yes | yes | by role |
    | manage users | – | – | – | yes | by role |
    | manage API keys | – | – | – | yes | by role |
    | edit tenant settings | – | – | – | yes | by role |
    | read the audit log | – | – | – | yes | by role |
    | read all tenants | – | – | – | – | yes |
    | manage tenants | – | – | – | – | yes |
    | run the doctor | – | – | – | – | yes |
    ");
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
