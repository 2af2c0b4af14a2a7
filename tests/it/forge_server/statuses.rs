//! What Gitea says about the statuses of a commit.

use std::time::{Duration, Instant};

use serde_json::json;

use super::people::GitOps;
use tagbump::forge::{AnswerCache, CommitStatus, ForgeError, ForgeSite, StatusState};
use tagbump::http::HttpSettings;
use tagbump::landing::FetchError;

fn ask(
    gitops: &GitOps,
    token: &str,
    slug: &str,
    commit: &str,
) -> Result<Vec<CommitStatus>, FetchError<ForgeError>> {
    let site = ForgeSite::Gitea { api: format!("{}/api/v1", gitops.server.url()) };
    let reader = site.commits(&HttpSettings::default(), token).unwrap();
    let soon = Instant::now() + Duration::from_secs(60);
    reader.statuses(soon, slug, commit, &mut AnswerCache::default())
}

/// More contexts than the server puts on a page.
#[test]
fn newest_status_of_each_context_is_read_from_all_pages() {
    let gitops = GitOps::new("statuses");
    let commit = gitops.tip();
    assert_eq!(ask(&gitops, &gitops.owner.token, &gitops.slug, &commit).unwrap(), []);
    let post = |context: &str, state: &str| {
        let status = json!({"context": context, "state": state, "target_url": "https://ci.example/7"});
        gitops.owner.client.post(&gitops.route(&format!("/statuses/{commit}")), &status);
    };
    for nth in 0..13 {
        post(&format!("job-{nth:02}"), "pending");
    }
    for (context, state) in [
        ("job-12", "success"),
        ("job-11", "failure"),
        ("job-11", "success"),
        ("job-10", "error"),
        ("job-09", "warning"),
    ] {
        post(context, state);
    }
    let mut statuses = ask(&gitops, &gitops.owner.token, &gitops.slug, &commit).unwrap();
    statuses.sort_by(|one, other| one.context.cmp(&other.context));
    let states: Vec<StatusState> = statuses.iter().map(|status| status.state).collect();
    assert_eq!(states[..9], [StatusState::Pending; 9]);
    assert_eq!(
        states[9..],
        [StatusState::Neutral, StatusState::Failure, StatusState::Success, StatusState::Success]
    );
    assert_eq!(statuses[12].url.as_deref(), Some("https://ci.example/7"));
}

#[test]
fn refusals_are_data() {
    let gitops = GitOps::new("nostatus");
    let commit = gitops.tip();
    let status = |token: &str, slug: &str, commit: &str| match ask(&gitops, token, slug, commit) {
        Err(FetchError::Permanent(error)) => error.refused_status(),
        other => panic!("not refused: {other:?}"),
    };
    let token = &gitops.owner.token;
    assert_eq!(status(&"0".repeat(40), &gitops.slug, &commit), Some(401));
    assert_eq!(status(&gitops.owner.token_for(&["read:user"]), &gitops.slug, &commit), Some(403));
    assert_eq!(status(token, "nostatus/other", &commit), Some(404));
    assert_eq!(status(token, &gitops.slug, &"a".repeat(40)), Some(404));
}
