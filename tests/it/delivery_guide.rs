//! docs/delivery.md: the steps of its three workflows take a build to production and back. The workflows on the pages about promotion
//! and holds run here too.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::docs::{self, Inputs};
use crate::support::apart::Hosted;
use crate::support::cli::{self, Run};
use crate::support::git::git;
use crate::support::github::{Fault, On, TOKEN};
use crate::support::mono::tag_in;
use crate::support::repo::{self, API, ended, kustomization};
use crate::support::waiting::{Steps, Waited, wait};

const STAGING: &str = "envs/staging/kustomization.yaml";
const PROD: &str = "envs/prod/kustomization.yaml";
const HOUR: i64 = 3600;

/// The repository of the guide: its `tagbump.yaml`, both environments at v0, and two commits to build.
struct Guide {
    hosted: Hosted,
    page: String,
}

impl Guide {
    fn new() -> Self {
        let (hosted, page) = (Hosted::new(2), docs::page("delivery.md"));
        let config = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
        let v0 = kustomization(&[API.into()]);
        for (path, text) in [("tagbump.yaml", config), (STAGING, &v0), (PROD, &v0)] {
            hosted.mono.world.rival(path, text);
        }
        Guide { hosted, page }
    }

    fn tag(&self, nth: usize) -> &str {
        &self.hosted.mono.builds[nth][..7]
    }

    fn tags(&self) -> [String; 2] {
        [STAGING, PROD].map(|path| tag_in(&self.hosted.mono.world.file(path)))
    }

    fn job(&self, sha: &str, hours: i64) -> Command {
        let folder = self.hosted.mono.checkout(&format!("g-{}", fastrand::u32(..)), sha);
        git(&folder, &["remote", "set-url", "origin", &self.hosted.github.git_url()]);
        let mut command = cli::command(&folder);
        repo::actions(&mut command, "acme/gitops", sha);
        self.hosted.github.env(&mut command);
        let now = jiff::Timestamp::now().as_second() + hours * HOUR;
        command.env("SOURCE_DATE_EPOCH", now.to_string());
        command
    }

    /// Runs a step as the action does, so many hours from now, in the job of a commit.
    fn run(&self, step: &Inputs, sha: &str, hours: i64) -> Run {
        let (mut command, name) = (self.job(sha, hours), input(step, "command").unwrap_or("bump"));
        command.args([name, "--"]);
        if name == "promote" {
            command.arg(input(step, "env").unwrap());
        }
        command.args(input(step, "image"));
        let goes_far = ["push", "dry-run", "pr"].iter().any(|wanted| input(step, wanted).is_some());
        if !goes_far {
            command.env("TAGBUMP_PUSH", "true");
        }
        for (input, value) in step.iter().filter(|(input, _)| !["command", "image"].contains(&&**input)) {
            let value = if input == "tag" { &sha[..7] } else { value };
            command.env(format!("TAGBUMP_{}", input.to_uppercase().replace('-', "_")), value);
        }
        repo::run(command.env("TAGBUMP_FORMAT", "json"))
    }

    #[track_caller]
    fn runs(&self, step: &Inputs, sha: &str, hours: i64, outcome: &str) -> Value {
        ended(&self.run(step, sha, hours), 0, outcome)
    }

    /// The same in the job of a schedule, or of a push of the newest commit.
    #[track_caller]
    fn runs_now(&self, step: &Inputs, hours: i64, outcome: &str) -> Value {
        self.runs(step, &self.hosted.mono.world.tip(), hours, outcome)
    }

    /// Runs a step that waits, with a clock that doesn't.
    fn waits(&self, step: &Inputs) -> Waited {
        let mono = &self.hosted.mono;
        let folder = mono.checkout(&format!("g-{}", fastrand::u32(..)), &mono.world.tip());
        git(&folder, &["remote", "set-url", "origin", &self.hosted.github.git_url()]);
        let mut arguments = vec!["--forge".to_owned(), "github".to_owned()];
        for (name, value) in step {
            match name.as_str() {
                "command" => {}
                "image" => arguments.push(value.clone()),
                "rev" => arguments.extend(["--rev".to_owned(), mono.world.tip()]),
                _ => arguments.extend([format!("--{name}"), value.clone()]),
            }
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        wait(&folder, &arguments, &[("TAGBUMP_TOKEN", TOKEN)], &Steps::none())
    }

    fn posts(&self, context: &str, state: &str) {
        self.hosted.github.post_status(&self.hosted.mono.world.tip(), context, state);
    }

    /// Somebody merges the request of the promotion.
    fn merges(&self) {
        git(&self.hosted.mono.world.bare, &["update-ref", "refs/heads/main", "tagbump/main/promote-prod"]);
    }
}

fn input<'a>(step: &'a Inputs, wanted: &str) -> Option<&'a str> {
    step.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
}

/// The steps of an example that use the action, which are these commands.
#[track_caller]
fn steps_of(file: &str, commands: &[&str]) -> Vec<Inputs> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/workflows").join(file);
    let steps = docs::steps(&std::fs::read_to_string(path).unwrap());
    let found: Vec<&str> = steps.iter().map(|step| input(step, "command").unwrap_or("bump")).collect();
    assert_eq!(found, commands, "{file}");
    steps
}

#[test]
fn build_goes_to_staging_alone() {
    let guide = Guide::new();
    let steps = steps_of("deliver-build.yml", &["tag", "bump", "wait"]);
    let sha = &guide.hosted.mono.builds[1];
    let mut tag = guide.job(sha, 0);
    let printed = repo::run(tag.args(["tag"]).env("TAGBUMP_IMAGE", input(&steps[0], "image").unwrap()));
    assert_eq!(printed.stdout.trim(), format!("{API}:{}", guide.tag(1)), "{}", printed.output());
    assert_eq!(input(&steps[0], "tag-template"), None);

    guide.runs(&steps[1], sha, 0, "landed");
    assert_eq!(guide.tags(), [guide.tag(1), "v0"]);
    guide.posts("kustomization/prod/1a2b", "failure");
    guide.posts("kustomization/staging/1a2b", "success");
    guide.waits(&steps[2]).ends(0, "live");
    guide.posts("kustomization/staging/1a2b", "failure");
    guide.waits(&steps[2]).ends(7, "failed");
    // the job of an older build finishes last
    guide.runs(&steps[1], &guide.hosted.mono.builds[0], 0, "superseded");
    assert_eq!(guide.tags(), [guide.tag(1), "v0"]);
}

#[test]
fn promotion_goes_back_if_it_is_never_live() {
    let guide = Guide::new();
    let build = &steps_of("deliver-build.yml", &["tag", "bump", "wait"])[1];
    let steps = steps_of("deliver-promote.yml", &["promote", "promote", "wait", "rollback"]);
    let [plan, promote, wait, rollback] = steps.try_into().unwrap();
    guide.runs(build, &guide.hosted.mono.builds[0], 0, "landed");
    assert_eq!(guide.runs_now(&plan, 11, "held")["changed"], false);
    assert_eq!(guide.runs_now(&plan, 13, "planned")["changed"], true);
    assert_eq!(guide.tags(), [guide.tag(0), "v0"], "a plan changes nothing");
    guide.runs_now(&promote, 13, "landed");
    assert_eq!(guide.tags(), [guide.tag(0), guide.tag(0)]);

    guide.waits(&wait).ends(7, "failed");
    guide.posts("kustomization/prod/1a2b", "failure");
    guide.waits(&wait).ends(7, "failed");
    guide.runs_now(&rollback, 14, "landed");
    assert_eq!(guide.tags(), [guide.tag(0), "v0"]);
    guide.runs_now(&promote, 15, "superseded");
    guide.runs(build, &guide.hosted.mono.builds[1], 16, "landed");
    guide.runs_now(&promote, 29, "landed");
    guide.posts("kustomization/prod/1a2b", "success");
    guide.waits(&wait).ends(0, "live");
    assert_eq!(guide.tags(), [guide.tag(1), guide.tag(1)]);
    assert_eq!(guide.runs_now(&plan, 29, "already")["changed"], false);
}

#[test]
fn merged_promotion_is_watched() {
    let guide = Guide::new();
    let build = &steps_of("deliver-build.yml", &["tag", "bump", "wait"])[1];
    let [wait, rollback] = steps_of("deliver-watch.yml", &["wait", "rollback"]).try_into().unwrap();
    let shown = docs::steps(&guide.page);
    assert_eq!(shown.len(), 2, "{shown:?}");
    guide.runs(build, &guide.hosted.mono.builds[0], 0, "landed");
    guide.runs_now(&shown[0], 13, "proposed");
    assert_eq!(guide.tags(), [guide.tag(0), "v0"]);
    guide.merges();
    assert_eq!(guide.tags(), [guide.tag(0), guide.tag(0)]);
    guide.posts("kustomization/prod/1a2b", "success");
    guide.waits(&wait).ends(0, "live");
    guide.posts("kustomization/prod/1a2b", "failure");
    guide.waits(&wait).ends(7, "failed");
    guide.runs_now(&rollback, 14, "landed");
    assert_eq!(guide.tags(), [guide.tag(0), "v0"]);
}

/// The condition of the step: exit 7, and not an error that leaves open whether the change is live.
#[test]
fn rollback_runs_only_if_the_change_is_not_live() {
    for file in [
        "docs/wait.md",
        "docs/delivery.md",
        "examples/workflows/deliver-promote.yml",
        "examples/workflows/deliver-watch.yml",
    ] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let condition = "- if: failure() && steps.wait.outputs.error-exit == '7'\n";
        assert_eq!(text.matches(condition).count(), 1, "{file}");
    }
    let guide = Guide::new();
    let tip = guide.hosted.mono.world.tip();
    let exits = |rev: &str, exit: i32| {
        let outputs = guide.hosted.mono.world.path().join(format!("outputs-{exit}"));
        let mut command = guide.job(&tip, 0);
        command.args(["wait", "api", "--env", "prod", "--status", "kustomization/prod/*", "--rev", rev]);
        let run = repo::run(command.env("GITHUB_OUTPUT", &outputs));
        assert_eq!(run.exit, exit, "{}", run.output());
        let written = std::fs::read_to_string(outputs).unwrap();
        let value = written.split_once("error-exit<<").unwrap().1.lines().nth(1).unwrap();
        assert_eq!(value, if exit == 0 { String::new() } else { exit.to_string() });
    };
    exits(&"f".repeat(40), 7);
    guide.hosted.github.fault(On::CombinedStatus, Fault::Forbidden("Resource not accessible by integration"));
    exits(&tip, 5);
    guide.posts("kustomization/prod/1a2b", "success");
    exits(&tip, 0);
}

/// The step for going back is the same everywhere; the command for staging works.
#[test]
fn guide_shows_the_steps_of_its_files() {
    let guide = Guide::new();
    let back = &docs::steps(&guide.page)[1];
    for (file, commands) in [
        ("deliver-promote.yml", &["promote", "promote", "wait", "rollback"][..]),
        ("deliver-watch.yml", &["wait", "rollback"]),
    ] {
        assert_eq!(steps_of(file, commands).last(), Some(back), "{file}");
    }
    let build = &steps_of("deliver-build.yml", &["tag", "bump", "wait"])[1];
    guide.runs(build, &guide.hosted.mono.builds[0], 0, "landed");
    let commands: Vec<&str> =
        guide.page.split('`').filter_map(|quoted| quoted.strip_prefix("tagbump ")).collect();
    assert_eq!(commands.len(), 1, "{commands:?}");
    let mut command = guide.job(&guide.hosted.mono.world.tip(), 1);
    command.args(commands[0].split_whitespace()).args(["--format", "json"]);
    ended(&repo::run(&mut command), 0, "landed");
    assert_eq!(guide.tags(), ["v0", "v0"]);
}

#[test]
fn workflow_of_the_promotion_page_opens_a_request() {
    let guide = Guide::new();
    let build = &steps_of("deliver-build.yml", &["tag", "bump", "wait"])[1];
    let steps = docs::steps(&docs::page("promotion.md"));
    assert_eq!(steps.len(), 1, "{steps:?}");
    guide.runs(build, &guide.hosted.mono.builds[0], 0, "landed");
    guide.runs_now(&steps[0], 11, "held");
    guide.runs_now(&steps[0], 13, "proposed");
    assert_eq!(guide.hosted.github.open_pulls()[0].head, "tagbump/main/promote-prod");
}

/// Someone presses the button of the page on holds: builds go on without a bump, and a rollback fails.
#[test]
fn workflow_of_the_hold_page_stops_builds_and_rollbacks() {
    let guide = Guide::new();
    let page = docs::page("hold.md");
    let mut steps = docs::steps(&page);
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert!(page.contains("until: { default: 4h }"), "{page}");
    let pressed = [("image", "api"), ("reason", "incident 42"), ("until", "4h")];
    for (name, value) in &mut steps[0] {
        if let Some((_, typed)) = pressed.iter().find(|(input, _)| input == name) {
            *value = (*typed).to_owned();
        }
    }
    let build = &steps_of("deliver-build.yml", &["tag", "bump", "wait"])[1];
    let promotion = steps_of("deliver-promote.yml", &["promote", "promote", "wait", "rollback"]);
    guide.runs(build, &guide.hosted.mono.builds[0], 0, "landed");
    guide.runs_now(&promotion[1], 13, "landed");

    guide.runs_now(&steps[0], 14, "landed");
    let file = guide.hosted.mono.world.file("tagbump-holds.yaml");
    assert!(file.contains("reason: incident 42"), "{file}");
    let told = guide.runs(build, &guide.hosted.mono.builds[1], 15, "held");
    assert_eq!(told["skipped"][0]["reason"], "held", "{told}");
    ended(&guide.run(&promotion[3], &guide.hosted.mono.world.tip(), 15), 4, "held");
    assert_eq!(guide.tags(), [guide.tag(0), guide.tag(0)]);
    // once the hold is over
    guide.runs(build, &guide.hosted.mono.builds[1], 19, "landed");
    guide.runs_now(&promotion[3], 19, "landed");
    assert_eq!(guide.tags(), [guide.tag(1), "v0"]);
}
