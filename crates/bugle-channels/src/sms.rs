//! Text that fits a text message: the GSM 7-bit alphabet, and how many parts it takes.
//!
//! Source: 3GPP TS 23.038, *Alphabets and language-specific information*, 6.2.1.

/// One part, in septets.
const ONE_PART: usize = 160;
/// One of several parts, in septets: the rest numbers the parts.
const OF_SEVERAL: usize = 153;
/// The same of texts in other alphabets, in UTF-16 units.
const WIDE_ONE_PART: usize = 70;
const WIDE_OF_SEVERAL: usize = 67;
/// A text is mapped where less than one character in so many is lost.
const MOST_KEPT: usize = 5;
/// What a cut text ends in.
const ELLIPSIS: &str = "...";

/// The basic alphabet: one septet each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJK\
                     LMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension: two septets each.
const EXTENSION: &str = "^{}\\[~]|€\u{c}";

/// Maps `text` to the GSM alphabet, cuts it to `max_chars` characters, and says how many parts it
/// takes. Letters that the alphabet lacks lose their accents; what has no likeness becomes `?`.
///
/// A text most of which would be lost that way (Cyrillic, Chinese) is left as it is: it takes more
/// parts, and can be read.
pub fn fit(text: &str, max_chars: usize) -> (String, usize) {
    let Some(mapped) = to_gsm(text) else {
        let kept = cut(text, max_chars);
        let units = kept.encode_utf16().count();
        let parts = if units <= WIDE_ONE_PART { 1 } else { units.div_ceil(WIDE_OF_SEVERAL) };
        return (kept, parts);
    };
    let mapped = cut(&mapped, max_chars);
    let septets = septets(&mapped);
    let parts = if septets <= ONE_PART { 1 } else { septets.div_ceil(OF_SEVERAL) };
    (mapped, parts)
}

/// `text` in the GSM alphabet; `None` where too much of it would be lost.
fn to_gsm(text: &str) -> Option<String> {
    let mut mapped = String::with_capacity(text.len());
    let mut lost = 0_usize;
    for c in text.chars() {
        lost += usize::from(!map(c, &mut mapped));
    }
    (lost * MOST_KEPT < text.chars().count().max(1)).then_some(mapped)
}

/// How many septets `text` takes, all of whose characters are in the alphabet.
fn septets(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn width(c: char) -> usize {
    if EXTENSION.contains(c) { 2 } else { 1 }
}

fn cut(text: &str, max_chars: usize) -> String {
    if text.chars().count() <= max_chars {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(max_chars.saturating_sub(ELLIPSIS.len())).collect();
    kept.push_str(ELLIPSIS);
    kept
}

/// Maps one character; `false` where nothing like it is in the alphabet.
fn map(c: char, out: &mut String) -> bool {
    if c != '\u{c}' && (BASIC.contains(c) || EXTENSION.contains(c)) {
        out.push(c);
        return true;
    }
    match c {
        '`' | '´' | '‘' | '’' | '‚' | '′' => out.push('\''),
        '“' | '”' | '„' | '«' | '»' | '″' => out.push('"'),
        '–' | '—' | '‐' | '‑' | '−' => out.push('-'),
        '…' => out.push_str("..."),
        '•' | '·' => out.push('*'),
        '→' => out.push_str("->"),
        '←' => out.push_str("<-"),
        '≤' => out.push_str("<="),
        '≥' => out.push_str(">="),
        '×' => out.push('x'),
        'µ' | 'μ' => out.push('u'),
        '°' => out.push('o'),
        '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{ad}' | '\u{300}'..='\u{36f}' => (),
        _ if c.is_whitespace() || c.is_control() => out.push(' '),
        _ => {
            let like = without_accent(c);
            out.push_str(like.unwrap_or("?"));
            return like.is_some();
        }
    }
    true
}

/// The likeness of a letter that the alphabet lacks. `É é è à ì ò ù Ç` and the umlauts are in it.
fn without_accent(c: char) -> Option<&'static str> {
    LIKENESS.iter().find(|(letters, _)| letters.contains(c)).map(|(_, like)| *like)
}

/// Letters of Latin, and those of Greek that look like Latin ones.
const LIKENESS: &[(&str, &str)] = &[
    ("áâãāăąǎ", "a"),
    ("ÀÁÂÃĀĂĄǍΑ", "A"),
    ("çćĉċč", "c"),
    ("ĆĈĊČ", "C"),
    ("ďđð", "d"),
    ("ĎĐÐ", "D"),
    ("êëēĕėęě", "e"),
    ("ÈÊËĒĔĖĘĚΕ", "E"),
    ("ĝğġģ", "g"),
    ("ĜĞĠĢ", "G"),
    ("ĥħ", "h"),
    ("ĤĦΗ", "H"),
    ("íîïĩīĭįı", "i"),
    ("ÌÍÎÏĨĪĬĮİΙ", "I"),
    ("ĵ", "j"),
    ("Ĵ", "J"),
    ("ķ", "k"),
    ("ĶΚ", "K"),
    ("ĺļľł", "l"),
    ("ĹĻĽŁ", "L"),
    ("Μ", "M"),
    ("ńņň", "n"),
    ("ŃŅŇΝ", "N"),
    ("óôõōŏő", "o"),
    ("ÒÓÔÕŌŎŐΟ", "O"),
    ("ŕŗř", "r"),
    ("ŔŖŘ", "R"),
    ("śŝşšș", "s"),
    ("ŚŜŞŠȘ", "S"),
    ("ţťŧț", "t"),
    ("ŢŤŦȚΤ", "T"),
    ("úûũūŭůűų", "u"),
    ("ÙÚÛŨŪŬŮŰŲ", "U"),
    ("ŵ", "w"),
    ("Ŵ", "W"),
    ("ýÿŷ", "y"),
    ("ÝŸŶΥ", "Y"),
    ("źżž", "z"),
    ("ŹŻŽΖ", "Z"),
    ("Β", "B"),
    ("Ρ", "P"),
    ("Χ", "X"),
    ("œ", "oe"),
    ("Œ", "OE"),
    ("þ", "th"),
    ("Þ", "Th"),
    ("ẞ", "SS"),
];

#[cfg(test)]
mod tests;
