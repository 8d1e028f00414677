//! Notification rules: which method after what delay, per urgency.

use bugle_domain::object::{Directory, Object};
use bugle_domain::user::{NotificationRules, User};
use bugle_domain::{Urgency, UserId};
use bugle_engine::rules::steps;
use bugle_store::ObjectChange;

use super::RulesView;
use super::error::MethodError;
use super::prove::{known, may_change};
use crate::app::App;
use crate::caller::Caller;
use crate::permission::Permission;

impl App {
    /// A user's notification rules, and what they amount to.
    pub async fn rules(&self, caller: &Caller, user: UserId) -> Result<RulesView, MethodError> {
        caller.require(Permission::ReadConfiguration)?;
        let directory = self.directory(caller.scope).await?;
        Ok(view(&directory, known(&directory, user)?))
    }

    /// Changes a user's notification rules.
    pub async fn put_rules(
        &self,
        caller: &Caller,
        user: UserId,
        mut rules: NotificationRules,
    ) -> Result<RulesView, MethodError> {
        may_change(caller, user)?;
        let directory = self.directory(caller.scope).await?;
        rules.urgent.sort();
        rules.normal.sort();
        let object = Object::User(User { rules, ..known(&directory, user)?.clone() });
        let problems = bugle_engine::check::check(&object, &directory);
        if !problems.is_empty() {
            let below = |problem: crate::error::Problem| crate::error::Problem {
                pointer: problem.pointer.trim_start_matches("/rules").to_owned(),
                ..problem
            };
            return Err(MethodError::Invalid(problems.into_iter().map(below).collect()));
        }
        self.save_configuration(caller, &[ObjectChange::Put { object, expected: None }]).await?;
        self.rules(caller, user).await
    }
}

fn view(directory: &Directory, user: &User) -> RulesView {
    RulesView {
        user: user.id,
        rules: user.rules.clone(),
        urgent_steps: steps(directory, user.id, Urgency::Urgent),
        normal_steps: steps(directory, user.id, Urgency::Normal),
    }
}
