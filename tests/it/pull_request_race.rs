//! `--pr` from several runs at once: each bump is proposed, each branch has one pull request, and no commit is lost.

use crate::support::git::git;
use crate::support::git_server::{self, Service};
use crate::support::github::{Fault, On};
use crate::support::hub::{HEAD, Hub, Via, WAYS, each_way, somebody_commits};
use crate::support::repo::{self, API, FILE, ended, kustomization, run_together};

/// Starts all of them before waiting for any; each must end with a pull request.
#[track_caller]
fn together(hub: &Hub, images: &[String], more: &[&str]) {
    let commands = images.iter().map(|image| hub.command_in(&hub.checkout(), &[image], more));
    for run in run_together(commands.collect()) {
        let told = ended(&run, 0, "proposed");
        let number = told["pull_request"]["number"].as_u64().unwrap();
        assert_eq!(hub.github.pull(number).head, told["branch"], "{told}");
    }
    git(&hub.world.bare, &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn same_bump_opens_one_pull_request_when_run_at_once() {
    for jobs in [2, 8] {
        each_way(|hub| {
            together(&hub, &vec![format!("{API}:v1"); jobs], &["--label", "bump"]);
            assert_eq!(hub.proposes(HEAD, "v1").labels, ["bump"]);
            assert_eq!(hub.github.pulls().len(), 1);
        });
    }
}

#[test]
fn eight_images_get_eight_pull_requests_when_run_at_once() {
    let names: Vec<_> = (0..8).map(|n| format!("ghcr.io/acme/app-{n}")).collect();
    for via in WAYS {
        let hub = Hub::with(*via, &[(FILE, &kustomization(&names))]);
        let images: Vec<_> = names.iter().map(|name| format!("{name}:v1")).collect();
        together(&hub, &images, &[]);
        let mut heads: Vec<_> = hub.github.open_pulls().into_iter().map(|pull| pull.head).collect();
        heads.sort();
        assert_eq!(heads, (0..8).map(|n| format!("tagbump/main/app-{n}")).collect::<Vec<_>>());
        for (n, head) in heads.iter().enumerate() {
            assert_eq!(hub.ahead(head), [format!("chore: update app-{n} image to v1")]);
            assert_eq!(hub.file(head).matches("newTag: v1 # by CI").count(), 1);
        }
        assert_eq!(hub.branches().len(), 9);
    }
}

/// Two tags for one branch: one of them wins, and there is one commit.
#[test]
fn one_tag_stays_when_eight_go_to_one_branch() {
    each_way(|hub| {
        let images: Vec<_> = (0..8).map(|n| format!("{API}:v{n}.1")).collect();
        together(&hub, &images, &[]);
        assert_eq!((hub.ahead(HEAD).len(), hub.github.pulls().len()), (1, 1));
        assert_eq!(hub.file(HEAD).matches(".1 # by CI").count(), 1);
    });
}

/// Runs a test in which another push gets there first: before a push asks where the branch is, and before it
/// is made; with the API, before the first request that moves branches, and before the last one.
fn outrun(last: usize, test: impl Fn(Hub, &dyn Fn(&Hub, Hook))) {
    for via in WAYS {
        for late in [false, true] {
            eprintln!("via {via:?}, late: {late}");
            test(Hub::new(*via), &|hub, hook| match via {
                Via::Git if late => hub.github.git.before_receive(hook),
                Via::Git => hub.github.git.before(git_server::On::InfoRefs(Service::ReceivePack), hook),
                Via::Api => {
                    let pass = if late { last - 1 } else { 0 };
                    (0..pass).for_each(|_| hub.github.before(On::UpdateRefs, || {}));
                    hub.github.before(On::UpdateRefs, hook);
                }
            });
        }
    }
}

type Hook = Box<dyn FnOnce() + Send>;

#[test]
fn commit_is_kept_when_pushed_before_our_push() {
    outrun(2, |hub, before| {
        hub.propose("v1", &[]);
        let bare = hub.world.bare.clone();
        before(&hub, Box::new(move || drop(somebody_commits(&bare, HEAD, "theirs.txt"))));
        let told = hub.propose("v2", &[]);
        assert_eq!(
            hub.ahead(HEAD),
            ["chore: update api image to v2", "change theirs.txt", "chore: update api image to v1"]
        );
        assert_eq!((told["commit"].as_str().unwrap(), hub.pull().number), (hub.tip(HEAD).as_str(), 1));
    });
}

#[test]
fn branch_is_kept_when_created_before_our_push() {
    outrun(1, |hub, before| {
        let bare = hub.world.bare.clone();
        before(&hub, Box::new(move || drop(somebody_commits(&bare, HEAD, "theirs.txt"))));
        hub.propose("v1", &[]);
        assert_eq!(hub.ahead(HEAD), ["chore: update api image to v1", "change theirs.txt"]);
        hub.pull();
    });
}

#[test]
fn branch_is_created_again_when_removed_before_our_push() {
    outrun(2, |hub, before| {
        hub.propose("v1", &[]);
        let bare = hub.world.bare.clone();
        let gone = move || drop(git(&bare, &["update-ref", "-d", &format!("refs/heads/{HEAD}")]));
        before(&hub, Box::new(gone));
        hub.propose("v2", &[]);
        hub.proposes(HEAD, "v2");
    });
}

/// Another job runs completely between our listing of pull requests and our creating one.
#[test]
fn run_uses_pull_request_that_another_job_opened_first() {
    each_way(|hub| {
        let mut other = hub.command("v1", &[]);
        hub.github.before(On::CreatePull, move || drop(ended(&repo::run(&mut other), 0, "proposed")));
        assert_eq!(hub.propose("v1", &[])["pull_request"]["number"], 1);
        hub.proposes(HEAD, "v1");
        assert_eq!(hub.github.count(On::CreatePull), 2);
        assert_eq!(hub.github.count(On::UpdatePull), 0, "it says the same");
    });
}

/// Its commit replaced ours, so its text is used too.
#[test]
fn run_updates_pull_request_that_another_job_opened_first() {
    each_way(|hub| {
        let mut other = hub.command("v2", &[]);
        hub.github.before(On::CreatePull, move || drop(ended(&repo::run(&mut other), 0, "proposed")));
        hub.propose("v1", &[]);
        assert_eq!(hub.proposes(HEAD, "v2").title, "chore: update api image to v2");
    });
}

#[test]
fn pull_request_is_opened_when_base_moves() {
    each_way(|hub| {
        let bare = hub.world.bare.clone();
        hub.github.before(On::CreatePull, move || {
            drop(repo::rival(&bare, "README.md", "newer\n"));
        });
        hub.propose("v1", &[]);
        assert_eq!((hub.ahead(HEAD).len(), hub.pull().number), (1, 1));
        hub.propose("v1", &[]);
        assert_eq!(hub.proposes(HEAD, "v1").number, 1);
    });
}

#[test]
fn commit_by_api_retries_when_head_is_stale() {
    let hub = Hub::new(Via::Api);
    hub.github.fault(On::CreateCommitOnBranch, Fault::StaleHead);
    hub.propose("v1", &[]);
    assert_eq!(hub.ahead(HEAD), ["chore: update api image to v1", "Be faster"]);
    hub.pull();
}
