//! Whether git would do nothing special in a checkout: no filters, hooks, submodules, sparse or partial files, and no
//! settings that change how files or the index are written. What is not known to make no difference counts as special.
//!
//! Source: `git help config`, `git help attributes`, `git help hooks`, `git help gc`.

use std::path::{Path, PathBuf};

use git2::{Config, Index, RepositoryState};

use super::checkout::Checkout;
use super::config;
use super::env_config::ConfigItem;

/// Sections in which every setting may make a difference.
const SECTIONS: [&str; 6] = ["attr.", "extensions.", "feature.", "hook.", "index.", "submodule."];

/// Settings in `core` that make no difference to the files of a checkout, or to its index.
const HARMLESS: [&str; 15] = [
    "core.abbrev",
    "core.askpass",
    "core.commentchar",
    "core.commitgraph",
    "core.compression",
    "core.editor",
    "core.excludesfile",
    "core.logallrefupdates",
    "core.loosecompression",
    "core.multipackindex",
    "core.pager",
    "core.preloadindex",
    "core.quotepath",
    "core.sshcommand",
    "core.warnambiguousrefs",
];

/// git's limits for loose objects and packs (`gc.auto`, `gc.autoPackLimit`); beyond them, `git merge` packs.
const LOOSE_OBJECTS: i64 = 6_700;
const PACKS: i64 = 50;

/// The bits of an entry's flags: its stage in a merge conflict, and "assume unchanged".
const STAGE_OR_ASSUMED: u16 = 0xb000;

/// The modes of regular files and symlinks in an index.
const MODES: [u32; 3] = [0o100_644, 0o100_755, 0o120_000];

/// The system's attributes, for git in its usual places.
const SYSTEM_ATTRIBUTES: [&str; 2] = ["/etc/gitattributes", "/usr/local/etc/gitattributes"];

/// The file with attributes in each folder.
const ATTRIBUTES: &str = ".gitattributes";

/// Whether git would do nothing special with these files, whose paths are below the top of the work tree.
pub fn is_plain<'p>(
    checkout: &Checkout,
    index: &Index,
    branch: &str,
    files: impl Iterator<Item = &'p str>,
) -> bool {
    let Ok(config) = checkout.config() else { return false };
    is_plain_repository(checkout)
        && has_plain_settings(&config, branch)
        && index
            .iter()
            .all(|entry| is_plain_entry(entry.mode, entry.flags, entry.flags_extended, &entry.path))
        && !has_attributes(checkout, files)
        && !wants_packing(&config, &checkout.repo.path().join("objects"))
}

fn is_plain_repository(checkout: &Checkout) -> bool {
    let (repo, folder) = (&checkout.repo, checkout.repo.path());
    let replaced = repo.references_glob("refs/replace/*").is_ok_and(|mut found| found.next().is_some());
    !checkout.location.is_named()
        && folder == repo.commondir()
        && repo.state() == RepositoryState::Clean
        && !replaced
        && !exists(&folder.join("info/grafts"))
        && !has_hooks(&folder.join("hooks"))
        && checkout.environment().get("GIT_REFLOG_ACTION").is_none()
}

/// Whether there is any hook. Those that git installs as examples never run.
fn has_hooks(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    files.into_iter().any(|file| file.map_or(true, |f| !f.file_name().to_string_lossy().ends_with(".sample")))
}

fn has_plain_settings(config: &Config, branch: &str) -> bool {
    let is_special = |(name, _): &ConfigItem| {
        SECTIONS.iter().any(|section| name.starts_with(section))
            || name == "merge.verifysignatures"
            || *name == format!("branch.{branch}.mergeoptions")
            || (name.starts_with("core.") && !is_plain_core(config, name))
    };
    !config::starting_with(config, "").iter().any(is_special)
}

fn is_plain_core(config: &Config, name: &str) -> bool {
    match name {
        "core.repositoryformatversion" => config.get_i64(name).is_ok_and(|version| version == 0),
        "core.filemode" | "core.symlinks" => config.get_bool(name).unwrap_or(false),
        "core.autocrlf" | "core.bare" | "core.ignorecase" | "core.precomposeunicode" => {
            config.get_bool(name).is_ok_and(|is_true| !is_true)
        }
        _ => HARMLESS.contains(&name),
    }
}

/// Whether an entry of the index is that of a file or symlink without any marks, and gives no rules for others.
fn is_plain_entry(mode: u32, flags: u16, extended: u16, path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let has_rules =
        [ATTRIBUTES, ".gitmodules"].iter().any(|rules| name.eq_ignore_ascii_case(rules.as_bytes()));
    MODES.contains(&mode) && flags & STAGE_OR_ASSUMED == 0 && extended == 0 && !has_rules
}

/// Whether there may be attributes for these files, apart from those in tracked files.
fn has_attributes<'p>(checkout: &Checkout, mut files: impl Iterator<Item = &'p str>) -> bool {
    let environment = checkout.environment();
    let home = environment.get("HOME").map(|home| Path::new(home).join(".config"));
    let user = environment.get("XDG_CONFIG_HOME").map(PathBuf::from).into_iter().chain(home);
    let mut elsewhere = SYSTEM_ATTRIBUTES
        .into_iter()
        .map(PathBuf::from)
        .chain(user.map(|folder| folder.join("git/attributes")))
        .chain([checkout.repo.path().join("info/attributes")]);
    let here = |file: &str| {
        let mut folders = Path::new(file).ancestors().skip(1);
        folders.any(|folder| exists(&checkout.workdir.join(folder).join(ATTRIBUTES)))
    };
    elsewhere.any(|file| exists(&file)) || files.any(here)
}

/// Whether there is anything with this name, or there may be.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().map_or_else(|e| e.kind() != std::io::ErrorKind::NotFound, |_| true)
}

/// Whether `git merge` would pack the objects afterwards, or do other work that `git maintenance` is configured for.
/// Like git, this takes one folder of loose objects for all.
fn wants_packing(config: &Config, objects: &Path) -> bool {
    if config.get_bool("maintenance.auto").is_ok_and(|is_on| !is_on) {
        return false;
    }
    let maintenance = config::starting_with(config, "maintenance.");
    let limit = |name, usual| config.get_i64(name).unwrap_or(usual);
    let (loose, packs) = (limit("gc.auto", LOOSE_OBJECTS), limit("gc.autopacklimit", PACKS));
    let count = |folder: &str, is_one: fn(&Path) -> bool| {
        let files = std::fs::read_dir(objects.join(folder)).into_iter().flatten().flatten();
        i64::try_from(files.filter(|file| is_one(&file.path())).count()).unwrap_or(i64::MAX)
    };
    let is_full = || {
        count("17", |_| true) >= loose / 256
            || (packs > 0 && count("pack", |file| file.extension().is_some_and(|e| e == "pack")) >= packs)
    };
    maintenance.iter().any(|(name, _)| name != "maintenance.auto") || (loose > 0 && is_full())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_plain(settings: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, settings).unwrap();
        has_plain_settings(&Config::open(&file).unwrap(), "main")
    }

    #[test]
    fn settings_of_a_new_clone_are_plain() {
        assert!(are_plain(
            "[core]\nrepositoryformatversion = 0\nfilemode = true\nbare = false\nlogallrefupdates = true\n\
             [remote \"origin\"]\nurl = u\nfetch = +refs/heads/*:refs/remotes/origin/*\n\
             [branch \"main\"]\nremote = origin\nmerge = refs/heads/main\n[gc]\nauto = 0\n\
             [filter \"lfs\"]\nclean = c\nsmudge = s\nprocess = p\nrequired = true\n[user]\nname = n\n"
        ));
        assert!(are_plain("[core]\nautocrlf = no\nignorecase = off\nsymlinks\n"));
    }

    #[test]
    fn settings_that_may_make_a_difference_are_not_plain() {
        for setting in [
            "[core]\nautocrlf = input",
            "[core]\nautocrlf",
            "[core]\nfileMode = false",
            "[core]\nignoreCase = true",
            "[core]\nrepositoryformatversion = 1",
            "[core]\nhooksPath = h",
            "[core]\nsparseCheckout = true",
            "[core]\nfsmonitor = true",
            "[core]\nattributesFile = a",
            "[core]\nwhatGitHasNext = 1",
            "[extensions]\nworktreeConfig = true",
            "[index]\nversion = 4",
            "[submodule]\nrecurse = true",
            "[hook \"h\"]\nevent = post-merge\ncommand = c",
            "[merge]\nverifySignatures = true",
            "[branch \"main\"]\nmergeOptions = --squash",
        ] {
            assert!(!are_plain(setting), "{setting}");
        }
        assert!(are_plain("[branch \"other\"]\nmergeOptions = --squash"));
    }

    #[test]
    fn marked_entries_are_not_plain() {
        let is_plain = |mode, flags, extended| is_plain_entry(mode, flags, extended, b"apps/a.yaml");
        assert!(is_plain(0o100_644, 11, 0) && is_plain(0o100_755, 0xfff, 0) && is_plain(0o120_000, 11, 0));
        assert!(!is_plain(0o160_000, 11, 0), "submodule");
        assert!(!is_plain(0o100_644, 0x8000 | 11, 0), "assume unchanged");
        assert!(!is_plain(0o100_644, 0x2000 | 11, 0), "conflict");
        assert!(!is_plain(0o100_644, 11, 1 << 14), "skip-worktree");
        assert!(!is_plain(0o100_644, 11, 1 << 13), "intent to add");
    }

    #[test]
    fn files_with_rules_are_not_plain() {
        for path in [".gitattributes", "apps/.gitattributes", "apps/.gitAttributes", ".gitmodules"] {
            assert!(!is_plain_entry(0o100_644, 9, 0, path.as_bytes()), "{path}");
        }
        assert!(is_plain_entry(0o100_644, 9, 0, b"docs/a.gitattributes"));
    }

    #[test]
    fn only_examples_are_no_hooks() {
        let folder = tempfile::tempdir().unwrap();
        let hooks = folder.path().join("hooks");
        assert!(!has_hooks(&hooks));
        std::fs::create_dir(&hooks).unwrap();
        std::fs::write(hooks.join("post-merge.sample"), "").unwrap();
        assert!(!has_hooks(&hooks));
        std::fs::write(hooks.join("post-merge"), "").unwrap();
        assert!(has_hooks(&hooks));
    }

    #[test]
    fn objects_are_packed_where_there_are_many() {
        let folder = tempfile::tempdir().unwrap();
        let objects = folder.path();
        let config = |settings: &str| {
            std::fs::write(objects.join("config"), settings).unwrap();
            Config::open(&objects.join("config")).unwrap()
        };
        for (name, count) in [("17", 25), ("pack", 49)] {
            std::fs::create_dir(objects.join(name)).unwrap();
            (0..count).for_each(|n| std::fs::write(objects.join(format!("{name}/{n}.pack")), "").unwrap());
        }
        assert!(!wants_packing(&config(""), objects));
        assert!(wants_packing(&config("[gc]\nauto = 256"), objects));
        assert!(wants_packing(&config("[gc]\nauto = 0\n[maintenance]\nstrategy = incremental"), objects));
        assert!(wants_packing(&config("[gc]\nautoPackLimit = 2"), objects));
        std::fs::write(objects.join("17/25.pack"), "").unwrap();
        assert!(wants_packing(&config(""), objects));
        assert!(!wants_packing(&config("[gc]\nauto = 0"), objects));
        assert!(!wants_packing(&config("[maintenance]\nauto = false\nstrategy = incremental"), objects));
        std::fs::remove_file(objects.join("17/25.pack")).unwrap();
        std::fs::write(objects.join("pack/49.pack"), "").unwrap();
        assert!(wants_packing(&config(""), objects));
    }
}
