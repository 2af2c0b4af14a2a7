//! `--pr` when GitHub fails or refuses: the result is one commit and one pull request, or a helpful message.

use std::process::Command;

use crate::support::cli::Run;
use crate::support::git::git;
use crate::support::git_server::{self, Service};
use crate::support::github::{Fault, On, TOKEN};
use crate::support::hub::{HEAD, Hub, Via, WAYS, each_way, token_forms};
use crate::support::repo::{API, FILE, actions, ended, failed, kustomization, run};

/// What a run starts with.
#[derive(Clone, Copy, Debug)]
enum Scene {
    /// No pull request.
    Nothing,
    /// A pull request for an older tag, and a base that has moved since.
    Older,
    /// A pull request whose tag is on the base by now.
    Done,
}

impl Scene {
    fn set(self, via: Via) -> Hub {
        let hub = Hub::new(via);
        match self {
            Scene::Nothing => return hub,
            Scene::Older => {
                hub.propose("v1", &["--label", "bump"]);
                hub.world.rival("README.md", "newer\n");
            }
            Scene::Done => {
                hub.propose("v2", &[]);
                hub.world.rival(FILE, &kustomization(&[API.into()]).replace("v0", "v2"));
            }
        }
        hub
    }

    /// Runs, and checks that the result is the same as without a fault.
    #[track_caller]
    fn plays(self, hub: &Hub) {
        let outcome = if matches!(self, Scene::Done) { "already" } else { "proposed" };
        let told = ended(&hub.run("v2", &["--label", "bump"]), 0, outcome);
        assert_eq!(hub.github.pulls().len(), 1, "{:#?}", hub.github.pulls());
        assert_eq!(told["pull_request"]["number"], 1);
        if matches!(self, Scene::Done) {
            assert!(!hub.github.pull(1).open);
            return;
        }
        let pull = hub.proposes(HEAD, "v2");
        assert_eq!(told["commit"], pull.head_sha.as_str());
        assert_eq!(pull.title, "chore: update api image to v2");
        assert!(pull.body.unwrap().ends_with("Tagbump-Image: ghcr.io/acme/api:v2"));
        assert_eq!(pull.labels, ["bump"]);
    }
}

/// The fault on each API request that a run makes, one run each. Requests that are the same in every
/// scene are tested in one of them.
fn on_each_request(fault: &Fault, scenes: &[Scene]) {
    for via in WAYS {
        let mut seen = Vec::new();
        for scene in scenes {
            let hub = scene.set(*via);
            let before = hub.github.calls().len();
            scene.plays(&hub);
            let calls = hub.github.calls().split_off(before);
            for (nth, call) in calls.iter().enumerate() {
                let on = call.operation.unwrap();
                if seen.contains(&on)
                    && ![On::UpdatePull, On::UpdateRefs, On::CreateCommitOnBranch].contains(&on)
                {
                    continue;
                }
                seen.push(on);
                eprintln!("{fault:?} on {on:?}, via {via:?}, {scene:?}");
                let hub = scene.set(*via);
                hub.github.fault_at(On::Any, nth + 1, fault.clone());
                scene.plays(&hub);
                assert_eq!(hub.github.faults_left(), [""; 0], "it came to that");
            }
        }
    }
}

const ALL: [Scene; 3] = [Scene::Nothing, Scene::Older, Scene::Done];

#[test]
fn pull_request_is_opened_once_when_gateway_fails() {
    on_each_request(&Fault::Status(502), &ALL);
}

#[test]
fn pull_request_is_opened_once_when_gateway_fails_after_the_work() {
    on_each_request(&Fault::AfterCommit(502), &ALL);
}

#[test]
fn pull_request_is_opened_once_when_answer_is_cut() {
    on_each_request(&Fault::Cut, &ALL);
}

#[test]
fn pull_request_is_opened_once_when_connection_ends_without_answer() {
    on_each_request(&Fault::Close, &ALL);
}

#[test]
fn run_waits_for_secondary_rate_limit() {
    on_each_request(&Fault::Secondary { retry_after: 1 }, &ALL[..1]);
}

#[test]
fn run_waits_for_primary_rate_limit() {
    on_each_request(&Fault::Primary { reset: 1 }, &ALL[..1]);
}

#[test]
fn pull_request_is_opened_once_when_proxy_answers_with_html() {
    for code in [500, 503, 504] {
        each_way(|hub| {
            hub.github.fault(On::Any, Fault::Status(code));
            hub.github.fault(On::CreatePull, Fault::Status(code));
            hub.github.fault(On::CreatePull, Fault::AfterCommit(code));
            Scene::Nothing.plays(&hub);
        });
    }
}

/// Such reads show only what existed before the run.
#[test]
fn pull_request_is_opened_once_when_reads_lag() {
    for scene in ALL {
        for via in WAYS {
            for reads in [1, 3] {
                eprintln!("{reads} reads, via {via:?}, {scene:?}");
                let hub = scene.set(*via);
                hub.github.fault(On::Any, Fault::LagReads(reads));
                scene.plays(&hub);
            }
        }
    }
}

#[test]
fn pull_request_is_found_when_list_lags() {
    each_way(|hub| {
        hub.github.fault(On::ListPulls, Fault::LagReads(2));
        hub.propose("v1", &["--label", "bump"]);
        Scene::Older.plays(&hub);
    });
    // created, the response lost, and not visible yet
    each_way(|hub| {
        hub.github.fault(On::CreatePull, Fault::AfterCommit(502));
        hub.github.fault(On::ListPulls, Fault::LagReads(3));
        Scene::Nothing.plays(&hub);
    });
}

#[test]
fn pull_request_is_opened_once_when_push_fails() {
    use git_server::{Fault, On};
    let status = || Fault::StatusAfter { code: 502, headers: Vec::new() };
    let cases = [
        (On::InfoRefs(Service::UploadPack), Fault::CloseBefore),
        (On::Post(Service::UploadPack), Fault::CutReply(100)),
        (On::InfoRefs(Service::ReceivePack), Fault::CloseBefore),
        (On::Post(Service::ReceivePack), Fault::CloseBefore),
        (On::Post(Service::ReceivePack), Fault::CloseAfter),
        (On::Post(Service::ReceivePack), Fault::CutReply(9)),
        (On::Post(Service::ReceivePack), status()),
    ];
    for scene in [Scene::Nothing, Scene::Older] {
        for (on, fault) in &cases {
            eprintln!("{fault:?} on {on:?}, {scene:?}");
            let hub = scene.set(Via::Git);
            hub.github.git.fault(*on, fault.clone());
            scene.plays(&hub);
        }
    }
}

/// Including errors that would make it wait for an hour.
#[test]
fn run_ends_when_rate_limit_outlasts_timeout() {
    for fault in [Fault::Secondary { retry_after: 3600 }, Fault::Primary { reset: 3600 }] {
        for on in [On::Any, On::CreatePull] {
            each_way(|hub| {
                hub.github.fault(on, fault.clone());
                let told = failed(&hub.run("v1", &["--timeout", "50m"]), 4);
                assert!(told.contains("rate limit") && told.contains("--timeout"), "{told}");
                assert!(hub.github.pulls().is_empty());
            });
        }
    }
}

#[test]
fn run_fails_without_token() {
    each_way(|hub| {
        let told = failed(&run(hub.command("v1", &[]).env_remove("GITHUB_TOKEN")), 5);
        assert!(told.contains("TAGBUMP_TOKEN"), "{told}");
        assert_eq!((hub.writes(), hub.branches().len()), (0, 1));
    });
}

#[test]
fn run_fails_when_token_is_wrong() {
    each_way(|hub| {
        let told = failed(&run(hub.command("v1", &[]).env("GITHUB_TOKEN", "ghs_wrong")), 5);
        assert!(told.contains("TAGBUMP_TOKEN") && told.contains("GITHUB_TOKEN"), "{told}");
        assert_eq!(hub.branches().len(), 1);
    });
}

/// Each with its solution; once that is applied, the next run does the rest.
#[test]
fn refusal_names_its_remedy() {
    let settings = "GitHub Actions is not permitted to create or approve pull requests.";
    let rights = "Resource not accessible by integration";
    for (on, fault, said, hint) in [
        (On::ListPulls, Fault::Status(401), "401", "TAGBUMP_TOKEN"),
        (On::CreatePull, Fault::Forbidden(settings), settings, "Settings, Actions, General"),
        (On::CreatePull, Fault::Forbidden(rights), rights, "pull-requests: write"),
        (On::ListPulls, Fault::Forbidden(rights), rights, "pull-requests: write"),
        (On::ListPulls, Fault::Status(404), "404", "repositories and permissions"),
        (On::CreatePull, Fault::Unprocessable("Base is locked"), "Base is locked", "setting"),
    ] {
        each_way(|hub| {
            hub.github.fault(on, fault.clone());
            let told = failed(&hub.run("v2", &["--label", "bump"]), 5);
            assert!(told.contains(said) && told.contains(hint), "{fault:?}: {told}");
            Scene::Nothing.plays(&hub);
        });
    }
}

#[test]
fn run_fails_when_remote_is_not_github() {
    each_way(|hub| {
        let folder = hub.checkout();
        for remote in [hub.world.bare.to_str().unwrap(), "../srv/acme/gitops.git"] {
            git(&folder, &["remote", "set-url", "origin", remote]);
            let told = failed(&run(&mut hub.command_in(&folder, &[&format!("{API}:v1")], &[])), 2);
            assert!(told.contains("GitHub") && told.contains("--remote"), "{told}");
        }
        assert_eq!(hub.branches().len(), 1);
    });
}

/// As a server of one's own answers, with and without a reason, and as api.github.com does.
#[test]
fn api_address_follows_remote_and_environment() {
    type Change = fn(&Hub, &mut Command);
    let said: Change = |_, _| {};
    let unsaid: Change = |_, command| {
        command.env_remove("GITHUB_API_URL").env_remove("GITHUB_GRAPHQL_URL");
    };
    let plain: Change = |hub, command| {
        let url = hub.github.url();
        command.env("GITHUB_API_URL", format!("{url}/")).env("GITHUB_GRAPHQL_URL", format!("{url}/graphql"));
    };
    // the token is for the server that runs the job, which isn't the remote's
    let others: Change = |_, command| {
        command.env("GITHUB_SERVER_URL", "https://github.com").env("TAGBUMP_TOKEN", TOKEN);
        command.env("GITHUB_API_URL", "https://api.github.com");
        command.env("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql");
    };
    for (change, prefix) in
        [(said, "/api/v3/"), (unsaid, "/api/v3/"), (plain, "/repos/"), (others, "/api/v3/")]
    {
        each_way(|hub| {
            let mut command = hub.command("v1", &[]);
            change(&hub, &mut command);
            ended(&run(&mut command), 0, "proposed");
            hub.proposes(HEAD, "v1");
            let rest = hub.github.calls_of(On::Rest);
            assert!(rest.len() == 3 && rest.iter().all(|call| call.path.starts_with(prefix)), "{rest:#?}");
        });
    }
}

/// In which forms the token appears in a run's streams, outputs or summary.
fn shown(hub: &Hub, how: &str, command: &mut Command) -> Option<String> {
    actions(command, "acme/gitops", &hub.tip("main")).env("GITHUB_SERVER_URL", hub.github.url());
    let files = ["outputs", "summary"].map(|name| hub.world.path().join(name));
    command.env("GITHUB_OUTPUT", &files[0]).env("GITHUB_STEP_SUMMARY", &files[1]).arg("-v");
    let ran: Run = run(command);
    let written = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    let all = ran.output() + &written.collect::<String>();
    assert!(all.contains("api") && ran.exit != 101, "{all}");
    token_forms().iter().any(|form| all.contains(form)).then(|| format!("{how}: {all}"))
}

/// Even if GitHub sends it back to us.
#[test]
fn token_is_not_shown_when_github_repeats_it() {
    leaks(&["GITHUB_TOKEN", "TAGBUMP_TOKEN"]);
}

/// Expects none, with the token given in each of these ways.
fn leaks(ways: &[&str]) {
    let echo: &'static str = Box::leak(format!("no, {}", token_forms().join(", ")).into_boxed_str());
    for via in WAYS {
        let mut leaks = Vec::new();
        for (nth, fault) in [
            None,
            Some(Fault::Forbidden(echo)),
            Some(Fault::Unprocessable(echo)),
            Some(Fault::AfterCommit(502)),
            Some(Fault::Secondary { retry_after: 3600 }),
        ]
        .into_iter()
        .enumerate()
        {
            for way in ways {
                let hub = Hub::new(*via);
                let mut command = hub.command("v1", &[]);
                command.env_remove("GITHUB_TOKEN");
                if *way == "url" {
                    let folder = command.get_current_dir().unwrap();
                    git(folder, &["remote", "set-url", "origin", &hub.github.git_url_with_token()]);
                } else {
                    command.env(way, TOKEN);
                }
                hub.github.git.fault(
                    git_server::On::InfoRefs(Service::UploadPack),
                    git_server::Fault::Status { code: 502, headers: Vec::new() },
                );
                for on in [On::GraphQl, On::CreatePull] {
                    fault.iter().for_each(|fault| hub.github.fault(on, fault.clone()));
                }
                leaks.extend(shown(&hub, &format!("{nth}, {way}"), &mut command));
            }
        }
        assert!(leaks.is_empty(), "via {via:?}, {} leaks:\n{}", leaks.len(), leaks.join("\n"));
    }
}

#[test]
fn refusal_of_commit_names_its_remedy() {
    for (fault, hint) in [
        (Fault::Status(401), "TAGBUMP_TOKEN"),
        (Fault::Forbidden("Resource not accessible by integration"), "contents: write"),
    ] {
        let hub = Hub::new(Via::Api);
        for on in [On::CreateCommitOnBranch, On::CreateCommitOnBranch] {
            // the text may mean a race, so tagbump asks twice
            hub.github.fault(on, fault.clone());
        }
        let told = failed(&hub.run("v1", &[]), 5);
        assert!(told.contains(hint), "{fault:?}: {told}");
        assert!(hub.github.pulls().is_empty());
    }
}

#[test]
fn token_in_url_is_not_shown() {
    leaks(&["url"]);
}

/// The response to creating the staging branch, or to the commit on it, is lost.
#[test]
fn no_branch_is_left_when_answers_are_lost() {
    for on in [On::UpdateRefs, On::CreateCommitOnBranch] {
        for fault in [Fault::AfterCommit(502), Fault::Cut] {
            let hub = Scene::Older.set(Via::Api);
            hub.github.fault(on, fault.clone());
            Scene::Older.plays(&hub);
            assert_eq!(hub.branches().len(), 2, "{fault:?} on {on:?}: {:?}", hub.branches());
        }
    }
}
