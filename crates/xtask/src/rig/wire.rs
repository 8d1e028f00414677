//! As much of HTTP/1.1 as a load and a sink on loopback need: whole messages with a length.

/// Where a message in a buffer ends, and its parts.
pub(super) struct Message<'a> {
    /// The first line and the header, without the empty line.
    pub(super) head: &'a [u8],
    pub(super) body: &'a [u8],
    /// Length of it all.
    pub(super) length: usize,
}

impl Message<'_> {
    /// The status of a response; 0 of what is none.
    pub(super) fn status(&self) -> u16 {
        let digits = self.head.get(9..12).unwrap_or_default();
        std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The path of a request.
    pub(super) fn path(&self) -> &str {
        let line = self.head.split(|&byte| byte == b'\r').next().unwrap_or_default();
        let path = line.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
        std::str::from_utf8(path).unwrap_or_default()
    }
}

/// Reads the first message of a buffer. `None`: it is not whole yet.
pub(super) fn message(buffer: &[u8]) -> Option<Message<'_>> {
    let end = find(buffer, b"\r\n\r\n")?;
    let head = &buffer[..end];
    let from = end + 4;
    let length = from + content_length(head);
    let body = buffer.get(from..length)?;
    Some(Message { head, body, length })
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length:";
    head.split(|&byte| byte == b'\n')
        .find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)))
        .and_then(|line| std::str::from_utf8(&line[NAME.len()..]).ok())
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(0)
}

/// Where `wanted` first stands in `text`.
pub(super) fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let (&first, rest) = wanted.split_first()?;
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|&byte| byte == first) {
        from += at + 1;
        if text[from..].starts_with(rest) {
            return Some(from - 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200";
        assert!(message(&text[..20]).is_none());
        assert!(message(&text[..45]).is_none());
        let whole = message(text).unwrap();
        assert_eq!((whole.status(), whole.body, whole.length), (202, &b"abc"[..], 47));
    }

    #[test]
    fn finds_text_that_begins_like_what_is_before_it() {
        assert_eq!(find(b"aab\r\r\n\r\n", b"\r\n\r\n"), Some(4));
        assert_eq!(find(b"abc", b"d"), None);
        assert_eq!(message(b"POST /a/b HTTP/1.1\r\n\r\n").unwrap().path(), "/a/b");
    }
}
