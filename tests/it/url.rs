//! `-C URL`: without a checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cli;
use crate::support::git::git;
use crate::support::github::GitHub;
use crate::support::repo::{self, API, FILE, PASSWORD, World, ended, failed};

/// An empty folder to run in, and one for temporary files.
struct Elsewhere {
    folder: PathBuf,
    temporary: PathBuf,
}

impl Elsewhere {
    fn new(world: &World) -> Self {
        let (folder, temporary) = (world.path().join("elsewhere"), world.path().join("tmp"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::create_dir(&temporary).unwrap();
        Elsewhere { folder, temporary }
    }

    fn bump(&self, url: &str, tag: &str, more: &[&str]) -> Command {
        let mut command = cli::command(&self.folder);
        command.args(["bump", &format!("{API}:{tag}"), "-C", url, "--format", "json"]).args(more);
        command.args(["--author", "Ada <ada@example.com>"]).env("TMPDIR", &self.temporary);
        command
    }

    #[track_caller]
    fn is_clean(&self) {
        let count = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
        assert_eq!((count(&self.folder), count(&self.temporary)), (0, 0));
    }
}

#[test]
fn bump_lands_without_checkout() {
    let world = World::new();
    let here = Elsewhere::new(&world);
    let run = repo::run(&mut here.bump(&world.url(), "v1", &["--push", "-v"]));
    let told = ended(&run, 0, "landed");
    assert_eq!((&told["commit"], &told["branch"]), (&world.tip().into(), &"main".into()));
    assert_eq!(world.commits(), 3);
    assert!(world.file(FILE).contains("v1"));
    assert!(
        !run.output().contains(PASSWORD) && !run.output().contains("checkout was left"),
        "{}",
        run.output()
    );
    here.is_clean();
    ended(&repo::run(&mut here.bump(&world.url(), "v1", &["--push"])), 0, "already");
    git(&world.bare, &["fsck", "--strict"]);
}

#[test]
fn only_last_commit_is_fetched() {
    let world = World::new();
    for nth in 0..20 {
        world.rival("README.md", &format!("{nth}\n"));
    }
    let here = Elsewhere::new(&world);
    ended(&repo::run(&mut here.bump(&world.url(), "v1", &["--push"])), 0, "landed");
    let fetches = world.server.requests().into_iter().filter(|r| r.path.ends_with("git-upload-pack"));
    assert!(fetches.count() <= 2);
    assert_eq!(world.commits(), 23);
}

#[test]
fn bump_lands_at_every_kind_of_address() {
    for kind in ["file", "path", "relative"] {
        let world = World::new();
        let here = Elsewhere::new(&world);
        let bare = world.bare.to_str().unwrap();
        let url = match kind {
            "file" => format!("file://{bare}"),
            "path" => format!("file:///{bare}"),
            _ => format!("file://{bare}/."),
        };
        ended(&repo::run(&mut here.bump(&url, "v1", &["--push"])), 0, "landed");
        assert_eq!(world.commits(), 3);
        here.is_clean();
    }
}

#[test]
fn bump_lands_on_named_branch_or_default_one() {
    let world = World::new();
    git(&world.bare, &["branch", "prod", "main"]);
    git(&world.bare, &["symbolic-ref", "HEAD", "refs/heads/prod"]);
    let here = Elsewhere::new(&world);
    let told = ended(&repo::run(&mut here.bump(&world.url(), "v1", &["--push"])), 0, "landed");
    assert_eq!(told["branch"], "prod");
    let told =
        ended(&repo::run(&mut here.bump(&world.url(), "v2", &["--push", "--branch", "main"])), 0, "landed");
    assert_eq!((&told["branch"], &told["commit"]), (&"main".into(), &world.tip().into()));
}

#[test]
fn dry_run_writes_nothing() {
    let world = World::new();
    let (before, here) = (world.tip(), Elsewhere::new(&world));
    for more in [&["-n"][..], &["-n", "--push"]] {
        let told = ended(&repo::run(&mut here.bump(&world.url(), "v1", more)), 0, "planned");
        assert_eq!(told["changes"][0]["file"], FILE);
    }
    assert_eq!(world.tip(), before);
    here.is_clean();
}

#[test]
fn commands_that_need_a_folder_refuse_url() {
    let world = World::new();
    let here = Elsewhere::new(&world);
    for more in [&[][..], &["--commit"]] {
        let told = failed(&repo::run(&mut here.bump(&world.url(), "v1", more)), 2);
        assert!(told.contains("--push"), "{told}");
    }
    let told = failed(&repo::run(&mut here.bump(&world.url(), "v1", &["--push", "--carry"])), 2);
    assert!(told.contains("--carry"), "{told}");
    for command in ["scan", "tag"] {
        let run = cli::tagbump(&here.folder, &[command, "-C", &world.url()]);
        assert_eq!(run.exit, 2, "{}", run.output());
        assert!(run.stderr.contains("folder") && !run.stderr.contains(PASSWORD), "{}", run.output());
    }
    here.is_clean();
}

#[test]
fn password_is_hidden_when_address_is_wrong() {
    let world = World::new();
    let here = Elsewhere::new(&world);
    let wrong = world.url().replace("gitops.git", "nope.git");
    let told = failed(&repo::run(&mut here.bump(&wrong, "v1", &["--push"])), 5);
    assert!(told.contains("nope.git") && !told.contains(PASSWORD), "{told}");
    for url in ["ftp://u:hunter2@h/x", "https://u:hunter2@-h/x"] {
        let told = failed(&repo::run(&mut here.bump(url, "v1", &["--push"])), 2);
        assert!(!told.contains("hunter2"), "{told}");
    }
    here.is_clean();
}

#[test]
fn eight_bumps_land_when_run_at_once() {
    let world = World::new();
    let here = Elsewhere::new(&world);
    let jobs = (0..8).map(|nth| here.bump(&world.url(), &format!("v{nth}-x"), &["--push"])).collect();
    for run in repo::run_together(jobs) {
        ended(&run, 0, "landed");
    }
    assert_eq!(world.commits(), 10);
    here.is_clean();
}

/// The trailer for the current tag is far below the one commit that is fetched.
#[test]
fn late_build_is_superseded_without_checkout() {
    let world = World::new();
    let (older, newer) = (world.rival("a.rs", "1\n"), world.rival("a.rs", "2\n"));
    let here = Elsewhere::new(&world);
    let source = |sha: &str| ["--push".to_owned(), "--source".to_owned(), format!("acme/gitops@{sha}")];
    let bump = |tag: &str, sha: &str| {
        let more = source(sha);
        repo::run(&mut here.bump(&world.url(), tag, &more.each_ref().map(String::as_str)))
    };
    ended(&bump("v2", &newer), 0, "landed");
    for nth in 0..60 {
        world.rival("README.md", &format!("{nth}\n"));
    }
    ended(&bump("v1", &older), 4, "superseded");
    here.is_clean();
}

#[test]
fn pull_request_is_opened_without_checkout() {
    let world = World::with(|server| server, &[(FILE, &repo::kustomization(&[API.into()]))]);
    let github = GitHub::start(&world.bare);
    let here = Elsewhere::new(&world);
    let mut command = here.bump(&github.git_url(), "v1", &["--pr"]);
    let told = ended(&repo::run(github.env(&mut command)), 0, "proposed");
    assert_eq!((&told["pull_request"]["number"], &told["branch"]), (&1.into(), &"tagbump/main/api".into()));
    here.is_clean();
}

#[cfg(unix)]
#[test]
fn signal_leaves_nothing_behind() {
    use crate::support::signal::{Signal, send};
    use std::time::Duration;

    let world = World::new();
    let here = Elsewhere::new(&world);
    let (tell, told) = std::sync::mpsc::channel::<u32>();
    let (tell_end, end) = std::sync::mpsc::channel();
    world.server.before_receive(move || {
        send(Signal::TERM, told.recv().unwrap());
        // it must not get a response before it ends, or it could land first; the time is only a failsafe
        assert!(end.recv_timeout(Duration::from_secs(60)).is_ok(), "the signal did not end it");
    });
    let mut child =
        here.bump(&world.url(), "v1", &["--push"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    tell.send(child.id()).unwrap();
    let status = child.wait().unwrap();
    tell_end.send(()).unwrap();
    assert_eq!(status.code(), Some(143));
    here.is_clean();
}

/// The event's branch is that of a checkout, and there is none here.
#[test]
fn default_branch_is_used_in_actions_without_checkout() {
    let world = World::new();
    git(&world.bare, &["branch", "feature", "main"]);
    let here = Elsewhere::new(&world);
    let mut command = here.bump(&world.url(), "v1", &["--push"]);
    repo::actions(&mut command, "acme/gitops", &world.tip()).env("GITHUB_REF_NAME", "feature");
    let told = ended(&repo::run(&mut command), 0, "landed");
    assert_eq!(told["branch"], "main");
}
