//! Mistakes in the typed options. Flags are data here: `diagnostics` words them.

use crate::file_selection::SelectionError;
use crate::git::AuthorError;
use crate::holds::HoldTimeError;
use crate::image::ImageError;
use crate::template::TemplateError;
use crate::yaml::FieldError;

/// Why the flags can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A value that a flag doesn't take.
    #[error("{flag} {value}: {expected}")]
    Value { flag: &'static str, value: String, expected: ExpectedValue },
    #[error("{flag}: {error}")]
    Template { flag: &'static str, error: TemplateError },
    #[error("digest: {0}")]
    Digest(ImageError),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error("until: {0}")]
    Until(#[from] HoldTimeError),
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// A command that takes the name of an image without tag.
    #[error("IMAGE {image}: give the name alone")]
    NotBareName { image: String, takes: BareName },
    #[error("IMAGE {image}: a rollback takes NAME[:TAG]")]
    NotARollback { image: String },
    #[error("{url}: this command needs a folder")]
    NeedsFolder {
        /// Without user and password.
        url: String,
    },
    #[error("{0}")]
    Combination(#[from] BadCombination),
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpectedValue {
    #[error("not [REPO@]SHA")]
    Source,
    #[error("not a number")]
    Number,
    #[error("not a time")]
    Time,
    #[error("not a duration")]
    Duration,
    #[error("longer than a day")]
    AtMostADay,
    #[error("not a duration")]
    LongDuration,
    #[error("not a valid branch name")]
    Branch,
    #[error("not require, warn or off")]
    Verify,
    #[error("not a commit ID")]
    Commit,
    #[error("not a valid pattern")]
    Pattern,
    #[error("not the address of a page")]
    Page,
    #[error("not one line")]
    OneLine,
}

/// Why a command takes names without tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BareName {
    Tag,
    Scan,
    History,
    Promotion,
    Wait,
    Hold,
}

/// Flags that don't go together, or miss one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCombination {
    #[error("with a URL, there are no files to edit here")]
    UrlWithoutLanding,
    #[error("the API makes no local commits")]
    ApiWithCommit,
    #[error("GitHub's API takes the token's owner as the author")]
    ApiWithAuthor,
    #[error("GitHub signs the commits that its API makes")]
    ApiWithSign,
    #[error("only a push with git can carry local commits")]
    CarryWithoutPush,
    #[error("a draft can't be merged")]
    DraftWithAutoMerge,
    #[error("nothing says when it is live")]
    NothingToWaitFor,
    #[error("a text needs a page")]
    ContainsWithoutUrl,
    #[error("no IMAGE was given")]
    NoImage,
    #[error("a hold needs a reason")]
    HoldWithoutReason,
    #[error("a field needs a file")]
    FieldWithoutFile,
    #[error("a field needs exactly one IMAGE")]
    FieldForSeveralImages,
    #[error("the digest is given twice")]
    TwoDigests,
    #[error("a digest needs exactly one IMAGE")]
    DigestForSeveralImages,
}
