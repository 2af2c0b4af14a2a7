//! What the references that a request means say now: their tags, and where they stand, without changing any.

use super::files::{self, Survey};
use super::matched::Match;
use super::{Request, Shelf, matching, messages, overridden, seen};
use crate::error::Result;
use crate::yaml::Tape;

/// One reference that is meant, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Which of the request's wants it is for.
    pub want: usize,
    pub file: String,
    /// Whether a `Chart.yaml` is beside the file.
    pub has_chart: bool,
    /// The innermost keys that lead to it, which stay the same when items or lines are added or removed.
    pub place: String,
    /// 1-based.
    pub line: usize,
    pub tag: Option<String>,
    pub digest: Option<String>,
}

/// What one file means, in the order of its text; nothing where it can't be read as YAML.
pub fn mentions(shelf: &dyn Shelf, request: &Request) -> Option<Vec<Mention>> {
    let survey = files::survey(shelf, request).ok().filter(|survey| survey.unread.is_empty())?;
    Some(found(&survey, request).ok()?.iter().map(|m| mention(&survey, m)).collect())
}

/// What is meant, in the order of files and text; workloads whose image a kustomization sets are not. Each want
/// must mean something.
///
/// # Errors
/// Exit 1 where a named file can't be read as YAML, what the shelf says, and exit 3, which names the nearest
/// images seen.
pub fn some_mentions(shelf: &dyn Shelf, request: &Request) -> Result<Vec<Mention>> {
    let survey = files::survey(shelf, request)?;
    let matches = found(&survey, request)?;
    check_some(shelf, request, &matches)?;
    Ok(matches.iter().map(|m| mention(&survey, m)).collect())
}

/// As [`some_mentions`], where a bump must be able to change them all, and must know which are meant.
///
/// # Errors
/// What a plan says of references that it can't change, too many or too few of them, or different tags.
pub fn changeable_mentions(shelf: &dyn Shelf, request: &Request) -> Result<Vec<Mention>> {
    let survey = files::survey(shelf, request)?;
    let matches = found(&survey, request)?;
    matching::check_fields(&survey, request)?;
    check_some(shelf, request, &matches)?;
    matching::check(&survey, request, &matches)?;
    let changeable = matches.iter().filter(|m| m.result.is_ok() && !m.only_told);
    Ok(changeable.map(|m| mention(&survey, m)).collect())
}

fn found(survey: &Survey, request: &Request) -> Result<Vec<Match>> {
    let mut matches = matching::find(survey, request)?;
    overridden::drop(survey, request, &mut matches);
    Ok(matches)
}

fn check_some(shelf: &dyn Shelf, request: &Request, matches: &[Match]) -> Result<()> {
    match matching::missing(request, matches).as_slice() {
        [] => Ok(()),
        missing => Err(messages::nothing(&seen::seen(shelf, request)?, request, missing)),
    }
}

fn mention(survey: &Survey, m: &Match) -> Mention {
    let file = &survey.files[m.file];
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Mention {
        want: m.want,
        file: file.path.clone(),
        has_chart: file.has_chart(),
        place: keys(&file.tape, m.at),
        line: file.tape.node(m.at).line,
        tag: said(&m.tag),
        digest: said(&m.digest),
    }
}

/// The most keys in a place, and the most characters of each. Deeper nesting or longer keys would cost their length again
/// for every reference.
const MAX_KEYS: usize = 32;
const MAX_KEY: usize = 64;

fn keys(tape: &Tape, id: usize) -> String {
    let above = std::iter::successors(Some(id), |&node| tape.node(node).parent);
    let texts = above.take(MAX_KEYS).filter_map(|node| tape.key_text(node));
    let mut keys: Vec<String> = texts.map(|text| text.chars().take(MAX_KEY).collect()).collect();
    keys.reverse();
    keys.join(".")
}
