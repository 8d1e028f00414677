//! From a document's Markdown to HTML: anchors, links between documents, no style and no script.
//!
//! A heading has an anchor, and so has a term in code type that begins a row of a table or an item
//! of a list, such as an error's code.

use bugle_engine::message::html::escaped;
use std::collections::BTreeSet;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::library::address;

/// A document ready to be shown.
#[derive(Debug, Default)]
pub(in crate::pages) struct Rendered {
    /// What its first heading says.
    pub(in crate::pages) title: String,
    /// What its first paragraph says.
    pub(in crate::pages) about: String,
    /// The HTML of everything below the first heading.
    pub(in crate::pages) html: String,
    /// What can be found in it, in order.
    pub(in crate::pages) places: Vec<Place>,
    /// Links and images that can't be followed from here; a test says that there are none.
    pub(in crate::pages) lost: Vec<String>,
}

/// Somewhere in a document: under a heading, or beside a term.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::pages) struct Place {
    /// Its anchor; empty at the beginning of the document.
    pub(in crate::pages) anchor: String,
    /// The heading or the term.
    pub(in crate::pages) name: String,
    /// Whether the table of contents lists it.
    pub(in crate::pages) is_section: bool,
    /// What is written there, without marks.
    pub(in crate::pages) text: String,
}

/// Renders the Markdown of the file at `path`.
pub(super) fn render(path: &str, markdown: &str) -> Rendered {
    let mut writer = Writer::new(path);
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        writer.take(event);
    }
    writer.out
}

struct Writer<'a> {
    path: &'a str,
    out: Rendered,
    ids: BTreeSet<String>,
    /// Where the HTML and the words of the heading or paragraph under way begin.
    begun: (usize, usize),
    /// Nothing has been written yet in the row or item under way.
    fresh: bool,
    in_head: bool,
    /// The code block under way.
    code: Option<String>,
}

impl<'a> Writer<'a> {
    fn new(path: &'a str) -> Self {
        let out = Rendered { places: vec![Place::default()], ..Rendered::default() };
        let (ids, begun) = (BTreeSet::new(), (0, 0));
        Self { path, out, ids, begun, fresh: false, in_head: false, code: None }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Code(term) => self.term(&term),
            Event::SoftBreak => self.words("\n"),
            Event::HardBreak => self.tag("<br>"),
            Event::Rule => self.tag("<hr>"),
            // Markup inside a document is shown as it is written.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.words(&text),
            Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => (),
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { .. } => self.begin(),
            Tag::Paragraph => {
                self.begin();
                self.tag("<p>");
            }
            Tag::BlockQuote(_) => self.tag("<blockquote>"),
            Tag::CodeBlock(_) => self.code = Some(String::new()),
            Tag::List(None) => self.tag("<ul>"),
            Tag::List(Some(_)) => self.tag("<ol>"),
            Tag::Item => {
                self.fresh = true;
                self.tag("<li>");
            }
            Tag::Table(_) => self.tag(r#"<div class="tablewrap"><table>"#),
            Tag::TableHead => {
                self.in_head = true;
                self.tag("<thead><tr>");
            }
            Tag::TableRow => {
                self.fresh = true;
                self.tag("<tr>");
            }
            Tag::TableCell => self.tag(if self.in_head { r#"<th scope="col">"# } else { "<td>" }),
            Tag::Emphasis => self.tag("<em>"),
            Tag::Strong => self.tag("<strong>"),
            Tag::Link { dest_url, .. } => {
                let href = self.link(dest_url);
                self.tag(&format!(r#"<a href="{}">"#, escaped(&href)));
            }
            Tag::Image { dest_url, .. } => self.out.lost.push(dest_url.to_string()),
            _ => (),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::Paragraph => self.end_paragraph(),
            TagEnd::BlockQuote(_) => self.tag("</blockquote>"),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::List(ordered) => self.tag(if ordered { "</ol>" } else { "</ul>" }),
            TagEnd::Item => self.tag("</li>\n"),
            TagEnd::Table => self.tag("</tbody></table></div>\n"),
            TagEnd::TableHead => {
                self.in_head = false;
                self.tag("</tr></thead><tbody>");
            }
            TagEnd::TableRow => self.tag("</tr>\n"),
            TagEnd::TableCell => {
                self.fresh = false;
                self.place().text.push(' ');
                self.tag(if self.in_head { "</th>" } else { "</td>" });
            }
            TagEnd::Emphasis => self.tag("</em>"),
            TagEnd::Strong => self.tag("</strong>"),
            TagEnd::Link => self.tag("</a>"),
            _ => (),
        }
    }

    fn tag(&mut self, html: &str) {
        self.out.html.push_str(html);
    }

    fn words(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.push_str(text);
            return;
        }
        self.fresh = false;
        self.place().text.push_str(text);
        self.tag(&escaped(text));
    }

    /// Words in code type: with an anchor where they begin a row or an item.
    fn term(&mut self, term: &str) {
        let is_head = std::mem::take(&mut self.fresh);
        let anchor = slug(term);
        if is_head && !anchor.is_empty() && self.ids.insert(anchor.clone()) {
            self.tag(&format!(r#"<code id="{anchor}">"#));
            let name = term.to_owned();
            self.out.places.push(Place { anchor, name, ..Place::default() });
        } else {
            self.tag("<code>");
        }
        self.place().text.push_str(term);
        self.tag(&escaped(term));
        self.tag("</code>");
    }

    fn begin(&mut self) {
        self.begun = (self.out.html.len(), self.place().text.len());
    }

    fn end_paragraph(&mut self) {
        self.tag("</p>\n");
        if self.out.about.is_empty() {
            let from = self.begun.1;
            self.out.about = self.place().text[from..].to_owned();
        }
        self.place().text.push(' ');
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        let html = self.out.html.split_off(self.begun.0);
        let from = self.begun.1;
        let name = self.place().text.split_off(from);
        if level == HeadingLevel::H1 {
            self.out.title.clone_from(&name);
            self.place().name = name;
            return;
        }
        let anchor = self.unused(&slug(&name));
        self.tag(&format!("<{level} id=\"{anchor}\">{html}</{level}>\n"));
        let is_section = level == HeadingLevel::H2;
        self.out.places.push(Place { anchor, name, is_section, text: String::new() });
    }

    /// The anchor, with a number where it is taken.
    fn unused(&mut self, wanted: &str) -> String {
        let mut anchor = wanted.to_owned();
        let mut number = 1;
        while !self.ids.insert(anchor.clone()) {
            anchor = format!("{wanted}-{number}");
            number += 1;
        }
        anchor
    }

    fn end_code(&mut self) {
        let code = self.code.take().unwrap_or_default();
        let code = code.trim_end();
        self.place().text.push_str(code);
        self.place().text.push(' ');
        let shown = escaped(code);
        self.tag(&format!(
            "<div class=\"code\"><button class=\"btn copy\" type=\"button\" data-copy=\"{shown}\" \
             hidden>Copy</button><pre>{shown}</pre></div>\n"
        ));
    }

    /// Where a link leads, seen from the page.
    fn link(&mut self, target: &str) -> String {
        if target.starts_with('#') || target.contains(':') {
            return target.to_owned();
        }
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        let Some(page) = join(self.path, file).and_then(|path| address(&path)) else {
            self.out.lost.push(target.to_owned());
            return target.to_owned();
        };
        if anchor.is_empty() { page } else { format!("{page}#{anchor}") }
    }

    fn place(&mut self) -> &mut Place {
        if self.out.places.is_empty() {
            self.out.places.push(Place::default());
        }
        let last = self.out.places.len() - 1;
        &mut self.out.places[last]
    }
}

/// The path that `target` names in the file at `from`; `None` above the root.
fn join(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => (),
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The anchor of a heading or term, as code forges make it: letters and digits in lower case, with
/// a hyphen for each space.
fn slug(text: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let lower = text.trim().to_lowercase();
    lower.chars().map(|c| if c == ' ' { '-' } else { c }).filter(|c| kept(*c)).collect()
}

#[cfg(test)]
mod tests;
