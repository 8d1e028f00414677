//! The permission table: what each role may do. Every use case asks it first.

use std::fmt::Write as _;

use bugle_domain::role::Role;

/// One kind of thing that is done. What a caller may do follows from role × permission.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Permission {
    /// See alerts, their timelines, notifications, events and causal records.
    ReadAlerts,
    /// See users, teams, schedules, policies, services, integrations and who is on call.
    ReadConfiguration,
    /// See the tenant's ledger.
    ReadLedger,
    /// See the tenant's own major incidents, their timelines and reports.
    ReadOwnIncidents,
    /// Acknowledge, resolve and pass on.
    Respond,
    /// Write a note on an alert.
    WriteNote,
    /// Change own password, and list and end own sessions.
    OwnSessions,
    /// Change own name, zone, contact methods and notification rules.
    OwnContact,
    /// Make and revoke keys of one's own, with no more than one's own role.
    OwnKeys,
    /// Take a shift over, or have an own shift covered.
    CoverShift,
    /// Send an event through an integration without its key: a test, or `bugle trigger`.
    SendEvent,
    /// Declare a major incident of the tenant, and work in its room.
    LeadOwnIncidents,
    /// Tell the public something on a status page of the tenant.
    PostOwnStatus,
    /// Say that nobody was paged, and talk with the operators about it.
    AskAssistance,
    /// Change teams, schedules, every override, policies, services and integrations.
    EditConfiguration,
    /// Make and rotate integration keys, and see the last requests with their bytes.
    ManageIntegrationKeys,
    /// Read the whole configuration as one file, and plan a change of it.
    Export,
    /// Make, change, invite and remove users, their roles and their contact methods.
    ManageUsers,
    /// Make, list and revoke every API key of the tenant.
    ManageKeys,
    /// Change the tenant's own settings.
    EditTenant,
    /// See who changed what.
    ReadAudit,
    /// See the books, names and numbers of every tenant.
    ReadAllTenants,
    /// Make tenants.
    ManageTenants,
    /// See how the installation itself is doing.
    Doctor,
    /// See what the watch sees.
    ReadWatch,
    /// See major incidents of the installation and their timelines.
    ReadIncidents,
    /// Answer the alarm of a major incident of the installation, declare one, and lead it.
    LeadIncidents,
    /// See who says that nobody was paged, of every tenant, and answer.
    GiveAssistance,
    /// Say something on the status page, and plan maintenance.
    PostStatus,
    /// See what the stages run with, and change it.
    ChangeStages,
}

impl Permission {
    /// All permissions, from the smallest role to the operator.
    pub const ALL: [Self; 30] = [
        Self::ReadAlerts,
        Self::ReadConfiguration,
        Self::ReadLedger,
        Self::ReadOwnIncidents,
        Self::Respond,
        Self::WriteNote,
        Self::OwnSessions,
        Self::OwnContact,
        Self::OwnKeys,
        Self::CoverShift,
        Self::SendEvent,
        Self::LeadOwnIncidents,
        Self::PostOwnStatus,
        Self::AskAssistance,
        Self::EditConfiguration,
        Self::ManageIntegrationKeys,
        Self::Export,
        Self::ManageUsers,
        Self::ManageKeys,
        Self::EditTenant,
        Self::ReadAudit,
        Self::ReadAllTenants,
        Self::ManageTenants,
        Self::Doctor,
        Self::ReadWatch,
        Self::ReadIncidents,
        Self::LeadIncidents,
        Self::GiveAssistance,
        Self::PostStatus,
        Self::ChangeStages,
    ];

    /// The words used in text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadAlerts => "read alerts",
            Self::ReadConfiguration => "read configuration",
            Self::ReadLedger => "read the ledger",
            Self::ReadOwnIncidents => "read incidents",
            Self::Respond => "respond to alerts",
            Self::WriteNote => "write notes",
            Self::OwnSessions => "change own password and sessions",
            Self::OwnContact => "change own contact methods",
            Self::OwnKeys => "make own API keys",
            Self::CoverShift => "cover shifts",
            Self::SendEvent => "send events",
            Self::LeadOwnIncidents => "declare and lead incidents",
            Self::PostOwnStatus => "post to own status pages",
            Self::AskAssistance => "ask for assistance",
            Self::EditConfiguration => "edit configuration",
            Self::ManageIntegrationKeys => "manage integration keys",
            Self::Export => "export configuration",
            Self::ManageUsers => "manage users",
            Self::ManageKeys => "manage API keys",
            Self::EditTenant => "edit tenant settings",
            Self::ReadAudit => "read the audit log",
            Self::ReadAllTenants => "read all tenants",
            Self::ManageTenants => "manage tenants",
            Self::Doctor => "run the doctor",
            Self::ReadWatch => "read the watch",
            Self::ReadIncidents => "read incidents of the installation",
            Self::LeadIncidents => "lead incidents of the installation",
            Self::GiveAssistance => "give assistance",
            Self::PostStatus => "post to the status page",
            Self::ChangeStages => "change the stages",
        }
    }

    /// Which roles have it.
    pub fn holder(self) -> Holder {
        match self {
            Self::ReadAlerts
            | Self::ReadConfiguration
            | Self::ReadLedger
            | Self::ReadOwnIncidents
            | Self::OwnSessions
            | Self::OwnKeys => Holder::From(Role::Viewer),
            Self::Respond
            | Self::WriteNote
            | Self::OwnContact
            | Self::CoverShift
            | Self::SendEvent
            | Self::LeadOwnIncidents
            | Self::PostOwnStatus
            | Self::AskAssistance => Holder::From(Role::Responder),
            Self::EditConfiguration | Self::ManageIntegrationKeys | Self::Export => {
                Holder::From(Role::Manager)
            }
            Self::ManageUsers | Self::ManageKeys | Self::EditTenant | Self::ReadAudit => {
                Holder::From(Role::Admin)
            }
            Self::ReadAllTenants
            | Self::ManageTenants
            | Self::Doctor
            | Self::ReadWatch
            | Self::ReadIncidents
            | Self::LeadIncidents
            | Self::GiveAssistance
            | Self::PostStatus
            | Self::ChangeStages => Holder::Operator,
        }
    }
}

/// Who holds a permission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// This role and every one above it.
    From(Role),
    /// Only the operator, who stands above tenants.
    Operator,
}

/// Whether somebody with `role` has `permission`; an operator also has what is above tenants.
///
/// Being an operator gives nothing *inside* a tenant beyond the role held there.
pub fn allows(role: Role, operator: bool, permission: Permission) -> bool {
    match permission.holder() {
        Holder::From(least) => role >= least,
        Holder::Operator => operator,
    }
}

/// The text of `docs/permissions.md`.
pub fn document() -> String {
    let mut text = String::from(
        "# Permissions\n\n\
         Made from `crates/bugle-app/src/permission.rs`; a test there fails when they differ.\n\n\
         Every use case asks this table first.\n\
         The operator stands above tenants: the role held in a tenant decides what an operator \
         may do inside it.\n\n\
         | permission | viewer | responder | manager | admin | operator |\n\
         |---|---|---|---|---|---|\n",
    );
    for permission in Permission::ALL {
        let _infallible = write!(text, "| {} |", permission.as_str());
        for role in Role::ALL {
            let mark = if allows(role, false, permission) { "yes" } else { "–" };
            let _infallible = write!(text, " {mark} |");
        }
        let operator = match permission.holder() {
            Holder::Operator => "yes",
            Holder::From(_) => "by role",
        };
        let _infallible = writeln!(text, " {operator} |");
    }
    text
}

#[cfg(test)]
mod tests;
