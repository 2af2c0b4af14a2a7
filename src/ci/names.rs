//! Checks values that anyone may have chosen: names of branches and tags, numbers, repositories.

use crate::tag::{is_repository, repository_at};

/// Longer names are refused. A reference is a file's path in most repositories, and those are at most this long.
const MAX_NAME: usize = 4096;

/// Whether git accepts this as the name of a branch. These are the rules of git's "git-check-ref-format" page, with `--branch`.
pub fn is_branch_name(name: &str) -> bool {
    !name.starts_with('-') && name != "HEAD" && is_ref_name(name)
}

/// Whether git accepts this after `refs/heads/` or `refs/tags/`.
fn is_ref_name(name: &str) -> bool {
    let is_allowed =
        |c: char| !c.is_ascii_control() && ![' ', '~', '^', ':', '?', '*', '[', '\\'].contains(&c);
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    name.len() <= MAX_NAME
        && name.chars().all(is_allowed)
        && !name.contains("..")
        && !name.contains("@{")
        && !name.ends_with('.')
        && name.split('/').all(is_part)
}

/// The branch in `NAME` or `refs/heads/NAME`.
pub(super) fn branch(value: &str) -> Option<String> {
    let name = value.strip_prefix("refs/heads/").unwrap_or(value);
    Some(name).filter(|name| !name.starts_with("refs/") && is_branch_name(name)).map(str::to_owned)
}

/// The branch in `REMOTE/NAME` or `refs/remotes/REMOTE/NAME`. A checkout of no branch is named `detached`.
pub(super) fn remote_branch(value: &str, remote: &str) -> Option<String> {
    let name = value.strip_prefix("refs/remotes/").unwrap_or(value);
    let without = |remote: &str| name.strip_prefix(remote)?.strip_prefix('/');
    let name = without(remote).or_else(|| without("origin")).unwrap_or(name);
    branch(name).filter(|name| name != "detached")
}

/// The tag in `NAME` or `refs/tags/NAME`.
pub(super) fn tag(value: &str) -> Option<String> {
    let name = value.strip_prefix("refs/tags/").unwrap_or(value);
    Some(name).filter(|name| !name.starts_with("refs/") && is_ref_name(name)).map(str::to_owned)
}

/// The number of a pull request, which may be at the end of its page's address.
pub(super) fn number(value: &str) -> Option<u64> {
    let digits = match value.contains("://") {
        true => value.trim_end_matches('/').rsplit('/').next()?,
        false => value,
    };
    run(digits)?.parse().ok()
}

/// The number of a run.
pub(super) fn run(value: &str) -> Option<String> {
    let fits = (1..=19).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| value.to_owned())
}

/// The number of a pull request in its reference, such as `refs/pull/7/merge`. CircleCI takes `pull/7` for a branch.
pub(super) fn request_of_ref(value: &str) -> Option<u64> {
    let value = value.strip_prefix("refs/").unwrap_or(value);
    let kinds = ["pull/", "pull-requests/", "merge-requests/"];
    let rest = kinds.into_iter().find_map(|kind| value.strip_prefix(kind))?;
    number(rest.split('/').next()?)
}

/// The name of a repository, from the path on its host or from its URL.
pub(super) fn repository(value: &str) -> Option<String> {
    let path = match (value.split_once("://"), value.split_once(':')) {
        (Some((_, rest)), _) => rest.split_once('/')?.1,
        (None, Some((_, path))) => path,
        (None, None) => value,
    };
    let repository = repository_at(path.split(['?', '#']).next()?)?;
    (repository.len() <= MAX_NAME && is_repository(&repository)).then_some(repository)
}
