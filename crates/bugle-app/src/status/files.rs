//! Writes the files of the status page, each in one step.

use std::fs;
use std::io;
use std::path::Path;

use super::{File, REGIONS};

/// Writes all of them below `folder`. Whoever reads one has its old content or its new one.
///
/// Nothing is flushed: after a power cut the files are made again within a minute, and a flush each
/// minute would cost those who wait for one.
pub(super) fn write(folder: &Path, files: &[File]) -> io::Result<()> {
    for file in files {
        put(folder, file)?;
    }
    forget(&folder.join(REGIONS), files)
}

/// Writes one of them, in one step.
pub(super) fn put(folder: &Path, file: &File) -> io::Result<()> {
    let path = folder.join(file.path.as_ref());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut draft = path.clone().into_os_string();
    draft.push(".draft");
    fs::write(&draft, &file.text)?;
    fs::rename(&draft, &path)
}

/// Removes the pages of regions that there are no longer.
fn forget(folder: &Path, files: &[File]) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let path = format!("{REGIONS}/{}", entry.file_name().display());
        if !files.iter().any(|file| file.path == path) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_region_that_is_no_more_goes() {
        let folder = tempfile::tempdir().unwrap();
        let file = |path: &'static str| File { path: path.into(), text: String::new() };
        let path = |name: &str| folder.path().join(REGIONS).join(name);
        write(folder.path(), &[file("regions/na.html"), file("regions/emea.html")]).unwrap();
        write(folder.path(), &[file("index.html"), file("regions/na.html")]).unwrap();
        assert!(path("na.html").exists() && !path("emea.html").exists());
    }

    #[test]
    fn a_file_has_its_old_content_or_its_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = "api/v2/incidents/unresolved.json";
        for text in ["old", "new"] {
            write(folder.path(), &[File { path: path.into(), text: text.to_owned() }]).unwrap();
            assert_eq!(fs::read_to_string(folder.path().join(path)).unwrap(), text);
        }
        // What can't be written leaves what is there.
        fs::create_dir(folder.path().join("api/v2/incidents/unresolved.json.draft")).unwrap();
        assert!(
            write(folder.path(), &[File { path: path.into(), text: "newer".to_owned() }]).is_err()
        );
        assert_eq!(fs::read_to_string(folder.path().join(path)).unwrap(), "new");
    }
}
