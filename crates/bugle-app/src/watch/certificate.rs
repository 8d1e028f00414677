//! The certificate by which people reach this installation: when it ends, nobody does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bugle_channels::{CertificateError, Certificates, Roots, SetupError};
use bugle_engine::watch::runway::{self, Gauge, Level};

use crate::app::Inner;

/// For a look at it, all in all.
const LIMIT: Duration = Duration::from_secs(10);
const NAME: &str = "certificate";

/// Looks at it now and then, and remembers what it found.
#[derive(Debug)]
pub(super) struct Certificate {
    certificates: Certificates,
    found: Arc<Mutex<Option<Gauge>>>,
}

impl Certificate {
    /// Believes `roots` beside the public authorities.
    ///
    /// # Errors
    ///
    /// TLS cannot be used.
    pub(super) fn new(roots: &Roots) -> Result<Self, SetupError> {
        Ok(Self { certificates: Certificates::new(LIMIT, roots)?, found: Arc::default() })
    }

    /// Looks, and does not wait for what there is to see.
    pub(super) fn look(&self, app: &Arc<Inner>) {
        let (certificates, found) = (self.certificates.clone(), Arc::clone(&self.found));
        let looker = Arc::clone(app);
        app.tasks.once(async move {
            let url = &looker.settings.public_url;
            let name = url.host_str().unwrap_or_default();
            let gauge = match certificates.end(url).await {
                Ok(end) => end.map(|end| {
                    runway::ends_at(NAME, &format!("that of {name}"), end, looker.clock.now())
                }),
                Err(error) => Some(unseen(name, &error)),
            };
            *found.lock().unwrap_or_else(PoisonError::into_inner) = gauge;
        });
    }

    /// What was found.
    pub(super) fn gauge(&self) -> Option<Gauge> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn unseen(name: &str, error: &CertificateError) -> Gauge {
    let level = match error {
        CertificateError::NotAccepted(_) => Level::Bad,
        CertificateError::Unreachable(_) => Level::Warn,
    };
    Gauge { name: NAME.to_owned(), level, text: format!("{name}: {error}"), runway_s: None }
}
