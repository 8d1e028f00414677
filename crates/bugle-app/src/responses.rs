//! Responses: an answer by any way goes through the same engine.

use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, TenantScope};
use bugle_engine::respond::{self, Effect, Response, ResponseAction};
use bugle_store::StoreError;
use jiff::Timestamp;

use crate::app::App;
use crate::entropy::SystemMint;
use crate::error::{ErrorKind, UseCaseError, storage_kind};

/// An alert could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum RespondError {
    /// This tenant has no such alert.
    #[error("alert {0} does not exist")]
    NoSuchAlert(AlertId),
    /// The stage's revision does not go with what dispatch sends.
    #[error("answers can't be taken right now; try again")]
    Stopped,
    /// The database failed. Nothing was changed.
    #[error("could not load or save the alert")]
    Store(#[from] StoreError),
}

impl UseCaseError for RespondError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchAlert(_) => ErrorKind::NotFound,
            Self::Stopped => ErrorKind::Unavailable,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchAlert(_) => "alert_not_found",
            Self::Stopped => "responses_stopped",
            Self::Store(error) => error.code(),
        }
    }
}

/// What an answer caused, as data and in a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Responded {
    /// As data.
    pub effect: Effect,
    /// In a sentence: "Acknowledged. Priya will not be paged."
    pub sentence: String,
    /// The alert's number.
    pub number: i64,
}

impl App {
    /// Applies a person's or a program's answer to an alert. Answering twice is harmless.
    ///
    /// # Errors
    ///
    /// [`RespondError`]; nothing was changed then.
    pub async fn respond(
        &self,
        scope: TenantScope,
        id: AlertId,
        response: &Response,
    ) -> Result<Responded, RespondError> {
        if !self.inner().stages.works(Stage::Responses) {
            return Err(RespondError::Stopped);
        }
        let now = self.now();
        let directory = self.directory(scope).await?;
        let seen = self.level_known(scope, response).await?;
        let response = &Response { seen, ..response.clone() };
        let mut done = None;
        let mut decide = |alert: bugle_domain::alert::Alert| {
            let number = alert.number;
            let mut mint = SystemMint { now };
            let (decisions, effect) = respond::respond(&directory, alert, response, now, &mut mint);
            done = Some((number, effect));
            decisions
        };
        let answered = (id, response.notification);
        self.inner().store.respond(scope, answered, now, &mut decide).await?;
        let (number, effect) = done.ok_or(RespondError::NoSuchAlert(id))?;
        self.inner().wake_dispatch.wake();
        self.inner().wake_alerting.wake();
        self.inner().changed(&[(scope.tenant(), id)]);
        metrics::counter!("bugle_responses_total").increment(1);
        let sentence = respond::sentence(&effect, now);
        Ok(Responded { effect, sentence, number })
    }

    /// When the level was told that a response is about, where that matters.
    async fn level_known(
        &self,
        scope: TenantScope,
        response: &Response,
    ) -> Result<Option<Timestamp>, StoreError> {
        match (response.action, response.notification) {
            (ResponseAction::PassOn, Some(id)) => {
                let answered = self.inner().store.notification(scope, id).await?;
                Ok(answered.map(|notification| notification.created_at))
            }
            _ => Ok(response.seen),
        }
    }
}
