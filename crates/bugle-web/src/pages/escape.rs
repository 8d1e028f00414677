//! Text in HTML that is not written by a template.

/// Text inside an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_are_called_is_escaped() {
        assert_eq!(escaped("<b>\"Q & A\"</b>"), "&lt;b&gt;&quot;Q &amp; A&quot;&lt;/b&gt;");
    }
}
