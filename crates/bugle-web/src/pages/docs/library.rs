//! The documents that the program carries: those of the same version, found without a network.

use std::sync::LazyLock;

use super::render::{Rendered, render};

/// What a document is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// Leads through something for the first time.
    Tutorial,
    /// Says how one job is done.
    HowTo,
    /// Is looked things up in.
    Reference,
    /// Says why.
    Explanation,
    /// Says why it was decided so.
    Decision,
}

impl Kind {
    /// All there are, in the order they are shown.
    pub(super) const ALL: [Self; 5] =
        [Self::Tutorial, Self::HowTo, Self::Reference, Self::Explanation, Self::Decision];

    /// What a reader wants of it.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Tutorial => "Learn",
            Self::HowTo => "Do",
            Self::Reference => "Look up",
            Self::Explanation => "Understand",
            Self::Decision => "Decisions",
        }
    }

    /// Its anchor in the index.
    pub(super) fn anchor(self) -> &'static str {
        match self {
            Self::Tutorial => "tutorials",
            Self::HowTo => "how-to",
            Self::Reference => "reference",
            Self::Explanation => "explanation",
            Self::Decision => "decisions",
        }
    }
}

/// One document as it is kept.
pub(super) struct Source {
    /// Its file, from the root of the repository.
    pub(super) path: &'static str,
    /// What it is for.
    pub(super) kind: Kind,
    /// Its Markdown.
    pub(super) text: &'static str,
}

macro_rules! sources {
    ($($kind:ident $path:literal)*) => {
        &[$(Source {
            path: $path,
            kind: Kind::$kind,
            text: include_str!(concat!("../../../../../", $path)),
        }),*]
    };
}

/// All of them, in the order they are shown.
pub(super) static SOURCES: &[Source] = sources! {
    Tutorial "docs/tutorial-make-your-phone-ring.md"
    Tutorial "docs/tutorial-from-prometheus-to-a-page.md"
    HowTo "docs/how-to-ask-for-assistance.md"
    HowTo "docs/how-to-change-stages.md"
    HowTo "docs/how-to-clean-up.md"
    HowTo "docs/how-to-have-a-status-page.md"
    HowTo "docs/how-to-move-from-pagerduty.md"
    HowTo "docs/how-to-run-an-incident.md"
    HowTo "docs/how-to-run-it-for-real.md"
    HowTo "docs/how-to-send-events-by-mail.md"
    HowTo "docs/how-to-status-page.md"
    HowTo "docs/how-to-watch-bugle.md"
    Reference "docs/cli.md"
    Reference "docs/configuration.md"
    Reference "docs/api.md"
    Reference "docs/errors.md"
    Reference "docs/permissions.md"
    Reference "docs/metrics.md"
    Reference "docs/drills.md"
    Reference "CHANGELOG.md"
    Explanation "docs/alerting.md"
    Explanation "docs/explain-receipts.md"
    Explanation "ARCHITECTURE.md"
    Decision "docs/decisions/0001-record-decisions.md"
    Decision "docs/decisions/0002-keep-configuration-as-documents.md"
    Decision "docs/decisions/0003-count-by-node-and-stage.md"
    Decision "docs/decisions/0004-write-each-statement-once.md"
    Decision "docs/decisions/0005-decide-inside-the-transaction.md"
    Decision "docs/decisions/0006-stages-from-revisions.md"
    Decision "docs/decisions/0007-watch-with-canaries-beside-the-pipeline.md"
    Decision "docs/decisions/0008-let-clocks-wait-for-pages.md"
    Decision "docs/decisions/0009-tell-operators-through-the-pipeline.md"
    Decision "docs/decisions/0010-run-sqlite-where-the-caller-is.md"
    Decision "docs/decisions/0011-drill-with-the-product-itself.md"
    Decision "docs/decisions/0012-plan-once-on-postgresql.md"
    Decision "docs/decisions/0013-clean-up-by-moving-away.md"
    Decision "docs/decisions/0014-undo-always-and-ask-before-trying-again.md"
    Decision "docs/decisions/0015-tell-the-public-from-files.md"
    Decision "docs/decisions/0016-keep-the-room-beside-the-incident.md"
    Decision "docs/decisions/0017-believe-two-clients-over-a-green-board.md"
    Decision "docs/decisions/0018-tell-subscribers-behind-the-pages.md"
    Decision "docs/decisions/0019-say-which-region-is-not-known.md"
    Decision "docs/decisions/0020-give-tenants-pages-of-files.md"
    Decision "docs/decisions/0021-text-subscribers-below-a-ceiling.md"
    Decision "docs/decisions/0022-take-mail-in-by-secret-addresses.md"
    Decision "docs/decisions/0023-take-events-in-by-mail.md"
};

impl Source {
    /// Its name in addresses: `errors`, `architecture`.
    pub(super) fn name(&self) -> String {
        let file = self.path.rsplit('/').next().unwrap_or(self.path);
        file.trim_end_matches(".md").to_lowercase()
    }
}

/// One document as it is shown.
pub(super) struct Document {
    /// Its name in addresses.
    pub(super) name: String,
    /// What it is for.
    pub(super) kind: Kind,
    /// Its title, its body, and what can be found in it.
    pub(super) rendered: Rendered,
}

/// Every document, rendered once, in the order they are shown.
static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| {
    let shown = |source: &Source| Document {
        name: source.name(),
        kind: source.kind,
        rendered: render(source.path, source.text),
    };
    SOURCES.iter().map(shown).collect()
});

/// Every document, in the order they are shown.
pub(super) fn documents() -> &'static [Document] {
    &DOCUMENTS
}

/// The document of this name.
pub(super) fn document(name: &str) -> Option<&'static Document> {
    DOCUMENTS.iter().find(|document| document.name == name)
}

/// Where a link to a file of the repository leads: to the page of a document, to the index, or
/// nowhere.
pub(super) fn address(path: &str) -> Option<String> {
    match path.trim_end_matches('/') {
        "docs" | "docs/README.md" => Some("/docs".to_owned()),
        "docs/decisions" => Some(format!("/docs#{}", Kind::Decision.anchor())),
        path => {
            let source = SOURCES.iter().find(|source| source.path == path)?;
            Some(format!("/docs/{}", source.name()))
        }
    }
}
