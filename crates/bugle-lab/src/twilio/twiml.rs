//! Reads the XML by which Bugle says what a call says: the verbs that it uses, no more.

/// What to do, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verb {
    /// Say this.
    Say(String),
    /// Do what is inside, and then wait for a key.
    Gather { action: String, inside: Vec<Verb> },
    /// Fetch more from there.
    Redirect(String),
    /// End the call.
    Hangup,
    /// Send this back as a text.
    Message(String),
}

/// Reads a document. Verbs that are not known are left out with what is in them.
pub(super) fn parse(xml: &str) -> Vec<Verb> {
    let mut reader = Reader { rest: xml };
    let mut verbs = Vec::new();
    while let Some(tag) = reader.next_tag() {
        if tag.name == "Response" {
            if !tag.is_empty {
                verbs = reader.verbs("Response");
            }
            break;
        }
    }
    verbs
}

struct Reader<'a> {
    rest: &'a str,
}

struct Tag<'a> {
    name: &'a str,
    attributes: &'a str,
    is_empty: bool,
}

impl<'a> Reader<'a> {
    /// Skips to the next tag and reads it. `</Say>` has the name `/Say`.
    fn next_tag(&mut self) -> Option<Tag<'a>> {
        let (_, after) = self.rest.split_once('<')?;
        let (inside, rest) = after.split_once('>')?;
        self.rest = rest;
        let is_empty = inside.ends_with('/');
        let inside = inside.trim_end_matches('/');
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        Some(Tag { name, attributes, is_empty })
    }

    /// Reads verbs up to the end of `parent`.
    fn verbs(&mut self, parent: &str) -> Vec<Verb> {
        let mut verbs = Vec::new();
        while let Some(tag) = self.next_tag() {
            if tag.name.strip_prefix('/') == Some(parent) {
                break;
            }
            match tag.name {
                "Say" if !tag.is_empty => verbs.push(Verb::Say(self.text("</Say>"))),
                "Message" if !tag.is_empty => verbs.push(Verb::Message(self.text("</Message>"))),
                "Redirect" if !tag.is_empty => verbs.push(Verb::Redirect(self.text("</Redirect>"))),
                "Gather" => {
                    let action = attribute(tag.attributes, "action").unwrap_or_default();
                    let inside = if tag.is_empty { Vec::new() } else { self.verbs("Gather") };
                    verbs.push(Verb::Gather { action, inside });
                }
                "Hangup" => verbs.push(Verb::Hangup),
                _ => (),
            }
        }
        verbs
    }

    fn text(&mut self, end: &str) -> String {
        let (text, rest) = self.rest.split_once(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        unescape(text).trim().to_owned()
    }
}

fn attribute(attributes: &str, name: &str) -> Option<String> {
    let (_, after) = attributes.split_once(&format!("{name}=\""))?;
    after.split_once('"').map(|(value, _)| unescape(value))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_call_says() {
        let xml = r#"<?xml version="1.0" encoding="UTF-8"?><Response>
            <Gather input="dtmf" action="http://x/g?a=1&amp;b=2" method="POST">
            <Say>A &lt; B</Say><Pause length="1"/><Say>Press 4.</Say></Gather>
            <Say>Bye</Say><Hangup/></Response>"#;
        let said = |text: &str| Verb::Say(text.to_owned());
        let expected = vec![
            Verb::Gather {
                action: "http://x/g?a=1&b=2".to_owned(),
                inside: vec![said("A < B"), said("Press 4.")],
            },
            said("Bye"),
            Verb::Hangup,
        ];
        assert_eq!(parse(xml), expected);
    }

    #[test]
    fn reads_answers_to_texts() {
        assert_eq!(parse("<Response/>"), []);
        assert_eq!(
            parse("<Response><Message>Acked 4812.</Message></Response>"),
            [Verb::Message("Acked 4812.".to_owned())]
        );
    }
}
