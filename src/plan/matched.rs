//! A reference that a target matches, and its planned edit.

use std::collections::BTreeSet;

use super::indexes::FileIndex;
use super::parsed_file::ParsedFile;
use super::{OtherRoot, PlacePath, TargetIndex};
use crate::file_selection::MatchLevel;
use crate::image::Tag;
use crate::manifest::{KUSTOMIZATION, Reference, Refusal, Rewrite, ScalarPlace, WORKLOAD};
use crate::yaml::NodeId;

/// The target that a match is for, and the file that it is in.
#[derive(Clone, Copy)]
pub(super) struct MatchOwner {
    pub file: FileIndex,
    pub target: TargetIndex,
    /// How strongly the target's selection asks for the file.
    pub match_level: MatchLevel,
}

/// The place of a match in its file.
pub(super) struct MatchPlace {
    pub at: NodeId,
    /// Of the file, 1-based.
    pub line: usize,
    pub kind: &'static str,
    pub image: String,
}

/// A reference that one of the targets matches, with its planned edit.
pub(super) struct Match {
    pub file: FileIndex,
    pub target: TargetIndex,
    /// How strongly the target's selection asks for the file.
    pub match_level: MatchLevel,
    pub at: NodeId,
    /// In YAML in a block scalar (`at`): the node there.
    pub inner_at: Option<NodeId>,
    /// Of the file, 1-based.
    pub line: usize,
    /// The scalars that it consists of.
    pub nodes: Vec<ScalarPlace>,
    pub kind: &'static str,
    pub image: String,
    /// For an entry of kustomize: the name that workloads use.
    pub kustomize_name: Option<String>,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// Not there yet: the bump adds it.
    pub added: bool,
    /// It overrides the images of workloads.
    pub overrides: bool,
    /// It is reported, but never edited.
    pub report_only: bool,
    /// The digest of an image that has its tag elsewhere. It counts there.
    pub follows: bool,
    /// Found by the B of `A=B`.
    pub by_new_name: bool,
    /// An entry that no container uses, as far as tagbump can see.
    pub unused: bool,
    /// The tags that run, if they differ from root to root.
    pub effective_tags: Vec<String>,
    /// The tag that runs, if a weaker place sets it.
    pub effective_tag: Option<String>,
    /// The digest that runs, if a root uses the place.
    pub effective_digest: Option<Option<String>>,
    /// The environments that it sets; `None` if those of its file count.
    pub environments: Option<BTreeSet<String>>,
    /// Which of the request's held images it is.
    pub held: Option<usize>,
    /// The roots of other environments that it sets too.
    pub outside: Vec<OtherRoot>,
    /// Where it is, if no rule finds the place by itself.
    pub field: Option<PlacePath>,
    pub result: Result<Rewrite, Refusal>,
}

impl Match {
    /// A match of which only the place is known, and what an edit of it gives.
    pub fn new(owner: MatchOwner, place: MatchPlace, result: Result<Rewrite, Refusal>) -> Match {
        let MatchOwner { file, target, match_level } = owner;
        let MatchPlace { at, line, kind, image } = place;
        Match {
            file,
            target,
            match_level,
            at,
            inner_at: None,
            line,
            nodes: Vec::new(),
            kind,
            image,
            kustomize_name: None,
            tag: None,
            digest: None,
            added: false,
            overrides: false,
            report_only: false,
            follows: false,
            by_new_name: false,
            unused: false,
            effective_tags: Vec::new(),
            effective_tag: None,
            effective_digest: None,
            environments: None,
            held: None,
            outside: Vec::new(),
            field: None,
            result,
        }
    }

    /// A reference as a match: where it is, and what it says.
    pub fn of_reference(
        parsed: &ParsedFile,
        owner: MatchOwner,
        reference: &Reference,
        result: Result<Rewrite, Refusal>,
    ) -> Match {
        let (at, image) = (reference.at, reference.image.clone());
        let place = MatchPlace { at, line: reference.position(&parsed.yaml).0, kind: reference.kind, image };
        Match {
            inner_at: reference.inner_at(),
            tag: reference.tag.clone(),
            digest: reference.digest.clone(),
            kustomize_name: reference.kustomize_name.clone(),
            ..Match::new(owner, place, result)
        }
    }

    /// An entry with nothing but a name.
    pub fn sets_nothing(&self) -> bool {
        let is_name = self.kustomize_name.as_ref().is_some_and(|name| *name == self.image);
        is_name && self.tag.is_none() && self.digest.is_none()
    }

    /// Whether an entry of a kustomization sets it, or could.
    pub fn is_of_kustomization(&self) -> bool {
        [KUSTOMIZATION, WORKLOAD].contains(&self.kind)
    }

    /// The node that it is at, behind the block scalar that this is in.
    pub fn path(&self) -> Vec<NodeId> {
        [self.at].into_iter().chain(self.inner_at).collect()
    }

    /// Whether the tag is known. A place that can't be edited may hold a variable instead.
    pub fn has_known_tag(&self) -> bool {
        match &self.result {
            Ok(_) => true,
            Err(_) => self.runs().is_some_and(|tag| Tag::parse(tag).is_ok()),
        }
    }

    /// Its scalars, each with the target.
    pub fn scalars(&self) -> impl Iterator<Item = (TargetIndex, ScalarPlace)> {
        self.nodes.iter().map(|scalar| (self.target, *scalar))
    }

    /// Whether it is a part of a text.
    pub fn is_part(&self) -> bool {
        self.field.as_ref().is_some_and(|field| field.part.is_some())
    }

    /// The tags that run: more than one if a weaker place sets them, and roots differ.
    pub fn all_that_run(&self) -> Vec<Option<&str>> {
        match self.effective_tags.as_slice() {
            [] => vec![self.runs()],
            tags => tags.iter().map(|tag| Some(tag.as_str())).collect(),
        }
    }

    /// The tag that runs. Without a tag, the digest.
    pub fn version(&self) -> Option<&str> {
        self.runs().filter(|tag| !tag.is_empty()).or_else(|| self.runs_digest())
    }

    /// The versions that run: more than one if a weaker place sets the tag, and roots differ.
    pub fn all_versions(&self) -> Vec<Option<&str>> {
        match self.effective_tags.as_slice() {
            [] => vec![self.version()],
            tags => tags.iter().map(|tag| Some(tag.as_str())).collect(),
        }
    }

    /// Notes roots of other environments, and environments, that it sets too.
    pub fn also_sets<'a>(&mut self, outside: &[OtherRoot], environments: impl Iterator<Item = &'a String>) {
        for other in outside {
            if !self.outside.contains(other) {
                self.outside.push(other.clone());
            }
        }
        self.environments.get_or_insert_default().extend(environments.cloned());
    }

    /// The digest that runs.
    pub fn runs_digest(&self) -> Option<&str> {
        self.effective_digest.as_ref().unwrap_or(&self.digest).as_deref()
    }

    /// The tag that runs.
    pub fn runs(&self) -> Option<&str> {
        self.effective_tag.as_deref().or(self.tag.as_deref())
    }
}
