//! An open folder, held by its file descriptor. Names always refer to entries of this very folder, even if the
//! path to it changes.
//!
//! Symlinks are never followed, and pipes are never waited for.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags};

use super::entry_kind::EntryKind;
use super::open_error::OpenError;

/// The only way to open a folder that may be traversed but not listed.
#[cfg(any(target_os = "linux", target_os = "android"))]
const TO_PASS: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const TO_PASS: OFlags = OFlags::RDONLY;

/// Without NONBLOCK, opening a pipe would wait for a writer.
const TO_READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// For the entries that the system lists at once, in bytes. Most folders have no more.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LISTING_BUFFER: usize = 16 * 1024;

/// Identifies a file, and holds its owner, permissions and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    pub size: u64,
    device: u64,
    inode: u64,
    owner: u32,
    group: u32,
    mode: u32,
}

impl FileIdentity {
    pub fn new(file: &File) -> io::Result<Self> {
        Ok(Self::from_stat(&fs::fstat(file)?))
    }

    /// The types of these numbers differ between systems.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    fn from_stat(about: &fs::Stat) -> Self {
        FileIdentity {
            size: about.st_size as u64,
            device: about.st_dev as u64,
            inode: about.st_ino as u64,
            owner: about.st_uid,
            group: about.st_gid,
            mode: about.st_mode.into(),
        }
    }

    /// Gives the owner and the permissions to an open file. Root may run tagbump in another user's folder, as
    /// in a container: the file keeps its owner if possible. Setuid and setgid bits are dropped, since a
    /// manifest doesn't need them.
    pub fn give_rights_to(&self, new: &File) -> io::Result<()> {
        let (owner, group) = (Some(self.owner), Some(self.group));
        // failing is fine: then the file belongs to the user who runs tagbump, as with any editor
        let _ = fchown(new, owner, group).or_else(|_| fchown(new, None, group));
        let rights = self.mode & 0o777;
        // don't give one group's permissions to another group
        let is_same_group = new.metadata()?.gid() == self.group;
        let rights = if is_same_group { rights } else { rights & (0o707 | (rights & 0o007) << 3) };
        new.set_permissions(Permissions::from_mode(rights))
    }
}

#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens a folder that the user named. Symlinks on the path are followed, since the user chose it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = TO_PASS | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Folder(fs::openat(CWD, path, flags, Mode::empty())?))
    }

    pub fn folder(&self, name: &str) -> Result<Self, OpenError> {
        let flags = TO_PASS | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = fs::openat(&self.0, name, flags, Mode::empty());
        opened.map(Folder).map_err(|e| match self.kind(name) {
            Ok(Some(EntryKind::Symlink)) => OpenError::Symlink,
            _ => OpenError::System(e.into()),
        })
    }

    /// Opens a folder to list it.
    pub fn to_list(&self, name: &OsStr) -> Result<Self, OpenError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Folder(fs::openat(&self.0, name, flags, Mode::empty()).map_err(io::Error::from)?))
    }

    /// What is in a folder that was opened to list it: names, and what they stand for.
    pub fn entries(&self) -> io::Result<Vec<(OsString, EntryKind)>> {
        let mut found = Vec::new();
        self.list(&mut |name: &[u8], kind| {
            if name != b"." && name != b".." {
                let name = OsStr::from_bytes(name);
                found.push((name.to_owned(), self.known_kind(name, kind)?));
            }
            Ok(())
        })?;
        Ok(found)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn list(&self, each: &mut dyn FnMut(&[u8], FileType) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(LISTING_BUFFER);
        let mut listing = fs::RawDir::new(&self.0, buffer.spare_capacity_mut());
        while let Some(entry) = listing.next() {
            let entry = entry?;
            each(entry.file_name().to_bytes(), entry.file_type())?;
        }
        Ok(())
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn list(&self, each: &mut dyn FnMut(&[u8], FileType) -> io::Result<()>) -> io::Result<()> {
        for entry in fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            each(entry.file_name().to_bytes(), entry.file_type())?;
        }
        Ok(())
    }

    /// Some file systems don't list the kinds of their entries.
    fn known_kind(&self, name: &OsStr, listed: FileType) -> io::Result<EntryKind> {
        if listed != FileType::Unknown {
            return Ok(entry_kind(listed));
        }
        // an entry that is gone again isn't anything to enter or to read
        Ok(self.kind_of(name)?.unwrap_or(EntryKind::Other))
    }

    /// Whether both are the same folder.
    pub fn is(&self, other: &Folder) -> io::Result<bool> {
        let (one, two) = (fs::fstat(&self.0)?, fs::fstat(&other.0)?);
        Ok((one.st_dev, one.st_ino) == (two.st_dev, two.st_ino))
    }

    /// The kind of entry that a name refers to; `None` if it doesn't exist.
    pub fn kind(&self, name: &str) -> io::Result<Option<EntryKind>> {
        self.kind_of(OsStr::new(name))
    }

    fn kind_of(&self, name: &OsStr) -> io::Result<Option<EntryKind>> {
        let about = match fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(about) => about,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        Ok(Some(entry_kind(FileType::from_raw_mode(about.st_mode))))
    }

    /// Opens a regular file for reading.
    pub fn file(&self, name: &str) -> Result<(File, FileIdentity), OpenError> {
        let opened = fs::openat(&self.0, name, TO_READ | OFlags::NOFOLLOW, Mode::empty());
        let file = opened.map(File::from).map_err(|e| match self.kind(name) {
            Ok(Some(EntryKind::Symlink)) => OpenError::Symlink,
            Ok(Some(EntryKind::Other)) => OpenError::NotRegular,
            _ => OpenError::System(e.into()),
        })?;
        regular(file)
    }

    /// Opens a regular file for reading by a path of several parts, in one step. `None` if that can't be done here:
    /// going from folder to folder then works, or says why not.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn file_below(&self, path: &str) -> Option<Result<(File, FileIdentity), OpenError>> {
        let flags = TO_READ | OFlags::NOFOLLOW;
        match fs::openat2(&self.0, path, flags, Mode::empty(), fs::ResolveFlags::NO_SYMLINKS) {
            Ok(opened) => Some(regular(File::from(opened))),
            Err(error @ rustix::io::Errno::NOENT) => Some(Err(OpenError::System(error.into()))),
            Err(_) => None,
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub fn file_below(&self, _: &str) -> Option<Result<(File, FileIdentity), OpenError>> {
        None
    }

    /// Creates a folder, unless the name exists.
    pub fn create_folder(&self, name: &str) -> io::Result<()> {
        match fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Creates a file with these permissions, minus the umask. Fails if the name exists.
    pub fn create_file(&self, name: &str, mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(fs::openat(&self.0, name, flags, Mode::from_raw_mode(mode as fs::RawMode))?))
    }

    /// Moves a file to a name in another folder or in this one, and replaces the target if it exists.
    pub fn rename(&self, from: &str, folder: &Folder, to: &str) -> io::Result<()> {
        Ok(fs::renameat(&self.0, from, &folder.0, to)?)
    }

    /// Moves a file as [`Self::rename`] does, but only if the new name doesn't exist yet, not even as a dangling symlink.
    pub fn rename_new(&self, from: &str, folder: &Folder, to: &str) -> io::Result<()> {
        if let Some(done) = self.rename_no_replace(from, folder, to) {
            return done;
        }
        fs::linkat(&self.0, from, &folder.0, to, AtFlags::empty())?;
        self.remove(from)
    }

    /// `None` if the system or the file system doesn't support it.
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    fn rename_no_replace(&self, from: &str, folder: &Folder, to: &str) -> Option<io::Result<()>> {
        use rustix::io::Errno;
        match fs::renameat_with(&self.0, from, &folder.0, to, fs::RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => None,
            done => Some(done.map_err(Into::into)),
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    fn rename_no_replace(&self, _: &str, _: &Folder, _: &str) -> Option<io::Result<()>> {
        None
    }

    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }
}

fn entry_kind(kind: FileType) -> EntryKind {
    match kind {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Folder,
        FileType::Symlink => EntryKind::Symlink,
        _ => EntryKind::Other,
    }
}

/// Checks the open file, because its name may already refer to another one.
fn regular(file: File) -> Result<(File, FileIdentity), OpenError> {
    let about = fs::fstat(&file).map_err(io::Error::from)?;
    let is_file = FileType::from_raw_mode(about.st_mode) == FileType::RegularFile;
    if is_file { Ok((file, FileIdentity::from_stat(&about))) } else { Err(OpenError::NotRegular) }
}

/// Opens a regular file for reading that the user named, wherever it is.
pub fn open_regular_file(path: &Path) -> Result<(File, Metadata), OpenError> {
    let file = File::from(fs::openat(CWD, path, TO_READ, Mode::empty()).map_err(io::Error::from)?);
    let about = file.metadata()?;
    if about.is_file() { Ok((file, about)) } else { Err(OpenError::NotRegular) }
}
