//! Alertmanager's filters on labels: `name="value"`, as amtool sends them.

use std::collections::BTreeMap;

/// One condition on a label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Matcher {
    name: String,
    value: String,
    equal: bool,
}

impl Matcher {
    /// Reads `name=value` or `name!=value`, the value quoted or not. Conditions by regular
    /// expression are not understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.trim().split_once('=')?;
        let (name, equal) = match name.trim_end().strip_suffix('!') {
            Some(name) => (name, false),
            None => (name, true),
        };
        if rest.starts_with('~') || name.trim().is_empty() {
            return None;
        }
        let rest = rest.trim();
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let value = match quoted {
            Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
            None => rest.to_owned(),
        };
        Some(Self { name: name.trim().to_owned(), value, equal })
    }

    /// Whether it holds. A label that is not there is empty.
    pub(super) fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.name).map_or("", String::as_str);
        (value == self.value) == self.equal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_amtool_are_read() {
        let labels = BTreeMap::from([("alertname".to_owned(), "Disk \"x\"".to_owned())]);
        let holds = |text: &str| Matcher::parse(text).map(|matcher| matcher.holds(&labels));
        assert_eq!(holds(r#"alertname="Disk \"x\"""#), Some(true));
        assert_eq!(holds("alertname=Disk"), Some(false));
        assert_eq!(holds("alertname!=\"Disk\""), Some(true));
        assert_eq!(holds("cluster=\"\""), Some(true));
        assert_eq!(holds("alertname=~\"D.*\""), None);
        assert_eq!(holds("alertname"), None);
    }
}
