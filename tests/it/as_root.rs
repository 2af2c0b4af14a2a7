//! Repositories and folders that belong to another user. Only root can give a folder away, so these tests run only
//! on request: `cargo test --features root-tests --test it as_root::`, as root.

use std::path::Path;
use std::process::Command;

use crate::support::git::git;
use crate::support::repo::{API, World, ended, failed, push, run};
use crate::support::trap::{anonymous, set, trap};

/// Gives a folder to another user.
fn give_away(folder: &Path) {
    let given = Command::new("chown").args(["-R", "54321:54321"]).arg(folder).output().unwrap();
    assert!(given.status.success(), "run as root: {}", String::from_utf8_lossy(&given.stderr));
}

fn spring_everywhere(folder: &Path, script: &Path) {
    set(folder, "commit.gpgsign", "true");
    for key in ["credential.helper", "core.fsmonitor", "core.sshCommand", "core.askPass", "gpg.program"] {
        set(folder, key, script.to_str().unwrap());
    }
}

#[test]
fn repository_of_another_user_is_refused() {
    // the whole repository, or only the part that holds the configuration
    for part in ["", ".git"] {
        let world = World::new();
        let folder = anonymous(&world);
        let (script, mark) = trap(&world);
        spring_everywhere(&folder, &script);
        give_away(&folder.join(part));
        for reach in [&["--push"][..], &["--commit"], &["--push", "--dry-run"]] {
            let mut command = crate::support::cli::command(&folder);
            command.args(["bump", &format!("{API}:v1"), "--format", "json"]).args(reach);
            let said = failed(&run(&mut command), 1);
            assert!(said.contains("belongs to another user") && said.contains("safe.directory"), "{said}");
        }
        assert!(!mark.exists(), "{}", std::fs::read_to_string(&mark).unwrap());
        assert!(world.server.requests().is_empty());
    }
}

/// git's own list of exceptions counts if it is in the user's configuration.
#[test]
fn repository_of_another_user_is_used_when_user_trusts_it() {
    let world = World::new();
    let folder = anonymous(&world);
    let (script, mark) = trap(&world);
    set(&folder, "credential.helper", script.to_str().unwrap());
    // a repository can't vouch for itself
    set(&folder, "safe.directory", "*");
    give_away(&folder);
    failed(&run(&mut push(&folder, "v1", &[])), 1);
    assert!(!mark.exists());
    let home = world.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let settings = home.join(".gitconfig");
    let place = folder.canonicalize().unwrap();
    git(
        world.path(),
        &["config", "--file", settings.to_str().unwrap(), "safe.directory", place.to_str().unwrap()],
    );
    ended(&run(push(&folder, "v1", &[]).env("HOME", &home)), 0, "landed");
    assert!(mark.exists());
}

#[test]
fn bare_directory_of_another_user_is_refused() {
    let world = World::new();
    let folder = world.clone_of(world.bare.to_str().unwrap(), "w", &[]);
    give_away(&world.bare);
    let said = failed(&run(&mut push(&folder, "v1", &["--timeout", "5s"])), 1);
    assert!(said.contains("belongs to another user") && said.contains("safe.directory"), "{said}");
}

/// Root bumps in another user's folder, and that user swaps files and folders meanwhile.
mod swaps {
    use std::fs::{self, Metadata, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::support::cli::{Run, tagbump};
    use crate::support::files::{snapshot, write};
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use tempfile::TempDir;

    use super::*;

    const OWNER: u32 = 54321;
    const RUNS: usize = 60;
    const SECRET: &str = "for root's eyes only";

    /// Large, so that there is time to act between the steps.
    fn manifest(comment: &str, tag: &str) -> String {
        let workaround =
            "# some two hundred kilobytes of comments are between here and the end\n".repeat(3000);
        format!("# {comment}\nkind: Pod\nspec:\n  containers:\n    - image: app:{tag}\n{workaround}")
    }

    /// Root's own folder `root/k8s`, and another user's `theirs/k8s`, with a manifest in each.
    struct Scene(TempDir);

    impl Scene {
        fn new() -> Self {
            let scene = Scene(tempfile::tempdir().unwrap());
            write(scene.0.path(), "root/k8s/app.yaml", &manifest(SECRET, "v0"));
            let private = Permissions::from_mode(0o600);
            fs::set_permissions(scene.at("root/k8s/app.yaml"), private).unwrap();
            scene.reset();
            scene
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().join(path)
        }

        /// Their folder as it was at the start.
        fn reset(&self) {
            let theirs = self.at("theirs");
            // there is none at the start
            let _ = fs::remove_dir_all(&theirs);
            write(&theirs, "k8s/app.yaml", &manifest("theirs", "v0"));
            give_away(&theirs);
        }

        fn bump(&self) -> Run {
            tagbump(&self.at("theirs"), &["bump", "app:v1"])
        }

        /// Root's files are unchanged.
        #[track_caller]
        fn spares_root(&self, told: &Run) {
            let about = fs::metadata(self.at("root/k8s/app.yaml")).unwrap();
            let rights = |about: &Metadata| (about.uid(), about.gid(), about.mode() & 0o7777);
            assert_eq!(rights(&about), (0, 0, 0o600), "root's file was given away: {}", told.output());
            let found = snapshot(&self.at("root"));
            assert_eq!(found.len(), 1, "{:?}", found.iter().map(|(name, _)| name).collect::<Vec<_>>());
            assert!(found[0].1 == manifest(SECRET, "v0").into_bytes(), "root's file was changed");
            let has_secret = |(_, bytes): &(_, Vec<u8>)| String::from_utf8_lossy(bytes).contains(SECRET);
            assert!(!snapshot(&self.at("theirs")).iter().any(has_secret), "root's file was copied");
        }

        /// Swaps two names in one step; does nothing if one of them doesn't exist.
        fn exchange(&self, one: &str, two: &str) {
            let _ = renameat_with(CWD, self.at(one), CWD, self.at(two), RenameFlags::EXCHANGE);
        }
    }

    /// Runs something while another thread keeps swapping.
    fn while_swapping(swap: impl Fn() + Sync, run: impl FnOnce() -> Run) -> Run {
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let stopped = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stopped.load(Ordering::Relaxed) {
                    swap();
                }
            });
            let _stop = Stop(&stopped);
            run()
        })
    }

    #[test]
    fn file_stays_its_owners_when_root_bumps() {
        let scene = Scene::new();
        ended_well(&scene.bump());
        is_theirs(&scene.at("theirs/k8s/app.yaml"));
    }

    #[track_caller]
    fn ended_well(run: &Run) {
        assert_eq!(run.exit, 0, "{}", run.output());
    }

    /// What was bumped, and who owned it.
    #[track_caller]
    fn is_theirs(path: &Path) {
        let about = fs::symlink_metadata(path).unwrap();
        assert!(about.is_file(), "{} is no file", path.display());
        assert_eq!((about.uid(), about.gid()), (OWNER, OWNER));
        assert!(fs::read_to_string(path).unwrap() == manifest("theirs", "v1"));
    }

    #[test]
    fn nothing_is_given_away_when_staged_file_is_swapped() {
        let scene = Scene::new();
        let swap = || {
            for entry in fs::read_dir(scene.at("theirs/k8s")).unwrap().flatten() {
                if entry.file_name().to_string_lossy().starts_with(".tagbump-") {
                    // it may be gone by now, or already swapped
                    let _ = fs::remove_file(entry.path());
                    let _ = symlink(scene.at("root/k8s/app.yaml"), entry.path());
                }
            }
        };
        for _ in 0..RUNS {
            let run = while_swapping(swap, || scene.bump());
            scene.spares_root(&run);
            let manifest = scene.at("theirs/k8s/app.yaml");
            let is_link = fs::symlink_metadata(&manifest).is_ok_and(|about| about.is_symlink());
            assert!(!is_link, "a symlink was put in the place of the manifest: {}", run.output());
            match run.exit {
                0 => is_theirs(&manifest),
                _ => assert!(run.stderr.contains("error: k8s/app.yaml: "), "{}", run.output()),
            }
            scene.reset();
        }
    }

    #[test]
    fn nothing_is_given_away_when_manifest_is_swapped() {
        let scene = Scene::new();
        for _ in 0..RUNS {
            symlink(scene.at("root/k8s/app.yaml"), scene.at("theirs/k8s/link")).unwrap();
            let swap = || scene.exchange("theirs/k8s/app.yaml", "theirs/k8s/link");
            let run = while_swapping(swap, || scene.bump());
            scene.spares_root(&run);
            let entries = fs::read_dir(scene.at("theirs/k8s")).unwrap().map(Result::unwrap);
            let links = entries.filter(|entry| entry.file_type().unwrap().is_symlink()).count();
            assert!(links <= 1, "there is another symlink: {}", run.output());
            scene.reset();
        }
    }

    #[test]
    fn nothing_is_given_away_when_folder_is_swapped() {
        let scene = Scene::new();
        for _ in 0..RUNS {
            symlink(scene.at("root/k8s"), scene.at("theirs/link")).unwrap();
            let run = while_swapping(|| scene.exchange("theirs/k8s", "theirs/link"), || scene.bump());
            scene.spares_root(&run);
            scene.reset();
        }
    }

    #[test]
    fn nothing_is_created_outside_when_folder_is_swapped() {
        let scene = Scene::new();
        for _ in 0..RUNS {
            write(&scene.at("theirs"), ".github/keep", "");
            symlink(scene.at("root/k8s"), scene.at("theirs/link")).unwrap();
            let swap = || scene.exchange("theirs/.github", "theirs/link");
            let run = while_swapping(swap, || tagbump(&scene.at("theirs"), &["init", "--yes"]));
            scene.spares_root(&run);
            scene.reset();
        }
    }
}
