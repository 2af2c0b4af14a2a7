//! Which forge hosts a repository, and where its API is: chosen by the user's setting, the runner's variables, the
//! host, or the server's answers.
//!
//! The API is on the repository's own host. Variables of a CI system count only if they are about that host.

use std::time::Instant;

use url::Url;

use super::gitea::Gitea;
use super::github::{GitHub, GitHubCommits, GitHubForge};
use super::gitlab::{self, GitLab};
use super::{CommitReader, Forge, ForgeError, ForgeKind};
use crate::actions::{ActionsRun, ApiUrls};
use crate::environment::Environment;
use crate::http::HttpSettings;
use crate::landing::FetchError;
use crate::landing::remote::Publisher;
use crate::object_id::CommitId;

/// Public servers that are Gitea or Forgejo.
const GITEA_HOSTS: [&str; 2] = ["https://gitea.com", "https://codeberg.org"];

/// GitLab's own server.
const GITLAB: &str = "https://gitlab.com";

/// Where GitLab's API is.
const GITLAB_API: &str = "/api/v4";

/// Where Gitea's API is, below the server's own address.
const GITEA_API: &str = "/api/v1";

/// A forge, and the address of its API. Nothing has been sent to it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForgeSite {
    GitHub {
        apis: ApiUrls,
    },
    /// The API's address ends without a slash, as in `https://HOST/api/v1`.
    Gitea {
        api: String,
    },
    GitLab {
        /// As in `https://HOST/api/v4`.
        api: String,
    },
    /// A host that may be any of these, or something else.
    Unknown {
        github: ApiUrls,
        gitea: String,
        gitlab: String,
    },
}

/// The server that shows a repository at `page`: the address without the repository's owner and name. A server may be below a path of its host.
fn root_of(page: &str) -> &str {
    let parts = page.match_indices('/').map(|(at, _)| at).skip(2);
    let starts: Vec<usize> = parts.collect();
    match starts.as_slice() {
        [.., owner, _] => &page[..*owner],
        [only] => &page[..*only],
        [] => page,
    }
}

/// The forge that shows a repository at `page`; `asked` is what the user says that it is.
pub fn choose(
    run: &ActionsRun,
    environment: &Environment,
    page: &str,
    asked: Option<ForgeKind>,
) -> Option<ForgeSite> {
    let gitlab = || is_on_gitlab(environment, page).then_some(ForgeKind::GitLab);
    choose_server(run, environment, root_of(page), asked.or_else(gitlab))
}

/// The forge at `root`, a server's address.
pub fn choose_server(
    run: &ActionsRun,
    environment: &Environment,
    root: &str,
    asked: Option<ForgeKind>,
) -> Option<ForgeSite> {
    let apis = run.apis(environment, root)?;
    let gitea = gitea_api(run, environment, root);
    Some(match asked.or_else(|| known(run, environment, root)) {
        Some(ForgeKind::GitHub) => ForgeSite::GitHub { apis },
        Some(ForgeKind::Gitea) => ForgeSite::Gitea { api: gitea },
        Some(ForgeKind::GitLab) => ForgeSite::GitLab { api: gitlab_api(environment, root) },
        None => {
            let origin = Url::parse(root).ok()?.origin().ascii_serialization();
            ForgeSite::Unknown { github: apis, gitea, gitlab: format!("{origin}{GITLAB_API}") }
        }
    })
}

/// Whether a page is on gitlab.com, or on the server whose pipeline this is. Its repositories are below groups, as deep as people like.
fn is_on_gitlab(environment: &Environment, page: &str) -> bool {
    let own = environment.get("CI_SERVER_URL").filter(|_| environment.get("GITLAB_CI") == Some("true"));
    let own = own.and_then(|url| Url::parse(url).ok()).map(|url| url.to_string());
    let is_below = |server: &str| {
        page.strip_prefix(server.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    };
    is_below(GITLAB) || own.is_some_and(|own| is_below(&own))
}

/// Where the API of the GitLab at `root` is. A repository may be below groups of groups, so `root` may end in some of them.
fn gitlab_api(environment: &Environment, root: &str) -> String {
    let is_below =
        |server: &str| root.strip_prefix(server).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let own = environment.get("CI_SERVER_URL").filter(|_| environment.get("GITLAB_CI") == Some("true"));
    let own = own.map(|url| url.trim_end_matches('/')).filter(|own| is_below(own));
    let origin = || Url::parse(root).map(|url| url.origin().ascii_serialization());
    let server = own.map_or_else(|| origin().unwrap_or_else(|_| root.to_owned()), str::to_owned);
    format!("{server}{GITLAB_API}")
}

/// The forge, if the runner or the host's name says which it is.
fn known(run: &ActionsRun, environment: &Environment, root: &str) -> Option<ForgeKind> {
    if is_own_server(run, environment, root) && is_giteas_runner(environment) {
        return Some(ForgeKind::Gitea);
    }
    if GITEA_HOSTS.contains(&root) {
        return Some(ForgeKind::Gitea);
    }
    run.is_github(environment, root).then_some(ForgeKind::GitHub)
}

/// Gitea's and Forgejo's runners call themselves GitHub's, too; older ones have only their API's address to tell them apart.
fn is_giteas_runner(environment: &Environment) -> bool {
    let is_true = |name| environment.get(name) == Some("true");
    let api = environment.get("GITHUB_API_URL").unwrap_or_default();
    is_true("GITEA_ACTIONS") || is_true("FORGEJO_ACTIONS") || api.trim_end_matches('/').ends_with(GITEA_API)
}

fn is_own_server(run: &ActionsRun, environment: &Environment, root: &str) -> bool {
    let normal =
        |text: &str| Url::parse(text).map(|url| url.to_string().trim_end_matches('/').to_owned()).ok();
    environment.get("GITHUB_SERVER_URL").is_some() && normal(run.server(environment)) == normal(root)
}

/// The API's address as the runner gives it, if it is on the repository's own host; else where Gitea has it.
fn gitea_api(run: &ActionsRun, environment: &Environment, root: &str) -> String {
    let origin = |text: &str| Url::parse(text).map(|url| url.origin()).ok();
    let is_giteas = |api: &&str| {
        is_own_server(run, environment, root) && api.ends_with(GITEA_API) && origin(api) == origin(root)
    };
    let given = environment.get("GITHUB_API_URL").map(|api| api.trim_end_matches('/')).filter(is_giteas);
    given.map_or_else(|| format!("{root}{GITEA_API}"), str::to_owned)
}

impl ForgeSite {
    /// The forge, unless it is not known yet.
    pub fn kind(&self) -> Option<ForgeKind> {
        match self {
            ForgeSite::GitHub { .. } => Some(ForgeKind::GitHub),
            ForgeSite::Gitea { .. } => Some(ForgeKind::Gitea),
            ForgeSite::GitLab { .. } => Some(ForgeKind::GitLab),
            ForgeSite::Unknown { .. } => None,
        }
    }

    /// Finds out which forge shows the repository at `page`, by asking its server, without credentials. A host that is known is not asked.
    ///
    /// # Errors
    /// If it is none, or doesn't answer.
    pub fn identify(
        self,
        http: &HttpSettings,
        page: &str,
        deadline: Instant,
    ) -> Result<ForgeSite, FetchError<ForgeError>> {
        let ForgeSite::Unknown { github, gitea, gitlab: gitlab_api } = self else { return Ok(self) };
        if GitHub::anonymous(http, &github.rest)?.is_github(deadline)? {
            return Ok(ForgeSite::GitHub { apis: github });
        }
        if Gitea::new(http, &gitea, None)?.is_gitea(deadline)? {
            return Ok(ForgeSite::Gitea { api: gitea });
        }
        if gitlab::is_gitlab(http, &gitlab_api, deadline)? {
            return Ok(ForgeSite::GitLab { api: gitlab_api });
        }
        let apis = vec![github.rest, gitea, gitlab_api];
        Err(FetchError::Permanent(ForgeError::NoForge { page: page.to_owned(), apis }))
    }

    /// Connects to the forge with a token.
    ///
    /// # Errors
    /// If the address or the token is not valid. A forge that is not known yet is taken for GitHub.
    pub fn connect(&self, http: &HttpSettings, token: &str) -> Result<Box<dyn Forge>, ForgeError> {
        match self {
            ForgeSite::GitHub { apis } | ForgeSite::Unknown { github: apis, .. } => {
                Ok(Box::new(GitHubForge::new(http, apis, token)?))
            }
            ForgeSite::Gitea { api } => Ok(Box::new(Gitea::new(http, api, Some(token))?)),
            ForgeSite::GitLab { .. } => Err(ForgeError::NoApi { forge: ForgeKind::GitLab }),
        }
    }

    /// Publishes commits of a repository, `owner/name`, by the forge's API. `None` if that makes no commits. A forge that is not known yet is
    /// taken for GitHub.
    ///
    /// # Errors
    /// If the address or the token is not valid.
    pub fn publisher(
        &self,
        http: &HttpSettings,
        token: &str,
        repository: &str,
    ) -> Result<Option<Box<dyn Publisher<ForgeError>>>, ForgeError> {
        match self {
            ForgeSite::GitHub { apis } | ForgeSite::Unknown { github: apis, .. } => {
                Ok(Some(Box::new(GitHubCommits::new(http, &apis.graphql, token, repository)?)))
            }
            ForgeSite::Gitea { .. } | ForgeSite::GitLab { .. } => Ok(None),
        }
    }

    /// Where a browser shows a commit of the repository that is shown at `page`.
    pub fn commit_url(&self, page: &str, commit: CommitId) -> String {
        match self {
            ForgeSite::GitHub { .. } | ForgeSite::Gitea { .. } | ForgeSite::Unknown { .. } => {
                format!("{page}/commit/{commit}")
            }
            ForgeSite::GitLab { .. } => format!("{page}/-/commit/{commit}"),
        }
    }

    /// Where a browser compares two commits, `from` and `to`, of the repository that is shown at `page`. `None` if the forge is not known.
    pub fn compare_url(&self, page: &str, from: &str, to: &str) -> Option<String> {
        match self {
            ForgeSite::GitHub { .. } | ForgeSite::Gitea { .. } => {
                Some(format!("{page}/compare/{from}...{to}"))
            }
            ForgeSite::GitLab { .. } => Some(format!("{page}/-/compare/{from}...{to}")),
            ForgeSite::Unknown { .. } => None,
        }
    }

    /// Connects to the forge to ask about commits, with a token. A forge that is not known yet is taken for GitHub.
    ///
    /// # Errors
    /// If the address or the token is not valid.
    pub fn commits(&self, http: &HttpSettings, token: &str) -> Result<Box<dyn CommitReader>, ForgeError> {
        match self {
            ForgeSite::GitHub { apis } | ForgeSite::Unknown { github: apis, .. } => {
                Ok(Box::new(GitHubForge::new(http, apis, token)?))
            }
            ForgeSite::Gitea { api } => Ok(Box::new(Gitea::new(http, api, Some(token))?)),
            ForgeSite::GitLab { api } => Ok(Box::new(GitLab::new(http, api, token)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], page: &str, asked: Option<ForgeKind>) -> ForgeSite {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::new(owned);
        choose(&ActionsRun::read(&environment), &environment, page, asked).unwrap()
    }

    fn kind(variables: &[(&str, &str)], page: &str) -> Option<ForgeKind> {
        chosen(variables, page, None).kind()
    }

    fn gitea(api: &str) -> ForgeSite {
        ForgeSite::Gitea { api: api.to_owned() }
    }

    #[test]
    fn root_is_the_page_without_owner_and_name() {
        for (page, root) in [
            ("https://h/a/b", "https://h"),
            ("https://h:8/git/a/b", "https://h:8/git"),
            ("https://h/b", "https://h"),
            ("https://h", "https://h"),
        ] {
            assert_eq!(root_of(page), root);
        }
    }

    #[test]
    fn public_host_is_known_by_its_name() {
        assert_eq!(kind(&[], "https://github.com/a/b"), Some(ForgeKind::GitHub));
        assert_eq!(kind(&[], "https://codeberg.org/a/b"), Some(ForgeKind::Gitea));
        for page in ["https://git.example/a/b", "https://codeberg.org.example/a/b", "http://gitea.com/a/b"] {
            assert_eq!(kind(&[], page), None, "{page}");
        }
    }

    #[test]
    fn runners_server_is_what_its_variables_say() {
        let server = [("GITHUB_ACTIONS", "true"), ("GITHUB_SERVER_URL", "https://git.example/forge/")];
        let with = |more: (&'static str, &'static str)| [server.as_slice(), &[more]].concat();
        let page = "https://git.example/forge/a/b";
        for more in [
            ("GITEA_ACTIONS", "true"),
            ("FORGEJO_ACTIONS", "true"),
            ("GITHUB_API_URL", "https://git.example/forge/api/v1"),
        ] {
            let api = "https://git.example/forge/api/v1";
            assert_eq!(chosen(&with(more), page, None), gitea(api), "{more:?}");
            assert_eq!(kind(&with(more), "https://other.example/forge/a/b"), None, "{more:?}");
            assert_eq!(kind(&with(more), "https://github.com/a/b"), Some(ForgeKind::GitHub), "{more:?}");
        }
        let own = [("GITHUB_ACTIONS", "true"), ("GITHUB_SERVER_URL", "https://git.example")];
        assert_eq!(kind(&own, "https://git.example/a/b"), Some(ForgeKind::GitHub));
    }

    #[test]
    fn gitlab_is_known_by_its_host_and_by_its_pipelines() {
        assert_eq!(kind(&[], "https://gitlab.com/a/b/c/d"), Some(ForgeKind::GitLab));
        let job = [("GITLAB_CI", "true"), ("CI_SERVER_URL", "https://git.example/gitlab/")];
        assert_eq!(kind(&job, "https://git.example/gitlab/a/b/c"), Some(ForgeKind::GitLab));
        for page in [
            "https://git.example/gitlab-2/a/b",
            "https://other.example/gitlab/a/b",
            "https://gitlab.com.example/a/b",
        ] {
            assert_eq!(kind(&job, page), None, "{page}");
        }
        assert_eq!(kind(&job[1..], "https://git.example/gitlab/a/b/c"), None);
    }

    #[test]
    fn api_of_another_host_is_not_used() {
        let variables = [
            ("GITHUB_ACTIONS", "true"),
            ("GITEA_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://git.example"),
            ("GITHUB_API_URL", "https://evil.example/api/v1"),
        ];
        let api = "https://git.example/api/v1";
        assert_eq!(chosen(&variables, "https://git.example/a/b", None), gitea(api));
    }

    #[test]
    fn user_has_the_last_word() {
        let page = "https://github.com/a/b";
        assert_eq!(chosen(&[], page, Some(ForgeKind::Gitea)), gitea("https://github.com/api/v1"));
        let site = chosen(&[], "https://git.example/a/b", Some(ForgeKind::GitHub));
        assert_eq!(site.kind(), Some(ForgeKind::GitHub));
    }
}
