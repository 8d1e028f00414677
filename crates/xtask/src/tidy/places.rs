//! Things that have one place: SQL in the store, clients of other servers in the channels.

use super::source::{Kind, pieces};
use super::{File, Offence};

/// SQL stands in `bugle-store`. (`xtask` measures what the databases themselves can do.)
pub(super) fn sql(files: &[File]) -> Vec<Offence> {
    let may = |file: &&File| file.is_of("bugle-store") || file.is_of("xtask");
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && !may(file)) {
        for piece in pieces(&file.text).into_iter().filter(|piece| piece.kind == Kind::Text) {
            if is_sql(piece.text) {
                let what = "is SQL: only bugle-store has any";
                offences.push(Offence::new(&file.path, piece.line, what));
            }
        }
    }
    offences
}

fn is_sql(text: &str) -> bool {
    let text = text.trim_start_matches(['r', '#', '"']).trim_start();
    let has_pair = |first: &str, second: &str| text.starts_with(first) && text.contains(second);
    has_pair("SELECT ", "FROM ")
        || has_pair("SELECT\n", "FROM ")
        || has_pair("UPDATE ", "SET ")
        || has_pair("WITH ", "SELECT ")
        || text.starts_with("INSERT INTO ")
        || text.starts_with("DELETE FROM ")
        || text.starts_with("CREATE TABLE ")
}

/// Only `bugle-channels` calls other servers. So do the simulated providers of the lab, for their
/// callbacks, the command line's client of our own API, and tests.
pub(super) fn clients(files: &[File]) -> Vec<Offence> {
    let may = |file: &&File| {
        file.is_of("bugle-channels")
            || file.is_of("bugle-lab")
            || file.path.starts_with("crates/bugle/src/client")
            || file.is_test()
    };
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && !may(file)) {
        for piece in pieces(&file.text).into_iter().filter(|piece| piece.kind == Kind::Code) {
            for (line, text) in piece.lines() {
                if text.contains("reqwest::") || text.contains("lettre::") {
                    let what = "calls other servers: only bugle-channels does";
                    offences.push(Offence::new(&file.path, line, what));
                }
            }
        }
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::spots;

    #[test]
    fn sql_outside_the_store_is_found() {
        let text = "f(\"SELECT a\n FROM b\");\n// \"SELECT a FROM b\"\n\nf(\"Select one\");\
                    f(r#\"\n UPDATE a SET b\"#); f(\"UPDATE the settings\");\n";
        let files = [
            File::new("crates/bugle-app/src/a.rs", text),
            File::new("crates/bugle-store/src/a.rs", text),
        ];
        let places = ["crates/bugle-app/src/a.rs:1", "crates/bugle-app/src/a.rs:5"];
        assert_eq!(spots(&sql(&files)), places);
    }

    #[test]
    fn clients_outside_the_channels_are_found() {
        let text = "//! A.\nuse reqwest::Client; // reqwest::x\n";
        let files = [
            "bugle-app/src/a.rs",
            "bugle-channels/src/a.rs",
            "bugle/src/client/http.rs",
            "bugle/tests/it/a.rs",
        ]
        .map(|path| File::new(&format!("crates/{path}"), text));
        assert_eq!(spots(&clients(&files)), ["crates/bugle-app/src/a.rs:2"]);
    }
}
