//! Validates the arguments of `wait`.

use std::fmt;
use std::time::Duration;

use globset::{GlobBuilder, GlobMatcher};
use url::Url;

use super::parse::{duration, listed, names, non_empty};
use super::{
    BadCombination, BareName, ExpectedValue, RemoteSettings, RunContext, SettingsError, run_context,
};
use crate::cli::{ForgeArg, WaitArgs};
use crate::environment::Environment;
use crate::file_selection::Selection;
use crate::git::without_user;

const DEFAULT_WAIT: Duration = Duration::from_secs(600);

/// The validated arguments of `wait`.
#[derive(Clone)]
pub struct WaitSettings {
    pub run_context: RunContext,
    /// Names without tags, or services. If empty, those of the commit, or all services.
    pub images: Vec<String>,
    pub selection: Selection,
    /// Only this environment.
    pub env: Option<String>,
    pub remote: RemoteSettings,
    pub forge: ForgeArg,
    /// A commit's ID, at least 7 digits of it.
    pub rev: Option<String>,
    pub statuses: Vec<StatusPattern>,
    pub urls: Vec<Url>,
    /// What the pages must contain, if that is not the tag or the source.
    pub contains: Option<String>,
    pub timeout: Duration,
}

/// A pattern for the names of statuses and check runs. A `*` stands for any text, also with slashes.
#[derive(Clone)]
pub struct StatusPattern {
    text: String,
    matcher: GlobMatcher,
}

impl StatusPattern {
    /// Reads a pattern; `None` if it is not valid.
    pub fn parse(text: &str) -> Option<Self> {
        let glob = GlobBuilder::new(text).literal_separator(false).build().ok()?;
        Some(StatusPattern { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    pub fn matches(&self, name: &str) -> bool {
        // a pattern's own characters, as in `deploy [prod]`, count literally too
        self.text == name || self.matcher.is_match(name)
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Checks a `wait`.
///
/// # Errors
/// With the flag, and the values that it takes.
pub fn wait(args: WaitArgs, environment: Environment, now: i64) -> Result<WaitSettings, SettingsError> {
    let remote = RemoteSettings::read(args.remote.as_deref(), args.branch.as_deref(), &environment)?;
    let settings = WaitSettings {
        run_context: run_context(&args.common, None, &remote.name, environment, now)?,
        images: names(args.images, BareName::Wait)?,
        selection: Selection::new(&listed(args.files.files))?,
        env: non_empty(args.env.env.as_deref()).map(str::to_owned),
        remote,
        forge: args.forge,
        rev: non_empty(args.rev.as_deref()).map(rev).transpose()?,
        statuses: listed(args.statuses).iter().map(|text| pattern(text)).collect::<Result<_, _>>()?,
        urls: listed(args.urls).iter().map(|text| page(text)).collect::<Result<_, _>>()?,
        contains: non_empty(args.contains.as_deref()).map(str::to_owned),
        timeout: non_empty(args.wait_timeout.as_deref())
            .map(|text| duration("wait-timeout", text))
            .transpose()?
            .unwrap_or(DEFAULT_WAIT),
    };
    if settings.statuses.is_empty() && settings.urls.is_empty() {
        return Err(BadCombination::NothingToWaitFor.into());
    }
    if settings.contains.is_some() && settings.urls.is_empty() {
        return Err(BadCombination::ContainsWithoutUrl.into());
    }
    Ok(settings)
}

fn rev(text: &str) -> Result<String, SettingsError> {
    let sha = text.to_ascii_lowercase();
    let fits = (7..=64).contains(&sha.len()) && sha.bytes().all(|b| b.is_ascii_hexdigit());
    let expected = ExpectedValue::Commit;
    let error = || SettingsError::Value { flag: "rev", value: text.to_owned(), expected };
    fits.then_some(sha).ok_or_else(error)
}

fn pattern(text: &str) -> Result<StatusPattern, SettingsError> {
    let expected = ExpectedValue::Pattern;
    let error = || SettingsError::Value { flag: "status", value: text.to_owned(), expected };
    StatusPattern::parse(text).ok_or_else(error)
}

/// An address without a user: no credentials are sent to it.
fn page(text: &str) -> Result<Url, SettingsError> {
    let url = Url::parse(text).ok().filter(|url| {
        ["http", "https"].contains(&url.scheme()) && url.username().is_empty() && url.password().is_none()
    });
    let value = without_user(text);
    url.ok_or(SettingsError::Value { flag: "url", value, expected: ExpectedValue::Page })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_stands_for_any_text() {
        let matches = |pattern: &str, name: &str| StatusPattern::parse(pattern).unwrap().matches(name);
        assert!(matches("kustomization/*", "kustomization/flux-system/1a2b3c4d"));
        assert!(matches("*", "ci / test (linux)"));
        assert!(matches("deploy [prod]", "deploy [prod]"));
        assert!(matches("deploy", "deploy"));
        assert!(!matches("deploy", "deploy-2") && !matches("deploy", "Deploy"));
        assert!(StatusPattern::parse("[").is_none());
    }

    #[test]
    fn page_has_no_user() {
        assert!(page("https://api.example.com/version?full=1").is_ok());
        for wrong in
            ["https://ann:secret@h/", "https://ann@h/", "ftp://h/", "h/version", "file:///etc/passwd"]
        {
            let error = page(wrong).unwrap_err();
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}
