//! Rust source split into code, comments and text literals, as far as tidy needs it.

/// What a piece of source is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Anything else.
    Code,
    /// A comment, with its slashes.
    Comment,
    /// A string or character literal, with its quotes.
    Text,
}

/// A stretch of source of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece<'a> {
    pub(super) kind: Kind,
    /// Line it begins on, 1-based.
    pub(super) line: usize,
    pub(super) text: &'a str,
}

impl<'a> Piece<'a> {
    /// Its lines, each with its number.
    pub(super) fn lines(self) -> impl Iterator<Item = (usize, &'a str)> {
        self.text.split('\n').enumerate().map(move |(index, text)| (self.line + index, text))
    }
}

/// Splits source into pieces; put together again they are the source.
pub(super) fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let (mut rest, mut line) = (source, 1);
    let mut code = 0;
    while !rest[code..].is_empty() {
        let Some((kind, length)) = special(&rest[code..], &rest[..code]) else {
            code += rest[code..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        for (kind, length) in [(Kind::Code, code), (kind, length)] {
            let (text, after) = rest.split_at(length);
            if !text.is_empty() {
                pieces.push(Piece { kind, line, text });
            }
            line += text.matches('\n').count();
            rest = after;
        }
        code = 0;
    }
    if !rest.is_empty() {
        pieces.push(Piece { kind: Kind::Code, line, text: rest });
    }
    pieces
}

/// The comment or literal that begins here, and its length.
fn special(here: &str, before: &str) -> Option<(Kind, usize)> {
    if here.starts_with("//") {
        return Some((Kind::Comment, here.find('\n').unwrap_or(here.len())));
    }
    if here.starts_with("/*") {
        return Some((Kind::Comment, block_comment(here)));
    }
    match here.as_bytes().first()? {
        b'"' => Some((Kind::Text, quoted(here))),
        b'\'' => Some((Kind::Text, character(here)?)),
        // Not the `r` at the end of `var` or the like.
        b'r' if !before.ends_with(|c: char| c.is_alphanumeric() && c != 'b' || c == '_') => {
            Some((Kind::Text, raw(here)?))
        }
        _ => None,
    }
}

fn block_comment(here: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < here.len() {
        if here[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    here.len()
}

fn quoted(here: &str) -> usize {
    let mut escaped = false;
    for (at, c) in here.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => (),
        }
    }
    here.len()
}

/// A character literal; `None` for a lifetime.
fn character(here: &str) -> Option<usize> {
    let mut chars = here.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        chars.next();
        return chars.find(|&(_, c)| c == '\'').map(|(at, _)| at + 1);
    }
    chars.next().filter(|&(_, c)| c == '\'').map(|(at, _)| at + 1)
}

fn raw(here: &str) -> Option<usize> {
    let hashes = here[1..].bytes().take_while(|&byte| byte == b'#').count();
    let body = 1 + hashes;
    if here.as_bytes().get(body) != Some(&b'"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    Some(here[body + 1..].find(&end).map_or(here.len(), |at| body + 1 + at + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<(Kind, usize, &str)> {
        let pieces = pieces(source);
        assert_eq!(pieces.iter().map(|piece| piece.text).collect::<String>(), source);
        pieces.iter().map(|piece| (piece.kind, piece.line, piece.text.trim())).collect()
    }

    #[test]
    fn tells_code_from_comments_and_text() {
        let source =
            "let a = \"x // \\\" y\"; // \"no\"\nlet c = '\\'';\n/* a /* b */\n*/ fn f<'a>() {}";
        assert_eq!(
            kinds(source),
            [
                (Kind::Code, 1, "let a ="),
                (Kind::Text, 1, "\"x // \\\" y\""),
                (Kind::Code, 1, ";"),
                (Kind::Comment, 1, "// \"no\""),
                (Kind::Code, 1, "let c ="),
                (Kind::Text, 2, "'\\''"),
                (Kind::Code, 2, ";"),
                (Kind::Comment, 3, "/* a /* b */\n*/"),
                (Kind::Code, 4, "fn f<'a>() {}"),
            ]
        );
    }

    #[test]
    fn reads_raw_text() {
        let source = "r#\"a \" b\"#; var\"c\"; r#fn; br\"d\\\"";
        assert_eq!(
            kinds(source),
            [
                (Kind::Text, 1, "r#\"a \" b\"#"),
                (Kind::Code, 1, "; var"),
                (Kind::Text, 1, "\"c\""),
                (Kind::Code, 1, "; r#fn; b"),
                (Kind::Text, 1, "r\"d\\\""),
            ]
        );
    }
}
