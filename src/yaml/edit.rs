//! Changes a file's bytes, and verifies the result by parsing it again.
//!
//! A [`Change`] becomes a splice (replace these bytes) and a sequence of events that the result must parse to.
//! If the result parses to anything else, it is thrown away.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::change::{Change, NewPair, Splice};
use super::document::{Node, NodeId, NodeKind, ParsedYaml, ScalarStyle};
use super::scalar::{needs_quotes, render};
use super::scan::{ReadError, scan, scan_until};
use super::span::{EditBlocker, part_blocker, span};
use super::{insert, inside, literal};

/// Why the changes were not made. They are never made in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// This node's bytes can't be edited.
    Refused { node: NodeId, obstacle: EditBlocker },
    /// Two changes overlap; `node` is the second one's.
    Overlap { node: NodeId },
    /// The result doesn't parse to exactly the planned change, or was not parsed: then [`ParsedYaml::check`]
    /// has the reason.
    VerificationFailed,
}

/// Makes all the changes, and verifies that the result differs in exactly them.
///
/// # Errors
/// See [`EditError`].
pub fn apply(bytes: &[u8], yaml: &ParsedYaml, changes: &[Change]) -> Result<Vec<u8>, EditError> {
    let text = std::str::from_utf8(bytes).map_err(|_| EditError::VerificationFailed)?;
    let changes = inside::with_texts(yaml, changes)?;
    let mut splices = Vec::with_capacity(changes.len());
    for change in changes.iter() {
        let node = change.node();
        let refused = |obstacle| EditError::Refused { node, obstacle };
        let made = splice(text, yaml, change).map_err(refused)?;
        splices.extend(made.into_iter().map(|splice| (node, splice)));
    }
    let result = join(text, splices)?;
    prove(yaml, &changes, result.as_bytes())?;
    Ok(result.into_bytes())
}

/// Whether a change can be made, without making it. Catches everything that [`apply`] refuses before it
/// verifies the result.
///
/// # Errors
/// What prevents the edit.
pub fn check(text: &str, yaml: &ParsedYaml, change: &Change) -> Result<(), EditBlocker> {
    splice(text, yaml, change).map(|_| ())
}

fn splice(text: &str, yaml: &ParsedYaml, change: &Change) -> Result<Vec<Splice>, EditBlocker> {
    let splice = match change {
        Change::SetText { node, value } => return literal::set(text, yaml, *node, value),
        Change::Inside { block, change } => {
            let value = inside::changed_text(yaml, *block, &[(**change).clone()]);
            let value = value.map_err(|error| match error {
                EditError::Refused { obstacle, .. } => obstacle,
                EditError::Overlap { .. } | EditError::VerificationFailed => EditBlocker::Unplaced,
            })?;
            return literal::set(text, yaml, *block, &value);
        }
        Change::Set { node, value } => set(text, yaml, *node, value),
        Change::SetPart { node, range, value } => set_part(text, yaml, *node, range, value),
        Change::Remove { key } => insert::remove(text, yaml, *key),
        Change::InsertAfter { key, pairs } => insert::after(text, yaml, *key, pairs),
        Change::Append { seq, pairs } => insert::append(text, yaml, *seq, pairs),
        Change::FillList { value, pairs } => insert::fill(text, yaml, *value, pairs),
        Change::AddList { map, key, pairs } => insert::list(text, yaml, *map, key, pairs),
    };
    splice.map(|splice| vec![splice])
}

fn set(text: &str, yaml: &ParsedYaml, id: NodeId, value: &str) -> Result<Splice, EditBlocker> {
    match super::edit_blocker(yaml, id) {
        Some(obstacle) => Err(obstacle),
        None => replace(text, yaml, id, value),
    }
}

/// Replaces a part of a scalar. What is around it may be a placeholder.
fn set_part(
    text: &str,
    yaml: &ParsedYaml,
    id: NodeId,
    part: &Range<usize>,
    value: &str,
) -> Result<Splice, EditBlocker> {
    if let Some(obstacle) = part_blocker(yaml, id) {
        return Err(obstacle);
    }
    let raw = &text[span(text, yaml, id)?];
    let whole = with_part(yaml, id, part, value).ok_or(EditBlocker::Unplaced)?;
    // an escape around the part might come back in another notation
    let escaped = raw.starts_with('"') && raw.contains('\\');
    if escaped { Err(EditBlocker::Unplaced) } else { replace(text, yaml, id, &whole) }
}

/// The text of a scalar with another part in it.
fn with_part(yaml: &ParsedYaml, id: NodeId, part: &Range<usize>, value: &str) -> Option<String> {
    let NodeKind::Scalar { value: old, .. } = &yaml.node(id).kind else { return None };
    let (before, after) = (old.get(..part.start)?, old.get(part.end..)?);
    (part.start <= part.end).then(|| format!("{before}{value}{after}"))
}

fn replace(text: &str, yaml: &ParsedYaml, id: NodeId, value: &str) -> Result<Splice, EditBlocker> {
    let range = span(text, yaml, id)?;
    let node = yaml.node(id);
    if !reads_back(&text[range.clone()], node) {
        return Err(EditBlocker::Unplaced);
    }
    let text = match &node.kind {
        NodeKind::Scalar { missing: true, .. } => {
            format!(" {}", render(value, ScalarStyle::Plain, node.flow))
        }
        // some readers didn't take the old value for a string; quote the new one, so that all of them do
        NodeKind::Scalar { value: old, style: ScalarStyle::Plain, .. }
            if needs_quotes(old, false) && !node.is_null() =>
        {
            render(value, ScalarStyle::Double, node.flow)
        }
        NodeKind::Scalar { style, .. } => render(value, *style, node.flow),
        NodeKind::Map | NodeKind::Seq | NodeKind::Alias(_) => return Err(EditBlocker::NotScalar),
    };
    Ok(Splice { range, text })
}

/// Whether a double-quoted scalar with escapes decodes to the value that the parser saw. For all others, `span`
/// has already compared the text.
fn reads_back(raw: &str, node: &Node) -> bool {
    match &node.kind {
        NodeKind::Scalar { value, style: ScalarStyle::Double, .. } if raw.contains('\\') => {
            scan(raw.as_bytes()).is_ok_and(|yaml| yaml.len() == 1 && yaml.text(0) == Some(value))
        }
        _ => true,
    }
}

/// Applies the splices in order, and copies the text between them unchanged.
fn join(text: &str, mut splices: Vec<(NodeId, Splice)>) -> Result<String, EditError> {
    splices.sort_by_key(|(_, s)| (s.range.start, s.range.end));
    let mut result = String::with_capacity(text.len() + 64 * splices.len());
    let mut done = 0;
    for (node, Splice { range, text: new }) in splices {
        if range.start < done {
            return Err(EditError::Overlap { node });
        }
        result.push_str(&text[done..range.start]);
        result.push_str(&new);
        done = range.end;
    }
    result.push_str(&text[done..]);
    Ok(result)
}

/// One event of a document, without its position.
#[derive(Debug, PartialEq)]
enum Atom<'a> {
    Document,
    Open {
        map: bool,
        anchored: bool,
        tag: Option<&'a str>,
    },
    Close,
    Alias {
        nth_anchor: usize,
    },
    Scalar {
        value: &'a str,
        style: ScalarStyle,
        missing: bool,
        anchored: bool,
        tag: Option<&'a str>,
    },
    /// A scalar in any style that every reader takes for this string.
    String {
        value: Cow<'a, str>,
        anchored: bool,
        tag: Option<&'a str>,
    },
}

fn prove(before: &ParsedYaml, changes: &[Change], result: &[u8]) -> Result<(), EditError> {
    let after = scan_until(result, before.budget().cancellation()).map_err(|error| {
        if let ReadError::Stopped(stopped) = error {
            before.budget().stop(stopped);
        }
        EditError::VerificationFailed
    })?;
    let wanted = ExpectedEvents::new(before, changes).atoms();
    let got = ExpectedEvents::new(&after, &[]).atoms();
    let same = wanted.len() == got.len() && wanted.iter().zip(&got).all(|(w, g)| agrees(w, g));
    if same { Ok(()) } else { Err(EditError::VerificationFailed) }
}

fn agrees(wanted: &Atom<'_>, got: &Atom<'_>) -> bool {
    match (wanted, got) {
        (
            Atom::String { value: wanted, anchored: wanted_anchor, tag: wanted_tag },
            Atom::Scalar { value, style, missing, anchored, tag },
        ) => {
            let string = !missing && (*style != ScalarStyle::Plain || !needs_quotes(value, false));
            string && (wanted.as_ref(), wanted_anchor, wanted_tag) == (*value, anchored, tag)
        }
        _ => wanted == got,
    }
}

/// The events of a parsed file after some changes.
struct ExpectedEvents<'a> {
    yaml: &'a ParsedYaml,
    /// Scalars that get any style that every reader takes for this string.
    set: HashMap<NodeId, String>,
    /// Block scalars that get another text.
    texts: HashMap<NodeId, &'a str>,
    removed: HashSet<NodeId>,
    behind: HashMap<NodeId, Vec<&'a NewPair>>,
    filled: HashMap<NodeId, &'a [NewPair]>,
    at_end: HashMap<NodeId, (Option<&'a str>, &'a [NewPair])>,
    anchor_numbers: HashMap<NodeId, usize>,
    atoms: Vec<Atom<'a>>,
}

impl<'a> ExpectedEvents<'a> {
    fn new(yaml: &'a ParsedYaml, changes: &'a [Change]) -> Self {
        let mut planned = ExpectedEvents {
            yaml,
            set: HashMap::new(),
            texts: HashMap::new(),
            removed: HashSet::new(),
            behind: HashMap::new(),
            filled: HashMap::new(),
            at_end: HashMap::new(),
            anchor_numbers: HashMap::new(),
            atoms: Vec::new(),
        };
        for change in changes {
            planned.add(change);
        }
        planned
    }

    fn add(&mut self, change: &'a Change) {
        match change {
            Change::Set { node, value } => {
                self.set.insert(*node, value.clone());
            }
            Change::SetPart { node, range, value } => {
                // a part that isn't there was refused before
                let whole = with_part(self.yaml, *node, range, value).unwrap_or_default();
                self.set.insert(*node, whole);
            }
            Change::SetText { node, value } => {
                self.texts.insert(*node, value);
            }
            // each became a new text before
            Change::Inside { .. } => {}
            Change::Remove { key } => {
                self.removed.insert(*key);
            }
            Change::InsertAfter { key, pairs } => {
                let value = self.yaml.node(*key).end;
                self.behind.entry(value).or_default().extend(pairs);
            }
            Change::Append { seq, pairs } => {
                self.at_end.insert(*seq, (None, pairs));
            }
            Change::FillList { value, pairs } => {
                self.filled.insert(*value, pairs);
            }
            Change::AddList { map, key, pairs } => {
                self.at_end.insert(*map, (Some(key), pairs));
            }
        }
    }

    fn atoms(mut self) -> Vec<Atom<'a>> {
        for &root in self.yaml.roots() {
            self.atoms.push(Atom::Document);
            self.document(root);
        }
        self.atoms
    }

    fn document(&mut self, root: NodeId) {
        let mut open: Vec<NodeId> = Vec::new();
        let mut next = root;
        let end = self.yaml.node(root).end;
        while next < end {
            let id = next;
            if self.removed.contains(&id) {
                next = self.yaml.node(self.yaml.node(id).end).end;
            } else {
                self.node(id);
                next = id + 1;
                let collection = matches!(self.yaml.node(id).kind, NodeKind::Map | NodeKind::Seq);
                if collection {
                    open.push(id);
                }
            }
            while open.last().is_some_and(|&o| self.yaml.node(o).end <= next) {
                let closing = open.pop().unwrap_or(root);
                self.close(closing);
            }
        }
    }

    fn node(&mut self, id: NodeId) {
        if let Some(pairs) = self.filled.remove(&id) {
            self.open(false);
            self.map(pairs);
            self.atoms.push(Atom::Close);
            return;
        }
        let yaml = self.yaml;
        let Node { kind: shape, anchored, tag, .. } = yaml.node(id);
        let (anchored, tag) = (*anchored, tag.as_deref());
        if anchored {
            let number = self.anchor_numbers.len();
            self.anchor_numbers.insert(id, number);
        }
        let atom = match (shape, self.set.remove(&id)) {
            (NodeKind::Scalar { .. }, Some(value)) => {
                Atom::String { value: Cow::Owned(value), anchored, tag }
            }
            (NodeKind::Scalar { value, style, missing }, None) => {
                let value = self.texts.remove(&id).unwrap_or(value);
                Atom::Scalar { value, style: *style, missing: *missing, anchored, tag }
            }
            (NodeKind::Map, _) => Atom::Open { map: true, anchored, tag },
            (NodeKind::Seq, _) => Atom::Open { map: false, anchored, tag },
            (NodeKind::Alias(target), _) => {
                let nth_anchor = self.anchor_numbers.get(target).copied().unwrap_or(usize::MAX);
                Atom::Alias { nth_anchor }
            }
        };
        self.atoms.push(atom);
        if let Some(pairs) = self.behind.remove(&id) {
            self.pairs(pairs);
        }
    }

    fn pairs(&mut self, pairs: impl IntoIterator<Item = &'a NewPair>) {
        for pair in pairs {
            self.string(pair.key);
            self.string(&pair.value);
        }
    }

    fn map(&mut self, pairs: &'a [NewPair]) {
        self.open(true);
        self.pairs(pairs);
        self.atoms.push(Atom::Close);
    }

    fn string(&mut self, value: &'a str) {
        self.atoms.push(Atom::String { value: Cow::Borrowed(value), anchored: false, tag: None });
    }

    fn open(&mut self, map: bool) {
        self.atoms.push(Atom::Open { map, anchored: false, tag: None });
    }

    fn close(&mut self, id: NodeId) {
        if let Some((key, pairs)) = self.at_end.remove(&id) {
            if let Some(key) = key {
                self.string(key);
                self.open(false);
            }
            self.map(pairs);
            if key.is_some() {
                self.atoms.push(Atom::Close);
            }
        }
        self.atoms.push(Atom::Close);
    }
}
