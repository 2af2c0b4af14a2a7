//! Looks at the branch, the forge and the pages until a change is live, or can no longer become live.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::awaited::{Awaited, TagState};
use super::judge::{IN_A_ROW, Look, LookJudge, LookVerdict, Progress, SeenCommit};
use super::page::{Page, ShownText};
use crate::diagnostics::{Error, UnreadPart, WaitError};
use crate::forge::{AnswerCache, CommitReader, ForgeKind};
use crate::landing::remote::RemoteHistory;
use crate::landing::{Clock, FetchError};
use crate::object_id::CommitId;
use crate::output::WaitInfo;
use crate::settings::WaitSettings;

/// How long to wait between two looks: at first, and at most.
const SHORTEST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(30);
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// After so many looks in a row that saw nothing, what an earlier one saw says no more whether the change is live.
const UNREAD_IN_A_ROW: usize = 3;
/// How many of the next commits count. Controllers skip commits, but not that many.
const NEXT_COMMITS: usize = 20;

/// How waiting ended, if not with an error.
pub(super) enum End {
    Live,
    /// The branch has another value.
    Superseded {
        now: String,
    },
}

/// Where the statuses are.
pub(super) struct StatusSource {
    pub reader: Box<dyn CommitReader>,
    pub kind: ForgeKind,
    /// The repository's name there.
    pub repository: String,
}

/// Everything that is looked at.
pub(super) struct Watch<'a> {
    pub settings: &'a WaitSettings,
    pub clock: &'a dyn Clock,
    pub deadline: Instant,
    pub remote: RemoteHistory,
    pub statuses: Option<StatusSource>,
    pub awaited: &'a Awaited,
    pub judge: LookJudge<'a>,
    pub memory: WatchMemory,
}

/// What earlier looks found out. Empty before the first one.
#[derive(Default)]
pub(super) struct WatchMemory {
    cache: AnswerCache,
    /// Which commits have the awaited tags.
    tag_states: HashMap<CommitId, TagState>,
    /// Why the last look saw nothing, or why a page doesn't show the change.
    trouble: Option<String>,
    /// The forge's refusal, if that was its last answer.
    refused: Option<WaitError>,
    /// What the last look that saw something saw.
    seen: Option<String>,
    /// How many looks in a row have seen nothing since.
    unread: usize,
}

/// A look that ended early.
enum Stop {
    End(End),
    /// The next look may see more; the server may say when.
    Later {
        unread: UnreadPart,
        what: String,
        retry_after: Option<Duration>,
    },
    Error(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Error(error.into())
    }
}

impl Watch<'_> {
    /// Looks again and again. `progress` gets a line about each look that doesn't decide, and `info` the statuses.
    ///
    /// # Errors
    /// If the change failed, if the time is up, or if looking makes no sense any more.
    pub fn run(mut self, progress: &mut dyn FnMut(&str), info: &mut WaitInfo) -> Result<End, Error> {
        let (mut pause, mut shown) = (SHORTEST, String::new());
        loop {
            let mut unread = None;
            let (text, at_least) = match self.look() {
                Ok(look) => match self.judge.judge(&look) {
                    LookVerdict::Live { statuses } => {
                        info.statuses = statuses;
                        return Ok(End::Live);
                    }
                    LookVerdict::Failed { statuses } => {
                        let names = statuses.iter().map(|status| status.name.clone()).collect();
                        info.statuses = statuses;
                        return Err(WaitError::Failed { commit: self.awaited.commit, names }.into());
                    }
                    LookVerdict::Waiting { statuses, progress } => {
                        info.statuses = statuses;
                        let text = described(&progress, self.memory.trouble.as_deref());
                        (self.memory.seen, self.memory.unread) = (Some(text.clone()), 0);
                        (text, None)
                    }
                },
                Err(Stop::End(end)) => return Ok(end),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Later { unread: part, what, retry_after }) => {
                    unread = Some(part);
                    self.memory.unread += 1;
                    (what, retry_after)
                }
            };
            let left = self.deadline.saturating_duration_since(self.clock.now());
            if left.is_zero() {
                return Err(self.timed_out(unread, text));
            }
            progress(&text);
            // while something happens, look more often
            pause = if text == shown { longer(pause) } else { SHORTEST };
            shown = text;
            self.clock.sleep(pause.max(at_least.unwrap_or_default()).min(left));
        }
    }

    /// Only what was read shortly before can say that the change is not live.
    fn timed_out(self, unread: Option<UnreadPart>, what: String) -> Error {
        let (commit, seconds) = (self.awaited.commit, self.settings.timeout.as_secs());
        let WatchMemory { refused, seen, unread: in_a_row, .. } = self.memory;
        let seen = seen.filter(|_| in_a_row < UNREAD_IN_A_ROW);
        let error = match (unread, seen, refused) {
            (None, ..) => WaitError::TimedOut { commit, seconds, what },
            (Some(part), Some(seen), _) => {
                let what = format!("{seen}; in the end, {part} couldn't be read: {what}");
                WaitError::TimedOut { commit, seconds, what }
            }
            (Some(_), None, Some(refused)) => refused,
            (Some(part), None, None) => WaitError::Unknown { commit, part, what },
        };
        error.into()
    }

    fn look(&mut self) -> Result<Look, Stop> {
        self.memory.trouble = None;
        let commits = self.commits()?;
        let commits = commits.into_iter().map(|commit| self.seen(commit)).collect::<Result<_, Stop>>()?;
        let pages = self.settings.urls.iter().map(|url| self.page(url)).collect::<Vec<_>>();
        self.memory.trouble = pages.iter().find_map(|page| page.clone().err());
        Ok(Look { now: self.clock.now(), commits, pages: pages.iter().map(Result::is_ok).collect() })
    }

    /// A look that began in time may end a little later, but not each of its requests.
    fn request_deadline(&self) -> Instant {
        (self.clock.now() + PATIENCE).min(self.deadline + PATIENCE)
    }

    /// The awaited commit, and those of the next ones that have its tags.
    fn commits(&mut self) -> Result<Vec<CommitId>, Stop> {
        let refreshed = self.remote.refresh(self.request_deadline());
        refreshed.map_err(|error| match error.transient() {
            Ok((what, retry_after)) => Stop::Later { unread: UnreadPart::Branch, what, retry_after },
            Err(error) => Stop::from(error),
        })?;
        let ours = self.awaited.commit;
        let branch = self.remote.branch().to_owned();
        if self.remote.find(&ours.to_string()).is_none() {
            return Err(WaitError::NotOnBranch { commit: ours.to_string(), branch }.into());
        }
        let tip = self.remote.tip();
        if let TagState::Other(now) = self.holds(tip)? {
            return Err(Stop::End(End::Superseded { now }));
        }
        let mut commits = vec![ours];
        for next in self.remote.after(ours, NEXT_COMMITS)? {
            if self.holds(next)? == TagState::Same {
                commits.push(next);
            }
        }
        Ok(commits)
    }

    fn holds(&mut self, commit: CommitId) -> Result<TagState, Error> {
        if let Some(known) = self.memory.tag_states.get(&commit) {
            return Ok(known.clone());
        }
        let holds = self.awaited.holds(&self.remote, commit)?;
        self.memory.tag_states.insert(commit, holds.clone());
        Ok(holds)
    }

    /// A commit with its statuses. A refusal for want of rights ends the run; any other may pass, as a forge may know a commit only a little
    /// later than git.
    fn seen(&mut self, commit: CommitId) -> Result<SeenCommit, Stop> {
        let deadline = self.request_deadline();
        let Some(source) = &self.statuses else { return Ok(SeenCommit { commit, statuses: Vec::new() }) };
        let StatusSource { reader, kind, repository } = source;
        let later = |what, retry_after| Stop::Later { unread: UnreadPart::Statuses, what, retry_after };
        match reader.statuses(deadline, repository, &commit.to_string(), &mut self.memory.cache) {
            Ok(statuses) => {
                self.memory.refused = None;
                Ok(SeenCommit { commit, statuses })
            }
            Err(FetchError::Permanent(error)) => {
                let Some(status) = error.refused_status() else { return Err(Stop::from(error)) };
                let message = error.to_string();
                let refused = WaitError::StatusesRefused { forge: *kind, status, message: message.clone() };
                if [401, 403].contains(&status) {
                    return Err(Stop::from(refused));
                }
                self.memory.refused = Some(refused);
                Err(later(message, None))
            }
            Err(FetchError::Transient { what, retry_after }) => Err(later(what, retry_after)),
            Err(FetchError::Unreachable { what }) => Err(later(what, None)),
        }
    }

    fn page(&self, url: &url::Url) -> Result<(), String> {
        let wanted = match &self.settings.contains {
            Some(text) => ShownText::Text(text.clone()),
            None => ShownText::Words(self.awaited.words.clone()),
        };
        let page = Page { http: self.remote.http(), url, wanted: &wanted };
        // a query may be a secret
        page.shows_it(self.request_deadline()).map_err(|why| format!("{}: {why}", shown(url)))
    }
}

fn longer(pause: Duration) -> Duration {
    Duration::from_secs(pause.as_secs() * 3 / 2).min(LONGEST)
}

/// An address without its query.
fn shown(url: &url::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    crate::visible::inline(url.as_str())
}

/// One line about what is still missing.
fn described(progress: &Progress, trouble: Option<&str>) -> String {
    let count = |number: usize, word: &str| (number > 0).then(|| format!("{number} {word}"));
    let states = [
        count(progress.succeeded, "succeeded"),
        count(progress.pending, "pending"),
        count(progress.failed, "failed"),
    ];
    let states: Vec<String> = states.into_iter().flatten().collect();
    let statuses = (!states.is_empty()).then(|| format!("statuses: {}", states.join(", ")));
    let names =
        || progress.unmatched.iter().map(|name| crate::visible::inline(name)).collect::<Vec<_>>().join(", ");
    let unmatched = (!progress.unmatched.is_empty()).then(|| format!("no status matches {}", names()));
    let rows: Vec<String> =
        progress.pages.iter().map(|count| format!("{} of {IN_A_ROW}", (*count).min(IN_A_ROW))).collect();
    let pages = (!rows.is_empty()).then(|| format!("successful page checks in a row: {}", rows.join(", ")));
    let parts: Vec<String> =
        [statuses, unmatched, pages, trouble.map(str::to_owned)].into_iter().flatten().collect();
    parts.join("; ")
}
