//! A server that declines a push in the recorded words of GitHub, GitLab, Gitea, Bitbucket and Azure: the hint names the way out.
#![cfg(unix)]

use crate::support::git::git;
use crate::support::git_server::{Reply, Request, Response};
use crate::support::repo::{API, FILE, World, failed, kustomization, push, run};

/// What a real server's pre-receive hook prints, as GitHub, GitLab, Gitea and Bitbucket print it, and the words of the hint.
const RECORDED: [(&str, &str, &[&str]); 9] = [
    (
        "GitHub, protected branch",
        "error: GH006: Protected branch update failed for refs/heads/main.\nerror: Changes must be made through a pull request.",
        &["--pr", "--branch"],
    ),
    (
        "GitHub, signatures",
        "error: GH013: Repository rule violations found for refs/heads/main.\nReview all repository rules at https://github.com/acme/gitops/rules?ref=refs%2Fheads%2Fmain\n\n- Commits must have verified signatures.\n  Found 1 violation:\n\n  0123456789abcdef0123456789abcdef01234567\n",
        &["--via api", "--sign"],
    ),
    (
        "GitHub, both",
        "error: GH013: Repository rule violations found for refs/heads/main.\n\n- Commits must have verified signatures.\n\n- Changes must be made through a pull request.",
        &["--via api", "--sign", "--pr"],
    ),
    (
        "GitLab, protected branch",
        "GitLab: You are not allowed to push code to protected branches on this project.",
        &["--pr", "--branch"],
    ),
    ("GitLab, signatures", "GitLab: Commit must be signed with a GPG key", &["--sign"]),
    ("Gitea, protected branch", "Gitea: Not allowed to push to protected branch main", &["--pr", "--branch"]),
    (
        "Gitea, signatures",
        "Gitea: branch main is protected from unverified commit 0123456789abcdef0123456789abcdef01234567",
        &["--sign"],
    ),
    ("Bitbucket Cloud", "Permission denied to update branch main.", &["--pr", "--branch"]),
    (
        "Bitbucket Data Center",
        "----------------------------------------------------\nBranch refs/heads/main can only be modified through pull requests.\nCheck your branch permissions configuration with the project administrator.\n----------------------------------------------------",
        &["--pr", "--branch"],
    ),
];

#[test]
fn hint_names_the_way_past_the_rule_of_each_host() {
    for (host, words, ways) in RECORDED {
        let world = World::new();
        world.hook("pre-receive", &format!("cat >&2 <<'END'\n{words}\nEND\nexit 1"));
        let failure = run(&mut push(&world.shallow("w"), "v1", &[]));
        failed(&failure, 5);
        let report: serde_json::Value = serde_json::from_str(&failure.stdout).unwrap();
        let (message, hint) = (&report["error"]["message"], report["error"]["hint"].as_str().unwrap());
        let first = words.lines().find(|line| line.contains(' ')).unwrap();
        assert!(message.as_str().unwrap().contains(first), "{host}: {message}");
        for way in ways {
            assert!(hint.contains(way), "{host}: {hint}");
        }
        assert!(!hint.contains("a hook on the server"), "{host}: {hint}");
        assert_eq!(world.commits(), 2, "{host}");
    }
}

/// Azure Repos has no hook: the refusal is the status of the branch. git's proc-receive hook can give any status.
#[test]
fn hint_names_the_way_past_the_policy_of_azure() {
    const POLICY: &str = "TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.";
    const PERMISSION: &str = "TF401027: You need the Git 'GenericContribute' permission to perform this action. \
         Details: identity 'Build\\\\0b1c', scope 'repository'.";
    for (status, way) in [(POLICY, "--pr"), (PERMISSION, "contribute")] {
        let world = World::new();
        git(&world.bare, &["config", "receive.procReceiveRefs", "refs/heads"]);
        let report = format!("ng refs/heads/main {}", status.replace("\\\\", "\\"));
        let line = format!("{:04x}{}", report.len() + 4, report.replace('\\', "\\\\").replace('\'', "'\\''"));
        // the packets that the hook answers with: its version, an end, the report, an end (gitprotocol-pack, githooks)
        let script = format!(
            "printf '000eversion=1\\0'; printf '0000'; printf '%b' '{line}'; printf '0000'; cat >/dev/null"
        );
        world.hook("proc-receive", &script);
        let failure = failed(&run(&mut push(&world.shallow("w"), "v1", &[])), 5);
        assert!(failure.contains(&status[..8]) && failure.contains(way), "{failure}");
        assert_eq!(world.commits(), 2);
    }
}

/// Reads are fine; a push gets 403 with these words.
fn forbids_pushes(words: &'static str) -> World {
    let refuse = move |request: &Request| {
        let is_push = request.query == "service=git-receive-pack";
        let headers = vec![("Content-Type".to_owned(), "text/plain".to_owned())];
        let response = Response { status: 403, headers, body: words.as_bytes().to_vec() };
        is_push.then_some(Reply::Whole(response))
    };
    World::with(|server| server.api(Box::new(refuse)), &[(FILE, &kustomization(&[API.into()]))])
}

/// GitLab answers 403 with these words (`lib/gitlab/git_access.rb`).
#[test]
fn forbidden_push_gets_the_hint_of_its_host() {
    for (words, way, not) in [
        ("You are not allowed to push code to this project.", "CI_JOB_TOKEN", "in Actions"),
        (
            "TF401027: You need the Git 'GenericContribute' permission to perform this action.",
            "Contribute",
            "in Actions",
        ),
        ("Permission to acme/gitops.git denied to bot.", "permissions: contents: write", "CI_JOB_TOKEN"),
        ("Write access to repository not granted.", "permissions: contents: write", "CI_JOB_TOKEN"),
    ] {
        let world = forbids_pushes(words);
        let failure = failed(&run(&mut push(&world.shallow("w"), "v1", &[])), 5);
        assert!(failure.contains(words) && failure.contains(way) && !failure.contains(not), "{failure}");
    }
}
