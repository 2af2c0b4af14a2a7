//! What must hold of every document, scalar, string and edit, as assertions.
//!
//! The property tests and the fuzz targets both call these, with input of their own making. They use nothing of
//! how the `yaml` room proves its edits, so that a fault there does not hide itself here.

use std::ops::Range;

use tagbump::yaml::{
    Change, EditBlocker, EditError, NewPair, Node, NodeId, NodeKind, ParsedYaml, ScalarStyle, apply,
    edit_blocker, needs_quotes, render, scan, span,
};

/// A tape is one tree a document, and every node stands where the text has it.
pub fn tape_is_sound(text: &str, yaml: &ParsedYaml) {
    let mut next_root = 0;
    for &root in yaml.roots() {
        assert_eq!(root, next_root, "documents follow each other");
        assert!(root < yaml.len(), "document without a node");
        next_root = yaml.node(root).end;
    }
    assert_eq!(next_root, yaml.len(), "nodes outside of any document");
    for id in 0..yaml.len() {
        tree_is_sound(yaml, id);
        place_is_sound(text, yaml.node(id));
    }
    starts_ascend(yaml);
}

fn tree_is_sound(yaml: &ParsedYaml, id: NodeId) {
    let node = yaml.node(id);
    let collection = matches!(node.kind, NodeKind::Map | NodeKind::Seq);
    assert!(node.end > id && (collection || node.end == id + 1), "end of node {id}");
    assert_eq!(node.parent.is_none(), yaml.roots().binary_search(&id).is_ok(), "parent of node {id}");
    if let Some(parent) = node.parent {
        let around = yaml.node(parent);
        assert!(parent < id && node.end <= around.end, "node {id} reaches out of {parent}");
        assert!(node.flow || !around.flow, "node {id} in block style inside of flow style");
    }
    if let NodeKind::Alias(target) = node.kind {
        assert!(target < id && yaml.node(target).anchored, "alias {id} to {target}");
    }
    if !collection {
        return; // the children of an alias are those of its anchor
    }
    for (key, value) in yaml.pairs(id) {
        assert!(value < node.end, "key {key} without a value");
        assert_eq!((yaml.node(key).parent, yaml.node(key).key), (Some(id), None), "key {key}");
        assert_eq!((yaml.node(value).parent, yaml.node(value).key), (Some(id), Some(key)), "value {value}");
    }
    assert!(yaml.items(id).all(|item| yaml.node(item).parent == Some(id)), "items of {id}");
}

fn place_is_sound(text: &str, node: &Node) {
    let rest = text.get(node.start..).unwrap_or_else(|| panic!("{node:?} starts outside of the text"));
    let begins = match &node.kind {
        NodeKind::Scalar { missing: true, .. } | NodeKind::Map | NodeKind::Seq => true,
        NodeKind::Scalar { value, style: ScalarStyle::Plain, .. } => {
            rest.chars().next() == value.chars().next()
        }
        NodeKind::Scalar { style: ScalarStyle::Single, .. } => rest.starts_with('\''),
        NodeKind::Scalar { style: ScalarStyle::Double, .. } => rest.starts_with('"'),
        NodeKind::Scalar { style: ScalarStyle::Block, .. } => true,
        NodeKind::Alias(_) => rest.starts_with('*'),
    };
    assert!(begins, "{node:?} starts at something else");
    if rest.is_empty() {
        return; // nothing, at the end of the text: the parser has it on a next line
    }
    let (line, column) = position(text, node.start);
    assert_eq!((node.line, node.column), (line, column), "{node:?}");
}

/// Line and column of an offset, both 1-based, counted anew: a byte-order mark is no column.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text[..offset].strip_prefix('\u{feff}').unwrap_or(&text[..offset]);
    let split_break = before.ends_with('\r') && text[offset..].starts_with('\n');
    let lines = before.replace("\r\n", "\n").replace('\r', "\n");
    let lines = if split_break { &lines[..lines.len() - 1] } else { lines.as_str() };
    let last = lines.rfind('\n').map_or(lines, |i| &lines[i + 1..]);
    let width = last.chars().count() + usize::from(split_break);
    (lines.matches('\n').count() + 1, width + 1)
}

/// Written scalars and aliases stand in the order of the list. (The mark of a block map is behind its key, that of
/// an empty block scalar at what follows, and a missing value is put behind its colon.)
fn starts_ascend(yaml: &ParsedYaml) {
    let written = (0..yaml.len()).map(|id| yaml.node(id)).filter(|node| match node.kind {
        NodeKind::Scalar { missing, style, .. } => !missing && style != ScalarStyle::Block,
        NodeKind::Alias(_) => true,
        NodeKind::Map | NodeKind::Seq => false,
    });
    let starts: Vec<_> = written.map(|node| node.start).collect();
    assert!(starts.is_sorted_by(|a, b| a < b), "scalars are out of order: {starts:?}");
}

/// Where a scalar has a span, its bytes alone read as its value.
pub fn spans_read_back(text: &str, yaml: &ParsedYaml) {
    for id in 0..yaml.len() {
        let Ok(range) = span(text, yaml, id) else { continue };
        let NodeKind::Scalar { value, style, missing } = &yaml.node(id).kind else {
            panic!("node {id} has a span and is no scalar");
        };
        if *missing {
            assert!(range.is_empty() && text[..range.start].ends_with(':'), "span of missing {id}");
            continue;
        }
        if edit_blocker(yaml, id).is_some() {
            continue; // it is never edited
        }
        let same = NodeKind::Scalar { value: value.clone(), style: *style, missing: false };
        reads_alone_as(&text[range], &same, yaml, id);
    }
}

/// Reads a scalar's bytes where a scalar of its role stands, with no more around it than that takes.
fn reads_alone_as(raw: &str, shape: &NodeKind, yaml: &ParsedYaml, id: NodeId) {
    let node = yaml.node(id);
    let is_key = node.key.is_none() && node.parent.is_some_and(|p| yaml.is_map(p));
    let (alone, count) = match (node.flow, is_key) {
        (false, false) => (format!("- {raw}\n"), 2),
        (false, true) => (format!("- {raw}: x\n"), 4),
        (true, false) => (format!("[{raw}]\n"), 2),
        (true, true) => (format!("[{{{raw}: x}}]\n"), 4),
    };
    let read = scan(alone.as_bytes()).unwrap_or_else(|e| panic!("{alone:?}: {e}"));
    assert_eq!(read.len(), count, "{alone:?} is not one scalar");
    assert_eq!(&read.node(count / 2).kind, shape, "{alone:?}");
}

/// However a string is written, it reads as that string, and as a string to every reader.
pub fn rendering_reads_back(value: &str, style: ScalarStyle, flow: bool) {
    let raw = render(value, style, flow);
    assert!(!raw.contains(['\n', '\r']), "{raw:?} goes over several lines");
    let yaml = if flow { format!("{{k: {raw}}}\n") } else { format!("k: {raw}\n") };
    let yaml = scan(yaml.as_bytes()).unwrap_or_else(|e| panic!("{yaml:?}: {e}"));
    assert_eq!(yaml.len(), 3, "{yaml:?} is not one key with a scalar");
    let node = yaml.node(2);
    let NodeKind::Scalar { value: read, style: written, missing: false } = &node.kind else {
        panic!("{yaml:?} reads as {node:?}");
    };
    assert_eq!(read, value, "{yaml:?}");
    assert!(node.tag.is_none() && !node.anchored, "{yaml:?}");
    if *written == ScalarStyle::Plain {
        assert!(!needs_quotes(value, flow), "{value:?} is plain and must be quoted");
    }
    let kept = style == *written || *written == ScalarStyle::Double;
    assert!(kept, "{value:?} was to be written as {style:?} and is {written:?}");
}

/// Makes the changes. Where that succeeds, the result says exactly what was planned, all other bytes are as
/// they were, and the same values set once more change nothing.
pub fn edit_is_exact(text: &str, yaml: &ParsedYaml, changes: &[Change]) -> Result<String, EditError> {
    let after = apply(text.as_bytes(), yaml, changes)?;
    let after = String::from_utf8(after).expect("still UTF-8");
    let read = scan(after.as_bytes()).unwrap_or_else(|e| panic!("{text:?}\nbecame {after:?}: {e}"));
    let ids = only_the_plan_differs(yaml, &read, changes);
    removed_keys_are_gone(yaml, &read, changes, &ids);
    let mut windows: Vec<_> = changes.iter().map(|change| window(text, yaml, change)).collect();
    windows.sort_by_key(|w| (w.start, w.end));
    bytes_outside_stay(text, &after, &windows);
    let again: Vec<_> = changes.iter().filter_map(|change| same_set(change, &ids)).collect();
    match apply(after.as_bytes(), &read, &again) {
        Ok(twice) => assert!(twice == after.as_bytes(), "a second time changes {after:?}"),
        Err(EditError::Refused { obstacle: EditBlocker::Placeholder, .. }) => {} // by the new value itself
        Err(e) => panic!("{after:?}: a second time is refused: {e:?}"),
    }
    Ok(after)
}

/// A reader finds no key that was removed, written twice or merged in as it may be. (Other changes may name
/// another one so.)
fn removed_keys_are_gone(
    before: &ParsedYaml,
    after: &ParsedYaml,
    changes: &[Change],
    ids: &[Option<NodeId>],
) {
    let [Change::Remove { key }] = changes else { return };
    let (Some(map), NodeKind::Scalar { value: name, .. }) =
        (before.node(*key).parent, &before.node(*key).kind)
    else {
        return;
    };
    let map = ids[map].expect("the map is still there");
    assert!(after.get(map, name).is_none(), "{name:?} is still found");
}

/// The same value for the same node, under the node's new number.
fn same_set(change: &Change, ids: &[Option<NodeId>]) -> Option<Change> {
    match change {
        Change::Set { node, value } => Some(Change::Set { node: ids[*node]?, value: value.clone() }),
        _ => None,
    }
}

/// Compares node by node; gives each node's new number. A tree is its nodes' parents and order.
fn only_the_plan_differs(before: &ParsedYaml, after: &ParsedYaml, changes: &[Change]) -> Vec<Option<NodeId>> {
    let mut ids = Vec::with_capacity(before.len());
    let mut next = 0;
    let mut added = Vec::new();
    for id in 0..before.len() {
        if is_removed(before, changes, id) {
            ids.push(None);
            continue;
        }
        ids.push(Some(next));
        next += 1;
        for pair in pairs_behind(before, changes, id) {
            added.push((next, before.node(id).parent, pair));
            next += 2;
        }
    }
    assert_eq!(next, after.len(), "number of nodes");
    for (id, new) in ids.iter().enumerate() {
        let Some(new) = *new else { continue };
        let is = |old: Option<NodeId>| old.and_then(|old| ids[old]);
        let (old, new) = (before.node(id), after.node(new));
        assert_eq!(
            (is(old.parent), is(old.key), old.flow, old.anchored, &old.tag),
            (new.parent, new.key, new.flow, new.anchored, &new.tag),
            "{old:?} became {new:?}"
        );
        match (value_set(changes, id), &old.kind) {
            (Some(value), _) => is_string(new, value),
            (None, NodeKind::Alias(target)) => assert_eq!(new.kind, NodeKind::Alias(ids[*target].unwrap())),
            (None, shape) => assert_eq!(&new.kind, shape),
        }
    }
    for (key, parent, pair) in added {
        is_string(after.node(key), pair.key);
        is_string(after.node(key + 1), &pair.value);
        let parent = parent.and_then(|p| ids[p]);
        assert_eq!((after.node(key).parent, after.node(key + 1).key), (parent, Some(key)), "{pair:?}");
    }
    ids
}

fn is_removed(yaml: &ParsedYaml, changes: &[Change], id: NodeId) -> bool {
    changes.iter().any(|change| match change {
        Change::Remove { key } => (*key..yaml.node(yaml.node(*key).end).end).contains(&id),
        _ => false,
    })
}

fn pairs_behind<'a>(yaml: &ParsedYaml, changes: &'a [Change], value: NodeId) -> Vec<&'a NewPair> {
    let behind = changes.iter().filter_map(|change| match change {
        Change::InsertAfter { key, pairs } if yaml.node(*key).end == value => Some(pairs),
        _ => None,
    });
    behind.flatten().collect()
}

fn value_set(changes: &[Change], id: NodeId) -> Option<&str> {
    changes.iter().find_map(|change| match change {
        Change::Set { node, value } if *node == id => Some(value.as_str()),
        _ => None,
    })
}

fn is_string(node: &Node, wanted: &str) {
    let NodeKind::Scalar { value, style, missing: false } = &node.kind else {
        panic!("{wanted:?} became {node:?}");
    };
    assert_eq!(value, wanted);
    assert!(*style != ScalarStyle::Plain || !needs_quotes(value, node.flow), "{value:?} is plain");
}

/// The bytes that a change may touch.
fn window(text: &str, yaml: &ParsedYaml, change: &Change) -> Range<usize> {
    match change {
        Change::Set { node, .. } | Change::SetPart { node, .. } => {
            span(text, yaml, *node).expect("it was edited")
        }
        // the lines of the block scalar, which have no end mark
        Change::SetText { node, .. } | Change::Inside { block: node, .. } => {
            yaml.node(*node).start..text.len()
        }
        Change::InsertAfter { key, .. } => {
            let end = written_end(text, yaml, yaml.node(*key).end);
            let line = end + text[end..].find(['\n', '\r']).unwrap_or(text.len() - end);
            end..line
        }
        Change::Remove { key } => removal_window(text, yaml, *key),
        Change::Append { .. } | Change::FillList { .. } | Change::AddList { .. } => 0..text.len(),
    }
}

/// The lines of a key and its scalar; in flow style from the comma before, or to the next key.
fn removal_window(text: &str, yaml: &ParsedYaml, key: NodeId) -> Range<usize> {
    let start = yaml.node(key).start;
    let value = yaml.node(key).end;
    let end = written_end(text, yaml, value);
    if yaml.node(key).flow {
        let before = text[..start].trim_end();
        let from = if before.ends_with(',') { before.len() - 1 } else { start };
        return from..next_key(yaml, key).map_or(end, |next| yaml.node(next).start);
    }
    let rest = text[end..].find(['\n', '\r']).map_or(text.len(), |i| end + i);
    let rest = if text[rest..].starts_with("\r\n") { rest + 2 } else { (rest + 1).min(text.len()) };
    let line = text[..start].rfind(['\n', '\r']).map_or(0, |i| i + 1);
    if text[line..start].bytes().any(|b| b != b' ') {
        // behind a `- ` or the like the next key moves up, with its indentation
        return start..next_key(yaml, key).map_or(rest, |next| yaml.node(next).start.max(rest));
    }
    let line_break = if text[..line].ends_with("\r\n") { 2 } else { line.min(1) };
    line - line_break..rest
}

fn next_key(yaml: &ParsedYaml, key: NodeId) -> Option<NodeId> {
    let next = yaml.node(yaml.node(key).end).end;
    yaml.node(key).parent.filter(|&map| next < yaml.node(map).end).map(|_| next)
}

fn written_end(text: &str, yaml: &ParsedYaml, id: NodeId) -> usize {
    match yaml.node(id).kind {
        NodeKind::Alias(_) => yaml.node(id).start + 1,
        _ => span(text, yaml, id).expect("it was edited").end,
    }
}

/// What stands between the windows is there afterwards, in order; first and last part at their ends.
fn bytes_outside_stay(before: &str, after: &str, windows: &[Range<usize>]) {
    let (Some(first), Some(last)) = (windows.first(), windows.last()) else {
        return assert_eq!(before, after);
    };
    let head = &before[..first.start];
    let tail = &before[windows.iter().map(|w| w.end).max().unwrap_or(last.end)..];
    let long_enough = after.len() >= head.len() + tail.len();
    assert!(long_enough && after.starts_with(head), "{before:?}\nbecame {after:?}: the start");
    assert!(after.ends_with(tail), "{before:?}\nbecame {after:?}: the end");
    let mut rest = &after[head.len()..after.len() - tail.len()];
    for pair in windows.windows(2) {
        let between = before.get(pair[0].end..pair[1].start).unwrap_or_default();
        let at = rest.find(between).unwrap_or_else(|| panic!("{before:?}\nbecame {after:?}: no {between:?}"));
        rest = &rest[at + between.len()..];
    }
}
