//! `tagbump init`: its output, its question, and that it never overwrites a file.

use std::path::Path;

use crate::support::cli::{Run, command, tagbump};
use crate::support::files::{snapshot, write};
use crate::support::git::git;
use crate::support::init::{CONFIG, WORKFLOW, changed, folder, monorepo, pod, read, services, written};
use tagbump::worktree::Worktree;

#[test]
fn init_writes_nothing_when_nobody_answers() {
    let folder = monorepo();
    let before = snapshot(folder.path());
    let run = tagbump(folder.path(), &["init"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert_eq!(run.stderr, "notice: nothing was written; --yes writes these files\n");
    assert!(
        run.stdout.starts_with("# ---- tagbump.yaml ----\n# The services that tagbump deploys"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("\n# ---- .github/workflows/tagbump.yml ----\n# Writes"), "{}", run.stdout);
    assert!(snapshot(folder.path()) == before);
}

/// Runs in a terminal of its own, up to the question.
#[cfg(unix)]
fn answered(folder: &Path, answer: &str) -> (i32, String) {
    use crate::support::pty::Terminal;
    let (mut terminal, theirs) = Terminal::open();
    let mut init = command(folder);
    init.arg("init").stdin(theirs.try_clone().unwrap()).stderr(theirs).stdout(std::process::Stdio::null());
    let mut child = init.spawn().unwrap();
    terminal.read_until("[y/N] ");
    terminal.enter(answer);
    (child.wait().unwrap().code().unwrap(), terminal.shown)
}

#[test]
#[cfg(unix)]
fn init_asks_at_a_terminal() {
    for (answer, is_written) in [("y\n", true), ("n\n", false), ("\n", false), ("\u{4}", false)] {
        let folder = monorepo();
        let (exit, shown) = answered(folder.path(), answer);
        assert_eq!((exit, shown.as_str()), (0, "Write these files? [y/N] "));
        let there = [CONFIG, WORKFLOW].map(|path| folder.path().join(path).exists());
        assert_eq!(there, [is_written; 2], "{answer:?}");
    }
}

#[test]
fn init_does_nothing_when_files_exist() {
    let folder = monorepo();
    let first = tagbump(folder.path(), &["init", "-y"]);
    let told = "\
notice: wrote tagbump.yaml
notice: wrote .github/workflows/tagbump.yml
notice: next: read them, try `tagbump bump api-dev --tag TAG --dry-run`, and commit them
";
    assert_eq!((first.exit, first.stderr.as_str()), (0, told));
    let before = snapshot(folder.path());
    let second = tagbump(folder.path(), &["init", "-y"]);
    let told = "\
notice: tagbump.yaml already exists; left unchanged
notice: .github/workflows/tagbump.yml already exists; left unchanged
";
    assert_eq!((second.exit, second.stdout.as_str(), second.stderr.as_str()), (0, "", told));
    assert!(snapshot(folder.path()) == before);
}

#[test]
fn init_writes_the_other_file_when_one_exists() {
    for (path, other) in [
        (CONFIG, WORKFLOW),
        (".github/tagbump.yaml", WORKFLOW),
        (WORKFLOW, CONFIG),
        (".github/workflows/tagbump.yaml", CONFIG),
    ] {
        let folder = monorepo();
        write(folder.path(), path, "# mine\n");
        let run = tagbump(folder.path(), &["init", "--yes"]);
        assert_eq!(run.exit, 0, "{}", run.output());
        assert_eq!(read(folder.path(), path), "# mine\n");
        assert!(run.stderr.contains(&format!("notice: {path} already exists")), "{}", run.stderr);
        assert!(folder.path().join(other).is_file(), "{}", run.output());
    }
}

#[test]
fn workflow_names_service_of_existing_configuration() {
    let folder = folder(&[(".github/tagbump.yaml", "services:\n  shop:\n    image: ghcr.io/acme/api\n")]);
    let run = tagbump(folder.path(), &["init", "--yes"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(read(folder.path(), WORKFLOW).contains("        default: shop\n"));
}

#[test]
#[cfg(unix)]
fn init_neither_replaces_nor_follows_symlinks() {
    use std::os::unix::fs::symlink;
    let folder = monorepo();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink("nowhere", folder.path().join(CONFIG)).unwrap();
    std::fs::create_dir_all(folder.path().join(".github/workflows")).unwrap();
    symlink(elsewhere.path().join("x"), folder.path().join(WORKFLOW)).unwrap();
    let before = snapshot(folder.path());
    let run = tagbump(folder.path(), &["init", "--yes"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(snapshot(folder.path()) == before, "{}", run.output());

    let folder = monorepo();
    symlink(elsewhere.path(), folder.path().join(".github")).unwrap();
    let run = tagbump(folder.path(), &["init", "--yes"]);
    assert_eq!(run.exit, 2, "{}", run.output());
    assert!(run.stderr.contains(".github/tagbump.yaml: is a symlink, or behind one"), "{}", run.stderr);
    assert_eq!(snapshot(elsewhere.path()), []);
    assert!(!folder.path().join(CONFIG).exists());
}

#[test]
#[cfg(unix)]
fn new_files_have_usual_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = monorepo();
    written(folder.path());
    let mode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode();
    assert_eq!(mode(CONFIG), mode("compose.yaml"));
    let left = snapshot(folder.path()).into_iter().filter(|(name, _)| name.contains(".tagbump-"));
    assert_eq!(left.count(), 0);
}

#[test]
fn init_fails_when_folder_can_not_be_created() {
    let folder = folder(&[("a.yaml", &pod("ghcr.io/acme/api:v1")), (".github", "a file\n")]);
    let run = tagbump(folder.path(), &["init", "--yes"]);
    assert_eq!(run.exit, 1, "{}", run.output());
    assert!(run.stderr.contains(".github/tagbump.yaml: can't be read: "), "{}", run.stderr);
    assert!(!folder.path().join(CONFIG).exists());
}

#[test]
fn workflow_is_proposed_only_at_root_of_repository() {
    let folder = monorepo();
    git(folder.path(), &["init", "--quiet"]);
    let run = tagbump(folder.path(), &["init", "--yes", "-C", "apps/api"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(run.stderr.contains("notice: no workflow was written: "), "{}", run.stderr);
    let below = folder.path().join("apps/api");
    assert!(below.join(CONFIG).is_file() && !below.join(".github").exists());
    assert_eq!(written(folder.path()), ["api-dev", "api-prod"]);
    assert!(folder.path().join(WORKFLOW).is_file());
}

#[test]
fn init_ends_with_exit_3_when_no_image_is_found() {
    let folder = folder(&[("a.yaml", "a: 1\n"), ("b.yaml", "b: 1\n")]);
    let run = tagbump(folder.path(), &["init", "--yes"]);
    assert_eq!((run.exit, run.stdout.as_str()), (3, ""));
    let wanted = "error: no image references found in 2 files\nhint: tagbump scan lists what it finds; ";
    assert!(run.stderr.starts_with(wanted), "{}", run.stderr);
}

#[test]
fn init_reads_values_without_a_chart_only_when_they_are_named() {
    let folder =
        folder(&[("a.yaml", "a: 1\n"), ("values-prod.yaml", "image: {repository: acme/a, tag: v1}\n")]);
    let run = tagbump(folder.path(), &["init", "--yes"]);
    assert_eq!((run.exit, run.stdout.as_str()), (6, ""));
    let wanted = "error: none of the references found in 2 files can be edited\n  values-prod.yaml:1: is in a file that tagbump reads as Helm values only if you name it";
    assert!(run.stderr.starts_with(wanted), "{}", run.stderr);
    assert!(run.stderr.ends_with("name the file with -f\n"), "{}", run.stderr);
    let run = tagbump(folder.path(), &["init", "--yes", "-f", "**/values*.yaml"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert_eq!(changed(folder.path(), &services(folder.path())).unwrap(), ["values-prod.yaml"]);
}

#[test]
fn init_ends_with_exit_6_when_no_image_is_editable() {
    let folder = folder(&[("a.yaml", &pod("ghcr.io/acme/api:${TAG}"))]);
    let run = tagbump(folder.path(), &["init", "--yes"]);
    assert_eq!((run.exit, run.stdout.as_str()), (6, ""));
    let wanted = "error: none of the references found in 1 file can be edited\n  a.yaml:5: the image is";
    assert!(run.stderr.starts_with(wanted), "{}", run.stderr);
    assert_eq!(snapshot(folder.path()).len(), 1);
}

#[test]
fn init_refuses_url() {
    let folder = tempfile::tempdir().unwrap();
    let run = tagbump(folder.path(), &["init", "-C", "https://git.example.com/acme/gitops.git"]);
    assert_eq!(run.exit, 2, "{}", run.output());
    assert!(run.stderr.contains("this command needs a folder"), "{}", run.stderr);
}

#[test]
fn init_follows_quiet_and_environment() {
    let folder = monorepo();
    let run = tagbump(folder.path(), &["init", "-q"]);
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.starts_with("# ---- tagbump.yaml ----\n"), "{}", run.stdout);
    let mut quiet = command(folder.path());
    quiet.arg("init").env("TAGBUMP_QUIET", "true").env("TAGBUMP_YES", "true").env("TAGBUMP_FILE", "apps/**");
    let run = Run::of(&quiet.output().unwrap());
    assert_eq!((run.exit, run.output().as_str()), (0, ""));
    assert!(!read(folder.path(), CONFIG).contains("postgres"));
}

#[test]
fn init_reports_files_that_are_not_yaml() {
    let folder = monorepo();
    write(folder.path(), "broken.yaml", "a: [\n");
    let run = tagbump(folder.path(), &["init"]);
    assert!(run.stderr.contains("warning: skipped 1 file that isn't valid YAML"), "{}", run.stderr);
}

#[test]
fn names_give_runner_no_commands() {
    let folder = folder(&[
        ("a.yaml", &pod("ghcr.io/acme/api:v1")),
        ("\n::error::x.yaml", &pod("'':v1")),
        ("c.yaml", &pod("'::warning::x'")),
    ]);
    let mut runner = command(folder.path());
    let run = Run::of(&runner.arg("init").env("GITHUB_ACTIONS", "true").output().unwrap());
    assert_eq!(run.exit, 0, "{}", run.output());
    let commands: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert!(
        commands.iter().all(|line| !line.starts_with("::error") && !line.starts_with("::warning")),
        "{commands:?}"
    );
}

#[test]
fn one_run_writes_the_file_when_many_run_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let worktree = Worktree::open(folder.path()).unwrap();
    let texts: Vec<Vec<u8>> = (b'a'..=b'p').map(|letter| vec![letter; 100_000]).collect();
    let start = std::sync::Barrier::new(texts.len());
    let create = |text: &[u8]| {
        start.wait();
        worktree.create("a/b/c.yaml", text).unwrap()
    };
    let made: Vec<bool> = std::thread::scope(|scope| {
        let writers: Vec<_> = texts.iter().map(|text| scope.spawn(|| create(text))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    let winner = made.iter().position(|made| *made).unwrap();
    assert!(snapshot(folder.path()) == [("a/b/c.yaml".to_owned(), texts[winner].clone())]);
}
