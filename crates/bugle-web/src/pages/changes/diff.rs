//! The difference of two revisions as lines of their documents.

use bugle_app::change::Difference;

/// One line.
pub(in crate::pages) struct DiffLine {
    /// What becomes of it.
    pub(super) sign: Sign,
    /// What it says.
    pub(super) text: String,
}

/// What becomes of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::pages) enum Sign {
    /// The name of a section.
    Section,
    /// It goes.
    Gone,
    /// It comes.
    New,
}

impl DiffLine {
    fn new(sign: Sign, text: String) -> Self {
        Self { sign, text }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.sign == Sign::Gone
    }

    pub(super) fn is_new(&self) -> bool {
        self.sign == Sign::New
    }
}

/// The lines that go and come, under the names of their sections.
pub(super) fn lines(differences: &[Difference]) -> Vec<DiffLine> {
    let (mut lines, mut section) = (Vec::new(), "");
    for it in differences {
        let (inside, name) = it.key.rsplit_once('.').unwrap_or(("", &it.key));
        if inside != section {
            lines.push(DiffLine::new(Sign::Section, format!("[{inside}]")));
            section = inside;
        }
        let mut add = |sign, mark: char, value: &Option<String>| {
            let line = value.as_ref().map(|value| format!("{mark} {name} = {value}"));
            lines.extend(line.map(|text| DiffLine::new(sign, text)));
        };
        add(Sign::Gone, '-', &it.before);
        add(Sign::New, '+', &it.after);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_under_their_sections() {
        let differs = |key: &str, before: Option<&str>, after: Option<&str>| Difference {
            key: key.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let found = [
            differs("dispatch.lanes", Some("[\"bulk\"]"), Some("[]")),
            differs("dispatch.parallel", Some("256"), Some("64")),
            differs("dispatch.per_hour.sms", None, Some("3")),
        ];
        let text: Vec<String> = lines(&found).into_iter().map(|line| line.text).collect();
        let wanted = [
            "[dispatch]",
            "- lanes = [\"bulk\"]",
            "+ lanes = []",
            "- parallel = 256",
            "+ parallel = 64",
            "[dispatch.per_hour]",
            "+ sms = 3",
        ];
        assert_eq!(text, wanted);
    }
}
