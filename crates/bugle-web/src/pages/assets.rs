//! The style sheet, the script and the icon: compiled in, named by their content, kept for ever.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

const FOREVER: &str = "public, max-age=31536000, immutable";

/// The style of all pages, with that of bulletins, which the public's pages have too.
pub(super) const STYLE: &str =
    concat!(include_str!("../../assets/app.css"), include_str!("../../assets/bulletin.css"));

/// One file that pages load.
struct Asset {
    stem: &'static str,
    extension: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const ASSETS: [Asset; 3] = [
    Asset {
        stem: "app",
        extension: "css",
        content_type: "text/css; charset=utf-8",
        bytes: STYLE.as_bytes(),
    },
    Asset {
        stem: "enhance",
        extension: "js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../assets/enhance.js"),
    },
    Asset {
        stem: "icon",
        extension: "svg",
        content_type: "image/svg+xml",
        bytes: include_bytes!("../../assets/icon.svg"),
    },
];

impl Asset {
    fn name(&self) -> String {
        format!("{}-{:016x}.{}", self.stem, fingerprint(self.bytes), self.extension)
    }
}

/// FNV-1a, 64 bits: tells versions of our own files apart; protects nothing.
pub(super) const fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

/// Where pages find the files.
pub(super) struct Paths {
    /// The style sheet.
    pub(super) css: String,
    /// The script.
    pub(super) js: String,
    /// The icon.
    pub(super) icon: String,
}

impl Paths {
    /// The paths of this build.
    pub(super) fn current() -> Self {
        let [css, js, icon] = ASSETS.map(|asset| format!("/assets/{}", asset.name()));
        Self { css, js, icon }
    }
}

/// `GET /assets/{name}`.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|asset| asset.name() == name) {
        Some(asset) => {
            let headers = [(CONTENT_TYPE, asset.content_type), (CACHE_CONTROL, FOREVER)];
            (headers, asset.bytes).into_response()
        }
        // A page of an older build may ask for a file of its own: it must not be cached as this.
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
