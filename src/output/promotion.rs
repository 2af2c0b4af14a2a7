//! What a promotion compares: what an environment runs, and what it would get.

use serde::Serialize;

use super::skipped::SkipReason;
use super::timeline::moment;
use crate::visible::inline;

/// The environment that tags are promoted from, and the commit that it was read in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromotedFrom {
    pub env: String,
    /// `None` if the files are in no repository.
    pub commit: Option<String>,
}

/// A promotion, as it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The environment that is set.
    pub env: String,
    pub from: PromotedFrom,
    pub rows: Vec<PromotionRow>,
}

/// One service or image of a promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionRow {
    pub name: String,
    /// What the environment runs now: `TAG`, `TAG@DIGEST` or `@DIGEST`.
    pub now: String,
    /// What it would get; `None` if nothing has soaked.
    pub becomes: Option<String>,
    /// Why the environment keeps what it runs, although the environment before runs something else.
    pub stays: Option<SkipReason>,
    /// When the environment before got that: seconds since the epoch.
    pub since: Option<i64>,
    /// How many commits lie between both, if that is known.
    pub commits: Option<CommitCount>,
}

/// How many commits a change includes, or takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitCount {
    pub total: usize,
    pub goes_back: bool,
}

impl Promotion {
    /// The names of the columns.
    pub fn heading(&self) -> [String; 5] {
        let (env, from) = (inline(&self.env), inline(&self.from.env));
        [
            "service".to_owned(),
            format!("{env} now"),
            "would become".to_owned(),
            format!("in {from} since"),
            "commits between".to_owned(),
        ]
    }
}

impl PromotionRow {
    /// The texts of the columns; `None` for what isn't known.
    pub fn columns(&self) -> [Option<String>; 5] {
        let commits = self.commits.map(|count| match count.goes_back {
            true => format!("{} back", count.total),
            false => count.total.to_string(),
        });
        let now = Some(self.now.clone()).filter(|now| !now.is_empty());
        let becomes = match self.stays {
            Some(reason) => Some(format!("stays ({reason})")),
            None => self.becomes.clone(),
        };
        [Some(self.name.clone()), now, becomes, self.since.map(moment), commits]
    }
}

/// The rows in columns, for a terminal.
pub(super) fn promotion_table(promotion: &Promotion) -> String {
    let shown = |row: &PromotionRow| {
        row.columns().map(|text| text.map_or_else(|| "-".to_owned(), |text| inline(&text)))
    };
    let rows: Vec<[String; 5]> =
        [promotion.heading()].into_iter().chain(promotion.rows.iter().map(shown)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths).map(|(text, &width)| format!("{text:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
