//! `tagbump history` in shallow and partial clones, and with `--fetch`: it shows what it can see, and moves nothing.

use std::path::{Path, PathBuf};

use crate::support::cli::{self, Run};
use crate::support::git::git;
use crate::support::git_server::{Fault, On, Service};
use crate::support::past::{Past, STEP, main_fields, moment, state, tags};
use crate::support::repo::{API, FILE, PASSWORD, World, failed, json, kustomization};

/// A server with some pushed commits: v0, then v1, v2, … with other commits in between.
struct Served {
    world: World,
    past: Past,
}

impl Served {
    /// With this many bumps, and after each of them this many unrelated commits.
    fn new(bumps: usize, between: usize) -> Self {
        let world = World::new();
        // GitHub allows it, and a partial clone needs it
        git(&world.bare, &["config", "uploadpack.allowFilter", "true"]);
        git(&world.bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        let work = world.full("sources");
        git(&work, &["remote", "set-url", "origin", world.bare.to_str().unwrap()]);
        let served = Served { world, past: Past::of(work) };
        for nth in 1..=bumps {
            served.bump(nth);
            for _ in 0..between {
                served.past.write("README.md", &format!("{}\n", served.past.now()));
                served.past.commit("Eve", "something else");
            }
        }
        served.pushes();
        served
    }

    fn bump(&self, nth: usize) {
        let text = kustomization(&[API.into()]).replace("v0", &format!("v{nth}"));
        self.past.puts("Ada", FILE, &text, API, &format!("v{nth}"));
    }

    fn pushes(&self) {
        git(&self.past.path, &["push", "--quiet", "origin", "HEAD:main"]);
    }

    fn clone(&self, arguments: &[&str]) -> PathBuf {
        self.world.clone_of(&self.world.url(), &format!("w{}", fastrand::u32(..)), arguments)
    }

    fn history(&self, folder: &Path, arguments: &[&str]) -> Run {
        let mut command = self.past.command(arguments);
        Run::of(&command.current_dir(folder).output().unwrap())
    }

    /// Runs with `--fetch` in a checkout, which must stay unchanged. Returns the JSON.
    #[track_caller]
    fn fetched(&self, folder: &Path, arguments: &[&str]) -> serde_json::Value {
        let before = state(folder);
        let arguments = [&[API, "--fetch", "--format", "json"], arguments].concat();
        let run = self.history(folder, &arguments);
        assert_eq!(run.exit, 0, "{}", run.output());
        assert!(!run.output().contains(PASSWORD));
        assert_eq!(state(folder), before, "the checkout has not changed");
        json(&run)
    }

    /// How many times the server has sent objects.
    fn fetches(&self) -> usize {
        self.world.count(On::Post(Service::UploadPack))
    }
}

fn numbered(newest: usize, oldest: usize) -> Vec<String> {
    (oldest..=newest).rev().map(|nth| format!("v{nth}")).collect()
}

#[test]
fn history_says_how_far_it_sees_in_clone_of_one_commit() {
    let served = Served::new(3, 2);
    let folder = served.clone(&["--depth", "1"]);
    let before = state(&folder);
    let run = served.history(&folder, &[API]);
    let tip = &served.world.tip()[..10];
    assert_eq!((run.exit, run.stdout.as_str()), (0, "v3  since earlier  for over 0s so far  -  -  -\n"));
    let wanted = format!(
        "notice: the local history goes back only to {tip} of {}; --fetch reads more\n",
        moment(served.past.now())
    );
    assert_eq!(run.stderr, wanted);
    let told = json(&served.history(&folder, &[API, "--format", "json"]));
    assert_eq!((&told["complete"], &told["notices"].as_array().unwrap().len()), (&false.into(), &1));
    let entry = &told["entries"][0];
    for field in ["since", "until", "seconds", "commit", "author", "email", "subject"] {
        assert!(entry[field].is_null(), "{field} of {entry}");
    }
    assert_eq!(state(&folder), before);
    // it doesn't mention tags that weren't requested
    let nothing = json(&served.history(&folder, &[API, "-n", "1", "--format", "json"]));
    assert_eq!(nothing["complete"], true, "{nothing}");
}

#[test]
fn history_shows_what_shallow_clone_has() {
    let served = Served::new(4, 1);
    let folder = served.clone(&["--depth", "4"]);
    let told = json(&served.history(&folder, &[API, "--format", "json"]));
    assert_eq!((tags(&told), &told["complete"]), (vec!["v4", "v3"], &false.into()));
    let wanted = served.past.wanted(API);
    assert_eq!(main_fields(&told)[0], wanted[0]);
    // v3 may have been there longer than that
    assert!(told["entries"][1]["since"].is_null() && told["entries"][1]["commit"].is_null(), "{told}");
    assert_eq!(told["entries"][1]["until"], wanted[0]["since"]);
}

#[test]
fn fetch_reads_whole_history_and_moves_nothing() {
    let served = Served::new(5, 2);
    for arguments in [&["--depth", "1"][..], &["--depth", "3"], &[], &["--single-branch", "--no-tags"]] {
        let folder = served.clone(arguments);
        let told = served.fetched(&folder, &[]);
        let found = main_fields(&told);
        assert_eq!(tags(&told), numbered(5, 0), "{arguments:?}");
        assert_eq!(found[..5], served.past.wanted(API)[..], "{arguments:?}");
        assert_eq!((&told["complete"], &told["notices"]), (&true.into(), &serde_json::json!([])));
    }
}

/// The commits that the checkout doesn't have yet are the newest.
#[test]
fn fetch_reads_newer_commits_of_remote() {
    let served = Served::new(2, 0);
    let (shallow, full) = (served.clone(&["--depth", "1"]), served.clone(&[]));
    served.bump(3);
    served.pushes();
    for folder in [&shallow, &full] {
        assert_eq!(tags(&served.fetched(folder, &[])), numbered(3, 0));
    }
    let told = json(&served.history(&full, &[API, "--format", "json"]));
    assert_eq!(tags(&told), numbered(2, 0), "without it HEAD is read");
}

/// It fetches only as much as it needs: one commit, 50, 250, 1,000.
#[test]
fn fetch_deepens_only_as_far_as_needed() {
    let served = Served::new(3, 60);
    let fetches = |arguments: &[&str]| {
        let folder = served.clone(&["--depth", "1"]);
        let before = served.fetches();
        let told = served.fetched(&folder, arguments);
        (tags(&told).join(" "), served.fetches() - before)
    };
    served.bump(4);
    served.pushes();
    let (told, few) = fetches(&["-n", "1"]);
    assert_eq!(told, "v4");
    let (told, more) = fetches(&[]);
    assert_eq!(told, "v4 v3 v2 v1 v0");
    assert!(0 < few && few < more && more <= 8, "{few} and {more} requests");
    let since = moment(served.past.now() - STEP);
    assert_eq!(fetches(&["--since", &since]).0, "v4");
}

#[test]
fn history_reads_named_branch_and_remote() {
    let served = Served::new(2, 0);
    git(&served.past.path, &["checkout", "--quiet", "-b", "release"]);
    served.bump(9);
    git(&served.past.path, &["push", "--quiet", "origin", "release"]);
    let folder = served.clone(&["--depth", "1", "--branch", "main"]);
    assert_eq!(tags(&served.fetched(&folder, &["--branch", "release"])), ["v9", "v2", "v1", "v0"]);
    assert_eq!(tags(&served.fetched(&folder, &[])), ["v2", "v1", "v0"]);
    // a named branch needs a fetch, whether a flag or a variable names it
    let told = json(&served.history(&folder, &[API, "--branch", "release", "--format", "json"]));
    assert_eq!(tags(&told), ["v9", "v2", "v1", "v0"]);
    let mut command = served.past.command(&[API, "--format", "json"]);
    let run = Run::of(&command.current_dir(&folder).env("TAGBUMP_BRANCH", "release").output().unwrap());
    assert_eq!(tags(&json(&run)), ["v9", "v2", "v1", "v0"], "{}", run.output());
    git(&folder, &["remote", "rename", "origin", "upstream"]);
    assert_eq!(tags(&served.fetched(&folder, &["--remote", "upstream"])), ["v2", "v1", "v0"]);
    let text = failed(&served.history(&folder, &[API, "--fetch", "--format", "json"]), 2);
    assert!(text.contains("origin"), "{text}");
    let text = failed(
        &served.history(
            &folder,
            &[API, "--fetch", "--remote", "upstream", "--branch", "no", "--format", "json"],
        ),
        2,
    );
    assert!(text.contains("has no branch no") && !text.contains(PASSWORD), "{text}");
}

#[test]
fn history_works_without_checkout() {
    let served = Served::new(3, 1);
    let folder = served.world.path().join("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    let run = served.history(&folder, &[API, "-C", &served.world.url(), "--format", "json"]);
    assert_eq!(run.exit, 0, "{}", run.output());
    assert_eq!(tags(&json(&run)), numbered(3, 0));
    assert_eq!(json(&run)["complete"], true);
    assert!(!run.output().contains(PASSWORD) && std::fs::read_dir(&folder).unwrap().count() == 0);
    let file = format!("file://{}", served.world.bare.display());
    let run = served.history(&folder, &[API, "-C", &file, "--format", "json", "-n", "2"]);
    assert_eq!(tags(&json(&run)), ["v3", "v2"]);
}

/// The blobs of older commits are missing, and libgit2 can't fetch them one by one.
#[test]
fn history_of_partial_clone_is_complete_after_fetch() {
    let served = Served::new(3, 0);
    for filter in ["blob:none", "tree:0"] {
        let folder = served.clone(&["--filter", filter]);
        let text = failed(&served.history(&folder, &[API, "--format", "json"]), 1);
        assert!(text.contains("the history can't be read"), "{text}");
        assert!(text.contains("a partial clone lacks some of it") && text.contains("--fetch"), "{text}");
        assert_eq!(tags(&served.fetched(&folder, &[])), numbered(3, 0));
    }
}

#[test]
fn fetch_fails_when_server_refuses_or_is_down() {
    let served = Served::new(1, 0);
    let folder = served.clone(&["--depth", "1"]);
    git(&folder, &["remote", "set-url", "origin", &served.world.server.url("acme/gitops.git")]);
    let text = failed(&served.history(&folder, &[API, "--fetch", "--format", "json"]), 5);
    assert!(text.contains("authentication required (401)"), "{text}");
    git(&folder, &["remote", "set-url", "origin", &served.world.url()]);
    served.world.server.fault(On::Any, Fault::Status { code: 503, headers: Vec::new() });
    assert_eq!(tags(&served.fetched(&folder, &[])), ["v1", "v0"], "asked again");
    git(&folder, &["remote", "remove", "origin"]);
    let text = failed(&served.history(&folder, &[API, "--fetch", "--format", "json"]), 2);
    assert!(text.contains("origin"), "{text}");
}

/// No temporary files are left behind, and if a deepening fails halfway, the history up to there is shown.
#[test]
fn history_is_partial_when_deepening_fails() {
    let served = Served::new(3, 60);
    let folder = served.clone(&["--depth", "1"]);
    let temporary = served.world.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let on = On::Post(Service::UploadPack);
    let world = &served.world;
    // the first deepening works, and nothing after it does
    for _ in 0..40 {
        world.server.fault(on, Fault::Status { code: 403, headers: Vec::new() });
    }
    let mut command = served.past.command(&[API, "--fetch", "--format", "json"]);
    let run = Run::of(&command.current_dir(&folder).env("TMPDIR", &temporary).output().unwrap());
    let told = json(&run);
    assert_eq!((run.exit, tags(&told), &told["complete"]), (0, vec!["v3"], &false.into()));
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    let notices = told["notices"].to_string();
    assert!(notices.contains("the server forbids access (403"), "{notices}");
    assert!(!notices.contains("--fetch"), "it was asked for already: {notices}");
}

#[test]
fn history_works_through_symlink_and_linked_worktree() {
    let served = Served::new(2, 0);
    git(&served.past.path, &["worktree", "add", "--quiet", "--detach", "../linked"]);
    let linked = served.world.path().join("linked");
    let told = json(&served.history(&linked, &[API, "--format", "json"]));
    assert_eq!(tags(&told), numbered(2, 0));
    let run = Run::of(&cli::command(&served.world.bare).args(["history", API]).output().unwrap());
    assert_eq!(run.exit, 2, "{}", run.output());
}
