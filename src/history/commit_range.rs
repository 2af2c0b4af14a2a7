//! The commits that one commit has and another lacks, as far as they are shown.

/// How many commits of a range are shown.
pub const MAX_LISTED: usize = 20;

/// One of the commits between two others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCommit {
    /// Its ID, in full.
    pub commit: String,
    /// The first line of its message. Its author wrote it, so it may be anything.
    pub subject: String,
}

impl ListedCommit {
    /// From a commit's ID and message.
    pub fn new(commit: &str, message: &str) -> Self {
        let subject = message.trim_start().lines().next().unwrap_or_default().trim_end();
        ListedCommit { commit: commit.to_owned(), subject: subject.to_owned() }
    }
}

/// The commits between two others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitRange {
    /// The newest of them, newest first, at most [`MAX_LISTED`].
    pub commits: Vec<ListedCommit>,
    /// How many there are.
    pub total: usize,
}

impl CommitRange {
    /// How many are not listed.
    pub fn more(&self) -> usize {
        self.total.saturating_sub(self.commits.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_is_the_first_line_with_words() {
        for (message, subject) in [("\n\na: b \r\n\nmore", "a: b"), ("one", "one"), ("", ""), (" \n ", "")] {
            assert_eq!(ListedCommit::new("1", message).subject, subject, "{message:?}");
        }
    }
}
