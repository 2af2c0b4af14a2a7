//! A bump as a pure function: files and a request in, edits out.
//!
//! No I/O, repeatable, and empty when there is nothing to do. The working tree, a commit and the landing
//! loop all plan with this, each on its own set of files. `matching` finds the references that are meant,
//! `shared` looks after aliases and merge keys, `addition` makes new kustomization entries, `messages` words
//! what went wrong.

mod addition;
mod files;
mod matched;
mod matching;
mod messages;
mod shared;

use crate::error::Result;
use crate::image::{Digest, Part, Tag};
use crate::select::Standing;
use crate::yaml::FieldPath;

/// A file to look at.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Relative to the root, with `/`.
    pub path: String,
    pub bytes: Vec<u8>,
    pub standing: Standing,
}

/// Files to look at, and what was left out.
#[derive(Clone, Debug, Default)]
pub struct Files {
    pub files: Vec<SourceFile>,
    pub warnings: Vec<String>,
}

/// One image, and what its references shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    pub name: String,
    pub new_name: Part<String>,
    /// `None` keeps the tag.
    pub tag: Option<Tag>,
    pub digest: Part<Digest>,
}

impl Want {
    /// The image that runs after the bump.
    pub fn effective_name(&self) -> &str {
        match &self.new_name {
            Part::Set(name) => name,
            Part::Unsaid | Part::Keep => &self.name,
        }
    }
}

/// What to do, without where.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub wants: Vec<Want>,
    /// Only these fields; else every reference that is found.
    pub fields: Vec<FieldPath>,
    pub add: bool,
    /// Several places with different tags are all meant.
    pub all: bool,
    /// `-f` was given: what it selects is meant.
    pub selected: bool,
    pub expect: Option<usize>,
}

/// New bytes for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    pub path: String,
    pub before: Vec<u8>,
    pub after: Vec<u8>,
}

/// One reference that gets a new tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedReference {
    pub file: String,
    /// 1-based, in the file as it was.
    pub line: usize,
    pub kind: &'static str,
    /// The image that runs after the bump.
    pub image: String,
    /// The one that ran before, where it is another.
    pub renamed_from: Option<String>,
    /// Which of the request's wants it is for.
    pub want: usize,
    /// `TAG`, `TAG@DIGEST`, or empty where there was none.
    pub from: String,
    pub to: String,
    pub dropped_digest: bool,
}

/// What a bump changes. Nothing where every reference says what is wanted already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub edits: Vec<FileEdit>,
    pub changes: Vec<ChangedReference>,
    pub warnings: Vec<String>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }
}

/// All that is known of some files.
pub struct Survey {
    inner: files::Survey,
}

impl Survey {
    /// Reads files as YAML, and keeps what matters to the request.
    ///
    /// # Errors
    /// Exit 1 where a named file can't be read as YAML.
    pub fn of(files: impl IntoIterator<Item = SourceFile>, request: &Request) -> Result<Self> {
        Ok(Survey { inner: files::survey(files, request)? })
    }

    /// Files that could not be read as YAML, with where and why. Told one by one only when asked for.
    pub fn unread(&self) -> &[String] {
        &self.inner.unread
    }

    /// Plans a bump.
    ///
    /// # Errors
    /// Exit 3 where nothing matches, too few or too many, or different tags are meant at once; exit 6 where
    /// a reference can't be edited safely.
    pub fn plan(&self, request: &Request) -> Result<Plan> {
        let survey = &self.inner;
        let mut matches = matching::find(survey, request)?;
        if request.add {
            addition::add(survey, request, &mut matches);
        }
        matching::check(survey, request, &matches)?;
        matching::write(survey, request, matches)
    }
}
