//! `tagbump wait`: until statuses or a page say that a change is live. The clock doesn't wait; what happens in the meantime happens when it
//! would sleep.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::docs;
use crate::support::apart::Hosted;
use crate::support::cli;
use crate::support::git::git;
use crate::support::git_server::{GitServer, Reply, Request, Response};
use crate::support::github::{Fault, On, TOKEN};
use crate::support::mono::Mono;
use crate::support::repo::{self, API, FILE, ended, kustomization, run, write};
use crate::support::waiting::{Steps, Waited, wait};

/// A bump that landed, in a repository on GitHub.
struct Landed {
    hosted: Hosted,
    commit: String,
    folder: PathBuf,
}

impl Landed {
    fn new() -> Self {
        let hosted = Hosted::new(2);
        let told = ended(&run(&mut hosted.job(0, &["--push"])), 0, "landed");
        let commit = told["commit"].as_str().unwrap().to_owned();
        let folder = hosted.mono.world.full("waits");
        git(&folder, &["remote", "set-url", "origin", &hosted.github.git_url()]);
        Landed { hosted, commit, folder }
    }

    fn tag(&self) -> &str {
        &self.hosted.mono.builds[0][..7]
    }

    fn wait_in(&self, arguments: &[&str], variables: &[(&str, &str)], clock: &Steps<'_>) -> Waited {
        let variables = [&[("TAGBUMP_TOKEN", TOKEN)], variables].concat();
        wait(&self.folder, &[&[API, "--forge", "github"], arguments].concat(), &variables, clock)
    }

    fn wait(&self, arguments: &[&str], clock: &Steps<'_>) -> Waited {
        self.wait_in(arguments, &[], clock)
    }

    fn posts(&self, context: &str, state: &str) {
        self.hosted.github.post_status(&self.commit, context, state);
    }
}

#[test]
fn live_at_once_if_the_status_is_there() {
    let landed = Landed::new();
    landed.posts("kustomization/flux-system/1a2b", "success");
    landed.posts("ci", "failure");
    let clock = Steps::none();
    let waited = landed.wait(&["--status", "kustomization/*"], &clock);
    waited.ends(0, "live");
    assert_eq!(waited.json["wait"]["commit"], landed.commit);
    let status = serde_json::json!({"name": "kustomization/flux-system/1a2b", "state": "success", "commit": landed.commit});
    assert_eq!(waited.json["wait"]["statuses"], serde_json::json!([status]));
    assert_eq!(
        (&waited.json["images"][0]["tag"], &waited.json["commit"]),
        (&landed.tag().into(), &landed.commit.as_str().into())
    );
    assert!(clock.sleeps().is_empty());
}

#[test]
fn waits_until_the_status_succeeds() {
    let landed = Landed::new();
    let clock = Steps::none()
        .then_nothing(4)
        .then(|| landed.posts("flux", "pending"))
        .then_nothing(1)
        .then(|| landed.posts("flux", "success"));
    let waited = landed.wait(&["--status", "flux"], &clock);
    waited.ends(0, "live");
    // slower and slower while nothing happens, up to half a minute
    assert_eq!(clock.sleeps(), [10, 15, 22, 30, 30, 10, 15]);
    assert_eq!(waited.json["wait"]["seconds"], 132);
    assert_eq!(waited.lines[0], "no status matches flux");
    assert!(waited.lines.contains(&"statuses: 1 pending".to_owned()), "{:?}", waited.lines);
}

#[test]
fn failure_that_a_controller_repairs_does_not_count() {
    let landed = Landed::new();
    let clock =
        Steps::none().then(|| landed.posts("flux", "failure")).then(|| landed.posts("flux", "success"));
    landed.wait(&["--status", "flux"], &clock).ends(0, "live");
}

#[test]
fn failure_that_stands_is_exit_7() {
    let landed = Landed::new();
    landed.posts("flux", "failure");
    landed.posts("other", "failure");
    let clock = Steps::none();
    let waited = landed.wait(&["--status", "flux"], &clock);
    waited.ends(7, "failed");
    let passed: u64 = clock.sleeps().iter().sum();
    assert!((30..60).contains(&passed), "{passed}");
    assert!(waited.error().contains("because these failed: flux\n"), "{}", waited.error());
    assert_eq!(waited.json["wait"]["statuses"][0]["state"], "failure");
}

#[test]
fn status_that_never_comes_is_exit_7() {
    let landed = Landed::new();
    landed.posts("other", "success");
    let clock = Steps::none();
    let waited = landed.wait(&["--status", "flux", "--wait-timeout", "5m"], &clock);
    waited.ends(7, "failed");
    assert_eq!(clock.sleeps().iter().sum::<u64>(), 300);
    assert!(waited.error().contains("is not live after 300 s: no status matches flux"), "{}", waited.error());
}

/// The job that waits is itself a check of the commit.
#[test]
fn own_check_run_does_not_count() {
    let landed = Landed::new();
    let server = landed.hosted.github.url();
    let own = format!("{server}/acme/gitops/actions/runs/77/job/1");
    landed.hosted.github.post_check(&landed.commit, "deploy", None, Some(&own));
    landed.hosted.github.post_check(&landed.commit, "smoke", Some("success"), Some("https://ci.example/1"));
    let run = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", &*server),
        ("GITHUB_REPOSITORY", "acme/gitops"),
        ("GITHUB_REF_NAME", "main"),
        ("GITHUB_REF_TYPE", "branch"),
        ("GITHUB_RUN_ID", "77"),
    ];
    landed.wait_in(&["--status", "*"], &run, &Steps::none()).ends(0, "live");
    let other = [&run[..5], &[("GITHUB_RUN_ID", "78")]].concat();
    landed.wait_in(&["--status", "*", "--wait-timeout", "60s"], &other, &Steps::none()).ends(7, "failed");
}

#[test]
fn status_on_the_second_page_counts() {
    let landed = Landed::new();
    for nth in 0..120 {
        landed.posts(&format!("job-{nth}"), "success");
    }
    landed.posts("flux", "success");
    landed.wait(&["--status", "flux"], &Steps::none()).ends(0, "live");
}

/// Controllers skip commits.
#[test]
fn success_of_a_later_commit_counts_as_long_as_it_has_the_tag() {
    let landed = Landed::new();
    let world = &landed.hosted.mono.world;
    let later = world.rival("README.md", "one\n");
    landed.hosted.github.post_status(&later, "flux", "success");
    world.rival("README.md", "two\n");
    let waited = landed.wait(&["--status", "flux"], &Steps::none());
    waited.ends(0, "live");
    assert_eq!(waited.json["wait"]["statuses"][0]["commit"], later);
    assert_eq!(waited.json["wait"]["commit"], landed.commit);
}

#[test]
fn only_the_next_twenty_commits_count() {
    let landed = Landed::new();
    let commits: Vec<String> =
        (0..21).map(|nth| landed.hosted.mono.world.rival("README.md", &format!("{nth}\n"))).collect();
    let github = &landed.hosted.github;
    github.post_status(&commits[20], "flux", "success");
    landed.wait(&["--status", "flux", "--wait-timeout", "20s"], &Steps::none()).ends(7, "failed");
    github.post_status(&commits[19], "flux", "success");
    landed.wait(&["--status", "flux"], &Steps::none()).ends(0, "live");
}

#[test]
fn another_tag_on_the_branch_is_superseded() {
    let landed = Landed::new();
    let mut newer = landed.hosted.job(1, &["--push"]);
    let clock = Steps::none().then_nothing(1).then(|| {
        ended(&run(&mut newer), 0, "landed");
        landed.posts("flux", "success");
    });
    let waited = landed.wait(&["--status", "flux"], &clock);
    waited.ends(0, "superseded");
    let notices = waited.json["notices"].to_string();
    assert!(
        notices.contains(&format!(
            "the tags on main have changed since: {}",
            &landed.hosted.mono.builds[1][..7]
        )),
        "{notices}"
    );
    // by its name, it is still the older commit that is waited for
    landed.wait(&["--status", "flux", "--rev", &landed.commit], &Steps::none()).ends(0, "superseded");
}

#[test]
fn rewritten_branch_is_exit_7() {
    let landed = Landed::new();
    let bare = &landed.hosted.mono.world.bare;
    let clock = Steps::none().then(|| {
        git(bare, &["update-ref", "refs/heads/main", &format!("{}^", landed.commit)]);
    });
    let waited = landed.wait(&["--status", "flux"], &clock);
    waited.ends(7, "failed");
    assert!(waited.error().contains("main has no commit"), "{}", waited.error());
    landed.wait(&["--status", "flux", "--rev", &landed.commit[..12]], &Steps::none()).ends(7, "failed");
}

#[test]
fn refusal_is_exit_5_at_once() {
    let landed = Landed::new();
    for (on, code) in [(On::CombinedStatus, 403), (On::CheckRuns, 403)] {
        landed.hosted.github.fault(on, Fault::Forbidden("Resource not accessible by integration"));
        let clock = Steps::none();
        let waited = landed.wait(&["--status", "flux"], &clock);
        waited.ends(5, "failed");
        assert!(waited.error().contains(&format!("answered {code}")), "{}", waited.error());
        assert!(waited.error().contains("statuses: read and checks: read"), "{}", waited.error());
        assert!(clock.sleeps().is_empty());
    }
}

#[test]
fn remote_without_a_forge_is_exit_2() {
    let landed = Landed::new();
    git(&landed.folder, &["remote", "set-url", "origin", landed.hosted.mono.world.bare.to_str().unwrap()]);
    let waited = wait(&landed.folder, &[API, "--status", "flux"], &[], &Steps::none());
    waited.ends(2, "failed");
    assert!(waited.error().contains("statuses need a remote on"), "{}", waited.error());
}

/// The repository can be read by everyone, its statuses can't.
#[test]
fn missing_token_is_exit_5() {
    let world = repo::World::with(|server| server, &[(FILE, &kustomization(&[API.into()]))]);
    let folder = world.clone_of(&world.server.url(repo::REPO), "w", &[]);
    let waited = wait(&folder, &[API, "--status", "flux", "--forge", "gitea"], &[], &Steps::none());
    waited.ends(5, "failed");
    assert!(waited.error().contains("no token to read statuses from Gitea"), "{}", waited.error());
    assert!(waited.error().contains("read:repository"), "{}", waited.error());
}

#[test]
fn server_error_is_only_a_reason_to_look_again() {
    let landed = Landed::new();
    landed.posts("flux", "success");
    landed.hosted.github.fault(On::CombinedStatus, Fault::Status(502));
    let clock = Steps::none();
    let waited = landed.wait(&["--status", "flux"], &clock);
    waited.ends(0, "live");
    assert_eq!(clock.sleeps(), [10]);
    assert!(waited.lines[0].contains("502"), "{:?}", waited.lines);
}

/// A rollback step runs for exit 7 alone: an outage of the forge must not start it.
#[test]
fn statuses_that_can_not_be_read_at_the_end_are_exit_4() {
    for status in [500, 502, 429] {
        let landed = Landed::new();
        for _ in 0..40 {
            landed.hosted.github.fault(On::CombinedStatus, Fault::Status(status));
        }
        let waited = landed.wait(&["--status", "flux", "--wait-timeout", "2m"], &Steps::none());
        waited.ends(4, "failed");
        let said =
            format!("can't tell whether {} is live: the statuses couldn't be read: ", &landed.commit[..10]);
        assert!(waited.error().contains(&said), "{}", waited.error());
    }
}

/// The looks before it say that the change isn't live.
#[test]
fn last_look_that_sees_nothing_is_still_exit_7() {
    for status in [503, 404] {
        let landed = Landed::new();
        landed.posts("flux", "pending");
        let fault = || landed.hosted.github.fault(On::CombinedStatus, Fault::Status(status));
        let waited = landed
            .wait(&["--status", "flux", "--wait-timeout", "25s"], &Steps::none().then_nothing(1).then(fault));
        waited.ends(7, "failed");
        let said = "is not live after 25 s: statuses: 1 pending; in the end, the statuses couldn't be read: ";
        assert!(waited.error().contains(said), "{}", waited.error());
    }
}

#[test]
fn outage_that_lasts_for_several_looks_is_exit_4() {
    let landed = Landed::new();
    landed.posts("flux", "pending");
    let fault = || (0..40).for_each(|_| landed.hosted.github.fault(On::CombinedStatus, Fault::Status(503)));
    let waited = landed.wait(&["--status", "flux", "--wait-timeout", "2m"], &Steps::none().then(fault));
    waited.ends(4, "failed");
    assert!(waited.error().contains("can't tell whether"), "{}", waited.error());
}

/// A page that answers as it is set.
struct Service {
    server: GitServer,
    text: Arc<Mutex<(u16, String)>>,
    _folder: tempfile::TempDir,
}

impl Service {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = Arc::new(Mutex::new((200, String::new())));
        let shown = text.clone();
        let api = move |request: &Request| {
            assert_eq!(request.header("authorization"), None);
            let (status, text) = shown.lock().unwrap().clone();
            let headers = match status {
                301..=308 => vec![("Location".to_owned(), text.clone())],
                _ => Vec::new(),
            };
            let body = if request.path == "/moved" { "v9 is live" } else { &text };
            let status = if request.path == "/moved" { 200 } else { status };
            Some(Reply::Whole(Response { status, headers, body: body.as_bytes().to_vec() }))
        };
        Service {
            server: GitServer::builder(folder.path()).api(Box::new(api)).start(),
            text,
            _folder: folder,
        }
    }

    fn url(&self) -> String {
        self.server.url("version?key=s3cret")
    }

    fn answers(&self, status: u16, text: &str) {
        *self.text.lock().unwrap() = (status, text.to_owned());
    }
}

#[test]
fn page_must_show_the_tag_three_times_in_a_row() {
    let landed = Landed::new();
    let service = Service::new();
    let tag = landed.tag().to_owned();
    service.answers(200, &format!("{{\"version\": \"{tag}\"}}"));
    let clock = Steps::none()
        .then(|| service.answers(200, &format!("{tag}0")))
        .then(|| service.answers(200, &format!("api:{tag}@sha256:1")))
        .then_nothing(2);
    let waited = landed.wait(&["--url", &service.url()], &clock);
    waited.ends(0, "live");
    assert_eq!(clock.sleeps().len(), 4);
    assert!(waited.lines.iter().all(|line| !line.contains("s3cret")), "{:?}", waited.lines);
    assert_eq!(landed.hosted.github.count(On::Rest), 0, "a page needs no forge");
}

#[test]
fn page_may_show_the_source_commit_or_another_text() {
    let landed = Landed::new();
    let service = Service::new();
    service.answers(200, &format!("commit={}\n", landed.hosted.mono.builds[0]));
    landed.wait(&["--url", &service.url()], &Steps::none()).ends(0, "live");
    service.answers(200, "all is well");
    landed.wait(&["--url", &service.url(), "--contains", "is well"], &Steps::none()).ends(0, "live");
    let clock = Steps::none();
    let waited = landed.wait(&["--url", &service.url(), "--wait-timeout", "45s"], &clock);
    waited.ends(7, "failed");
    assert!(waited.error().contains("doesn't show the change yet"), "{}", waited.error());
    assert!(!waited.error().contains("s3cret") && !waited.error().contains("well"), "{}", waited.error());
}

#[test]
fn page_that_fails_or_leads_elsewhere_shows_nothing() {
    let landed = Landed::new();
    let service = Service::new();
    let (url, elsewhere) = (service.url(), Service::new());
    elsewhere.answers(200, landed.tag());
    let other_host = elsewhere.url().replace("127.0.0.1", "localhost");
    for (status, text, why) in [
        (503, landed.tag(), "answered 503"),
        (204, landed.tag(), "answered 204"),
        (302, &*other_host, "which tagbump doesn't follow"),
    ] {
        service.answers(status, text);
        let waited = landed.wait(&["--url", &url, "--wait-timeout", "45s"], &Steps::none());
        waited.ends(7, "failed");
        assert!(waited.error().contains(why), "{}", waited.error());
        assert!(!waited.error().contains("s3cret"), "{}", waited.error());
    }
    service.answers(302, "/moved");
    landed.wait(&["--url", &url, "--contains", "v9 is live"], &Steps::none()).ends(0, "live");
    service.answers(302, "/version");
    let waited = landed.wait(&["--url", &url, "--wait-timeout", "45s"], &Steps::none());
    assert!(waited.error().contains("redirected more than 5 times"), "{}", waited.error());
}

#[test]
fn statuses_and_pages_must_both_say_so() {
    let landed = Landed::new();
    let service = Service::new();
    service.answers(200, landed.tag());
    let clock = Steps::none().then_nothing(4).then(|| landed.posts("flux", "success"));
    landed.wait(&["--url", &service.url(), "--status", "flux"], &clock).ends(0, "live");
    assert_eq!(clock.sleeps().len(), 5);
}

/// Someone bumps production while staging is waited for.
#[test]
fn only_what_the_commit_changed_is_waited_for() {
    let mono = Mono::new(1);
    let work = mono.sources();
    let prod = "envs/prod/kustomization.yaml";
    write(&work, prod, &kustomization(&[API.into()]));
    git(&work, &["add", "."]);
    git(&work, &["commit", "--quiet", "--message", "prod"]);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    let bump = |tag: &str, file: &str| {
        let folder = mono.world.full(&format!("b-{}", fastrand::u32(..)));
        let told =
            ended(&run(&mut repo::push(&folder, tag, &["-f", file, "--if-older", "write"])), 0, "landed");
        told["commit"].as_str().unwrap().to_owned()
    };
    let staging = bump("v1", FILE);
    let service = Service::new();
    service.answers(200, "v1");
    let folder = mono.world.full("waits");
    let wait_for = |more: &[&str]| {
        let clock = Steps::none();
        let url = service.url();
        let arguments = [&[API, "--url", &url, "--wait-timeout", "60s"], more].concat();
        wait(&folder, &arguments, &[], &clock)
    };
    bump("v7", prod);
    wait_for(&["--rev", &staging]).ends(0, "live");
    // the newest commit is that of production
    wait_for(&[]).ends(7, "failed");
    wait_for(&["-f", FILE]).ends(0, "live");
    let environments =
        "environments:\n  staging: { files: [\"k8s/**\"] }\n  prod: { files: [\"envs/prod/**\"] }\n";
    mono.world.rival("tagbump.yaml", environments);
    wait_for(&["--env", "staging"]).ends(0, "live");
    wait_for(&["--env", "prod"]).ends(7, "failed");
    wait_for(&["--env", "dev"]).ends(2, "failed");
    bump("v2", FILE);
    wait_for(&["--rev", &staging]).ends(0, "superseded");
}

/// One page can show the tag of one image only.
#[test]
fn page_alone_for_several_images_is_a_warning() {
    let mono = Mono::new(1);
    mono.world.rival("web.yaml", "kind: Pod\napiVersion: v1\nspec: {containers: [{image: 'acme/web:v0'}]}\n");
    let folder = mono.world.full("b");
    let mut command = cli::command(&folder);
    command.args(["bump", &format!("{API}:v1"), "acme/web:v2", "--push", "--format", "json"]);
    ended(&run(&mut command), 0, "landed");
    let service = Service::new();
    service.answers(200, "v1");
    let url = service.url();
    let warns = |arguments: &[&str]| {
        let waited = wait(&folder, arguments, &[], &Steps::none());
        waited.ends(0, "live");
        waited.json["warnings"].to_string().contains("wait for each image by itself")
    };
    assert!(warns(&[API, "acme/web", "--url", &url]));
    assert!(!warns(&[API, "--url", &url]));
    assert!(!warns(&[API, "acme/web", "--url", &url, "--contains", "v1"]));
}

#[test]
fn commit_names_its_images_itself() {
    let landed = Landed::new();
    landed.posts("flux", "success");
    let arguments = ["--forge", "github", "--status", "flux", "--rev", &landed.commit];
    let waited = wait(&landed.folder, &arguments, &[("TAGBUMP_TOKEN", TOKEN)], &Steps::none());
    waited.ends(0, "live");
    assert_eq!(waited.json["images"][0]["name"], API);
    let waited = wait(&landed.folder, &arguments[..4], &[("TAGBUMP_TOKEN", TOKEN)], &Steps::none());
    waited.ends(2, "failed");
}

/// The steps of the guide: the bump lands, the wait ends as it should, and the rollback goes back.
#[test]
fn steps_of_the_guide_run() {
    let landed = Landed::new();
    ended(&run(&mut landed.hosted.job(1, &["--push"])), 0, "landed");
    let page = docs::page("wait.md");
    let steps = docs::steps(&page);
    let commands: Vec<&str> = steps.iter().map(|step| input(step, "command").unwrap_or("bump")).collect();
    assert_eq!(commands, ["bump", "wait", "wait", "rollback"]);
    let tip = landed.hosted.mono.world.tip();
    for step in &steps[1..3] {
        let mut arguments = vec!["--forge", "github", input(step, "image").unwrap()];
        arguments.extend(["--status", input(step, "status").unwrap()]);
        if input(step, "rev").is_some() {
            arguments.extend(["--rev", &tip]);
        }
        let names: Vec<&str> = step.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.iter().all(|name| ["command", "image", "rev", "status"].contains(name)), "{names:?}");
        landed.hosted.github.post_status(&tip, "kustomization/apps", "failure");
        let variables = [("TAGBUMP_TOKEN", TOKEN)];
        wait(&landed.folder, &arguments, &variables, &Steps::none()).ends(7, "failed");
        landed.hosted.github.post_status(&tip, "kustomization/apps", "success");
        wait(&landed.folder, &arguments, &variables, &Steps::none()).ends(0, "live");
    }
    assert_eq!(input(&steps[3], "image"), Some(API));
    ended(&run(&mut landed.hosted.rollback(&["--push"])), 0, "landed");
}

fn input<'a>(step: &'a docs::Inputs, wanted: &str) -> Option<&'a str> {
    step.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
}

/// The program itself, with the machine's clock.
#[test]
fn program_reports_in_json_text_and_the_summary() {
    let landed = Landed::new();
    landed.posts("flux | prod", "success");
    let summary = landed.hosted.mono.world.path().join("summary");
    let command = |more: &[&str]| {
        let mut command = crate::support::cli::command(&landed.folder);
        command.args(["wait", API, "--forge", "github", "--status", "flux*"]).args(more);
        command.env("TAGBUMP_TOKEN", TOKEN);
        command
    };
    let told = ended(&run(&mut command(&["--format", "json"])), 0, "live");
    assert_eq!(told["wait"]["commit"], landed.commit);
    let text = run(&mut command(&[]));
    assert_eq!((text.exit, text.stdout.as_str()), (0, &*format!("live  {API}:{}\n", landed.tag())));
    let mut job = command(&[]);
    repo::actions(&mut job, "acme/gitops", &landed.commit);
    landed.hosted.github.env(&mut job);
    assert_eq!(run(job.env("GITHUB_STEP_SUMMARY", &summary)).exit, 0);
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.starts_with("### tagbump: live "), "{summary}");
    assert!(summary.contains("\n| `flux \\| prod` | success |\n"), "{summary}");
}

#[test]
fn wrong_usage_is_exit_2() {
    let landed = Landed::new();
    for arguments in [
        &["wait", API][..],
        &["wait", API, "--contains", "x", "--status", "y"],
        &["wait", API, "--status", "["],
        &["wait", API, "--url", "ftp://h/"],
        &["wait", API, "--url", "https://ann:s3cret@h/"],
        &["wait", &format!("{API}:v1"), "--status", "y"],
        &["wait", API, "--rev", "main", "--status", "y"],
        &["wait", API, "--status", "y", "--wait-timeout", "long"],
    ] {
        let run = crate::support::cli::tagbump(&landed.folder, arguments);
        assert_eq!(run.exit, 2, "{arguments:?}: {}", run.output());
        assert!(!run.output().contains("s3cret"), "{}", run.output());
    }
}
