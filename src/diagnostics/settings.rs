//! Errors in flags. Their messages name flags too.

use super::selection;
use crate::error::Failure;
use crate::hint::{Hint, flag, hint, setting, switch};
use crate::image::{ImageError, TagProblem};
use crate::settings::{BadCombination, BareName, ExpectedValue, SettingsError};
use crate::visible::inline;

pub(super) fn describe(error: &SettingsError) -> Failure {
    Failure::usage(message(error)).hinted(advice(error))
}

fn message(error: &SettingsError) -> Hint {
    match error {
        SettingsError::Value { flag, value, expected } => {
            setting(flag, value.as_str()) + ": " + expected.to_string().as_str()
        }
        SettingsError::Template { flag: name, error } => flag(name) + ": " + error.to_string().as_str(),
        SettingsError::Digest(error) => flag("digest") + ": " + error.to_string().as_str(),
        SettingsError::Field(error) => flag("field") + " " + error.to_string().as_str(),
        SettingsError::Until(error) => flag("until") + " " + error.to_string().as_str(),
        SettingsError::Author(error) => {
            flag("author") + format!(" {:?} is not NAME <EMAIL>", error.text).as_str()
        }
        SettingsError::NeedsFolder { url } => setting("repo", url.as_str()) + ": this command needs a folder",
        SettingsError::Selection(error) => flag("file") + " " + error.to_string().as_str(),
        SettingsError::Combination(error) => combination(*error),
        other => hint(other.to_string()),
    }
}

fn combination(error: BadCombination) -> Hint {
    let via_api = || setting("via", "api");
    match error {
        BadCombination::UrlWithoutLanding => flag("repo") + " with a URL has no files to edit here",
        BadCombination::ApiWithCommit => via_api() + " makes no local commit",
        BadCombination::ApiWithAuthor => {
            flag("author") + " can't be used with " + via_api() + ": GitHub takes the token's owner"
        }
        BadCombination::ApiWithSign => {
            switch("sign") + " can't be used with " + via_api() + ": GitHub signs the commits that it makes"
        }
        BadCombination::CarryWithoutPush => {
            switch("carry") + " works only with " + switch("push") + ", and only with git"
        }
        BadCombination::DraftWithAutoMerge => {
            switch("draft")
                + " can't be used with "
                + setting("auto-merge", "METHOD")
                + ": a draft can't be merged"
        }
        BadCombination::FieldWithoutFile => flag("field") + " needs " + flag("file"),
        BadCombination::FieldForSeveralImages => flag("field") + " needs exactly one IMAGE",
        BadCombination::TwoDigests => flag("digest") + " and IMAGE both give a digest",
        BadCombination::DigestForSeveralImages => flag("digest") + " needs exactly one IMAGE",
        BadCombination::NothingToWaitFor => hint("wait needs a status or a URL to check"),
        BadCombination::ContainsWithoutUrl => flag("contains") + " needs " + flag("url"),
        BadCombination::NoImage => hint("no IMAGE was given"),
        BadCombination::HoldWithoutReason => hint("a hold needs ") + flag("reason"),
    }
}

fn advice(error: &SettingsError) -> Hint {
    match error {
        SettingsError::Value { expected, .. } => value_advice(*expected),
        SettingsError::Template { .. } => {
            hint("variables are {name} or {name:argument}; {{ and }} stand for single braces")
        }
        SettingsError::Image(error) => image_advice(error),
        SettingsError::Digest(_) => digest_advice(),
        SettingsError::Field(_) => hint("paths are keys separated by dots, [N] and [key=value]: list[0].tag"),
        SettingsError::Author(_) => hint("write it as ") + setting("author", "'Ada <ada@example.com>'"),
        SettingsError::NotBareName { takes: BareName::Tag, .. } => hint("the tags are appended to it"),
        SettingsError::NotBareName { takes: BareName::Scan, .. } => {
            hint("references are listed whatever their tag is")
        }
        SettingsError::NotBareName { takes: BareName::History, .. } => hint("all its tags are listed"),
        SettingsError::NotBareName { takes: BareName::Promotion, .. } => {
            hint("the tag and digest are those of the environment before")
        }
        SettingsError::NotBareName { takes: BareName::Wait, .. } => {
            hint("the tag is the one that the branch has; name a commit with ") + flag("rev")
        }
        SettingsError::NotBareName { takes: BareName::Hold, .. } => {
            hint("the image is held whatever its tag is")
        }
        SettingsError::Until(_) => hint("write it as 2026-12-01T08:00:00Z, 2026-12-01, 4h or 7d"),
        SettingsError::NotARollback { .. } => hint("the digest comes back with its tag"),
        SettingsError::NeedsFolder { .. } => {
            let clone = hint("clone the repository, and name the folder; bump with ");
            clone + switch("push") + " or " + switch("pr") + " works without a clone"
        }
        SettingsError::Combination(error) => combination_advice(*error),
        SettingsError::Selection(error) => selection::advice(error),
    }
}

fn value_advice(expected: ExpectedValue) -> Hint {
    hint(match expected {
        ExpectedValue::Source => "write it as acme/api@1a2b3c4…, with 7 to 64 hex digits",
        ExpectedValue::Time => "write it as 2026-11-21, 2026-11-21T12:00:00Z, '2 weeks ago' or 36h",
        ExpectedValue::Duration => "write it as 90s, 2m or 1h30m",
        ExpectedValue::AtMostADay => "the longest time is 24h",
        ExpectedValue::LongDuration => "write it as 30m, 12h or 7d",
        ExpectedValue::Branch => "`git check-ref-format --branch NAME` checks a name",
        ExpectedValue::Verify => "true means require, and false means off",
        ExpectedValue::Commit => "write 7 to 64 hex digits of it",
        ExpectedValue::Pattern => "a * stands for any text, [ab] for one of these characters",
        ExpectedValue::Page => "write it as https://api.example.com/version, without a user",
        ExpectedValue::OneLine => "everyone whose bump is skipped reads it: one short sentence is best",
        ExpectedValue::Number => "write it in digits, such as 3",
    })
}

pub(super) fn image_advice(error: &ImageError) -> Hint {
    match error {
        ImageError::Name { .. } => hint("write NAME[=NEWNAME][:TAG][@DIGEST], such as ghcr.io/acme/api:v2"),
        ImageError::NewName { .. } => hint("a name is host/path, such as ghcr.io/acme/api"),
        ImageError::Url { image: fix, .. } | ImageError::UpperCase { lower: fix, .. } => {
            hint(format!("write {}", inline(fix)))
        }
        ImageError::Tag { problem: TagProblem::Empty, .. } => {
            hint("give a tag after the colon, or leave the colon out")
        }
        // the grammar of the OCI distribution spec 1.1, "Pulling manifests"
        ImageError::Tag { .. } => {
            hint("a tag has 1 to 128 letters, digits, _, . and -, and doesn't start with . or -")
        }
        ImageError::Digest { .. } => digest_advice(),
    }
}

fn digest_advice() -> Hint {
    hint("copy the digest that the push of the image printed: sha256: and 64 hex digits")
}

fn combination_advice(error: BadCombination) -> Hint {
    let via_git = || hint(", or land with ") + setting("via", "git");
    match error {
        BadCombination::UrlWithoutLanding => {
            hint("land it with ")
                + switch("push")
                + " or "
                + switch("pr")
                + ", or try it with "
                + switch("dry-run")
        }
        BadCombination::ApiWithCommit => {
            hint("use only one of ") + setting("via", "api") + " and " + switch("commit")
        }
        BadCombination::ApiWithAuthor => hint("remove ") + flag("author") + via_git(),
        BadCombination::ApiWithSign => hint("remove ") + switch("sign") + via_git(),
        BadCombination::CarryWithoutPush => {
            hint("remove ") + switch("carry") + ", or " + setting("via", "api") + " and " + switch("pr")
        }
        BadCombination::DraftWithAutoMerge => {
            hint("remove ") + switch("draft") + ", or " + setting("auto-merge", "METHOD")
        }
        BadCombination::NothingToWaitFor => {
            hint("name statuses with ") + flag("status") + ", or a page with " + flag("url")
        }
        BadCombination::ContainsWithoutUrl => hint("name the page that has the text"),
        BadCombination::NoImage => hint("name one, such as ghcr.io/acme/api"),
        BadCombination::HoldWithoutReason => {
            hint("say why with ")
                + setting("reason", "TEXT")
                + ": it is shown to everyone whose bump is skipped"
        }
        BadCombination::FieldWithoutFile => hint("name the files whose field is to be set"),
        BadCombination::FieldForSeveralImages => hint("bump the images one by one"),
        BadCombination::TwoDigests => hint("give it once"),
        BadCombination::DigestForSeveralImages => hint("write IMAGE@DIGEST for each"),
    }
}
