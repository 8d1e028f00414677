//! Writes the files of the status page, each in one step.

use std::fs;
use std::io;
use std::path::Path;

use super::File;

/// Writes all of them below `folder`. Whoever reads one has its old content or its new one.
///
/// Nothing is flushed: after a power cut the files are made again within a minute, and a flush each
/// minute would cost those who wait for one.
pub(super) fn write(folder: &Path, files: &[File]) -> io::Result<()> {
    for file in files {
        let path = folder.join(file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut draft = path.clone().into_os_string();
        draft.push(".draft");
        fs::write(&draft, &file.text)?;
        fs::rename(&draft, &path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_old_content_or_its_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = "api/v2/incidents/unresolved.json";
        for text in ["old", "new"] {
            write(folder.path(), &[File { path, text: text.to_owned() }]).unwrap();
            assert_eq!(fs::read_to_string(folder.path().join(path)).unwrap(), text);
        }
        // What can't be written leaves what is there.
        fs::create_dir(folder.path().join("api/v2/incidents/unresolved.json.draft")).unwrap();
        assert!(write(folder.path(), &[File { path, text: "newer".to_owned() }]).is_err());
        assert_eq!(fs::read_to_string(folder.path().join(path)).unwrap(), "new");
    }
}
