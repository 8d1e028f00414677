//! Atom (RFC 4287) and RSS 2.0: an entry a bulletin, newest first.

use std::fmt::Write as _;

use bugle_engine::message::html::escaped;
use bugle_engine::status::board::{Board, Touched};
use bugle_engine::status::bulletin::Bulletin;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

use super::super::times::iso;

/// Bulletins in a feed.
const MAX_ENTRIES: usize = 25;

/// `history.atom`.
pub(super) fn atom(board: &Board) -> String {
    let (name, url, home) = (xml(&board.name), xml(&board.url), xml(&board.home()));
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n\
         <id>{home}</id>\n<title>{name} status</title>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{home}\"/>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{url}/history.atom\"/>\n\
         <updated>{}</updated>\n<author><name>{name}</name></author>\n",
        iso(board.at)
    );
    for it in board.bulletins().iter().take(MAX_ENTRIES) {
        let _infallible = write!(
            feed,
            "<entry>\n<id>{link}</id>\n<title>{title}</title>\n\
             <published>{began}</published>\n<updated>{updated}</updated>\n\
             <link rel=\"alternate\" type=\"text/html\" href=\"{link}\"/>\n\
             <content type=\"html\">{body}</content>\n</entry>\n",
            link = xml(&link(board, it)),
            title = xml(&it.title),
            began = iso(it.began_at),
            updated = iso(it.updated_at()),
            body = xml(&said(it)),
        );
    }
    feed.push_str("</feed>\n");
    feed
}

/// `history.rss`.
pub(super) fn rss(board: &Board) -> String {
    let (name, url, home) = (xml(&board.name), xml(&board.url), xml(&board.home()));
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\">\n<channel>\n\
         <title>{name} status</title>\n<link>{home}</link>\n\
         <atom:link rel=\"self\" type=\"application/rss+xml\" href=\"{url}/history.rss\"/>\n\
         <description>What is wrong, what was, and what is planned.</description>\n\
         <language>en</language>\n<lastBuildDate>{}</lastBuildDate>\n",
        rfc2822(board.at)
    );
    for it in board.bulletins().iter().take(MAX_ENTRIES) {
        let _infallible = write!(
            feed,
            "<item>\n<title>{title}</title>\n<link>{link}</link>\n<guid>{link}</guid>\n\
             <pubDate>{updated}</pubDate>\n<description>{body}</description>\n</item>\n",
            title = xml(&it.title),
            link = xml(&link(board, it)),
            updated = rfc2822(it.updated_at()),
            body = xml(&said(it)),
        );
    }
    feed.push_str("</channel>\n</rss>\n");
    feed
}

fn link(board: &Board, it: &Bulletin<Touched>) -> String {
    format!("{}/history.html#{}", board.url, it.id)
}

/// Every update as HTML, newest first.
fn said(it: &Bulletin<Touched>) -> String {
    let mut body = String::new();
    for update in it.updates.iter().rev() {
        let _infallible = write!(
            body,
            "<p><time datetime=\"{at}\">{at}</time> <b>{phase}.</b> {text}</p>",
            at = iso(update.at),
            phase = update.phase.words(),
            text = xml(&update.text),
        );
    }
    body
}

/// Text in XML, without what XML can't say.
fn xml(text: &str) -> String {
    let said: String =
        text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    escaped(&said)
}

fn rfc2822(at: Timestamp) -> String {
    rfc2822::to_string(&at.to_zoned(TimeZone::UTC)).unwrap_or_default()
}
