//! Checks the code against the map in `src/lib.rs`: which module uses which, and which libraries stay in one module.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::CommandFactory;

/// Room, and the rooms that it may use. Pure rooms come first.
const ROOMS: &[(&str, &[&str])] = &[
    ("visible", &[]),
    ("location", &["visible"]),
    ("yaml", &["visible"]),
    ("dot_git", &[]),
    ("dotenv", &[]),
    ("duration", &[]),
    ("edit_script", &[]),
    ("template", &[]),
    ("object_id", &[]),
    ("hint", &[]),
    ("error", &["hint", "location", "visible"]),
    ("environment", &[]),
    ("mutex", &[]),
    ("signals", &["mutex"]),
    ("memory", &[]),
    ("crash", &["signals"]),
    ("image", &[]),
    ("verify", &[]),
    ("markdown", &["visible"]),
    ("tag", &["image", "template"]),
    ("ci", &["environment", "object_id", "tag"]),
    ("file_selection", &["dot_git", "visible"]),
    ("manifest", &["image", "file_selection", "location", "visible", "yaml"]),
    ("effective", &["dotenv", "file_selection", "image", "location", "manifest", "memory", "yaml"]),
    (
        "plan",
        &[
            "dotenv",
            "effective",
            "image",
            "location",
            "manifest",
            "file_selection",
            "memory",
            "mutex",
            "visible",
            "yaml",
        ],
    ),
    ("history", &["edit_script", "image", "manifest", "object_id", "plan", "file_selection", "tag"]),
    ("holds", &["duration", "file_selection", "image", "location", "plan", "visible", "yaml"]),
    (
        "config",
        &[
            "duration",
            "image",
            "location",
            "plan",
            "file_selection",
            "tag",
            "template",
            "verify",
            "visible",
            "yaml",
        ],
    ),
    ("scaffold", &["config", "image", "manifest", "plan", "file_selection", "tag", "visible", "yaml"]),
    ("output", &["edit_script", "error", "image", "object_id", "plan", "history", "visible"]),
    (
        "actions",
        &[
            "ci",
            "environment",
            "error",
            "location",
            "markdown",
            "object_id",
            "plan",
            "output",
            "tag",
            "visible",
        ],
    ),
    ("worktree", &["dot_git", "mutex", "signals", "plan", "file_selection", "visible"]),
    (
        "landing",
        &[
            "image",
            "markdown",
            "object_id",
            "plan",
            "file_selection",
            "tag",
            "template",
            "history",
            "visible",
        ],
    ),
    ("http", &["environment"]),
    (
        "git",
        &[
            "dot_git",
            "environment",
            "http",
            "mutex",
            "object_id",
            "signals",
            "plan",
            "file_selection",
            "tag",
            "visible",
            "worktree",
        ],
    ),
    ("history::git", &["git", "history"]),
    ("landing::remote", &["git", "history", "history::git", "http", "landing", "object_id", "plan"]),
    (
        "forge",
        &[
            "actions",
            "environment",
            "git",
            "history",
            "http",
            "landing",
            "landing::remote",
            "mutex",
            "object_id",
            "plan",
            "visible",
        ],
    ),
    ("registry", &["environment", "git", "http", "image", "landing", "visible"]),
    ("cli", &[]),
    ("extras", &["cli"]),
    (
        "settings",
        &[
            "actions",
            "ci",
            "cli",
            "duration",
            "environment",
            "git",
            "holds",
            "image",
            "plan",
            "file_selection",
            "tag",
            "template",
            "verify",
            "yaml",
        ],
    ),
    ("build_info", &["ci", "git", "image", "landing", "object_id", "settings", "tag", "template", "history"]),
    (
        "decision",
        &[
            "build_info",
            "cli",
            "config",
            "file_selection",
            "forge",
            "git",
            "history",
            "history::git",
            "image",
            "landing",
            "location",
            "markdown",
            "object_id",
            "output",
            "plan",
            "registry",
            "settings",
            "tag",
            "template",
            "verify",
            "visible",
            "yaml",
            "holds",
        ],
    ),
    (
        "diagnostics",
        &[
            "actions",
            "ci",
            "cli",
            "config",
            "decision",
            "environment",
            "error",
            "extras",
            "file_selection",
            "forge",
            "git",
            "hint",
            "history",
            "http",
            "image",
            "landing",
            "landing::remote",
            "location",
            "manifest",
            "object_id",
            "plan",
            "scaffold",
            "registry",
            "settings",
            "tag",
            "template",
            "visible",
            "worktree",
            "yaml",
            "holds",
        ],
    ),
    (
        "commands",
        &[
            "actions",
            "build_info",
            "ci",
            "cli",
            "config",
            "decision",
            "diagnostics",
            "environment",
            "error",
            "file_selection",
            "forge",
            "git",
            "hint",
            "history",
            "history::git",
            "http",
            "image",
            "landing",
            "landing::remote",
            "location",
            "markdown",
            "object_id",
            "output",
            "plan",
            "scaffold",
            "settings",
            "tag",
            "template",
            "visible",
            "worktree",
            "holds",
        ],
    ),
    // the binary
    ("main", &[]),
    ("console", &[]),
    ("progress", &[]),
    ("prompt", &[]),
];

/// Folders inside a room that are rooms of their own: the adapters of a pure room.
const INNER_ROOMS: &[(&str, &str)] = &[("history", "git"), ("landing", "remote")];

/// Text that may occur only in these rooms.
const KEPT: &[(&str, &[&str])] = &[
    ("git2::", &["git", "history::git", "landing::remote"]),
    ("use ring::", &["git", "registry"]),
    ("yaml_rust2", &["yaml"]),
    ("octocrab", &["forge"]),
    ("ureq", &["git", "http"]),
    ("rustls::", &["http"]),
    ("rustls_native_certs", &["http"]),
    ("webpki::", &["http"]),
    ("rustix", &["git", "worktree"]),
    // dunce's gives paths on Windows that git understands
    ("fs::canonicalize", &[]),
    (".canonicalize()", &[]),
    ("rustix::fs", &["worktree"]),
    ("unsafe {", &["git"]),
    ("std::fs", &["actions", "git", "http", "registry", "signals", "worktree"]),
    ("std::env", &["cli", "main"]),
    ("std::process", &["console", "crash", "git", "signals", "main"]),
    (
        "std::time",
        &[
            "commands",
            "decision",
            "git",
            "forge",
            "http",
            "landing",
            "landing::remote",
            "main",
            "progress",
            "output",
            "registry",
            "settings",
        ],
    ),
    // the pure parts don't use the adapters inside their own folder
    ("super::git::", &[]),
    ("super::remote::", &["commands"]),
    ("use remote::", &[]),
    ("anyhow", &["diagnostics", "main"]),
    ("PoisonError", &["git", "mutex"]),
    ("println!", &[]),
    ("print!", &[]),
];

/// They report what happened, as data: exit codes, and flags for hints, are for `diagnostics`.
const WITHOUT_FLAGS: [&str; 21] = [
    "visible",
    "location",
    "yaml",
    "dot_git",
    "template",
    "image",
    "markdown",
    "tag",
    "file_selection",
    "manifest",
    "plan",
    "config",
    "history",
    "history::git",
    "worktree",
    "http",
    "landing",
    "landing::remote",
    "forge",
    "decision",
    "ci",
];

/// They choose exit codes and texts. All other rooms report errors of their own.
const FAILURE_MAKERS: [&str; 3] = ["error", "diagnostics", "console"];

/// Except in tests, and for flags that are explained in a file for the user.
#[test]
fn libraries_know_no_flags_and_exit_codes() {
    let mut seen = BTreeSet::new();
    for (room, file, text) in sources() {
        if !WITHOUT_FLAGS.contains(&room.as_str()) || is_test(&file) {
            continue;
        }
        let found = code_lines(product(&text)).find(|line| line.contains("Exit::") || names_flag(line));
        assert_eq!(found, None, "{}", file.display());
        seen.insert(room);
    }
    assert_eq!(seen.len(), WITHOUT_FLAGS.len(), "{seen:?}");
}

/// Except in tests: output and actions show failures that others made.
#[test]
fn failures_are_made_above_the_libraries() {
    let mut seen = BTreeSet::new();
    for (room, file, text) in sources().into_iter().filter(|(_, file, _)| !is_test(file)) {
        let makes = |line: &str| ["Failure::", "Failure {"].iter().any(|text| names_failure(line, text));
        if let Some(line) = code_lines(product(&text)).find(|line| makes(line)) {
            assert!(FAILURE_MAKERS.contains(&room.as_str()), "{}: {line}", file.display());
            seen.insert(room);
        }
    }
    assert!(seen.contains("diagnostics") && seen.contains("error"), "{seen:?}");
}

/// Whether a line names our `Failure`, and not another type whose name ends in the same way.
fn names_failure(line: &str, text: &str) -> bool {
    let own = |start: &str| !start.ends_with(|c: char| c.is_alphanumeric());
    line.match_indices(text).any(|(at, _)| own(&line[..at]))
}

/// Whether a line has a text that contains `--word` or `-f`.
fn names_flag(line: &str) -> bool {
    let words = line.split([' ', '"', '(', '\'']).filter(|_| line.contains('"'));
    let is_long = |word: &str| {
        word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    let mut words = words.map(|word| word.trim_end_matches([',', ';', ':', '.']));
    words.any(|word| is_long(word) || ["-f", "-C", "-n", "-v"].contains(&word))
}

fn is_test(file: &Path) -> bool {
    file.ends_with("tests.rs") || file.ends_with("fake.rs")
}

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

/// Hints are made by these functions, from a flag's name.
#[test]
fn flag_in_hint_exists() {
    let mut command = tagbump::cli::Cli::command();
    command.build();
    let flags: BTreeSet<_> = std::iter::once(&command)
        .chain(command.get_subcommands())
        .flat_map(|command| command.get_arguments().filter_map(clap::Arg::get_long))
        .collect();
    let mut named = BTreeSet::new();
    for (_, file, text) in sources().into_iter().filter(|(room, ..)| room != "hint") {
        for call in ["flag(\"", "switch(\"", "setting(\"", "flag: \""] {
            for name in text.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(flags.contains(name), "{}: {call}{name}", file.display());
                named.insert(name.to_owned());
            }
        }
    }
    assert!(named.contains("add") && named.len() > 15, "{named:?}");
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

/// If another module started programs, they would inherit every token in the environment.
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

/// One word means one thing. `folder_by_path` replaces `folder` on some systems, so it defines the same types.
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

/// The name of the type that a line defines. A `type` in an `impl` doesn't count: the trait chooses its name.
fn defined_type(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub(") {
        Some(rest) => rest.split_once(") ")?.1,
        None => line.strip_prefix("pub ").unwrap_or(line),
    };
    let is_alias = |rest: &&str| {
        !["Item", "Out", "Response", "Error", "Future"].iter().any(|name| rest.starts_with(name))
    };
    let rest = ["struct ", "enum ", "trait ", "union "].iter().find_map(|word| line.strip_prefix(word));
    let rest = rest.or_else(|| line.strip_prefix("type ").filter(is_alias))?;
    rest.split(|c: char| !c.is_alphanumeric()).next()
}

/// Room, path and text of every source file except `lib.rs`.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    let named = files.into_iter().map(|file| {
        let room = room_of(file.strip_prefix(&src).unwrap());
        let text = std::fs::read_to_string(&file).unwrap();
        (room, file, text)
    });
    let found: Vec<_> = named.filter(|(room, ..)| room != "lib").collect();
    assert!(found.len() > 20, "sources are found");
    found
}

fn room_of(file: &Path) -> String {
    let inner = INNER_ROOMS.iter().find(|(room, inner)| file.starts_with(Path::new(room).join(inner)));
    if let Some((room, inner)) = inner {
        return format!("{room}::{inner}");
    }
    let top = file.components().next().unwrap();
    top.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
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

/// The rooms that a path names: a room, a room inside of it, or both in a group.
fn rooms_in_path(room: &str, rest: &str) -> Vec<String> {
    let Some((_, inner)) = INNER_ROOMS.iter().find(|(outer, _)| *outer == room) else {
        return vec![room.to_owned()];
    };
    let is_inner = |text: &str| {
        let behind = text.trim_start().strip_prefix(inner);
        behind.is_some_and(|behind| !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let rest = rest.strip_prefix("::").unwrap_or_default();
    match rest.strip_prefix('{') {
        None if is_inner(rest) => vec![format!("{room}::{inner}")],
        None => vec![room.to_owned()],
        Some(group) => {
            let group = group.split(';').next().unwrap_or_default();
            let inner = group.split(',').any(is_inner).then(|| format!("{room}::{inner}"));
            std::iter::once(room.to_owned()).chain(inner).collect()
        }
    }
}

/// Rooms named in `crate::…` paths, also in groups.
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
            rooms.extend(rooms_in_path(&name[..end], &name[end..]));
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}
