//! Messages are shown with their links.

use super::*;

fn read(text: &str) -> Vec<(String, bool)> {
    spans(text).into_iter().map(|span| (span.text, span.link)).collect()
}

#[test]
fn addresses_in_a_text_become_links() {
    let link = |text: &str| (text.to_owned(), true);
    let plain = |text: &str| (text.to_owned(), false);
    assert_eq!(read("no link"), [plain("no link")]);
    assert_eq!(
        read("see http://a.example/a/k, then (https://b.example)."),
        [
            plain("see "),
            link("http://a.example/a/k"),
            plain(", then ("),
            link("https://b.example"),
            plain(").")
        ]
    );
    assert_eq!(read("http://a.example"), [link("http://a.example")]);
}
