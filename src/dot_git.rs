//! Recognises names that lead into a repository's own folder: `.git`, and every name that some file system
//! takes for it.
//!
//! Pure. These are git's rules, which it applies on every platform: a tree that is harmless here must not
//! become harmful in someone else's checkout.

use memchr::{memchr, memchr2};

/// Whether a file system might take a name for `.git`.
///
/// Case is ignored everywhere (git's `read-cache.c`, `verify_dotfile`). NTFS drops dots and blanks at the end,
/// has short names, and allows streams after a colon (`path.c`, `is_ntfs_dotgit`). HFS+ ignores some characters
/// (`utf8.c`, `is_hfs_dotgit`). A backslash ends a name on Windows (`fsck.c`, `fsck_tree`).
pub fn is_dot_git(name: &str) -> bool {
    // a fast path, since a tree has many names and most of them can't match
    let may_start = matches!(name.as_bytes().first(), Some(b'.' | b'g' | b'G'));
    let is_plain = !may_start && name.is_ascii() && memchr(b'\\', name.as_bytes()).is_none();
    !is_plain && (is_hfs_dot_git(name) || name.split('\\').any(is_ntfs_dot_git))
}

fn is_ntfs_dot_git(name: &str) -> bool {
    let start = |prefix: &str| {
        let head = name.get(..prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| &name[prefix.len()..])
    };
    let rest = start(".git").or_else(|| start("git~1"));
    rest.is_some_and(|rest| {
        let rest = rest.trim_start_matches(['.', ' ']);
        rest.is_empty() || rest.starts_with(':')
    })
}

fn is_hfs_dot_git(name: &str) -> bool {
    let mut seen = name.chars().filter(|c| !is_ignored_by_hfs(*c));
    let mut wanted = ".git".chars();
    wanted.all(|wanted| seen.next().is_some_and(|c| c.eq_ignore_ascii_case(&wanted))) && seen.next().is_none()
}

fn is_ignored_by_hfs(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Whether a name can be one part of a path in a repository (`read-cache.c`, `verify_path`).
pub fn is_path_part(name: &str) -> bool {
    let leaves = matches!(name, "" | "." | "..");
    !leaves && memchr2(b'/', b'\0', name.as_bytes()).is_none() && !is_dot_git(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_file_system_takes_for_dot_git() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            ".gIt",
            "git~1",
            "GIT~1",
            ".git.",
            ".git ",
            ".git. . ",
            ".GIT...",
            "git~1.",
            "git~1 ",
            ".git:x",
            ".git::$INDEX_ALLOCATION",
            ".git .::$INDEX_ALLOCATION",
            "git~1:x",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".git\u{200d}",
            ".G\u{202e}I\u{206f}T",
            "a\\.git",
            ".git\\config",
            "a\\GIT~1\\b",
        ] {
            assert!(is_dot_git(name), "{name:?}");
            assert!(!is_path_part(name), "{name:?}");
        }
    }

    #[test]
    fn names_that_are_only_alike() {
        for name in [
            ".github",
            ".gitignore",
            ".gitattributes",
            ".gitmodules",
            ".git2",
            ".git.yaml",
            ".git x",
            "git",
            "git.",
            "git~2",
            "git~10",
            "x.git",
            "..git",
            ".gi",
            ".gi\u{200c}",
            ".gít",
            "é.git",
            ".git\u{200c}x",
            ".\u{2010}git",
            "a\\b",
        ] {
            assert!(!is_dot_git(name), "{name:?}");
            assert!(is_path_part(name), "{name:?}");
        }
    }

    #[test]
    fn parts_that_are_no_name() {
        for part in ["", ".", "..", "a/b", "/", "a\0"] {
            assert!(!is_path_part(part), "{part:?}");
        }
    }
}
