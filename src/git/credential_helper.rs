//! Asks git's credential helpers, through `git credential`.
//!
//! A helper that the user configured may read a job's token from its variable, as `gh auth git-credential` and many
//! shell functions do. A helper that the repository's own configuration names may not: that configuration can have
//! come with the repository, in an archive or by an `include.path` into the work tree. Neither may read
//! `TAGBUMP_TOKEN`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use url::Url;

use super::checkout::Checkout;
use super::discovery::GitLocation;
use super::error::GitSettingError;
use super::process::{self, Interruption, ProcessOutput, Purpose};
use super::real_path::real_path;
use crate::environment::Environment;

/// How long git may take to read its configuration.
const CONFIG_TIME: Duration = Duration::from_secs(10);

/// The settings that name a program that supplies a password.
const HELPER_SETTINGS: &str = r"^(credential\.(.*\.)?helper|core\.askpass)$";

/// The credential helpers configured for a checkout.
#[derive(Clone, Debug)]
pub struct CredentialHelpers {
    /// Where git runs: the top of the work tree.
    folder: PathBuf,
    /// The folders whose files belong to the repository.
    repository: Vec<PathBuf>,
    location: GitLocation,
    environment: Environment,
}

/// The helpers' answer.
#[derive(Debug, Default)]
pub struct HelperAnswer {
    /// User and password.
    pub found: Option<(String, String)>,
    /// Why a helper may have failed here although it works elsewhere.
    pub withheld: Option<String>,
}

impl Checkout {
    /// The credential helpers configured for this checkout.
    pub(crate) fn credential_helpers(&self) -> CredentialHelpers {
        let folders = [self.workdir.as_path(), self.repo.path(), self.repo.commondir()];
        CredentialHelpers {
            folder: self.workdir.clone(),
            repository: folders.into_iter().map(real_path).collect(),
            location: self.location.clone(),
            environment: self.environment().clone(),
        }
    }
}

impl CredentialHelpers {
    /// The environment that helpers are started from.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Asks for a server's user and password, as git would. Finds nothing if no helper knows the server, or if the
    /// answer takes longer than `time`.
    ///
    /// # Errors
    /// Fails if the URL can't be passed on to git.
    pub fn ask(
        &self,
        url: &Url,
        user: Option<&str>,
        time: Duration,
    ) -> Result<HelperAnswer, GitSettingError> {
        let question = question(url, user)?;
        let of_repository = self.are_repositorys(time);
        let purpose = if of_repository { Purpose::RepositoryHelpers } else { Purpose::UserHelpers };
        let mut command = self.git(purpose);
        command.args(["credential", "fill"]);
        let answer = process::run(command, question.as_bytes(), time, Interruption::EndsIt);
        // without git there are no helpers
        let found = answer.ok().filter(|answer| answer.success).and_then(|answer| credential(&answer));
        let token = self.environment.names().filter(|name| process::is_job_token(name)).min();
        let withheld = token.filter(|_| of_repository).map(|token| {
            format!(
                "the credential helper got no {token}, because it is set in the repository's own configuration; \
                 to give it the job's tokens, set it with git config --global"
            )
        });
        Ok(HelperAnswer { found, withheld })
    }

    fn git(&self, purpose: Purpose) -> Command {
        let mut command = process::git(Some(&self.folder), purpose, &self.environment);
        self.location.name_for(&mut command);
        command
    }

    /// Whether the repository's own configuration names a helper. If git can't say, assume that it does.
    fn are_repositorys(&self, time: Duration) -> bool {
        let mut command = self.git(Purpose::RepositoryHelpers);
        command.args(["config", "--null", "--show-origin", "--get-regexp", HELPER_SETTINGS]);
        match process::run(command, b"", time.min(CONFIG_TIME), Interruption::EndsIt) {
            // git config fails if nothing is set; then the list is empty
            Ok(listed) => {
                origins(&listed.stdout).any(|origin| is_repositorys(origin, &self.folder, &self.repository))
            }
            Err(_) => true,
        }
    }
}

/// The origin of each setting. `git config --null` ends both the origin and the setting with a zero byte.
fn origins(listed: &str) -> impl Iterator<Item = &str> {
    listed.split('\0').step_by(2).filter(|origin| !origin.is_empty())
}

/// Whether a setting is in one of the repository's own files: in its work tree, or in its git directory.
fn is_repositorys(origin: &str, folder: &Path, repository: &[PathBuf]) -> bool {
    match origin.split_once(':') {
        Some(("file", path)) => {
            let path = real_path(&folder.join(path));
            repository.iter().any(|folder| path.starts_with(folder))
        }
        // set by an option or a variable
        Some(("command line", _)) => false,
        _ => true,
    }
}

/// User and password in git's credential format. An empty password doesn't count: a helper prints one if its
/// variable is not set.
fn credential(answer: &ProcessOutput) -> Option<(String, String)> {
    let field = |name: &str| {
        let value = answer.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(str::to_owned)
    };
    field("username").zip(field("password").filter(|password| !password.is_empty()))
}

/// The question in git's credential format (`git help credential`).
fn question(url: &Url, user: Option<&str>) -> Result<String, GitSettingError> {
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"));
    let path = url.path().trim_start_matches('/');
    let mut lines =
        vec![format!("protocol={}", url.scheme()), format!("host={host}"), format!("path={path}")];
    lines.extend(user.map(|user| format!("username={user}")));
    if lines.iter().any(|line| line.contains(['\n', '\r', '\0'])) {
        return Err(GitSettingError::UrlLineBreak);
    }
    Ok(format!("{}\n\n", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_repository_are_not_the_users() {
        let repository = [PathBuf::from("/srv/w"), PathBuf::from("/srv/super/.git/modules/w")];
        let judge = |origin: &str| is_repositorys(origin, Path::new("/srv/w"), &repository);
        for origin in [
            "file:.git/config",
            "file:.gitconfig",
            "file:/srv/w/.git/config.worktree",
            "file:/srv/super/.git/modules/w/config",
            "blob:1a2b3c4",
            "standard input:",
            "",
        ] {
            assert!(judge(origin), "{origin}");
        }
        for origin in
            ["file:/home/ada/.gitconfig", "file:/etc/gitconfig", "file:/srv/w.tmp/ext.conf", "command line:"]
        {
            assert!(!judge(origin), "{origin}");
        }
    }

    #[test]
    fn origins_are_every_second_part() {
        let listed = "file:a\0credential.helper\n!f\nfile:b\0command line:\0core.askpass\nx\0";
        assert_eq!(origins(listed).collect::<Vec<_>>(), ["file:a", "command line:"]);
        assert_eq!(origins("").count(), 0);
    }
}
