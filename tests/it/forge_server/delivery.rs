//! A delivery on a real Gitea: staging, soak, a request to production, its merge, and the wait for what Flux reports.

use jiff::Timestamp;
use serde_json::json;

use super::people::{API, GitOps, WEB, number};
use crate::support::cli::{self, Run};
use crate::support::repo::{self, ended, kustomization};
use crate::support::waiting::{Steps, Waited, wait};

const STAGING: &str = "envs/staging/kustomization.yaml";
const PROD: &str = "envs/prod/kustomization.yaml";
const CONFIG: &str = "services: { api: { image: ghcr.io/acme/api, files: [envs] } }
environments:
  staging: { files: [envs/staging] }
  prod: { files: [envs/prod], from: staging, soak: 12h }
";

/// The manifests, and the repository `app` that is built.
struct Delivery {
    gitops: GitOps,
    builds: Vec<String>,
}

impl Delivery {
    /// The first build runs in staging, v0 in production.
    fn new(name: &str) -> Self {
        let delivery = Delivery::of(name, CONFIG, &[API]);
        delivery.stage(0);
        delivery
    }

    /// Both environments run v0.
    fn of(name: &str, config: &str, images: &[&str]) -> Self {
        let gitops = GitOps::new(name);
        let images: Vec<String> = images.iter().map(|image| (*image).to_owned()).collect();
        let v0 = kustomization(&images);
        gitops.owner_adds(&[("tagbump.yaml", config), (STAGING, &v0), (PROD, &v0)]);
        let builds = gitops.with_source("app", 3);
        Delivery { gitops, builds }
    }

    fn tag(&self, nth: usize) -> String {
        tag_of(&self.builds[nth])
    }

    /// The job of a build sets staging. Gives the commit.
    fn stage(&self, nth: usize) -> String {
        self.stage_image(API, "app", &self.builds[nth])
    }

    /// The same for a build of any of the owner's repositories, also if it is an older one.
    fn stage_image(&self, image: &str, repository: &str, build: &str) -> String {
        let source = format!("{}/{repository}@{build}", self.gitops.owner.name);
        let image = format!("{image}:{}", tag_of(build));
        let more = ["--env", "staging", "--push", "--source", &source, "--if-older", "write"];
        let told = ended(&self.gitops.run(&image, &more), 0, "landed");
        told["commit"].as_str().unwrap().to_owned()
    }

    fn tagbump(&self, arguments: &[&str], hours: i64) -> Run {
        let mut command = cli::command(&self.gitops.checkout());
        command.args(arguments).args(["--format", "json"]).env("TAGBUMP_TOKEN", &self.gitops.owner.token);
        let now = Timestamp::now().as_second() + hours * 3600;
        repo::run(command.env("SOURCE_DATE_EPOCH", now.to_string()))
    }

    /// `promote prod --pr`, so many hours from now.
    fn promote(&self, hours: i64, more: &[&str]) -> Run {
        self.tagbump(&[&["promote", "prod", "--pr"], more].concat(), hours)
    }

    /// Merges a request by Gitea's API. Gives the tip of main.
    fn merge(&self, number: u64, way: &str) -> String {
        let route = self.gitops.route(&format!("/pulls/{number}/merge"));
        self.gitops.owner.client.until_done("POST", &route, &json!({"Do": way}));
        self.gitops.tip()
    }

    /// Merges the promotion of the first build, by squash. Gives the tip of main.
    fn promoted(&self) -> String {
        let told = ended(&self.promote(13, &[]), 0, "proposed");
        let tip = self.merge(number(&told), "squash");
        assert!(self.runs(PROD, &self.tag(0)));
        tip
    }

    fn runs(&self, path: &str, tag: &str) -> bool {
        self.gitops.text("main", path).contains(&format!("newTag: {tag} "))
    }

    /// As Flux posts it for its Kustomization.
    fn posts(&self, commit: &str, state: &str) {
        let status = json!({
            "context": "kustomization/prod/1a2b3c4d", "state": state, "description": "reconciliation",
        });
        self.gitops.owner.client.post(&self.gitops.route(&format!("/statuses/{commit}")), &status);
    }

    fn wait(&self, more: &[&str], clock: &Steps<'_>) -> Waited {
        let arguments = [&["--env", "prod", "--status", "kustomization/prod/*"], more].concat();
        wait(&self.gitops.checkout(), &arguments, &[("TAGBUMP_TOKEN", &self.gitops.owner.token)], clock)
    }
}

fn tag_of(build: &str) -> String {
    format!("main-{}", &build[..7])
}

#[test]
fn build_reaches_production_once_it_has_soaked_and_is_live_by_a_status_of_its_commit() {
    let delivery = Delivery::new("delivers");
    assert!(delivery.runs(STAGING, &delivery.tag(0)) && delivery.runs(PROD, "v0"));
    ended(&delivery.promote(0, &[]), 4, "held");
    let told = ended(&delivery.promote(11, &["--if-held", "skip"]), 0, "held");
    assert_eq!(told["skipped"][0]["reason"], "soaking", "{told}");
    assert_eq!(delivery.gitops.pulls(), []);

    let staged = delivery.gitops.tip();
    let told = ended(&delivery.promote(13, &[]), 0, "proposed");
    assert_eq!(told["promoted_from"], json!({"env": "staging", "commit": staged}));
    assert_eq!(delivery.gitops.pulls()[0].3, "tagbump/main/promote-prod");
    assert!(delivery.runs(PROD, "v0"), "production waits for the merge");
    let tip = delivery.merge(number(&told), "merge");
    assert!(delivery.runs(PROD, &delivery.tag(0)));

    let clock =
        Steps::none().then(|| delivery.posts(&tip, "pending")).then(|| delivery.posts(&tip, "success"));
    let waited = delivery.wait(&[], &clock);
    waited.ends(0, "live");
    assert_eq!(clock.sleeps().len(), 2);
    assert_eq!(waited.json["wait"]["statuses"][0]["commit"], tip);
    assert_eq!(waited.json["images"][0]["tag"], delivery.tag(0));
    // the program itself, with the machine's clock
    let arguments = ["wait", "--env", "prod", "--status", "kustomization/prod/*"];
    ended(&delivery.tagbump(&arguments, 0), 0, "live");
    ended(&delivery.promote(13, &[]), 0, "already");
}

#[test]
fn production_is_live_by_a_status_of_a_later_commit() {
    let delivery = Delivery::new("deliverslater");
    let promoted = delivery.promoted();
    let later = delivery.stage(1);
    let clock = Steps::none().then(|| delivery.posts(&later, "success"));
    let waited = delivery.wait(&[], &clock);
    waited.ends(0, "live");
    let wait = &waited.json["wait"];
    assert_eq!(wait["commit"], promoted.as_str());
    assert_eq!(wait["statuses"][0]["commit"], later.as_str());
    assert!(delivery.runs(PROD, &delivery.tag(0)) && delivery.runs(STAGING, &delivery.tag(1)));
}

#[test]
fn production_that_is_never_live_goes_back_until_a_newer_build_is_promoted() {
    let delivery = Delivery::new("deliversnever");
    let promoted = delivery.promoted();
    delivery.posts(&promoted, "pending");
    let clock = Steps::none();
    let waited = delivery.wait(&["--wait-timeout", "3m"], &clock);
    waited.ends(7, "failed");
    assert_eq!(clock.sleeps().iter().sum::<u64>(), 180);
    delivery.posts(&promoted, "failure");
    delivery.wait(&[], &Steps::none()).ends(7, "failed");

    ended(&delivery.tagbump(&["rollback", "api", "--env", "prod", "--push"], 0), 0, "landed");
    assert!(delivery.runs(PROD, "v0") && delivery.runs(STAGING, &delivery.tag(0)));
    ended(&delivery.promote(13, &["--if-older", "skip"]), 0, "superseded");
    delivery.stage(1);
    let told = ended(&delivery.promote(13, &[]), 0, "proposed");
    delivery.merge(number(&told), "squash");
    assert!(delivery.runs(PROD, &delivery.tag(1)));
}

/// Two services from two repositories: Gitea knows the order of the builds of each.
#[test]
fn each_service_is_guarded_by_its_own_source() {
    let services = "services: { web: { image: ghcr.io/acme/web, files: [envs] }, ";
    let delivery = Delivery::of("deliverstwo", &CONFIG.replacen("services: { ", services, 1), &[API, WEB]);
    let (api, web) = (&delivery.builds, delivery.gitops.with_source("web", 3));
    let promotes = |nth_api: usize, nth_web: usize| {
        delivery.stage_image(API, "app", &api[nth_api]);
        delivery.stage_image(WEB, "web", &web[nth_web]);
        // the token is for a server that is known to be a Gitea
        let how = ["--push", "--soak", "0", "--if-older", "skip", "--forge", "gitea"];
        ended(&delivery.tagbump(&[&["promote", "prod"], &how[..]].concat(), 0), 0, "landed")
    };
    let runs = |nth_api: usize, nth_web: usize| {
        delivery.runs(PROD, &tag_of(&api[nth_api])) && delivery.runs(PROD, &tag_of(&web[nth_web]))
    };
    promotes(1, 1);
    assert!(runs(1, 1));
    for (nth_api, nth_web, older, newest) in [(0, 2, API, (1, 2)), (2, 0, WEB, (2, 2))] {
        let told = promotes(nth_api, nth_web);
        assert!(!told["notices"].to_string().contains("can't determine"), "{told}");
        let skipped = told["skipped"].as_array().unwrap();
        assert_eq!((skipped.len(), &skipped[0]["image"]), (1, &older.into()), "{told}");
        assert_eq!(skipped[0]["reason"], "superseded");
        assert!(runs(newest.0, newest.1), "{}", delivery.gitops.text("main", PROD));
    }
}
