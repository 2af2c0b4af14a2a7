//! Holds the map in `src/lib.rs` against the code: which room uses which, and what stays in its room.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Room, and the rooms that it may use. Pure rooms come first.
const ROOMS: &[(&str, &[&str])] = &[
    ("visible", &[]),
    ("yaml", &["visible"]),
    ("dot_git", &[]),
    ("template", &[]),
    ("error", &["visible"]),
    ("environment", &[]),
    ("signals", &[]),
    ("image", &[]),
    ("markdown", &["error"]),
    ("tag", &["error", "image", "template"]),
    ("file_selection", &["dot_git", "error"]),
    ("manifest", &["image", "file_selection", "visible", "yaml"]),
    ("plan", &["error", "image", "manifest", "file_selection", "yaml"]),
    ("history", &["error", "image", "manifest", "plan", "file_selection"]),
    ("config", &["error", "image", "plan", "file_selection", "tag", "template", "yaml"]),
    (
        "scaffold",
        &["config", "error", "image", "manifest", "plan", "file_selection", "tag", "visible", "yaml"],
    ),
    ("output", &["error", "plan", "history", "visible"]),
    ("actions", &["environment", "error", "markdown", "plan", "output", "tag", "visible"]),
    ("worktree", &["dot_git", "error", "signals", "plan", "file_selection"]),
    ("landing", &["error", "image", "markdown", "plan", "file_selection", "tag", "template", "history"]),
    ("http", &["environment", "error"]),
    (
        "git",
        &[
            "dot_git",
            "environment",
            "error",
            "http",
            "signals",
            "landing",
            "plan",
            "file_selection",
            "history",
            "worktree",
        ],
    ),
    ("forge", &["error", "git", "http", "landing", "plan", "history"]),
    ("cli", &[]),
    ("extras", &["cli", "error"]),
    (
        "settings",
        &[
            "actions",
            "cli",
            "environment",
            "error",
            "git",
            "image",
            "plan",
            "file_selection",
            "tag",
            "template",
            "yaml",
        ],
    ),
    ("build_info", &["actions", "git", "image", "landing", "settings", "tag", "template", "history"]),
    (
        "decision",
        &[
            "build_info",
            "cli",
            "config",
            "error",
            "forge",
            "git",
            "history",
            "image",
            "landing",
            "markdown",
            "output",
            "plan",
            "settings",
            "tag",
            "template",
            "yaml",
        ],
    ),
    (
        "commands",
        &[
            "actions",
            "build_info",
            "cli",
            "config",
            "decision",
            "environment",
            "error",
            "file_selection",
            "forge",
            "git",
            "history",
            "image",
            "landing",
            "markdown",
            "output",
            "plan",
            "scaffold",
            "settings",
            "tag",
            "template",
            "worktree",
        ],
    ),
    // the binary
    ("main", &[]),
    ("console", &[]),
    ("progress", &[]),
    ("prompt", &[]),
];

/// Text that may stand in these rooms only.
const KEPT: &[(&str, &[&str])] = &[
    ("git2::", &["git"]),
    ("use ring::", &["git"]),
    ("yaml_rust2", &["yaml"]),
    ("octocrab", &["forge"]),
    ("ureq", &["git", "http"]),
    ("rustls_native_certs", &["http"]),
    ("rustix", &["git", "worktree"]),
    ("rustix::fs", &["worktree"]),
    ("unsafe {", &["git"]),
    ("std::fs", &["actions", "git", "signals", "worktree"]),
    ("std::env", &["cli", "main"]),
    ("std::process", &["console", "git", "signals", "main"]),
    (
        "std::time",
        &[
            "commands", "decision", "git", "forge", "http", "landing", "main", "progress", "output",
            "settings",
        ],
    ),
    ("println!", &[]),
    ("print!", &[]),
];

#[test]
fn rooms_use_only_what_the_map_allows() {
    let rooms: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    for (room, file, text) in sources() {
        let allowed = rooms.get(room.as_str()).unwrap_or_else(|| panic!("{room} is not on the map"));
        for used in used_rooms(&text) {
            let fine = used == room || allowed.contains(&used.as_str());
            assert!(fine, "{}: {room} uses {used}, which the map does not allow", file.display());
        }
    }
}

#[test]
fn map_has_no_ring() {
    let position = |room: &str| ROOMS.iter().position(|(name, _)| *name == room);
    for (room, uses) in ROOMS {
        for used in *uses {
            assert!(position(used) < position(room), "{room} uses {used}, which comes later");
        }
    }
}

#[test]
fn library_stays_in_its_room() {
    for (room, file, text) in sources() {
        for (kept, rooms) in KEPT {
            let found = code_lines(product(&text)).any(|line| line.contains(kept));
            assert!(!found || rooms.contains(&room.as_str()), "{}: {kept} in {room}", file.display());
        }
    }
}

/// Whatever starts a program anywhere else would hand on every token of the environment.
#[test]
fn programs_are_started_in_one_file() {
    let starts = |text: &str| code_lines(product(text)).any(|line| line.contains("Command::new("));
    let files: Vec<_> = sources().into_iter().filter(|(_, _, text)| starts(text)).collect();
    let names: Vec<_> = files.iter().map(|(_, file, _)| file.display().to_string()).collect();
    assert!(matches!(&names[..], [only] if only.ends_with("src/git/process/mod.rs")), "{names:?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    for (_, file, text) in sources() {
        let tests = file.ends_with("tests.rs");
        assert!(tests || text.starts_with("//! "), "{}: no //! at the top", file.display());
    }
}

/// One word means one thing. `folder_by_path` is what `folder` is where there are no descriptors, so it defines the same types.
#[test]
fn type_names_are_unique() {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (_, file, text) in sources().into_iter().filter(|(_, file, _)| !file.ends_with("folder_by_path.rs")) {
        for name in code_lines(&text).filter_map(defined_type) {
            let other = files.insert(name.to_owned(), file.clone());
            assert!(other.is_none(), "{name} is in {} and in {}", file.display(), other.unwrap().display());
        }
    }
    assert!(files.contains_key("ParsedYaml"), "types are found");
}

/// The name of the type that a line defines. A `type` in an `impl` is not one of ours: the trait names it.
fn defined_type(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub(") {
        Some(rest) => rest.split_once(") ")?.1,
        None => line.strip_prefix("pub ").unwrap_or(line),
    };
    let is_alias =
        |rest: &&str| !["Item", "Response", "Error", "Future"].iter().any(|name| rest.starts_with(name));
    let rest = ["struct ", "enum ", "trait ", "union "].iter().find_map(|word| line.strip_prefix(word));
    let rest = rest.or_else(|| line.strip_prefix("type ").filter(is_alias))?;
    rest.split(|c: char| !c.is_alphanumeric()).next()
}

/// Room, path and text of every source file, `lib.rs` aside.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    let named = files.into_iter().map(|file| {
        let below = file.strip_prefix(&src).unwrap().components().next().unwrap();
        let room = below.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        (room, file, text)
    });
    let found: Vec<_> = named.filter(|(room, ..)| room != "lib").collect();
    assert!(found.len() > 20, "sources are found");
    found
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            collect(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}

/// A file without the tests at its end.
fn product(text: &str) -> &str {
    let end = ["#[cfg(test)]\nmod ", "#[cfg(all(test, unix))]\nmod "]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min();
    &text[..end.unwrap_or(text.len())]
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"))
}

/// Rooms named in `crate::…` paths, in groups too.
fn used_rooms(text: &str) -> Vec<String> {
    let code: String = code_lines(text).collect::<Vec<_>>().join(" ");
    let mut rooms = Vec::new();
    for part in code.split("crate::").skip(1) {
        let names = match part.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').map(str::trim).collect(),
            None => vec![part],
        };
        for name in names {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            rooms.push(name[..end].to_owned());
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}
