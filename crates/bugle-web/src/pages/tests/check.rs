//! What every rendered page must keep: weight, headings, labels, names, nothing inline.

use std::collections::BTreeSet;

use crate::pages::assets::STYLE;

/// What a page may weigh, with style and script, compressed by brotli, in bytes.
fn budget(name: &str) -> usize {
    match name {
        "alert" | "alert-acked" | "alert-huge" | "ack" => 22_000,
        "alerts" | "alerts-empty" | "alerts-huge" => 35_000,
        "schedule" => 40_000,
        _ => 60_000,
    }
}

/// Compresses as a server does.
fn brotli(text: &str) -> usize {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 5, ..Default::default() };
    brotli::BrotliCompress(&mut text.as_bytes(), &mut out, &params).unwrap();
    out.len()
}

/// One tag of a page.
pub(super) struct Tag<'a> {
    name: &'a str,
    closing: bool,
    attributes: Vec<(&'a str, &'a str)>,
    /// The text until the next tag.
    text: &'a str,
}

impl Tag<'_> {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}

pub(super) fn tags(html: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let mut quoted = false;
        let end = rest.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let end = end.expect("a tag that does not end");
        let (inside, after) = (&rest[..end], &rest[end + 1..]);
        let (closing, inside) = (inside.starts_with('/'), inside.trim_start_matches('/'));
        let cut = inside.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inside.len());
        let text = &after[..after.find('<').unwrap_or(after.len())];
        let attributes = attributes(&inside[cut..]);
        tags.push(Tag { name: &inside[..cut], closing, attributes, text });
        rest = after;
    }
    tags
}

fn attributes(mut text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if text.is_empty() {
            return found;
        }
        let end = text.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(text.len());
        let (name, after) = text.split_at(end);
        if let Some(value) = after.strip_prefix("=\"") {
            let close = value.find('"').expect("a quote that does not close");
            found.push((name, &value[..close]));
            text = &value[close + 1..];
        } else {
            found.push((name, ""));
            text = after;
        }
    }
}

/// What an element says: its own text, that of what it holds, and its label.
fn says(tags: &[Tag<'_>], at: usize) -> bool {
    let element = &tags[at];
    if element.get("aria-label").is_some_and(|label| !label.is_empty()) {
        return true;
    }
    let mut depth = 0;
    for tag in &tags[at..] {
        if tag.name == element.name {
            depth += if tag.closing { -1 } else { 1 };
        }
        if depth == 0 {
            return false;
        }
        if !tag.text.trim().is_empty() {
            return true;
        }
    }
    false
}

/// What a page that is whole in itself may weigh, compressed by brotli, in bytes.
const WHOLE: usize = 14_000;

/// Panics where a page that is whole in itself breaks a promise: it loads nothing, from anywhere.
pub(super) fn whole(name: &str, html: &str) {
    let weight = brotli(html);
    assert!(weight <= WHOLE, "{name} weighs {weight} of {WHOLE} bytes");
    let tags = tags(html);
    for tag in tags.iter().filter(|tag| !tag.closing) {
        let loads = tag.get("src").is_some() || tag.get("rel") == Some("stylesheet");
        assert!(!loads, "{name}: {} loads something", tag.name);
        let icon = tag.get("rel") == Some("icon");
        assert!(!icon || tag.get("href") == Some("data:,"), "{name}: an icon is loaded");
        let styled = tag.get("style").is_some();
        assert!(!styled, "{name}: a style attribute, which the policy forbids");
    }
    structure(name, &tags);
}

/// The words of a page, as somebody hears them who does not see it.
pub(super) fn heard(html: &str) -> String {
    let mut said: Vec<&str> = Vec::new();
    let tags = tags(html);
    for tag in &tags {
        if matches!(tag.name, "style" | "script") && !tag.closing {
            continue;
        }
        said.extend(tag.get("aria-label"));
        said.extend(Some(tag.text.trim()).filter(|text| !text.is_empty()));
    }
    said.join(" ")
}

/// Panics where a page breaks a promise.
pub(super) fn page(name: &str, html: &str) {
    let js = include_str!("../../../assets/enhance.js");
    let weight = brotli(html) + brotli(STYLE) + brotli(js);
    assert!(weight <= budget(name), "{name} weighs {weight} of {} bytes", budget(name));
    let tags = tags(html);
    let styles = tags.iter().filter(|tag| tag.name == "style").count();
    assert_eq!(styles, 0, "{name}: no style of its own");
    for tag in tags.iter().filter(|tag| !tag.closing) {
        for (key, _) in &tag.attributes {
            assert!(*key != "style", "{name}: a style attribute on {}", tag.name);
            assert!(!key.starts_with("on"), "{name}: {key} on {}", tag.name);
        }
        assert!(tag.name != "script" || tag.get("src").is_some(), "{name}: a script inside");
    }
    structure(name, &tags);
}

/// One heading, one main part, names for everything, and no pointer to nothing.
fn structure(name: &str, tags: &[Tag<'_>]) {
    let count = |wanted: &str| tags.iter().filter(|tag| tag.name == wanted && !tag.closing).count();
    assert_eq!(count("h1"), 1, "{name}: one h1");
    assert_eq!(count("main"), 1, "{name}: one main");
    let mut ids = BTreeSet::new();
    for id in tags.iter().filter(|tag| !tag.closing).filter_map(|tag| tag.get("id")) {
        assert!(ids.insert(id.to_owned()), "{name}: the id {id} comes twice");
    }
    names(name, tags);
    refers(name, tags, &ids);
}

fn names(name: &str, tags: &[Tag<'_>]) {
    let labels: BTreeSet<&str> =
        tags.iter().filter(|tag| tag.name == "label").filter_map(|tag| tag.get("for")).collect();
    let mut in_label = 0;
    for (at, tag) in tags.iter().enumerate() {
        match (tag.name, tag.closing) {
            ("label", closing) => in_label += if closing { -1 } else { 1 },
            ("input" | "select" | "textarea", false) => {
                let hidden = tag.get("type") == Some("hidden");
                let labelled = tag.get("id").is_some_and(|id| labels.contains(id));
                let fine = hidden || labelled || in_label > 0;
                assert!(fine, "{name}: no label for {:?}", tag.attributes);
            }
            ("a" | "button", false) => {
                let hidden = tag.get("hidden").is_some();
                assert!(hidden || says(tags, at), "{name}: nameless {:?}", tag.attributes);
            }
            _ => (),
        }
    }
}

/// What points at an id of the page points at one that is there.
fn refers(name: &str, tags: &[Tag<'_>], ids: &BTreeSet<String>) {
    for tag in tags.iter().filter(|tag| !tag.closing) {
        for key in ["aria-labelledby", "aria-describedby", "for", "popovertarget"] {
            for id in tag.get(key).into_iter().flat_map(str::split_whitespace) {
                assert!(ids.contains(id), "{name}: {key} names {id}, which is not there");
            }
        }
        let own = tag.get("href").and_then(|href| href.strip_prefix('#'));
        if let Some(id) = own.filter(|id| !id.is_empty()) {
            assert!(ids.contains(id), "{name}: a link to #{id}, which is not there");
        }
    }
}

/// Relative luminance, as WCAG 2.2 defines it.
fn luminance(hex: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

pub(super) fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The tokens of a block of the style sheet.
pub(super) fn tokens(block: &str) -> Vec<(&str, &str)> {
    let ends = block.find('}').unwrap();
    let pairs = block[..ends].split(';').filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.trim(), value.trim())).collect()
}

#[test]
fn texts_and_marks_stand_out_by_day_and_by_night() {
    let css = include_str!("../../../assets/app.css");
    let night_at = css.find(":root[data-theme=night]").unwrap();
    let system_at = css.find(":root:not([data-theme])").unwrap();
    let (day, night) =
        (tokens(&css[css.find(":root {").unwrap() + 7..]), tokens(&css[night_at + 25..]));
    let system = tokens(&css[system_at + 25..]);
    assert_eq!(night.len(), system.len(), "night is the same, chosen or not");
    for (one, other) in night.iter().zip(&system).skip(1) {
        assert_eq!(one, other);
    }
    let text = ["--ink", "--dim", "--faint", "--link", "--now-text", "--ok-text"];
    let grounds = ["--paper", "--card", "--side"];
    for theme in [&day, &night] {
        let get = |name: &str| theme.iter().find(|(key, _)| *key == name).unwrap().1;
        let check = |one: &str, other: &str, least: f64| {
            let ratio = contrast(get(one), get(other));
            assert!(ratio >= least, "{one} on {other}: {ratio:.2}, needs {least}");
        };
        for (text, ground) in text.iter().flat_map(|text| grounds.map(|ground| (*text, ground))) {
            check(text, ground, 4.5);
        }
        check("--on-main", "--main", 4.5);
        check("--on-crit", "--crit", 4.5);
        check("--on-now", "--now", 4.4);
        for mark in ["--crit", "--high", "--low", "--ok", "--now", "--edge", "--med-edge"] {
            check(mark, "--paper", if mark == "--low" { 2.8 } else { 3.0 });
        }
        for person in ["sage", "sand", "sky", "clay", "lilac"] {
            check("--ink", &format!("--{person}"), 7.0);
            check(&format!("--{person}-edge"), &format!("--{person}"), 3.0);
        }
    }
}

#[test]
fn the_script_is_small() {
    let js = include_str!("../../../assets/enhance.js");
    assert!(brotli(js) <= 12_000, "{} bytes", brotli(js));
}
