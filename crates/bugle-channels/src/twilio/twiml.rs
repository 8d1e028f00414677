//! What a call says and what answers a text, in Twilio's own XML. Pure text.

use std::fmt::Write as _;

/// How long a key is awaited after the words, in seconds; twice.
const KEY_WAIT_S: u32 = 10;

/// What begins every answer.
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#;
const TAIL: &str = "</Response>";

/// The words before the keys, and where a key is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Menu<'a> {
    /// What has happened, in a sentence or two: "Critical, Payments. Checkout API errors 14
    /// percent."
    pub spoken: &'a str,
    /// An earlier call may have been about the same.
    pub possible_repeat: bool,
    /// [`super::CallbackPaths::gather`] of the notification.
    pub gather_url: &'a str,
}

/// Says the words and the keys, waits for a key, says the keys again, waits, hangs up.
///
/// The first second is silence-safe: the name twice, before anything that matters.
pub fn menu(menu: Menu<'_>) -> String {
    let repeat = if menu.possible_repeat { "This may be a repeated call. " } else { "" };
    let keys = "Press 4 to acknowledge. 5 to pass it on. 6 if it is fixed. 0 to hear it again.";
    let mut text = String::from(HEAD);
    gather(&mut text, menu.gather_url, |text| {
        say(text, "Bugle. Bugle.");
        text.push_str(r#"<Pause length="1"/>"#);
        say(text, &format!("{repeat}{}", menu.spoken));
        say(text, keys);
    });
    gather(&mut text, menu.gather_url, |text| say(text, keys));
    say(&mut text, "No key was pressed. Goodbye.");
    text.push_str("<Hangup/>");
    text.push_str(TAIL);
    text
}

/// Says `words` and hangs up: the result of a key, or what has become of an alert that needs
/// nobody any more.
pub fn said(words: &str) -> String {
    let mut text = String::from(HEAD);
    say(&mut text, words);
    text.push_str("<Hangup/>");
    text.push_str(TAIL);
    text
}

/// Says `words`, and then the menu again.
pub fn said_then_menu(words: &str, again: Menu<'_>) -> String {
    let mut text = String::from(HEAD);
    say(&mut text, words);
    let rest = menu(again);
    text.push_str(rest.strip_prefix(HEAD).unwrap_or(&rest));
    text
}

/// What a machine records: short, without keys.
pub fn voicemail(words: &str) -> String {
    let mut text = String::from(HEAD);
    text.push_str(r#"<Pause length="1"/>"#);
    say(&mut text, &format!("Bugle. {words} This call was not answered by a person."));
    text.push_str("<Hangup/>");
    text.push_str(TAIL);
    text
}

/// Ends a call about which there is nothing to say, such as one whose notification is unknown.
pub fn hang_up() -> String {
    format!("{HEAD}<Hangup/>{TAIL}")
}

/// Answers a text with a text.
pub fn reply(words: &str) -> String {
    format!("{HEAD}<Message>{}</Message>{TAIL}", escape(words))
}

/// Answers a text with nothing.
pub fn no_reply() -> String {
    format!("{HEAD}{TAIL}")
}

fn gather(text: &mut String, url: &str, inside: impl FnOnce(&mut String)) {
    let action = escape(url);
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        r#"<Gather input="dtmf" numDigits="1" timeout="{KEY_WAIT_S}" action="{action}" method="POST">"#
    );
    inside(text);
    text.push_str("</Gather>");
}

fn say(text: &mut String, words: &str) {
    let _ = write!(text, "<Say>{}</Say>", escape(words));
}

/// Escapes for text and attributes; characters that XML does not have become spaces.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            _ if c.is_control() => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
