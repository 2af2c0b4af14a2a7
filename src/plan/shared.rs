//! Values that several places share, by alias or by merge key.
//!
//! A reference that only uses a shared value is up to date if the value is edited where it is written. A value
//! is edited only if every place that uses it belongs to the same image, or to one that gets the same tag, and a map
//! gains or loses a key only if every map that it is merged into does.

use std::collections::{HashMap, HashSet};

use super::TargetIndex;
use super::matched::Match;
use super::parsed_file::ParsedFile;
use crate::image::{join_tag, same_image};
use crate::manifest::{Refusal, RefusalReason, Rewrite, SharedUser};
use crate::yaml::{Change, NodeId, NodeKind, ParsedYaml};

/// Updates the matches of one file: some that were refused because they are aliases can be allowed, and some
/// that were allowed must be refused. `same` says whether two targets set a value to the same text.
pub(super) fn resolve_shared_values(
    parsed: &ParsedFile,
    matches: &mut [Match],
    same: &dyn Fn(TargetIndex, TargetIndex) -> bool,
) {
    let uses = SharedUses::of(parsed);
    if uses.is_empty() {
        return;
    }
    let edited = edited_nodes(matches);
    let follows = |m: &Match| {
        let written_at = m.result.as_ref().err()?.written_at?;
        let setter = edited.get(&written_at)?;
        (setter.target == m.target || may_follow(m) && same(setter.target, m.target)).then_some(written_at)
    };
    let settled: HashSet<_> = matches.iter().filter_map(|m| Some((follows(m)?, m.at))).collect();
    let mut places: HashMap<NodeId, Vec<(TargetIndex, bool)>> = HashMap::new();
    for m in matches.iter() {
        let user = (m.target, may_follow(m));
        of_same_image(parsed, m).for_each(|at| places.entry(at).or_default().push(user));
    }
    let is_own = |m: &Match, at: NodeId| {
        let mut users = places.get(&at).into_iter().flatten();
        users.any(|&(target, follows)| target == m.target || follows && same(target, m.target))
    };
    let foreign: Vec<_> =
        matches.iter().map(|m| foreign_use(&parsed.yaml, &uses, &is_own, &settled, m)).collect();
    let refused: HashSet<NodeId> = matches
        .iter()
        .zip(&foreign)
        .filter(|(_, foreign)| foreign.is_some())
        .flat_map(|(m, _)| m.result.iter().flat_map(set_nodes).collect::<Vec<_>>())
        .collect();
    let following: Vec<_> = matches
        .iter()
        .map(|m| follows(m).filter(|node| !refused.contains(node)).map(|node| edited[&node].rewrite_of(m)))
        .collect();
    for ((m, foreign), following) in matches.iter_mut().zip(foreign).zip(following) {
        if let Some(rewrite) = following {
            m.result = Ok(rewrite);
        }
        if let Some(place) = foreign {
            let at = uses.reference_at(place).unwrap_or(place);
            let users = places.get(&at).into_iter().flatten();
            let is_bumped = users.map(|&(target, _)| target).any(|target| same(target, m.target));
            m.result = Err(Refusal::new(m.at, shared_with(parsed, (place, at), is_bumped)));
        }
    }
}

/// Whether a match may use the tag that another image's place gets. Its own digest would stay as it is.
fn may_follow(m: &Match) -> bool {
    m.digest.is_none()
}

/// Why a value can't be edited that a place of another image uses; `at` is the reference there. `is_bumped` says whether it would
/// get the same tag.
fn shared_with(parsed: &ParsedFile, (place, at): (NodeId, NodeId), is_bumped: bool) -> RefusalReason {
    let user = match parsed.all_references().find(|other| other.at == at) {
        None => SharedUser::Unknown,
        Some(other) if other.image.is_empty() => SharedUser::ImageWithoutName,
        Some(other) => SharedUser::Image(other.image.clone()),
    };
    RefusalReason::SharedValue { with: parsed.exact_place(place), user, is_bumped }
}

/// What edits a node.
struct Setter {
    target: TargetIndex,
    change: Change,
    to: String,
}

impl Setter {
    /// What becomes of a match that uses the node.
    fn rewrite_of(&self, m: &Match) -> Rewrite {
        if m.target == self.target {
            return Rewrite::default();
        }
        let from = join_tag(m.tag.as_deref(), m.digest.as_deref());
        Rewrite { changes: vec![self.change.clone()], from, to: self.to.clone(), ..Rewrite::default() }
    }
}

/// The place of a match; if a field was named, the places that a rule finds of the same image too.
fn of_same_image<'a>(parsed: &'a ParsedFile, m: &'a Match) -> impl Iterator<Item = NodeId> + use<'a> {
    let references = parsed.all_references().filter(|_| m.field.is_some());
    let others = references.filter(|other| same_image(&other.image, &m.image)).map(|other| other.at);
    others.chain([m.at])
}

/// What edits each node.
fn edited_nodes(matches: &[Match]) -> HashMap<NodeId, Setter> {
    let mut edited = HashMap::new();
    for m in matches {
        let Ok(rewrite) = &m.result else { continue };
        for change in &rewrite.changes {
            let setter = || Setter { target: m.target, change: change.clone(), to: rewrite.to.clone() };
            edited.extend(set_node(change).map(|node| (node, setter())));
        }
    }
    edited
}

fn set_nodes(rewrite: &Rewrite) -> impl Iterator<Item = NodeId> {
    rewrite.changes.iter().filter_map(set_node)
}

fn set_node(change: &Change) -> Option<NodeId> {
    match change {
        Change::Set { node, .. } | Change::SetPart { node, .. } | Change::SetText { node, .. } => Some(*node),
        Change::Inside { block, .. } => Some(*block),
        _ => None,
    }
}

/// The other places at which nodes are used.
struct SharedUses {
    /// For a value: the aliases and merge keys through which references reach it, each with the place of its
    /// reference.
    values: HashMap<NodeId, Vec<(NodeId, NodeId)>>,
    /// For a map: the references in the maps that it is merged into.
    merged: HashMap<NodeId, Vec<NodeId>>,
}

impl SharedUses {
    fn of(parsed: &ParsedFile) -> Self {
        let mut uses = SharedUses { values: HashMap::new(), merged: HashMap::new() };
        let slots = || parsed.all_references().flat_map(|r| r.slots().into_iter().map(|s| (r.at, s)));
        let homes: HashMap<_, _> =
            slots().filter_map(|(at, slot)| Some((parsed.yaml.node(slot.key).parent?, at))).collect();
        for id in 0..parsed.yaml.len() {
            if let NodeKind::Alias(target) = parsed.yaml.node(id).kind {
                match merging_map(&parsed.yaml, id) {
                    Some(map) => uses.merged.entry(target).or_default().extend(homes.get(&map)),
                    None => uses.values.entry(target).or_default().push((id, id)),
                }
            }
        }
        for (at, slot) in slots() {
            if let Some(by) = slot.shared_by.filter(|by| parsed.yaml.resolve(*by) != slot.node) {
                uses.values.entry(slot.node).or_default().push((by, at));
            }
        }
        uses
    }

    /// The place of the reference that uses a value through an alias or merge key.
    fn reference_at(&self, user: NodeId) -> Option<NodeId> {
        let users = || self.values.values().flatten().filter(|(by, _)| *by == user);
        // an alias is noted by itself too
        users().map(|(_, at)| *at).find(|at| *at != user).or_else(|| users().map(|(_, at)| *at).next())
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty() && self.merged.is_empty()
    }
}

/// The map that an alias is merged into: its key is `<<`, or it is in a list whose key is `<<`.
fn merging_map(yaml: &ParsedYaml, alias: NodeId) -> Option<NodeId> {
    let node = yaml.node(alias);
    if yaml.key_text(alias) == Some("<<") {
        return node.parent;
    }
    let list = node.parent?;
    (yaml.key_text(list) == Some("<<")).then(|| yaml.node(list).parent).flatten()
}

/// A place of another image that this match's changes would also affect. `is_own` says whether a place is that of a
/// reference which gets the same text.
fn foreign_use(
    yaml: &ParsedYaml,
    uses: &SharedUses,
    is_own: &dyn Fn(&Match, NodeId) -> bool,
    settled: &HashSet<(NodeId, NodeId)>,
    m: &Match,
) -> Option<NodeId> {
    let rewrite = m.result.as_ref().ok()?;
    let same = |place: NodeId| is_own(m, place);
    rewrite.changes.iter().find_map(|change| match change {
        Change::Set { node, .. }
        | Change::SetPart { node, .. }
        | Change::SetText { node, .. }
        | Change::Inside { block: node, .. } => {
            let foreign = |(user, at): &&(NodeId, NodeId)| {
                *at != m.at && !settled.contains(&(*node, *user)) && !same(*at)
            };
            uses.values.get(node)?.iter().find(foreign).map(|(user, _)| *user)
        }
        Change::Remove { key } | Change::InsertAfter { key, .. } => {
            let into = uses.merged.get(&yaml.node(*key).parent?)?;
            into.iter().copied().find(|&at| at != m.at && !same(at))
        }
        Change::Append { .. } | Change::AddList { .. } | Change::FillList { .. } => None,
    })
}
