//! A folder by its path, for systems without directory descriptors.
//!
//! It checks for symlinks before each step. An attacker who swaps a folder for a symlink between the check and
//! the step goes unnoticed: only descriptors can prevent that.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::entry_kind::EntryKind;
use super::open_error::OpenError;

/// Distinguishes a file from most others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    pub size: u64,
    readonly: bool,
}

impl FileIdentity {
    pub fn new(file: &File) -> io::Result<Self> {
        let about = file.metadata()?;
        Ok(FileIdentity { size: about.len(), readonly: about.permissions().readonly() })
    }

    /// Gives the permissions to an open file.
    pub fn give_rights_to(&self, new: &File) -> io::Result<()> {
        let mut rights = new.metadata()?.permissions();
        rights.set_readonly(self.readonly);
        new.set_permissions(rights)
    }
}

fn entry_kind(kind: FileType) -> EntryKind {
    match () {
        () if kind.is_symlink() => EntryKind::Symlink,
        () if kind.is_dir() => EntryKind::Folder,
        () if kind.is_file() => EntryKind::File,
        () => EntryKind::Other,
    }
}

#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Opens a folder that the user named. Symlinks on the path are followed, since the user chose it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        if about.is_dir() { Ok(Folder(path.to_owned())) } else { Err(ErrorKind::NotADirectory.into()) }
    }

    pub fn folder(&self, name: &str) -> Result<Self, OpenError> {
        match self.kind(name)? {
            Some(EntryKind::Folder) => Ok(Folder(self.0.join(name))),
            Some(EntryKind::Symlink) => Err(OpenError::Symlink),
            Some(_) => Err(OpenError::System(ErrorKind::NotADirectory.into())),
            None => Err(OpenError::System(ErrorKind::NotFound.into())),
        }
    }

    /// Opens a folder to list it.
    pub fn to_list(&self, name: &OsStr) -> Result<Self, OpenError> {
        let path = self.0.join(name);
        match fs::symlink_metadata(&path)?.file_type() {
            kind if kind.is_symlink() => Err(OpenError::Symlink),
            kind if kind.is_dir() => Ok(Folder(path)),
            _ => Err(OpenError::System(ErrorKind::NotADirectory.into())),
        }
    }

    /// What is in the folder: names, and what they stand for.
    pub fn entries(&self) -> io::Result<Vec<(OsString, EntryKind)>> {
        let entry = |entry: io::Result<fs::DirEntry>| {
            let entry = entry?;
            Ok((entry.file_name(), entry_kind(entry.file_type()?)))
        };
        fs::read_dir(&self.0)?.map(entry).collect()
    }

    /// Whether both are the same folder.
    pub fn is(&self, other: &Folder) -> io::Result<bool> {
        Ok(self.0 == other.0)
    }

    /// The kind of entry that a name refers to; `None` if it doesn't exist.
    pub fn kind(&self, name: &str) -> io::Result<Option<EntryKind>> {
        let kind = match fs::symlink_metadata(self.0.join(name)) {
            Ok(about) => about.file_type(),
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        Ok(Some(entry_kind(kind)))
    }

    /// Opens a regular file for reading.
    pub fn file(&self, name: &str) -> Result<(File, FileIdentity), OpenError> {
        match self.kind(name)? {
            Some(EntryKind::Symlink) => return Err(OpenError::Symlink),
            Some(EntryKind::Folder | EntryKind::Other) => return Err(OpenError::NotRegular),
            Some(EntryKind::File) | None => {}
        }
        let (file, _) = open_regular_file(&self.0.join(name))?;
        let identity = FileIdentity::new(&file)?;
        Ok((file, identity))
    }

    /// A path of several parts can't be opened without following symlinks.
    pub fn file_below(&self, _: &str) -> Option<Result<(File, FileIdentity), OpenError>> {
        None
    }

    /// Creates a folder, unless the name exists.
    pub fn create_folder(&self, name: &str) -> io::Result<()> {
        match fs::create_dir(self.0.join(name)) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
            _ => Ok(()),
        }
    }

    /// Creates a file. Fails if the name exists. The mode is ignored.
    pub fn create_file(&self, name: &str, _mode: u32) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.0.join(name))
    }

    /// Moves a file to a name in another folder or in this one, and replaces the target if it exists.
    pub fn rename(&self, from: &str, folder: &Folder, to: &str) -> io::Result<()> {
        let (from, to) = (self.0.join(from), folder.0.join(to));
        match fs::rename(&from, &to) {
            Err(e) if e.kind() == ErrorKind::PermissionDenied => rename_over_read_only(&from, &to, e),
            done => done,
        }
    }

    /// Moves a file as [`Self::rename`] does, but only if the new name doesn't exist yet.
    pub fn rename_new(&self, from: &str, folder: &Folder, to: &str) -> io::Result<()> {
        fs::hard_link(self.0.join(from), folder.0.join(to))?;
        self.remove(from)
    }

    pub fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }
}

/// Renames a file as on Unix, where a read-only file can be replaced. Windows refuses that.
#[allow(
    clippy::permissions_set_readonly_false,
    reason = "the target is replaced, or gets its permissions back"
)]
fn rename_over_read_only(from: &Path, to: &Path, error: io::Error) -> io::Result<()> {
    let old = fs::metadata(to)?.permissions();
    if !old.readonly() {
        return Err(error);
    }
    let mut writable = old.clone();
    writable.set_readonly(false);
    fs::set_permissions(to, writable)?;
    fs::rename(from, to).inspect_err(|_| drop(fs::set_permissions(to, old)))
}

/// Opens a regular file for reading that the user named, wherever it is.
pub fn open_regular_file(path: &Path) -> Result<(File, Metadata), OpenError> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_file() { Ok((file, about)) } else { Err(OpenError::NotRegular) }
}

#[cfg(all(test, unix))]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    /// The content of a file; `None` if it can't be opened.
    fn read(folder: &Folder, name: &str) -> Option<String> {
        let mut text = String::new();
        folder.file(name).ok()?.0.read_to_string(&mut text).ok()?;
        Some(text)
    }

    #[test]
    fn symlinks_are_not_followed() {
        let temporary = tempfile::tempdir().unwrap();
        let root = Folder::open(temporary.path()).unwrap();
        for name in ["a", "a"] {
            root.create_folder(name).unwrap();
        }
        fs::write(temporary.path().join("a/x"), "x").unwrap();
        symlink("a", temporary.path().join("link")).unwrap();
        symlink("a/x", temporary.path().join("file")).unwrap();
        assert_eq!(read(&root.folder("a").unwrap(), "x").as_deref(), Some("x"));
        assert!(matches!(root.folder("link"), Err(OpenError::Symlink)));
        assert!(matches!(root.file("file"), Err(OpenError::Symlink)));
        assert!(matches!(root.file("a"), Err(OpenError::NotRegular)));
        assert!(root.file("none").unwrap_err().is_not_found());
        assert!(root.folder("none").unwrap_err().is_not_found());
        assert!(root.folder("a").unwrap().folder("x").unwrap_err().is_not_found());
        let kinds = ["a", "link", "none"].map(|name| root.kind(name).unwrap());
        assert_eq!(kinds, [Some(EntryKind::Folder), Some(EntryKind::Symlink), None]);
        assert_eq!(root.folder("a").unwrap().kind("x").unwrap(), Some(EntryKind::File));
        assert!(root.file_below("a/x").is_none());
        let listed = root.to_list(OsStr::new(".")).unwrap().entries().unwrap();
        let listed: BTreeMap<_, _> = listed.into_iter().collect();
        let expected = [("a", EntryKind::Folder), ("file", EntryKind::Symlink), ("link", EntryKind::Symlink)];
        assert_eq!(listed, BTreeMap::from(expected.map(|(name, kind)| (name.into(), kind))));
        let x = root.to_list(OsStr::new("a")).unwrap().entries().unwrap();
        assert_eq!(x, [("x".into(), EntryKind::File)]);
        assert!(matches!(root.to_list(OsStr::new("link")), Err(OpenError::Symlink)));
        assert!(root.to_list(OsStr::new("none")).unwrap_err().is_not_found());
        assert!(root.is(&Folder::open(temporary.path()).unwrap()).unwrap());
        assert!(open_regular_file(temporary.path()).is_err());
    }

    #[test]
    fn files_are_made_and_renamed() {
        let temporary = tempfile::tempdir().unwrap();
        let root = Folder::open(temporary.path()).unwrap();
        let new = root.create_file("new", 0o600).unwrap();
        let identity = FileIdentity::new(&new).unwrap();
        identity.give_rights_to(&new).unwrap();
        assert_eq!(root.create_file("new", 0o600).unwrap_err().kind(), ErrorKind::AlreadyExists);
        root.rename_new("new", &root, "app").unwrap();
        assert_eq!(root.file("app").unwrap().1, identity);
        root.create_file("next", 0o600).unwrap();
        assert_eq!(root.rename_new("next", &root, "app").unwrap_err().kind(), ErrorKind::AlreadyExists);
        fs::write(temporary.path().join("next"), "next").unwrap();
        root.rename("next", &root, "app").unwrap();
        assert_eq!(read(&root, "app").as_deref(), Some("next"));
        root.remove("app").unwrap();
        assert_eq!(root.kind("app").unwrap(), None);
    }
}
