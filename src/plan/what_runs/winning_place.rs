//! A winning place as a match: one that a rule finds under another name, or one that no rule finds.

use super::super::indexes::FileIndex;
use super::super::matched::{Match, MatchOwner, MatchPlace};
use super::super::matching::match_of;
use super::super::parsed_file::ParsedFile;
use super::super::{PlacePath, UpdateTarget};
use super::{DigestPlace, Winner, some_images};
use crate::effective::{Setting, TextPart};
use crate::file_selection::MatchLevel;
use crate::manifest::{
    PartOfText, Reference, ReferenceSyntax, Refusal, RefusalReason, Rewrite, ScalarPlace, ValueLocation,
    is_override,
};
use crate::yaml::{EditBlocker, FieldPath, NodeId, ParsedYaml};

/// A winning place, in the file that it is in.
pub(super) struct WinningPlace<'a> {
    pub parsed: &'a ParsedFile,
    pub file: FileIndex,
    pub match_level: MatchLevel,
    pub winner: &'a Winner,
    pub target: &'a UpdateTarget,
}

impl WinningPlace<'_> {
    /// The place as a match. One that tagbump can't edit is a match too, so that the plan says so.
    pub fn as_any_match(&self) -> Option<Match> {
        let found = match (&self.winner.setting, self.winner.inside) {
            _ if self.winner.is_nested() => None,
            (_, Some(block)) => self.embedded(block),
            (Setting::Part(part), None) => Some(self.part(part)),
            _ => self.scalar(),
        };
        found.or_else(|| self.unplaced())
    }

    fn owner(&self) -> MatchOwner {
        MatchOwner { file: self.file, target: self.winner.target, match_level: self.match_level }
    }

    /// A match of the node `at`, which no rule finds.
    fn as_match(&self, at: NodeId, kind: &'static str, result: Result<Rewrite, Refusal>) -> Match {
        let WinningPlace { winner, target, .. } = *self;
        let place = MatchPlace { at, line: winner.line, kind, image: target.name.clone() };
        let mut m = Match {
            nodes: vec![ScalarPlace { inside: None, node: at }],
            tag: winner.tag.clone(),
            digest: winner.digest.clone(),
            environments: Some(winner.environments.clone()),
            ..Match::new(self.owner(), place, result)
        };
        set_version(&mut m, winner);
        m
    }

    /// A place in YAML inside a block scalar.
    fn embedded(&self, block: NodeId) -> Option<Match> {
        let WinningPlace { parsed, winner, target, .. } = *self;
        let text = parsed.read_embedded(block)?;
        let node = winner.setting.place()?.node;
        let result = match &winner.setting {
            Setting::Part(part) => {
                text.rewrite(winner.line, &part_reference(winner, part, target), &target.desired())
            }
            _ => {
                let is_here = |found: &&Reference| found.slots().iter().any(|slot| slot.node == node);
                let inner = parsed.all_references().filter(|found| found.at == block);
                let inner = inner.filter_map(Reference::inner).filter(is_setting).find(is_here).cloned();
                let inner = inner.map(|found| Reference { image: target.name.clone(), ..found });
                let inner = inner.or_else(|| new_reference(&text.yaml, winner, node, &target.name))?;
                text.rewrite(winner.line, &inner, &target.desired())
            }
        };
        let m = self.as_match(block, winner.kind, result);
        let nodes = vec![ScalarPlace { inside: Some(block), node }];
        let field = FieldPath::to_node(&parsed.yaml, block).map(|path| PlacePath {
            path,
            inside: FieldPath::to_node(&text.yaml, node),
            part: self.part_of(&text.yaml),
            is_variable: false,
        });
        Some(Match { inner_at: Some(node), nodes, field, ..m })
    }

    /// The digest of an image whose tag wins elsewhere; `parsed` is the file that it is in.
    pub fn digest(&self, digest: &DigestPlace) -> Option<Match> {
        let WinningPlace { parsed, winner, target, .. } = *self;
        let DigestPlace { place, line, .. } = digest;
        let reference = |yaml: &ParsedYaml| Reference {
            kind: "values",
            at: place.node,
            image: target.name.clone(),
            kustomize_name: None,
            tag: winner.tag.clone(),
            digest: winner.digest.clone(),
            syntax: ReferenceSyntax::Digest(location(yaml, place.node)),
        };
        let (at, result) = match place.inside {
            None => (place.node, parsed.rewrite(&reference(&parsed.yaml), &target.desired())),
            Some(block) => {
                let text = parsed.read_embedded(block)?;
                (block, text.rewrite(*line, &reference(&text.yaml), &target.desired()))
            }
        };
        let nodes = vec![ScalarPlace { inside: place.inside, node: place.node }];
        let inner_at = place.inside.map(|_| place.node);
        Some(Match { line: *line, inner_at, nodes, follows: true, ..self.as_match(at, "values", result) })
    }

    /// A place that tagbump knows and can't edit.
    fn unplaced(&self) -> Option<Match> {
        let at = self.winner.inside.or_else(|| Some(self.winner.setting.place()?.node))?;
        let refusal = Refusal::blocked(at, "the value", EditBlocker::Unplaced);
        Some(self.as_match(at, self.winner.kind, Err(refusal)))
    }

    /// The part of a text that sets the version, if it isn't the whole text.
    fn part_of(&self, yaml: &ParsedYaml) -> Option<PartOfText> {
        let Setting::Part(TextPart { place, range, holds }) = &self.winner.setting else { return None };
        PartOfText::new(yaml.text(place.node)?, range.clone(), holds)
    }

    /// Where the version is, if a scalar holds it.
    fn field(&self) -> Option<PlacePath> {
        let setting = &self.winner.setting;
        let has_version = !matches!(setting, Setting::Entry { new_tag: None, digest: None, .. });
        let place = setting.place().filter(|_| has_version)?;
        Some(PlacePath {
            path: FieldPath::to_node(&self.parsed.yaml, place.node)?,
            inside: None,
            part: self.part_of(&self.parsed.yaml),
            is_variable: false,
        })
    }

    /// A part of a text.
    fn part(&self, part: &TextPart) -> Match {
        let WinningPlace { parsed, winner, target, .. } = *self;
        let reference = part_reference(winner, part, target);
        let result = parsed.rewrite(&reference, &target.desired());
        let variable = parsed.variable(part.place.node).map(str::to_owned);
        let field = match variable {
            Some(path) => {
                Some(PlacePath { path, inside: None, part: self.part_of(&parsed.yaml), is_variable: true })
            }
            None => self.field(),
        };
        Match { field, digest: winner.own_digest(), ..self.as_match(part.place.node, winner.kind, result) }
    }

    /// A scalar: one that a rule finds under another name, or one that holds just what the setting says.
    fn scalar(&self) -> Option<Match> {
        let WinningPlace { parsed, winner, target, .. } = *self;
        let reference = reference(parsed, winner, &target.name)?;
        let mut m = match_of(parsed, self.owner(), &reference, target);
        m.field = self.field();
        m.environments = Some(winner.environments.clone());
        set_version(&mut m, winner);
        Some(m)
    }
}

/// A part of a text as a reference.
fn part_reference(winner: &Winner, part: &TextPart, target: &UpdateTarget) -> Reference {
    let TextPart { place, range, holds } = part.clone();
    let slot = ValueLocation { key: place.node, node: place.node, shared_by: None };
    Reference {
        kind: winner.kind,
        at: place.node,
        image: target.name.clone(),
        kustomize_name: None,
        tag: winner.tag.clone(),
        digest: winner.own_digest(),
        syntax: ReferenceSyntax::Part { slot, range, holds },
    }
}

/// Notes the tag that runs, and where it also does. If the place sets other images too, it can't be edited.
pub(super) fn set_version(m: &mut Match, winner: &Winner) {
    m.effective_tags = if winner.tags.len() > 1 { winner.tags.iter().cloned().collect() } else { Vec::new() };
    m.effective_tag.clone_from(&winner.tag);
    m.effective_digest = Some(winner.digest.clone());
    m.outside.clone_from(&winner.outside);
    m.added |= winner.is_empty_tag;
    let is_edit = m.result.as_ref().is_ok_and(Rewrite::is_edit);
    let reason = match (&winner.setting, &winner.tested_by) {
        (Setting::Fixed { reason, .. }, _) => RefusalReason::Fixed { reason: reason.to_string() },
        (_, Some(by)) if is_edit => RefusalReason::Tested { by: by.clone() },
        _ if winner.feeds.is_empty() => return,
        _ => RefusalReason::SetsOthers { others: some_images(&winner.feeds), runs_itself: true },
    };
    if m.result.is_ok() {
        m.result = Err(Refusal::new(m.at, reason));
    }
}

/// A winning place as a reference: the file's own, if a rule finds it there under another name, or else one that
/// holds just what the setting says.
fn reference(parsed: &ParsedFile, winner: &Winner, image: &str) -> Option<Reference> {
    let node = winner.setting.place().map(|place| place.node)?;
    let is_here = |reference: &&Reference| {
        reference.slots().iter().any(|slot| slot.node == node) && is_setting(reference)
    };
    let own = parsed.all_references().find(is_here).cloned();
    let own = own.map(|reference| Reference { image: image.to_owned(), ..reference });
    own.or_else(|| new_reference(&parsed.yaml, winner, node, image))
}

fn is_setting(reference: &&Reference) -> bool {
    !matches!(reference.syntax, ReferenceSyntax::BesideBlock(_) | ReferenceSyntax::BlockWithoutTag { .. })
        || is_override(reference)
}

/// A reference that holds just what a setting says. (An item of a list has no key, and needs none.)
fn new_reference(yaml: &ParsedYaml, winner: &Winner, node: NodeId, image: &str) -> Option<Reference> {
    let slot = location(yaml, node);
    let syntax = match winner.setting {
        Setting::Image(_) => ReferenceSyntax::Text(slot),
        Setting::Override(_) => ReferenceSyntax::Override(slot),
        Setting::Parts { .. } | Setting::Fixed { .. } => match winner.digest_beside {
            Some(node) => ReferenceSyntax::TagAndDigest { tag: slot, digest: location(yaml, node) },
            None => ReferenceSyntax::Field(slot),
        },
        // the legacy `imageTags` of a kustomization
        Setting::Entry { new_tag: Some(_), .. } => ReferenceSyntax::Field(slot),
        _ => return None,
    };
    Some(Reference {
        kind: winner.kind,
        at: node,
        image: image.to_owned(),
        kustomize_name: None,
        tag: winner.tag.clone(),
        digest: winner.own_digest(),
        syntax,
    })
}

fn location(yaml: &ParsedYaml, node: NodeId) -> ValueLocation {
    ValueLocation { key: yaml.node(node).key.unwrap_or(node), node, shared_by: None }
}

/// The kind of a place that no rule finds, as it appears in reports.
pub fn kind(setting: &Setting) -> &'static str {
    match setting {
        Setting::Parts { .. } => "values",
        Setting::Override(_) => "argo-cd",
        _ => "patch",
    }
}
