//! `--commit`: only the bump becomes a commit; all other changes stay as they were.

use std::path::{Path, PathBuf};

use crate::support::cli::{Run, command};
use crate::support::files::snapshot;
use crate::support::git::{git, try_git};
use crate::support::repo::{API, FILE, commit, ended, json, kustomization, write};
use tempfile::TempDir;

/// A repository on this machine, with two commits on main and one image.
struct Local {
    folder: TempDir,
}

impl Local {
    fn new() -> Self {
        Local::with(&format!("# first\n{}# last\n", kustomization(&[API.into()])))
    }

    fn with(text: &str) -> Self {
        let local = Local { folder: tempfile::tempdir().unwrap() };
        git(local.folder.path(), &["init", "--quiet", "w"]);
        git(&local.path(), &["config", "user.name", "Ada"]);
        git(&local.path(), &["config", "user.email", "ada@example.com"]);
        git(&local.path(), &["config", "core.autocrlf", "false"]);
        commit(&local.path(), "README.md", "older\n");
        commit(&local.path(), FILE, text);
        local
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("w")
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.path(), arguments)
    }

    fn write(&self, path: &str, text: &str) {
        write(&self.path(), path, text);
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap()
    }

    fn bump(&self, tag: &str, more: &[&str]) -> Run {
        bump(&self.path(), &format!("{API}:{tag}"), more)
    }

    /// Bumps, and checks that the commit changes one line of one file on top of the old `HEAD`, and nothing else.
    #[track_caller]
    fn commits(&self, tag: &str, more: &[&str]) {
        let before = self.git(&["rev-parse", "HEAD"]);
        let text = self.git(&["show", &format!("HEAD:{FILE}")]);
        let told = ended(&self.bump(tag, more), 0, "committed");
        assert_eq!(told["commit"], self.git(&["rev-parse", "HEAD"]).as_str());
        assert_eq!(self.git(&["rev-parse", "HEAD~1"]), before);
        assert_eq!(
            self.git(&["show", &format!("HEAD:{FILE}")]),
            text.replace("newTag: v0", &format!("newTag: {tag}"))
        );
        assert_eq!(self.git(&["diff", "--name-status", "HEAD~1", "HEAD"]), format!("M\t{FILE}"));
        self.git(&["fsck", "--strict", "--no-dangling"]);
        assert!(!self.path().join(".git/index.lock").exists());
    }
}

fn bump(folder: &Path, image: &str, more: &[&str]) -> Run {
    Run::of(
        &command(folder).args(["bump", image, "--commit", "--format", "json"]).args(more).output().unwrap(),
    )
}

/// The lines of a diff, without blob IDs and hunk positions.
fn changes(diff: &str) -> Vec<String> {
    let told = diff.lines().filter(|line| !line.starts_with("index ") && !line.starts_with("@@"));
    let told = told.filter(|line| !line.starts_with(' '));
    told.map(str::to_owned).collect()
}

#[test]
fn commit_has_only_the_bump_when_work_tree_is_clean() {
    let local = Local::new();
    local.commits("v1", &[]);
    assert_eq!(local.git(&["status", "--porcelain"]), "");
    assert!(local.read(FILE).contains("newTag: v1 # by CI\n"));
    assert_eq!(local.git(&["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(local.git(&["log", "-1", "--format=%an <%ae> %cn"]), "Ada <ada@example.com> Ada");
    let text = local.git(&["log", "-1", "--format=%B"]);
    assert!(text.starts_with("chore: update api image to v1"), "{text}");
    assert!(text.ends_with(&format!("\nTagbump-Image: {API}:v1")), "{text}");
    let again = ended(&local.bump("v1", &[]), 0, "already");
    assert_eq!(again["commit"], serde_json::Value::Null);
    assert_eq!(local.git(&["rev-list", "--count", "HEAD"]), "3");
}

#[test]
fn commit_is_in_reflogs() {
    let local = Local::new();
    let before = local.git(&["rev-parse", "HEAD"]);
    local.commits("v1", &[]);
    let now = local.git(&["rev-parse", "HEAD"]);
    for name in ["HEAD", "main"] {
        let log = local.git(&["reflog", "show", "--format=%H %gs", name]);
        let subject = local.git(&["log", "-1", "--format=%s"]);
        assert_eq!(log.lines().next(), Some(format!("{now} commit: {subject}").as_str()), "{name}");
        assert_eq!(local.git(&["rev-parse", &format!("{name}@{{1}}")]), before);
    }
}

#[test]
fn changes_in_other_files_stay_uncommitted() {
    let local = Local::new();
    local.write("README.md", "changed\n");
    local.write("staged.txt", "staged\n");
    local.git(&["add", "staged.txt"]);
    local.write("staged.txt", "staged, then changed\n");
    local.write("untracked.txt", "untracked\n");
    let state = |local: &Local| {
        let diffs = [&["diff"][..], &["diff", "--cached"], &["status", "--porcelain"]];
        diffs.map(|arguments| local.git(arguments))
    };
    let before = state(&local);
    local.commits("v1", &[]);
    assert_eq!(state(&local), before);
}

#[test]
fn changes_in_other_lines_of_file_stay_uncommitted() {
    let local = Local::new();
    local.write(FILE, &local.read(FILE).replace("# first", "# staged\n# twice"));
    local.git(&["add", FILE]);
    local.write(FILE, &local.read(FILE).replace("# last\n", "# unstaged"));
    let before = [changes(&local.git(&["diff"])), changes(&local.git(&["diff", "--cached"]))];
    assert!(before[0].contains(&"+# unstaged".to_owned()) && before[1].contains(&"+# staged".to_owned()));
    local.commits("v1", &[]);
    assert_eq!([changes(&local.git(&["diff"])), changes(&local.git(&["diff", "--cached"]))], before);
    assert_eq!(local.git(&["status", "--porcelain"]), format!("MM {FILE}"));
    assert!(local.read(FILE).contains("newTag: v1 # by CI\n"), "{}", local.read(FILE));
}

/// The same for changes that only add lines elsewhere, and for changes that are staged and undone in the work tree.
#[test]
fn staged_changes_stay_when_work_tree_lacks_them() {
    let local = Local::new();
    let text = local.read(FILE);
    local.write(FILE, &text.replace("# first", "# staged"));
    local.git(&["add", FILE]);
    local.write(FILE, &text);
    let before = [changes(&local.git(&["diff"])), changes(&local.git(&["diff", "--cached"]))];
    local.commits("v1", &[]);
    assert_eq!([changes(&local.git(&["diff"])), changes(&local.git(&["diff", "--cached"]))], before);
    assert_eq!(local.read(FILE), text.replace("v0", "v1"));
}

#[test]
fn changes_beside_named_field_stay_uncommitted() {
    let local = Local::new();
    local.write("values.yaml", "# first\napp:\n  version: v0\n");
    local.git(&["add", "values.yaml"]);
    local.git(&["commit", "--quiet", "--message", "values"]);
    local.write("values.yaml", "# changed\napp:\n  version: v0\n");
    let before = changes(&local.git(&["diff"]));
    let arguments = ["--field", "app.version", "-f", "values.yaml"];
    ended(&local.bump("v1", &arguments), 0, "committed");
    assert_eq!(changes(&local.git(&["diff"])), before);
    assert_eq!(local.git(&["show", "HEAD:values.yaml"]), "# first\napp:\n  version: v1");
    assert_eq!(local.read("values.yaml"), "# changed\napp:\n  version: v1\n");
}

/// Bumps next to a changed comment: only the bump is committed, and the comment stays changed.
#[track_caller]
fn beside_a_comment(image: &str, more: &[&str]) {
    let local = Local::new();
    local.write(FILE, &local.read(FILE).replace("# first", "# changed"));
    let before = changes(&local.git(&["diff"]));
    ended(&bump(&local.path(), image, more), 0, "committed");
    assert_eq!(changes(&local.git(&["diff"])), before);
    assert_eq!(local.git(&["status", "--porcelain"]), format!(" M {FILE}"));
    assert!(local.git(&["show", "HEAD"]).contains("+    newTag: v1"));
}

#[test]
fn changes_beside_new_name_stay_uncommitted() {
    beside_a_comment(&format!("{API}=ghcr.io/new/api:v1"), &[]);
}

#[test]
fn changes_in_named_file_stay_uncommitted() {
    beside_a_comment(&format!("{API}:v1"), &["-f", FILE, "--expect", "1"]);
}

#[test]
fn changes_beside_new_entry_stay_uncommitted() {
    beside_a_comment("a/new:v1", &["--add", "-f", FILE]);
}

#[test]
fn several_images_are_one_commit() {
    let local = Local::with(&kustomization(&["a/one".into(), "a/two".into()]));
    commit(&local.path(), "other/kustomization.yaml", &kustomization(&["a/three".into()]));
    let run = bump(&local.path(), "a/one:v1", &["a/two:v2", "a/three:v3"]);
    assert_eq!(ended(&run, 0, "committed")["changes"].as_array().unwrap().len(), 3);
    assert_eq!(local.git(&["rev-list", "--count", "HEAD"]), "4");
    assert_eq!(
        local.git(&["show", "--numstat", "--format="]),
        format!("2\t2\t{FILE}\n1\t1\tother/kustomization.yaml")
    );
    assert_eq!(local.git(&["status", "--porcelain"]), "");
}

#[test]
fn commit_works_in_subfolder() {
    let local = Local::new();
    let told = ended(&bump(&local.path().join("k8s"), &format!("{API}:v1"), &[]), 0, "committed");
    assert_eq!(told["changes"][0]["file"], "kustomization.yaml");
    assert_eq!(local.git(&["diff", "--name-only", "HEAD~1", "HEAD"]), FILE);
    local.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    local.commits("v1", &["-C", "k8s", "-f", "kustomization.yaml"]);
    assert_eq!(local.git(&["status", "--porcelain"]), "");
}

#[test]
fn commit_has_lf_when_only_work_tree_has_crlf() {
    let local = Local::new();
    local.git(&["config", "core.autocrlf", "true"]);
    std::fs::remove_file(local.path().join(FILE)).unwrap();
    local.git(&["checkout", "--quiet", "--", FILE]);
    assert!(local.read(FILE).contains("\r\n"));
    local.commits("v1", &[]);
    assert!(!local.git(&["show", &format!("HEAD:{FILE}")]).contains('\r'));
    assert!(local.read(FILE).contains("newTag: v1 # by CI\r\n"), "{:?}", local.read(FILE));
    assert!(!local.read(FILE).replace("\r\n", "").contains('\n'));
    assert_eq!(local.git(&["status", "--porcelain"]), "");
}

#[test]
fn commit_keeps_crlf_when_repository_has_it() {
    let local = Local::with(&kustomization(&[API.into()]).replace('\n', "\r\n"));
    local.commits("v1", &[]);
    assert!(local.read(FILE).contains("newTag: v1 # by CI\r\n"));
    assert_eq!(local.git(&["status", "--porcelain"]), "");
}

#[cfg(unix)]
mod modes {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn chmod(local: &Local, mode: u32) {
        let path = local.path().join(FILE);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(local: &Local) -> u32 {
        std::fs::metadata(local.path().join(FILE)).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn executable_file_stays_executable() {
        let local = Local::new();
        chmod(&local, 0o755);
        local.git(&["commit", "--quiet", "--all", "--message", "mode"]);
        local.commits("v1", &[]);
        assert!(local.git(&["ls-tree", "HEAD", FILE]).starts_with("100755 "));
        assert!(local.git(&["ls-files", "--stage", FILE]).starts_with("100755 "));
        assert_eq!((mode(&local), local.git(&["status", "--porcelain"])), (0o755, String::new()));
    }

    #[test]
    fn mode_change_stays_unstaged_when_it_was_not_staged() {
        let local = Local::new();
        chmod(&local, 0o755);
        let before = changes(&local.git(&["diff"]));
        local.commits("v1", &[]);
        assert!(local.git(&["ls-tree", "HEAD", FILE]).starts_with("100644 "));
        assert_eq!(changes(&local.git(&["diff"])), before);
        assert_eq!((local.git(&["diff", "--cached"]), mode(&local)), (String::new(), 0o755));
    }

    #[test]
    fn mode_change_stays_staged_when_it_was_staged() {
        let local = Local::new();
        chmod(&local, 0o755);
        local.git(&["add", FILE]);
        local.commits("v1", &[]);
        assert!(local.git(&["ls-tree", "HEAD", FILE]).starts_with("100644 "));
        assert!(local.git(&["ls-files", "--stage", FILE]).starts_with("100755 "));
        assert_eq!((local.git(&["diff"]), mode(&local)), (String::new(), 0o755));
    }

    #[test]
    fn commit_runs_no_hooks() {
        let local = Local::new();
        let names = [
            "pre-commit",
            "prepare-commit-msg",
            "commit-msg",
            "post-commit",
            "post-index-change",
            "reference-transaction",
        ];
        for name in names {
            crate::support::repo::script_at(
                &local.path().join(".git/hooks").join(name),
                "echo ran >> .git/ran; exit 1",
            );
        }
        let told = ended(&local.bump("v1", &[]), 0, "committed");
        assert!(!local.path().join(".git/ran").exists());
        // git itself runs them, so they would run
        assert!(
            !try_git(&local.path(), &["commit", "--quiet", "--allow-empty", "--message", "x"])
                .status
                .success()
        );
        assert!(local.path().join(".git/ran").exists());
        assert_eq!(told["commit"].as_str().unwrap().len(), 40);
    }
}

#[test]
fn commit_moves_only_head_when_it_is_detached() {
    let local = Local::new();
    local.git(&["checkout", "--quiet", "--detach"]);
    let main = local.git(&["rev-parse", "main"]);
    local.commits("v1", &[]);
    assert_eq!(local.git(&["rev-parse", "main"]), main, "the branch stays");
    assert!(!try_git(&local.path(), &["symbolic-ref", "--quiet", "HEAD"]).status.success(), "still detached");
    assert_eq!(local.git(&["status", "--porcelain"]), "");
    assert_eq!(local.git(&["rev-parse", "HEAD@{1}"]), main);
}

#[test]
fn commit_works_in_linked_worktree() {
    let local = Local::new();
    local.git(&["worktree", "add", "--quiet", "-b", "linked", "../linked"]);
    let (linked, main) = (local.folder.path().join("linked"), local.git(&["rev-parse", "main"]));
    let told = ended(&bump(&linked, &format!("{API}:v1"), &[]), 0, "committed");
    assert_eq!(told["branch"], "linked");
    assert_eq!(git(&linked, &["rev-parse", "HEAD"]), told["commit"].as_str().unwrap());
    assert_eq!(git(&linked, &["rev-parse", "HEAD~1"]), main);
    assert_eq!(git(&linked, &["status", "--porcelain"]), "");
    assert_eq!(git(&linked, &["rev-parse", "HEAD@{1}"]), main);
    assert_eq!(
        (local.git(&["rev-parse", "HEAD"]), local.git(&["status", "--porcelain"])),
        (main, String::new())
    );
    local.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn commit_works_in_shallow_clone() {
    let local = Local::new();
    let source = format!("file://{}", local.path().display());
    git(local.folder.path(), &["clone", "--quiet", "--depth", "1", &source, "shallow"]);
    let shallow = local.folder.path().join("shallow");
    let run = bump(&shallow, &format!("{API}:v1"), &["--author", "Bob <bob@example.com>"]);
    assert_eq!(ended(&run, 0, "committed")["commit"], git(&shallow, &["rev-parse", "HEAD"]).as_str());
    assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]), "2");
    git(&shallow, &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn dry_run_of_commit_writes_nothing() {
    let local = Local::new();
    local.write("README.md", "changed\n");
    local.git(&["status"]);
    let before = snapshot(&local.path());
    let told = ended(&local.bump("v1", &["-n", "--exit-code"]), 10, "planned");
    assert_eq!(told["commit"], serde_json::Value::Null);
    ended(&local.bump("v0", &["-n", "--exit-code"]), 0, "already");
    assert_eq!(snapshot(&local.path()), before);
    let run = Run::of(
        &command(&local.path()).args(["bump", &format!("{API}:v1"), "--commit", "-n"]).output().unwrap(),
    );
    assert!(run.exit == 0 && run.stdout.contains("\n+    newTag: v1 # by CI\n"), "{}", run.output());
    assert!(json(&local.bump("v1", &["-n"]))["changed"].is_boolean());
    assert_eq!(snapshot(&local.path()), before);
}
