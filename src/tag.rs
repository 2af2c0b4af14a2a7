//! Computes tags from a commit, with templates such as `{branch}-{sha:7}`.
//!
//! Pure: facts about the commit come in as [`BuildInfo`]. Values are made valid for a tag as
//! docker/metadata-action does it: each run of other characters becomes one `-`.

use std::sync::LazyLock;

use jiff::{Timestamp, tz::TimeZone};
use regex::Regex;

use crate::image::{ImageError, Tag};
use crate::template::{Template, Variable, nearest};

/// The template if none is given.
pub const DEFAULT_TEMPLATE: &str = "{sha:7}";

/// The names of the variables, each with the reason why it may have no value.
const VARIABLES: [(&str, &str); 8] = [
    ("sha", "there is no commit: this is not a git repository, or it has no commits yet"),
    ("branch", "no branch is checked out, and no CI system names one"),
    ("ref", "no branch or tag is checked out, and no CI system names one"),
    ("pr", "this run doesn't belong to a pull request"),
    ("version", "the commit has no git tag (the checkout may not have fetched the tags)"),
    ("semver", "the commit has no git tag (the checkout may not have fetched the tags)"),
    ("run", "no CI system numbers this run"),
    ("date", "the time is unknown"),
];

/// The additional variables in commit messages.
pub const MESSAGE_VARIABLES: [&str; 6] = ["name", "image", "tag", "old_tag", "images", "files"];

/// Whether a tag template can have this variable.
pub fn is_variable(name: &str) -> bool {
    VARIABLES.iter().any(|(known, _)| *known == name)
}

/// The names of the variables that a tag's template may have.
pub fn variables() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().map(|(known, _)| *known)
}

/// The error for a variable that doesn't exist.
pub fn unknown_variable(name: &str) -> VariableError {
    VariableError::Unknown { name: name.to_owned(), nearest: nearest(name, variables()) }
}

/// Why a variable can't be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    #[error("unknown variable {{{name}}}{}", .nearest.map(|n| format!("; did you mean {{{n}}}?")).unwrap_or_default())]
    Unknown { name: String, nearest: Option<&'static str> },
    #[error("{{{name}}} has no value: {reason}")]
    NoValue { name: &'static str, reason: &'static str },
    /// What is checked out for a pull request is a trial merge, which no image is built from.
    #[error(
        "{{sha}} has no value: the file that GITHUB_EVENT_PATH names can't be read, and only that file names the commit of \
         this event"
    )]
    UnreadEvent,
    #[error("{{{name}}} takes no argument, but has {argument:?}")]
    ExtraArgument { name: &'static str, argument: String },
    #[error("{{sha:{digits}}}: write {{sha:N}}, with N from 1 to 64")]
    DigitCount { digits: String },
    #[error("{{sha:{digits}}} needs more digits than commit {sha} has")]
    TooFewDigits { digits: usize, sha: String },
    #[error("{{date:{format}}}: {reason}")]
    Date { format: String, reason: String },
}

/// Why no tag can be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("template {template:?}: {error}")]
    Variable { template: String, error: VariableError },
    #[error("template {template:?} doesn't make a valid tag: {error}")]
    NotATag { template: String, error: ImageError },
}

/// The commit that an image was built from, and its repository, if known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// `owner/name`, or a longer path on GitLab.
    pub repository: Option<String>,
    /// Lower-case hex digits, in full or abbreviated.
    pub sha: String,
}

impl Source {
    /// Parses `[REPOSITORY@]SHA`; `None` if SHA isn't a commit ID of at least 7 digits, or REPOSITORY isn't
    /// valid.
    pub fn parse(text: &str) -> Option<Self> {
        let (repository, sha) = match text.rsplit_once('@') {
            Some((repository, sha)) => (Some(repository.to_owned()), sha),
            None => (None, text),
        };
        let sha = sha.to_ascii_lowercase();
        let fits = (7..=64).contains(&sha.len()) && sha.bytes().all(|b| b.is_ascii_hexdigit());
        let named = repository.as_deref().is_none_or(is_repository);
        (fits && named).then_some(Source { repository, sha })
    }
}

/// The name of a repository by its path on a host: without `.git`, and with an owner. GitLab's groups may be nested, so the
/// owner may have several parts. Azure puts `_git` before the last part.
pub fn repository_at(path: &str) -> Option<String> {
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if let Some(before_name) = parts.len().checked_sub(2).filter(|at| *at > 0 && parts[*at] == "_git") {
        parts.remove(before_name);
    }
    (parts.len() > 1).then(|| parts.join("/"))
}

/// Whether two names mean one repository. A name may lack the folder in which its server keeps all repositories: a path over ssh
/// often has none, and the path of a web page does. Hosts ignore case.
pub fn same_repository(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let (long, short) = if one.len() < other.len() { (other, one) } else { (one, other) };
    let rest = long.strip_suffix(short.as_str());
    rest.is_some_and(|rest| rest.is_empty() || short.contains('/') && rest.ends_with('/'))
}

/// Whether two URLs of remotes may lead to one repository: a host can have several names, so only their paths count.
pub fn may_be_one_repository(one: &str, other: &str) -> bool {
    let name = |url: &str| {
        let path = without_detours(path_of(url));
        repository_at(&path).unwrap_or_else(|| path.strip_suffix(".git").unwrap_or(&path).to_owned())
    };
    let (one, other) = (name(one), name(other));
    !one.is_empty() && !other.is_empty() && same_repository(&one, &other)
}

/// A path whose parts lead only down, as far as it says where it starts.
fn without_detours(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !["", "."].contains(part)) {
        match part {
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The path in a remote's URL: `https://host/path`, `host:path`, or the path itself.
fn path_of(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url.split_once(':').filter(|(host, _)| !host.contains('/')).map_or(url, |(_, path)| path),
    }
}

/// Whether a text looks like `owner/name`. It ends up in commit messages, where `@` or `#` would mention people
/// or issues.
pub fn is_repository(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-/~+%".contains(&b);
    !text.is_empty() && !text.starts_with('/') && text.bytes().all(fits)
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.repository {
            Some(repository) => write!(f, "{repository}@{}", self.sha),
            None => f.write_str(&self.sha),
        }
    }
}

/// The facts about the commit that was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// The commit ID, in full or as far as it was given.
    pub sha: Option<String>,
    /// The commit is unknown because the file of the CI system's event can't be read.
    pub event_is_unread: bool,
    pub branch: Option<String>,
    /// The short name of the branch or tag; `pr-N` for a pull request.
    pub reference: Option<String>,
    pub pr: Option<u64>,
    /// The git tag at the commit.
    pub version: Option<String>,
    pub run: Option<String>,
    /// Seconds since the epoch. Dates are in UTC.
    pub now: Option<i64>,
}

/// Computes a tag.
///
/// # Errors
/// An unknown variable, one without a value, or a result that is not a tag.
pub fn compute(template: &Template, facts: &BuildInfo) -> Result<Tag, TagError> {
    let whole = || template.as_str().to_owned();
    let text = template
        .fill(|variable| facts.value(variable).map(|value| fit(&value)))
        .map_err(|error| TagError::Variable { template: whole(), error })?;
    Tag::parse(&text).map_err(|error| TagError::NotATag { template: whole(), error })
}

/// Replaces each match of `[^a-zA-Z0-9._-]+` with `-`, as docker/metadata-action does.
fn fit(value: &str) -> String {
    static UNFIT: LazyLock<Regex> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "a constant pattern, compiled by the tests")]
        Regex::new("[^a-zA-Z0-9._-]+").expect("a constant pattern")
    });
    UNFIT.replace_all(value, "-").into_owned()
}

impl BuildInfo {
    /// The value of a variable, not yet made valid for a tag.
    ///
    /// # Errors
    /// Why it has no value.
    pub fn value(&self, variable: &Variable) -> Result<String, VariableError> {
        let name = variable.name.as_str();
        let Some(&(name, reason)) = VARIABLES.iter().find(|(known, _)| *known == name) else {
            return Err(unknown_variable(name));
        };
        if let (Some(argument), false) = (&variable.argument, ["sha", "date"].contains(&name)) {
            return Err(VariableError::ExtraArgument { name, argument: argument.clone() });
        }
        let argument = variable.argument.as_deref();
        let value = match name {
            "sha" => self.sha(argument)?,
            "branch" => self.branch.clone(),
            "ref" => self.reference.clone(),
            "pr" => self.pr.map(|n| n.to_string()),
            "version" => self.version.clone(),
            "semver" => self.version.as_deref().map(|v| v.strip_prefix('v').unwrap_or(v).to_owned()),
            "run" => self.run.clone(),
            _ => self.date(argument)?,
        };
        let missing = match name {
            "sha" if self.event_is_unread => VariableError::UnreadEvent,
            _ => VariableError::NoValue { name, reason },
        };
        value.filter(|v| !v.is_empty()).ok_or(missing)
    }

    /// The first N hex digits. They don't depend on how the clone abbreviates commit IDs.
    fn sha(&self, digits: Option<&str>) -> Result<Option<String>, VariableError> {
        let Some(sha) = &self.sha else { return Ok(None) };
        let Some(digits) = digits else { return Ok(Some(sha.clone())) };
        let wanted = digits.parse().ok().filter(|n| (1..=64).contains(n));
        let wanted: usize = wanted.ok_or_else(|| VariableError::DigitCount { digits: digits.to_owned() })?;
        match sha.get(..wanted) {
            Some(short) => Ok(Some(short.to_owned())),
            None => Err(VariableError::TooFewDigits { digits: wanted, sha: sha.clone() }),
        }
    }

    fn date(&self, format: Option<&str>) -> Result<Option<String>, VariableError> {
        let Some(now) = self.now else { return Ok(None) };
        let format = format.unwrap_or("%Y%m%d");
        let wrong = |reason: String| VariableError::Date { format: format.to_owned(), reason };
        if format.is_empty() {
            return Err(wrong("the format is empty; write it as {date:%Y%m%d}".to_owned()));
        }
        let error = |e: jiff::Error| wrong(e.to_string());
        let time = Timestamp::from_second(now).map_err(error)?;
        let zoned = time.to_zoned(TimeZone::UTC);
        jiff::fmt::strtime::format(format, &zoned).map(Some).map_err(error)
    }
}

/// The highest of the git tags at a commit, by semantic version. Tags that aren't versions come last.
pub fn highest(tags: impl IntoIterator<Item = String>) -> Option<String> {
    tags.into_iter().max_by(|a, b| version_key(a).cmp(&version_key(b)).then_with(|| a.cmp(b)))
}

/// A part of a pre-release, between dots. Numbers come before text.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum PreRelease<'a> {
    Number(u64),
    Text(&'a str),
}

impl<'a> PreRelease<'a> {
    fn of(text: &'a str) -> Self {
        text.parse().map_or(PreRelease::Text(text), PreRelease::Number)
    }
}

/// The sort key for semver.org 2.0.0 section 11.
fn version_key(tag: &str) -> Option<(Vec<u64>, bool, Vec<PreRelease<'_>>)> {
    let text = tag.rsplit('/').next().unwrap_or(tag);
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = text.split('+').next().unwrap_or(text);
    let (core, pre) = text.split_once('-').unwrap_or((text, ""));
    let numbers: Option<Vec<u64>> = core.split('.').map(|n| n.parse().ok()).collect();
    numbers.map(|numbers| (numbers, pre.is_empty(), pre.split('.').map(PreRelease::of).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_is_the_same_with_and_without_its_servers_folder() {
        for other in ["acme/gitops", "Acme/GitOps", "git/acme/gitops", "srv/git/acme/gitops"] {
            assert!(
                same_repository("acme/gitops", other) && same_repository(other, "acme/gitops"),
                "{other}"
            );
        }
        for other in ["acme/git", "gitops", "xacme/gitops", "acme/shop/gitops", "beta/gitops", ""] {
            assert!(
                !same_repository("acme/gitops", other) && !same_repository(other, "acme/gitops"),
                "{other}"
            );
        }
        assert!(!same_repository("acme/shop/gitops", "beta/shop/gitops"));
    }

    #[test]
    fn urls_with_the_same_path_may_be_one_repository() {
        let own = "https://github.com/acme/gitops.git";
        for other in ["github.com:acme/gitops", "git@work:Acme/gitops.git", "ssh://git@h:22/git/acme/gitops/"]
        {
            assert!(may_be_one_repository(own, other), "{other}");
        }
        for other in
            ["https://github.com/me/gitops", "../gitops", "github.com:gitops", "https://github.com", ""]
        {
            assert!(!may_be_one_repository(own, other), "{other}");
        }
        assert!(may_be_one_repository("/srv/a/../git/./gitops.git", "/srv/b/../git/gitops"));
        assert!(may_be_one_repository("git@h:gitops.git", "https://h/gitops"));
    }

    fn facts() -> BuildInfo {
        BuildInfo {
            sha: Some("0123456789abcdef0123456789abcdef01234567".into()),
            event_is_unread: false,
            branch: Some("feat/Ünï code".into()),
            reference: Some("pr-7".into()),
            pr: Some(7),
            version: Some("v1.2.3+build.5".into()),
            run: Some("42".into()),
            now: Some(1_700_000_000),
        }
    }

    fn tag(template: &str) -> Result<String, TagError> {
        compute(&Template::parse(template).unwrap(), &facts()).map(|t| t.to_string())
    }

    #[test]
    fn every_variable() {
        assert_eq!(tag("{sha:7}").unwrap(), "0123456");
        assert_eq!(tag("sha-{sha}").unwrap().len(), 44);
        assert_eq!(tag("{branch}-{sha:7}").unwrap(), "feat-n-code-0123456");
        assert_eq!(tag("{ref}.{pr}.{run}").unwrap(), "pr-7.7.42");
        assert_eq!(tag("{version}").unwrap(), "v1.2.3-build.5");
        assert_eq!(tag("{semver}").unwrap(), "1.2.3-build.5");
        assert_eq!(tag("{date:%Y%m%d}-{date:%H.%M}").unwrap(), "20231114-22.13");
        assert_eq!(tag("{date}").unwrap(), "20231114");
    }

    #[test]
    fn template_that_makes_no_tag_is_an_error() {
        for wrong in ["-{sha:7}", "", "a b"] {
            assert!(matches!(tag(wrong), Err(TagError::NotATag { .. })), "{wrong:?}");
        }
        for wrong in ["{sha:0}", "{sha:99}", "{sha:x}", "{brnch}", "{pr:3}", "{date:%!}"] {
            assert!(matches!(tag(wrong), Err(TagError::Variable { .. })), "{wrong:?}");
        }
        assert!(tag("{brnch}").unwrap_err().to_string().contains("did you mean {branch}?"));
        let none = compute(&Template::parse("{branch}").unwrap(), &BuildInfo::default()).unwrap_err();
        assert!(none.to_string().contains("{branch} has no value"), "{none}");
    }

    #[test]
    fn the_highest_version_wins() {
        let highest = |tags: &[&str]| highest(tags.iter().map(|t| (*t).to_owned())).unwrap();
        assert_eq!(highest(&["v1.9.0", "v1.10.0", "v1.10.0-rc.1"]), "v1.10.0");
        assert_eq!(highest(&["nightly", "v0.1.0"]), "v0.1.0");
        assert_eq!(highest(&["v2.0.0-rc.9", "v2.0.0-rc.10", "v2.0.0-beta"]), "v2.0.0-rc.10");
        assert_eq!(highest(&["v2.0.0-rc", "v2.0.0-rc.1", "v2.0.0-1"]), "v2.0.0-rc.1");
        assert_eq!(highest(&["b", "a"]), "b");
    }
}
