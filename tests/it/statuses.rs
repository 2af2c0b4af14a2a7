//! What GitHub and GitLab say about the statuses of a commit. `forge_server` asks a real Gitea.

use std::time::{Duration, Instant};

use crate::support::bare::{bare_repo, tip};
use crate::support::git_server::GitServer;
use crate::support::github::{Fault, GitHub, On, TOKEN};
use crate::support::gitlab_api::{self, GitLabApi};
use crate::support::repo::{FILE, World, rival};
use tagbump::actions::ApiUrls;
use tagbump::forge::{AnswerCache, CommitReader, CommitStatus, ForgeError, ForgeSite, StatusState};
use tagbump::http::HttpSettings;
use tagbump::landing::FetchError;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn connect(site: &ForgeSite, token: &str) -> Box<dyn CommitReader> {
    site.commits(&HttpSettings::default(), token).unwrap()
}

fn github(hub: &GitHub) -> Box<dyn CommitReader> {
    connect(&ForgeSite::GitHub { apis: ApiUrls { rest: hub.api_url(), graphql: hub.graphql_url() } }, TOKEN)
}

/// Name and state, in the order of names.
fn shown(statuses: &[CommitStatus]) -> Vec<(&str, StatusState)> {
    let mut shown: Vec<_> = statuses.iter().map(|status| (&*status.context, status.state)).collect();
    shown.sort_by_key(|(name, _)| *name);
    shown
}

#[test]
fn statuses_and_check_runs_of_all_pages_are_read() {
    let world = World::with(|server| server, &[(FILE, "")]);
    let (hub, commit) = (GitHub::start(&world.bare), world.tip());
    for nth in 0..130 {
        hub.post_status(&commit, &format!("status/{nth:03}"), "success");
        hub.post_check(&commit, &format!("check/{nth:03}"), Some("success"), None);
    }
    hub.post_status(&commit, "status/129", "failure");
    hub.post_check(&commit, "check/129", None, None);
    let reader = github(&hub);
    let statuses = reader.statuses(soon(), "acme/gitops", &commit, &mut AnswerCache::default()).unwrap();
    assert_eq!(statuses.len(), 260);
    let shown = shown(&statuses);
    assert_eq!(shown[129], ("check/129", StatusState::Pending));
    assert_eq!(shown[259], ("status/129", StatusState::Failure));
    assert_eq!((hub.count(On::CombinedStatus), hub.count(On::CheckRuns)), (2, 2));
}

/// GitHub doesn't count these requests against its limit.
#[test]
fn answer_that_has_not_changed_is_not_sent_again() {
    let world = World::with(|server| server, &[(FILE, "")]);
    let (hub, commit) = (GitHub::start(&world.bare), world.tip());
    hub.post_status(&commit, "flux", "pending");
    let (reader, mut cache) = (github(&hub), AnswerCache::default());
    let mut read = || reader.statuses(soon(), "acme/gitops", &commit, &mut cache).unwrap();
    let first = read();
    assert_eq!(read(), first);
    let codes = || hub.calls().iter().map(|call| call.status.unwrap()).collect::<Vec<_>>();
    assert_eq!(codes(), [200, 200, 304, 304]);
    hub.post_status(&commit, "flux", "success");
    assert_eq!(shown(&read()), [("flux", StatusState::Success)]);
    assert_eq!(codes()[4..], [200, 304]);
}

#[track_caller]
fn refusal(asked: Result<Vec<CommitStatus>, FetchError<ForgeError>>) -> Option<u16> {
    match asked {
        Err(FetchError::Permanent(error)) => error.refused_status(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn refusals_of_github_are_data() {
    let world = World::with(|server| server, &[(FILE, "")]);
    let (hub, commit) = (GitHub::start(&world.bare), world.tip());
    let ask = |repository: &str, commit: &str| {
        github(&hub).statuses(soon(), repository, commit, &mut AnswerCache::default())
    };
    hub.fault(On::CheckRuns, Fault::Forbidden("Resource not accessible by integration"));
    assert_eq!(refusal(ask("acme/gitops", &commit)), Some(403));
    assert_eq!(refusal(ask("acme/other", &commit)), Some(404));
    assert_eq!(refusal(ask("acme/gitops", &"a".repeat(40))), Some(422));
    hub.fault(On::CombinedStatus, Fault::Status(502));
    assert!(matches!(ask("acme/gitops", &commit), Err(FetchError::Transient { .. })));
    assert!(ask("../evil", &commit).is_err());
}

#[test]
fn gitlab_lists_statuses_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let bare = bare_repo(folder.path(), "acme/shop/gitops.git");
    rival(&bare, FILE, "");
    let (api, commit) = (GitLabApi::default(), tip(&bare));
    let server = GitServer::builder(folder.path()).api(api.serve("acme/shop/gitops", &bare)).start();
    let site = ForgeSite::GitLab { api: server.url("api/v4") };
    for nth in 0..8 {
        api.post(&commit, &format!("job-{nth}"), "running", 5);
    }
    api.post(&commit, "job-7", "success", 6);
    api.post(&commit, "job-6", "canceled", 6);
    let ask = |token: &str| {
        connect(&site, token).statuses(soon(), "acme/shop/gitops", &commit, &mut AnswerCache::default())
    };
    let statuses = ask(gitlab_api::TOKEN).unwrap();
    let shown = shown(&statuses);
    assert_eq!(shown.len(), 8);
    assert_eq!(
        shown[5..],
        [("job-5", StatusState::Pending), ("job-6", StatusState::Failure), ("job-7", StatusState::Success)]
    );
    assert_eq!(refusal(ask("wrong")), Some(401));
    for status in [403, 404] {
        api.answers(status);
        assert_eq!(refusal(ask(gitlab_api::TOKEN)), Some(status));
    }
}
