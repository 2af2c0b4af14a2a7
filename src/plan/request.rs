//! What a plan is asked for: the images, where to look for them, and the options.

use std::collections::BTreeSet;

use super::{Environments, HeldImage, TargetIndex};
use crate::file_selection::{MatchLevel, Selection, SelectionError, is_yaml};
use crate::image::{Digest, Field, Tag};
use crate::manifest::{DesiredImage, NewDigest, PartOfText};
use crate::yaml::{Cancellation, FieldPath};

/// One image, the tag and digest that its references should get, and where to look for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateTarget {
    pub name: String,
    pub new_name: Field<String>,
    /// `None` keeps the tag.
    pub tag: Option<Tag>,
    pub digest: Field<Digest>,
    /// What happens to the digest where no place is there for one yet.
    pub new_digest: NewDigest,
    /// The service of `tagbump.yaml` that the target belongs to.
    pub service: Option<String>,
    pub scope: Scope,
}

/// Where to look for references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The files to search; `None` if only `fields` are set.
    pub files: Option<Selection>,
    pub fields: Vec<FieldTarget>,
    /// If set, only what this selects of the above: the files that were typed, of a service with files of its own.
    pub within: Option<Selection>,
    /// If set, only these files of the above.
    pub only: Option<BTreeSet<String>>,
}

/// A field that the user named, for places that tagbump doesn't recognise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTarget {
    pub files: Selection,
    pub path: FieldPath,
    /// If set, the path leads to a block scalar, and this one to a field of the YAML in it.
    pub inside: Option<FieldPath>,
    /// If set, only this part of the text counts.
    pub part: Option<PartOfText>,
    /// Whether the path is the name of a variable in a file of `NAME=VALUE` lines, whatever that file is called.
    pub is_variable: bool,
}

/// Where a place is that no rule finds by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlacePath {
    /// The path of the field, or the name of the variable.
    pub path: String,
    /// If the path leads to a block scalar: the path in the YAML there.
    pub inside: Option<String>,
    /// If only a part of the text sets the version: that part.
    pub part: Option<PartOfText>,
    /// Whether it is the name of a variable.
    pub is_variable: bool,
}

impl FieldTarget {
    pub(super) fn place_path(&self) -> PlacePath {
        let text = |path: &FieldPath| path.as_str().to_owned();
        PlacePath {
            path: text(&self.path),
            inside: self.inside.as_ref().map(text),
            part: self.part.clone(),
            is_variable: self.is_variable,
        }
    }
}

impl UpdateTarget {
    /// The name that the user knows the target by: its service, or else its image.
    pub fn label(&self) -> &str {
        self.service.as_deref().unwrap_or(&self.name)
    }

    /// What a reference of the target should be.
    pub(super) fn desired(&self) -> DesiredImage<'_> {
        DesiredImage {
            name: &self.name,
            new_name: &self.new_name,
            tag: self.tag.as_ref(),
            digest: &self.digest,
            new_digest: self.new_digest,
        }
    }

    /// The image that runs after the bump.
    pub fn effective_name(&self) -> &str {
        match &self.new_name {
            Field::Set(name) => name,
            Field::Unspecified | Field::Keep => &self.name,
        }
    }
}

impl Scope {
    /// A scope of all references in the files of a selection.
    pub fn of_files(files: &Selection) -> Self {
        Scope { files: Some(files.clone()), ..Scope::default() }
    }

    /// A scope of some fields in the files of a selection.
    pub fn of_fields(paths: &[FieldPath], files: &Selection) -> Self {
        let field = |path: &FieldPath| FieldTarget {
            files: files.clone(),
            path: path.clone(),
            inside: None,
            part: None,
            is_variable: false,
        };
        let is_new = |nth: &usize| !paths[..*nth].contains(&paths[*nth]);
        let new = (0..paths.len()).filter(is_new);
        Scope { fields: new.map(|nth| field(&paths[nth])).collect(), ..Scope::default() }
    }

    /// How strongly the scope asks for searching a file; `None` if it doesn't.
    pub(super) fn match_level(&self, path: &str) -> Option<MatchLevel> {
        self.match_level_of_any(path).filter(|level| *level == MatchLevel::Explicit || is_yaml(path))
    }

    /// As [`Scope::match_level`], for a file that may be something else than YAML.
    pub(super) fn match_level_of_any(&self, path: &str) -> Option<MatchLevel> {
        let level = self.files.as_ref().filter(|_| self.takes(path))?.match_level_of_any(path)?;
        Some(
            self.within
                .as_ref()
                .and_then(|within| within.match_level_of_any(path))
                .map_or(level, |w| w.max(level)),
        )
    }

    /// As [`Scope::match_level_of_any`], for the digest of a tag that the scope has. A rollback names the files of tags only.
    pub(super) fn match_level_of_digest(&self, path: &str) -> Option<MatchLevel> {
        Scope { only: None, ..self.clone() }.match_level_of_any(path)
    }

    pub(super) fn takes(&self, path: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(path))
            && self.within.as_ref().is_none_or(|within| within.match_level_of_any(path).is_some())
    }

    /// Whether any of its files or fields may be in a file.
    pub(super) fn reaches(&self, path: &str) -> bool {
        let in_field = |field: &FieldTarget| field.files.match_level(path).is_some();
        self.match_level_of_any(path).is_some() || (self.takes(path) && self.fields.iter().any(in_field))
    }

    /// The paths and patterns of its files; empty for all files.
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.own_selections().flat_map(Selection::texts).collect();
        texts.sort();
        texts.dedup();
        texts
    }

    /// Whether the user chose the files.
    pub(super) fn is_chosen(&self) -> bool {
        let is_narrowed = self.only.is_some() || self.within.is_some();
        is_narrowed || self.files.as_ref().is_none_or(|files| !files.is_everything())
    }

    /// Whether it names a path by itself, and not only because that was typed.
    pub(super) fn names(&self, path: &str) -> bool {
        self.own_selections().any(|own| own.names().iter().any(|name| name == path))
    }

    fn own_selections(&self) -> impl Iterator<Item = &Selection> {
        self.files.iter().chain(self.fields.iter().map(|field| &field.files))
    }

    /// Selects at least the files of the scope.
    fn selection(&self) -> Result<Selection, SelectionError> {
        let own = Selection::all_of(self.own_selections())?;
        self.within.as_ref().map_or(Ok(own.clone()), |within| own.narrowed_to(within))
    }
}

/// The input of a plan: its targets and options.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub targets: Vec<UpdateTarget>,
    pub add: bool,
    /// Update every match, even if their tags differ.
    pub all: bool,
    /// Update the defaults of charts too, if their tag floats and a stronger place sets it.
    pub floating: bool,
    pub expect: Option<usize>,
    /// The services in `tagbump.yaml`, for messages.
    pub services: Vec<String>,
    /// Where the configuration is that has them.
    pub config: String,
    /// References to leave unchanged, even though they match.
    pub skip: Vec<SkipReference>,
    /// Images whose references keep what they have.
    pub holds: Vec<HeldImage>,
    /// Change held references too.
    pub overrides_holds: bool,
    /// The URL of the repository, if it has one: Flux and Argo CD name repositories by it.
    pub repository_url: Option<String>,
    /// The environments that the request is about.
    pub environments: Environments,
    /// When to give up.
    pub cancellation: Cancellation,
}

/// References to one target in one file that must not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkipReference {
    pub target: TargetIndex,
    pub file: String,
    /// Their current tag and digest, as in [`super::ChangedReference::from`]; `None` means any.
    pub from: Option<String>,
}

impl Request {
    /// The same request, which also finds these fields, each with its target, file and path. They lead to references
    /// that a single file doesn't name.
    #[must_use]
    pub fn following<'a>(
        &self,
        fields: impl IntoIterator<Item = (TargetIndex, &'a str, &'a PlacePath)>,
    ) -> Request {
        let mut request = self.clone();
        for (target, file, place) in fields {
            let Ok(path) = FieldPath::parse(&place.path) else { continue };
            let Ok(inside) = place.inside.as_deref().map(FieldPath::parse).transpose() else { continue };
            let PlacePath { part, is_variable, .. } = place.clone();
            let field = FieldTarget { files: Selection::of_file(file), path, inside, part, is_variable };
            let fields = &mut request.targets[target].scope.fields;
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        request
    }

    /// Every file that is looked at.
    ///
    /// # Errors
    /// As [`Selection::new`].
    pub fn selection(&self) -> Result<Selection, SelectionError> {
        let selections = self.targets.iter().map(|target| target.scope.selection());
        Selection::all_of(&selections.collect::<Result<Vec<_>, _>>()?)
    }
}
