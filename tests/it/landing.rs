//! Landing from every kind of checkout: the commit is on the branch, and the checkout is still intact.

use std::path::Path;

use crate::support::cli;
use crate::support::git::git;
use crate::support::repo::{
    self, API, FILE, PASSWORD, USER, World, actions, commit, ended, kustomization, push, run, write,
};
use serde_json::Value;

/// Main has exactly one commit on top of `base`, which sets the api image to `tag`.
#[track_caller]
fn landed(world: &World, told: &Value, base: &str, tag: &str) {
    assert_eq!(told["commit"], world.tip().as_str());
    assert_eq!(world.last("%P"), base, "on top of the tip, and no merge");
    let wanted = kustomization(&[API.into()]).replace("newTag: v0", &format!("newTag: {tag}"));
    assert_eq!(world.file(FILE), wanted.trim_end(), "the tag and nothing else");
    let touched = git(&world.bare, &["diff", "--name-status", base, "refs/heads/main"]);
    assert_eq!(touched, format!("M\t{FILE}"));
    git(&world.bare, &["fsck", "--strict", "--no-dangling"]);
}

/// There are no warnings.
#[track_caller]
fn quietly(told: &Value) {
    assert_eq!(told["warnings"], serde_json::json!([]));
}

/// The checkout is intact and clean, has the landed commit, and a later pull works.
#[track_caller]
fn synced(world: &World, folder: &Path) {
    assert_eq!(git(folder, &["status", "--porcelain"]), "");
    assert_eq!(git(folder, &["rev-parse", "HEAD"]), world.tip());
    assert_eq!(git(folder, &["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(git(folder, &["rev-parse", "origin/main"]), world.tip());
    sound(folder);
    let later = world.rival("later.txt", &world.tip());
    git(folder, &["-c", "pull.ff=only", "pull", "--quiet", "origin", "main"]);
    assert_eq!(git(folder, &["rev-parse", "HEAD"]), later);
    sound(folder);
}

#[track_caller]
fn sound(folder: &Path) {
    git(folder, &["fsck", "--strict", "--no-dangling"]);
    let refs = git(folder, &["for-each-ref", "--format=%(refname)"]);
    assert!(!refs.contains("tagbump"), "no references of ours are left: {refs}");
}

#[test]
fn bump_lands_from_shallow_clone() {
    let world = World::new();
    let (base, folder) = (world.tip(), world.shallow("w"));
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    landed(&world, &told, &base, "v1");
    quietly(&told);
    assert_eq!(told["branch"], "main");
    assert_eq!(told["attempts"], 1);
    assert_eq!(git(&folder, &["rev-list", "--count", "HEAD"]), "2", "still shallow");
    synced(&world, &folder);
}

#[test]
fn bump_lands_from_shallow_clone_that_is_behind() {
    let world = World::new();
    let folder = world.shallow("w");
    let base = world.rival("README.md", "newer\n");
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    landed(&world, &told, &base, "v1");
    assert_eq!(world.file("README.md"), "newer", "the other's commit stays");
    assert_eq!(git(&folder, &["show", "HEAD:README.md"]), "newer");
    synced(&world, &folder);
}

/// The tip has merged a branch that forked before the clone's only commit.
#[test]
fn bump_lands_from_shallow_clone_behind_merge_of_older_branch() {
    let world = World::new();
    let folder = world.shallow("w");
    let other = world.full("other");
    git(&other, &["remote", "set-url", "origin", world.bare.to_str().unwrap()]);
    git(&other, &["checkout", "--quiet", "-b", "old", "HEAD~1"]);
    for n in 0..5 {
        commit(&other, "old.txt", &format!("{n}\n"));
    }
    git(&other, &["checkout", "--quiet", "main"]);
    git(&other, &["merge", "--quiet", "--no-ff", "--message", "merge", "old"]);
    git(&other, &["push", "--quiet", "origin", "main"]);
    let base = world.tip();
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    landed(&world, &told, &base, "v1");
    synced(&world, &folder);
}

#[test]
fn bump_lands_from_full_clone() {
    let world = World::new();
    let folder = world.full("w");
    let base = world.rival("README.md", "newer\n");
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    landed(&world, &told, &base, "v1");
    quietly(&told);
    assert!(!folder.join(".git/shallow").exists(), "a full clone stays one");
    assert_eq!(git(&folder, &["rev-list", "--count", "HEAD"]), "4");
    synced(&world, &folder);
}

/// Its objects are in another repository, which borrows them from a third.
#[test]
fn bump_lands_from_clone_that_borrows_objects() {
    let world = World::new();
    world.full("first");
    git(world.path(), &["clone", "--quiet", "--shared", "first", "w"]);
    let folder = world.path().join("w");
    git(&folder, &["remote", "set-url", "origin", &world.url()]);
    git(&folder, &["config", "user.name", "Ada"]);
    git(&folder, &["config", "user.email", "ada@example.com"]);
    let base = world.rival("README.md", "newer\n");
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    landed(&world, &told, &base, "v1");
    synced(&world, &folder);
}

#[test]
fn bump_lands_from_linked_worktree_of_shallow_clone() {
    let world = World::new();
    let clone = world.shallow("w");
    git(&clone, &["checkout", "--quiet", "-b", "elsewhere"]);
    git(&clone, &["worktree", "add", "--quiet", "../linked", "main"]);
    let linked = world.path().join("linked");
    let base = world.rival("README.md", "newer\n");
    let told = ended(&run(&mut push(&linked, "v1", &[])), 0, "landed");
    landed(&world, &told, &base, "v1");
    quietly(&told);
    assert_eq!(git(&clone, &["status", "--porcelain"]), "", "the main work tree is left alone");
    assert_eq!(git(&clone, &["show", "HEAD:README.md"]), "older");
    synced(&world, &linked);
}

#[test]
fn bump_lands_from_detached_head_when_branch_is_named() {
    let world = World::new();
    let (base, folder) = (world.tip(), world.shallow("w"));
    git(&folder, &["checkout", "--quiet", "--detach"]);
    let run = run(&mut push(&folder, "v1", &["--branch", "main"]));
    let told = ended(&run, 0, "landed");
    landed(&world, &told, &base, "v1");
    assert_eq!(git(&folder, &["rev-parse", "HEAD"]), base, "a detached HEAD is left");
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    assert!(run.stderr.contains("detached"), "and it is said: {}", run.output());
    sound(&folder);
}

#[test]
fn bump_lands_on_branch_of_push_event_when_head_is_detached() {
    let world = World::new();
    let (base, folder) = (world.tip(), world.shallow("w"));
    git(&folder, &["checkout", "--quiet", "--detach"]);
    git(&world.bare, &["branch", "other", "main~1"]);
    git(&world.bare, &["symbolic-ref", "HEAD", "refs/heads/other"]);
    let run = run(actions(&mut push(&folder, "v1", &[]), "acme/gitops", &base));
    let told = ended(&run, 0, "landed");
    assert_eq!(told["branch"], "main", "the event's branch, not the default one");
    landed(&world, &told, &base, "v1");
}

#[test]
fn bump_lands_from_subfolder() {
    let world = World::with(
        |server| server.basic_auth(repo::USER, repo::PASSWORD),
        &[(FILE, &kustomization(&[API.into()])), ("z/kustomization.yaml", &kustomization(&[API.into()]))],
    );
    let (base, folder) = (world.tip(), world.shallow("w"));
    let other = world.file("z/kustomization.yaml");
    let told = ended(&run(&mut push(&folder, "v1", &["-C", "k8s"])), 0, "landed");
    landed(&world, &told, &base, "v1");
    quietly(&told);
    assert_eq!(world.file("z/kustomization.yaml"), other, "only what is below the root");
    assert_eq!(told["changes"][0]["file"], "kustomization.yaml", "relative to the root");
    assert!(world.message().contains(&format!("({FILE})")), "{}", world.message());
    // running inside it is the same, and -f is relative to it
    let arguments = ["-f", "kustomization.yaml"];
    let told = ended(&run(&mut push(&folder.join("k8s"), "v2", &arguments)), 0, "landed");
    assert_eq!(told["commit"], world.tip().as_str());
    synced(&world, &folder);
}

/// Some blobs are missing, and only git can fetch them.
#[test]
fn bump_lands_from_partial_clone() {
    let world = World::new();
    git(&world.bare, &["config", "uploadpack.allowFilter", "true"]);
    git(&world.bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let folder = world.clone_of(&world.url(), "w", &["--filter=blob:none"]);
    let base = world.rival("README.md", "newer\n");
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    landed(&world, &told, &base, "v1");
    quietly(&told);
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    git(&folder, &["-c", "pull.ff=only", "pull", "--quiet", "origin", "main"]);
    assert_eq!(git(&folder, &["rev-parse", "HEAD"]), world.tip());
    sound(&folder);
}

/// The contract says "a clean checkout on the target branch", without an exception for partial clones.
#[test]
fn partial_clone_is_fast_forwarded_after_landing() {
    let world = World::new();
    git(&world.bare, &["config", "uploadpack.allowFilter", "true"]);
    git(&world.bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let folder = world.clone_of(&world.url(), "w", &["--filter=blob:none"]);
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    synced(&world, &folder);
}

/// A partial clone that has checked out nothing has no blobs at all.
#[test]
fn bump_lands_from_partial_clone_without_blobs() {
    let world = World::new();
    git(&world.bare, &["config", "uploadpack.allowFilter", "true"]);
    let base = world.tip();
    let folder = world.clone_of(&world.url(), "w", &["--filter=blob:none", "--no-checkout"]);
    let told = ended(&run(&mut push(&folder, "v1", &["--no-sync"])), 0, "landed");
    landed(&world, &told, &base, "v1");
}

#[test]
fn bump_lands_from_sparse_checkout_that_lacks_file() {
    let files = [(FILE, kustomization(&[API.into()])), ("docs/a.md", "a\n".to_owned())];
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let world = World::with(|server| server.basic_auth(repo::USER, repo::PASSWORD), &files);
    for (name, arguments) in
        [("w1", &["set", "--cone", "docs"][..]), ("w2", &["set", "--sparse-index", "docs"])]
    {
        let (base, folder) = (world.tip(), world.shallow(name));
        git(&folder, &[&["sparse-checkout"], arguments].concat());
        assert!(!folder.join(FILE).exists());
        let told = ended(&run(&mut push(&folder, name, &[])), 0, "landed");
        landed(&world, &told, &base, name);
        assert!(!folder.join(FILE).exists(), "it stays sparse");
        synced(&world, &folder);
    }
}

/// A file that a sparse checkout leaves out doesn't count as changed.
#[test]
fn sparse_checkout_has_no_uncommitted_changes_after_landing() {
    let world = World::new();
    let folder = world.shallow("w");
    git(&folder, &["sparse-checkout", "set", "--cone", "docs"]);
    assert_eq!(git(&folder, &["status", "--porcelain"]), "");
    quietly(&ended(&run(&mut push(&folder, "v1", &[])), 0, "landed"));
}

#[test]
fn bump_lands_in_repository_with_submodule() {
    let world = World::new();
    let library = crate::support::bare::bare_repo(world.path(), "library.git");
    let other = world.full("other");
    git(&other, &["push", "--quiet", library.to_str().unwrap(), "HEAD:main"]);
    git(&other, &["remote", "set-url", "origin", world.bare.to_str().unwrap()]);
    let allowed = ["-c", "protocol.file.allow=always"];
    let add = ["submodule", "--quiet", "add", library.to_str().unwrap(), "library"];
    git(&other, &[&allowed[..], &add].concat());
    git(&other, &["commit", "--quiet", "--message", "submodule"]);
    git(&other, &["push", "--quiet", "origin", "main"]);
    let (base, folder) = (world.tip(), world.shallow("w"));
    git(&folder, &[&allowed[..], &["submodule", "--quiet", "update", "--init"]].concat());
    // the submodule has the same kustomization, but is another repository
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    landed(&world, &told, &base, "v1");
    quietly(&told);
    assert!(folder.join("library").join(FILE).exists());
    assert_eq!(
        git(&world.bare, &["ls-tree", "main", "library"]),
        git(&other, &["ls-tree", "HEAD", "library"])
    );
    synced(&world, &folder);
    // and inside the submodule, its own remote is the target
    let inside = folder.join("library");
    git(&inside, &["config", "user.name", "Ada"]);
    git(&inside, &["config", "user.email", "ada@example.com"]);
    let told = ended(&run(&mut push(&inside, "v2", &["--branch", "main"])), 0, "landed");
    assert_eq!(told["commit"], git(&library, &["rev-parse", "main"]).as_str());
}

#[cfg(unix)]
#[test]
fn bump_keeps_mode_of_file() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let other = world.full("other");
    git(&other, &["update-index", "--chmod=+x", FILE]);
    git(&other, &["commit", "--quiet", "--message", "mode"]);
    git(&other, &["push", "--quiet", world.bare.to_str().unwrap(), "HEAD:main"]);
    let (base, folder) = (world.tip(), world.shallow("w"));
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    landed(&world, &told, &base, "v1");
    quietly(&told);
    assert!(git(&world.bare, &["ls-tree", "main", FILE]).starts_with("100755 "));
    let mode = std::fs::metadata(folder.join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o100, 0o100);
    synced(&world, &folder);
}

#[test]
fn second_run_is_up_to_date() {
    let world = World::new();
    let folder = world.shallow("w");
    ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    let tip = world.tip();
    for folder in [folder, world.full("other")] {
        let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "already");
        assert_eq!((&told["changed"], &told["commit"]), (&false.into(), &Value::Null));
        assert_eq!(world.tip(), tip);
    }
    // even if the checkout doesn't know the first one
    let stale = world.clone_of(&world.url(), "stale", &[]);
    git(&stale, &["reset", "--quiet", "--hard", "HEAD~1"]);
    ended(&run(&mut push(&stale, "v1", &[])), 0, "already");
    assert_eq!(world.tip(), tip);
}

#[test]
fn dry_run_shows_diff_on_tip_and_pushes_nothing() {
    let world = World::new();
    let folder = world.shallow("w");
    let text = kustomization(&[API.into()]).replace("v0", "v5");
    let base = world.rival(FILE, &text);
    let before = crate::support::files::snapshot(&folder);
    let mut command = cli::command(&folder);
    let run = run(command.args(["bump", &format!("{API}:v6"), "--push", "-n"]));
    assert_eq!(run.exit, 0, "{}", run.output());
    assert!(run.stdout.contains("\n-    newTag: v5 # by CI\n"), "{}", run.stdout);
    assert!(run.stdout.contains("\n+    newTag: v6 # by CI\n"), "{}", run.stdout);
    let told = ended(&repo::run(&mut push(&folder, "v6", &["-n", "--exit-code"])), 10, "planned");
    assert_eq!((&told["commit"], &told["branch"]), (&Value::Null, &"main".into()));
    ended(&repo::run(&mut push(&folder, "v5", &["-n", "--exit-code"])), 0, "already");
    assert_eq!(world.tip(), base);
    assert_eq!(crate::support::files::snapshot(&folder), before, "nothing is touched");
}

#[test]
fn temporary_folder_is_empty_after_landing() {
    let world = World::new();
    let folder = world.shallow("w");
    let temporary = world.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let left = || std::fs::read_dir(&temporary).unwrap().count();
    ended(&run(push(&folder, "v1", &[]).env("TMPDIR", &temporary)), 0, "landed");
    assert_eq!(left(), 0, "after landing");
    ended(&run(push(&folder, "v1", &[]).env("TMPDIR", &temporary)), 0, "already");
    assert_eq!(left(), 0, "with nothing to do");
    ended(&run(push(&folder, "v2", &["--branch", "no"]).env("TMPDIR", &temporary)), 2, "failed");
    ended(&run(push(&folder, "v2", &["--expect", "9"]).env("TMPDIR", &temporary)), 3, "failed");
    assert_eq!(left(), 0, "after failures");
    // the run does use this folder: without it there is no landing
    let gone = world.path().join("gone");
    ended(&run(push(&folder, "v2", &[]).env("TMPDIR", &gone)), 1, "failed");
}

/// `--push` edits what is on the remote, not the uncommitted files in the checkout.
#[test]
fn uncommitted_edits_of_checkout_do_not_land() {
    let world = World::new();
    let (base, folder) = (world.tip(), world.shallow("w"));
    let mine = kustomization(&[API.into()]).replace("kind: ", "# mine\nkind: ");
    write(&folder, FILE, &mine);
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    assert_eq!(world.last("%P"), base);
    assert!(!world.file(FILE).contains("# mine"));
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains(FILE) && warnings.contains("uncommitted"), "{warnings}");
    assert_eq!(std::fs::read_to_string(folder.join(FILE)).unwrap(), mine);
}

/// The branch keeps its line ends, and the checkout has those that its attributes specify.
#[test]
fn line_ends_follow_attributes_in_checkout_only() {
    let text = kustomization(&[API.into()]);
    let files = [(FILE, &*text), (".gitattributes", "*.yaml text eol=crlf\n")];
    let world = World::with(|server| server.basic_auth(USER, PASSWORD), &files);
    let (base, folder) = (world.tip(), world.shallow("w"));
    assert!(std::fs::read_to_string(folder.join(FILE)).unwrap().contains("\r\n"));
    let told = ended(&run(&mut push(&folder, "v1", &[])), 0, "landed");
    landed(&world, &told, &base, "v1");
    quietly(&told);
    let here = std::fs::read_to_string(folder.join(FILE)).unwrap();
    assert!(here.contains("newTag: v1 # by CI\r\n"), "{here:?}");
    synced(&world, &folder);
}
