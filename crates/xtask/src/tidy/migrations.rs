//! Migrations come in pairs, one for each database. (That none is edited, `generate` checks.)

use std::collections::BTreeSet;

use super::{File, Offence};

const FOLDER: &str = "crates/bugle-store/migrations/";

/// The same names stand in both folders.
pub(super) fn pairs(files: &[File]) -> Vec<Offence> {
    let sqlite = names(files, "sqlite/");
    let postgres = names(files, "postgres/");
    let lacking = |have: &BTreeSet<&str>, there: &str, other: &BTreeSet<&str>| -> Vec<Offence> {
        let lonely = have.difference(other);
        let offence = |name: &&str| {
            let what = "write its pair for the other database, with the same name";
            Offence::new(&format!("{FOLDER}{there}/{name}"), 0, what)
        };
        lonely.map(offence).collect()
    };
    let mut offences = lacking(&sqlite, "sqlite", &postgres);
    offences.extend(lacking(&postgres, "postgres", &sqlite));
    offences
}

fn names<'a>(files: &'a [File], database: &str) -> BTreeSet<&'a str> {
    let name = |file: &'a File| file.path.strip_prefix(FOLDER)?.strip_prefix(database);
    files.iter().filter(|file| file.is("sql")).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::spots;

    #[test]
    fn a_migration_without_its_pair_is_found() {
        let files = ["sqlite/1_a.sql", "postgres/1_a.sql", "postgres/2_b.sql", "checksums.txt"]
            .map(|name| File::new(&format!("{FOLDER}{name}"), ""));
        assert_eq!(spots(&pairs(&files)), [format!("{FOLDER}postgres/2_b.sql:0")]);
    }
}
