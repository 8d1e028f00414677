//! What every handler is given.

use std::sync::Arc;

use bugle_app::App;
use metrics_exporter_prometheus::PrometheusHandle;
use url::Url;

/// How this process serves the web. Already checked.
#[derive(Clone)]
pub struct WebSettings {
    /// Address that links point at, as seen from outside. Decides whether cookies are `Secure`.
    pub public_url: Url,
    /// Shows the simulated phones.
    pub demo: bool,
    /// Renders `/metrics`; `None`: the route says that metrics are off.
    pub metrics: Option<PrometheusHandle>,
    /// The program's version.
    pub version: &'static str,
}

impl WebSettings {
    /// Whether browsers reach us over https.
    pub fn secure(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The whole address of a page.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

/// What every handler is given.
#[derive(Clone, axum::extract::FromRef)]
pub struct WebState {
    /// All use cases.
    pub app: App,
    /// How this process serves the web.
    pub settings: Arc<WebSettings>,
}
