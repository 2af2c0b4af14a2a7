//! Which statuses belong to this run itself. Waiting for them would never end.
//!
//! GitHub, Gitea and Forgejo link a check to its run: `/OWNER/NAME/actions/runs/N/…`, where GitHub's and newer Giteas' N is the run's ID, and
//! Forgejo's and older Giteas' its number. GitLab names the pipeline.

use url::Url;

use crate::environment::Environment;
use crate::forge::CommitStatus;

/// What this run's statuses look like.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnRun {
    /// The server's origin.
    origin: Option<String>,
    /// The paths of the run's page.
    paths: Vec<String>,
    pipeline: Option<u64>,
}

impl OwnRun {
    pub fn read(environment: &Environment) -> Self {
        if environment.get("GITLAB_CI") == Some("true") {
            let pipeline = environment.get("CI_PIPELINE_ID").and_then(|id| id.parse().ok());
            return OwnRun { pipeline, ..OwnRun::default() };
        }
        if environment.get("GITHUB_ACTIONS") != Some("true") {
            return OwnRun::default();
        }
        let server = environment.get("GITHUB_SERVER_URL").and_then(|url| Url::parse(url).ok());
        let (Some(server), Some(repository)) = (server, environment.get("GITHUB_REPOSITORY")) else {
            return OwnRun::default();
        };
        let root = server.path().trim_end_matches('/').to_owned();
        // on GitHub, a number can be another run's ID
        let is_github = server.host_str() == Some("github.com");
        let names = if is_github { &["GITHUB_RUN_ID"][..] } else { &["GITHUB_RUN_ID", "GITHUB_RUN_NUMBER"] };
        let runs = names.iter().filter_map(|name| environment.get(name));
        let paths = runs.map(|run| format!("{root}/{repository}/actions/runs/{run}")).collect();
        OwnRun { origin: Some(server.origin().ascii_serialization()), paths, pipeline: None }
    }

    #[cfg(test)]
    pub fn of_pipeline(id: u64) -> Self {
        OwnRun { pipeline: Some(id), ..OwnRun::default() }
    }

    /// Whether this run posted a status.
    pub fn posted(&self, status: &CommitStatus) -> bool {
        if self.pipeline.is_some() && status.pipeline == self.pipeline {
            return true;
        }
        let (Some(url), Some(origin)) = (&status.url, &self.origin) else { return false };
        let path = if url.starts_with('/') { Some(url.as_str()) } else { url.strip_prefix(origin.as_str()) };
        let is_below = |path: &str, run: &String| {
            path.strip_prefix(run.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        };
        path.is_some_and(|path| self.paths.iter().any(|run| is_below(path, run)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::StatusState;

    fn posted(run: &OwnRun, url: Option<&str>, pipeline: Option<u64>) -> bool {
        run.posted(&CommitStatus {
            context: "a".to_owned(),
            is_check_run: true,
            state: StatusState::Pending,
            id: 1,
            url: url.map(str::to_owned),
            pipeline,
        })
    }

    fn actions(server: &str) -> OwnRun {
        let pairs = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", server),
            ("GITHUB_REPOSITORY", "acme/gitops"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_RUN_NUMBER", "3"),
        ];
        OwnRun::read(&Environment::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))))
    }

    #[test]
    fn check_of_this_run_is_known_by_its_page() {
        let run = actions("https://github.com");
        let page = "https://github.com/acme/gitops/actions/runs";
        assert!(
            posted(&run, Some(&format!("{page}/77/job/1")), None)
                && posted(&run, Some(&format!("{page}/77")), None)
        );
        for other in ["/778/job/1", "/3/job/1", "/7"] {
            assert!(!posted(&run, Some(&format!("{page}{other}")), None), "{other}");
        }
        assert!(!posted(&run, Some("https://evil.example/acme/gitops/actions/runs/77/job/1"), None));
        assert!(!posted(&run, Some("https://github.com/acme/other/actions/runs/77/job/1"), None));
        assert!(!posted(&run, None, None));
    }

    #[test]
    fn status_of_gitea_has_a_path_alone() {
        let run = actions("https://git.example/forge");
        assert!(posted(&run, Some("/forge/acme/gitops/actions/runs/77/jobs/0"), None));
        assert!(posted(&run, Some("https://git.example/forge/acme/gitops/actions/runs/3/jobs/0"), None));
        assert!(!posted(&run, Some("/acme/gitops/actions/runs/77/jobs/0"), None));
    }

    #[test]
    fn job_of_gitlab_is_known_by_its_pipeline() {
        let pairs = [("GITLAB_CI", "true"), ("CI_PIPELINE_ID", "77")];
        let run =
            OwnRun::read(&Environment::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))));
        assert!(posted(&run, None, Some(77)) && !posted(&run, None, Some(7)) && !posted(&run, None, None));
        assert!(!posted(&OwnRun::default(), None, None));
    }
}
