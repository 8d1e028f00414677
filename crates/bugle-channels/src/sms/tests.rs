//! Tables of texts and what becomes of them.

use super::*;

#[track_caller]
fn check(text: &str, expected: &str, parts: usize) {
    assert_eq!(fit(text, 1_600), (expected.to_owned(), parts), "{text:?}");
}

#[test]
fn what_is_in_the_alphabet_stays() {
    check("CRIT Payments: 14.2% (limit 2%). 4=ack", "CRIT Payments: 14.2% (limit 2%). 4=ack", 1);
    check("café è à ñ Ä ö ß Å Ø @ £ ¥ § ¿", "café è à ñ Ä ö ß Å Ø @ £ ¥ § ¿", 1);
    check("{a|b} [c] ~ ^ \\ €", "{a|b} [c] ~ ^ \\ €", 1);
    check("ΔΦΓΛΩΠΨΣΘΞ", "ΔΦΓΛΩΠΨΣΘΞ", 1);
}

#[test]
fn what_is_like_something_in_it_becomes_that() {
    check("Łódź São Kovač İstanbul", "Lodz Sao Kovac Istanbul", 1);
    check("“quoted” – it’s…", "\"quoted\" - it's...", 1);
    check("5 ≥ 4 → page", "5 >= 4 -> page", 1);
    check("20 °C, 3 µs", "20 oC, 3 us", 1);
    check("a\u{a0}b\tc\u{200b}d", "a b cd", 1);
    check("disk full 🔥", "disk full ?", 1);
    check("ESC\u{1b}FF\u{c}", "ESC FF ", 1);
}

#[test]
fn another_alphabet_is_left_as_it_is() {
    check("Сервис оплаты не отвечает", "Сервис оплаты не отвечает", 1);
    let long = "支付服务".repeat(20);
    check(&long, &long, 2);
}

#[test]
fn parts_are_counted_in_septets() {
    check(&"a".repeat(160), &"a".repeat(160), 1);
    check(&"a".repeat(161), &"a".repeat(161), 2);
    check(&"€".repeat(80), &"€".repeat(80), 1);
    check(&"€".repeat(81), &"€".repeat(81), 2);
    check(&"a".repeat(307), &"a".repeat(307), 3);
}

#[test]
fn a_cut_text_says_so() {
    assert_eq!(fit("abcdefgh", 6).0, "abc...");
}
