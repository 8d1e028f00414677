//! Tests of the words.

use super::*;
use crate::tidy::spots;

#[test]
fn a_note_without_its_issue_is_found() {
    let todo = concat!("TO", "DO");
    let text = format!(
        "// {todo}(#12): good\n// {todo}: bad\n// {}\nlet {todo}s = 1;\n// {todo}(#x)",
        concat!("FIX", "ME")
    );
    assert_eq!(spots(&notes(&[File::new("a.rs", &text)])), ["a.rs:2", "a.rs:3", "a.rs:5"]);
}

#[test]
fn a_skipped_test_is_found() {
    let text = concat!("#[test]\n#[ig", "nore]\nfn a() {}\nlet x = \"#[ig", "nore]\";\n");
    assert_eq!(spots(&attributes(&[File::new("a.rs", text)])), ["a.rs:2"]);
}

#[test]
fn folders_of_a_machine_are_found() {
    let work = concat!("/wo", "rk");
    let text = format!(
        "{work}/x\nsee `{work}/x`\nhttps://a{work}/b\n{work}ers/x\n./a{work}/b\n$X{}/DESIGN.md\n{}/ann/x",
        concat!("/../sh", "ared"),
        concat!("/ho", "me"),
    );
    let places = ["a.md:1", "a.md:2", "a.md:6", "a.md:7"];
    assert_eq!(spots(&machines(&[File::new("a.md", &text)])), places);
}

#[test]
fn second_words_for_our_nouns_are_found_in_identifiers_only() {
    let text = "struct OrgId;\nlet my_account = 1;\nlet organ = account_sid;\n// account\n\"org\"";
    let files = [
        File::new("crates/bugle-app/src/a.rs", text),
        File::new("crates/bugle-channels/src/a.rs", text),
    ];
    let places = ["crates/bugle-app/src/a.rs:1", "crates/bugle-app/src/a.rs:2"];
    assert_eq!(spots(&nouns(&files)), places);
}
