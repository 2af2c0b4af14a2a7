//! Decides where new keys and items go, and which text to remove along with a key, so that the layout around
//! them stays intact.

use super::change::{NewPair, Splice};
use super::document::{NodeId, NodeKind, ParsedYaml, ScalarStyle};
use super::scalar::render;
use super::span::{EditBlocker, span};

/// Inserts keys after a key and its scalar: each on its own line, or after a comma in flow style.
pub(super) fn after(
    text: &str,
    yaml: &ParsedYaml,
    key: NodeId,
    pairs: &[NewPair],
) -> Result<Splice, EditBlocker> {
    let value_end = end_of(text, yaml, yaml.node(key).end)?;
    let node = yaml.node(key);
    if node.flow {
        let style = style_of(yaml, key);
        let text = pairs.iter().map(|p| format!(", {}", flow_pair(p, style))).collect();
        return Ok(Splice { range: value_end..value_end, text });
    }
    let at = line_end(text, value_end);
    let indent = format!("{}{}", line_break(text, at), " ".repeat(node.column - 1));
    let text = pairs.iter().map(|p| format!("{indent}{}", block_pair(p))).collect();
    Ok(Splice { range: at..at, text })
}

/// Removes a key, its scalar and their line; in flow style, also one comma.
pub(super) fn remove(text: &str, yaml: &ParsedYaml, key: NodeId) -> Result<Splice, EditBlocker> {
    let value = yaml.node(key).end;
    // an alias may refer to the anchor; and an anchor or a tag before the key would end up on the next key
    if yaml.node(value).anchored || yaml.node(key).anchored || yaml.node(key).tag.is_some() {
        return Err(EditBlocker::Unplaced);
    }
    if yaml.comes_back(key) {
        return Err(EditBlocker::Twice);
    }
    let start = yaml.node(key).start;
    let value_end = end_of(text, yaml, value)?;
    let range = if yaml.node(key).flow {
        flow_removal(text, yaml, key, start, value_end)?
    } else {
        block_removal(text, yaml, key, start, value_end)?
    };
    Ok(Splice { range, text: String::new() })
}

fn flow_removal(
    text: &str,
    yaml: &ParsedYaml,
    key: NodeId,
    start: usize,
    value_end: usize,
) -> Result<std::ops::Range<usize>, EditBlocker> {
    // remove the comma that follows, unless that would remove a comment too
    let next = next_key(yaml, key).map(|next| start..yaml.node(next).start);
    if let Some(range) = next.filter(|range| !text[range.clone()].contains('#')) {
        return Ok(range);
    }
    // remove the comma before it, unless that comma may be part of a comment
    let before = text[..start].trim_end();
    // a closure, since finding the line can be slow: it may be very long
    let line = || before.rsplit(['\n', '\r']).next().unwrap_or(before);
    let maybe_comment = text[before.len()..start].contains(['\n', '\r']) && line().contains('#');
    if before.ends_with(',') && !maybe_comment {
        Ok(before.len() - 1..value_end)
    } else {
        Err(EditBlocker::Unplaced)
    }
}

fn block_removal(
    text: &str,
    yaml: &ParsedYaml,
    key: NodeId,
    start: usize,
    value_end: usize,
) -> Result<std::ops::Range<usize>, EditBlocker> {
    let line_start = text[..start].rfind(['\n', '\r']).map_or(0, |i| i + 1);
    let end = line_end(text, value_end);
    if text[line_start..start].bytes().all(|b| b == b' ') {
        let next_line = end + break_at(text, end).len();
        if next_line > end {
            return Ok(line_start..next_line);
        }
        return Ok(line_start - break_before(text, line_start)..end);
    }
    // the first key after a `- `: the next key moves up into its place
    let next = next_key(yaml, key).ok_or(EditBlocker::Unplaced)?;
    let next_start = yaml.node(next).start;
    if text[end..next_start].trim().is_empty() { Ok(start..next_start) } else { Err(EditBlocker::Unplaced) }
}

fn next_key(yaml: &ParsedYaml, key: NodeId) -> Option<NodeId> {
    let map = yaml.node(key).parent?;
    let next = yaml.node(yaml.node(key).end).end;
    (next < yaml.node(map).end).then_some(next)
}

/// Adds a map as the last item of a sequence.
pub(super) fn append(
    text: &str,
    yaml: &ParsedYaml,
    seq: NodeId,
    pairs: &[NewPair],
) -> Result<Splice, EditBlocker> {
    let last = yaml.items(seq).last();
    if yaml.node(seq).flow {
        return flow_append(text, yaml, seq, last, pairs);
    }
    let last = last.ok_or(EditBlocker::Unplaced)?;
    let inner = end_of(text, yaml, yaml.node(last).end - 1)?;
    let at = line_end(text, if yaml.node(last).flow { closing_brace(text, inner)? } else { inner });
    let (indent, gap) = dash_of(text, yaml, last)?;
    let eol = line_break(text, at);
    let text = format!("{eol}{}", item(pairs, &indent, &gap, eol));
    Ok(Splice { range: at..at, text })
}

fn flow_append(
    text: &str,
    yaml: &ParsedYaml,
    seq: NodeId,
    last: Option<NodeId>,
    pairs: &[NewPair],
) -> Result<Splice, EditBlocker> {
    // the first key follows its map; an item without one shows no style, and no brace to add something behind
    let has_key = |item: NodeId| yaml.is_map(item) && yaml.node(item).end > item + 1;
    if last.is_some_and(|item| !has_key(item)) {
        return Err(EditBlocker::Unplaced);
    }
    let own_key = yaml.node(seq).key.map_or(ScalarStyle::Plain, |key| style_of(yaml, key));
    let style = last.map_or(own_key, |item| style_of(yaml, item + 1));
    let body: Vec<_> = pairs.iter().map(|p| flow_pair(p, style)).collect();
    let body = format!("{{{}}}", body.join(", "));
    let Some(last) = last else {
        let at = yaml.node(seq).start + 1;
        return Ok(Splice { range: at..at, text: body });
    };
    let inner = end_of(text, yaml, yaml.node(last).end - 1)?;
    let brace = closing_brace(text, inner)?;
    Ok(Splice { range: brace..brace, text: format!(", {body}") })
}

/// Just after the `}` that follows the last value of a flow map.
fn closing_brace(text: &str, inner: usize) -> Result<usize, EditBlocker> {
    let brace = inner + text[inner..].find('}').ok_or(EditBlocker::Unplaced)? + 1;
    if text[inner..brace].contains('#') { Err(EditBlocker::Unplaced) } else { Ok(brace) }
}

/// The indentation of an item's `-`, and the blanks between the dash and the first key.
fn dash_of(text: &str, yaml: &ParsedYaml, item: NodeId) -> Result<(String, String), EditBlocker> {
    let first = if yaml.is_map(item) && !yaml.node(item).flow { item + 1 } else { item };
    let start = yaml.node(first).start;
    let line_start = text[..start].rfind(['\n', '\r']).map_or(0, |i| i + 1);
    let prefix = &text[line_start..start];
    let dash = prefix.rfind('-').ok_or(EditBlocker::Unplaced)?;
    let gap = &prefix[dash + 1..];
    if gap.is_empty() || gap.bytes().any(|b| b != b' ') {
        return Err(EditBlocker::Unplaced);
    }
    Ok((" ".repeat(dash), gap.to_owned()))
}

/// Adds a list with one map below a key that has no value.
pub(super) fn fill(
    text: &str,
    yaml: &ParsedYaml,
    value: NodeId,
    pairs: &[NewPair],
) -> Result<Splice, EditBlocker> {
    let node = yaml.node(value);
    let missing = matches!(node.kind, NodeKind::Scalar { missing: true, .. });
    let root = node.parent.filter(|_| missing && !node.flow && !node.anchored && node.tag.is_none());
    let root = root.ok_or(EditBlocker::Unplaced)?;
    let at = line_end(text, end_of(text, yaml, value)?);
    let eol = line_break(text, at);
    let text = format!("{eol}{}", item(pairs, &list_indent(text, yaml, root), " ", eol));
    Ok(Splice { range: at..at, text })
}

/// Adds `key:` and a list with one map at the end of a document.
pub(super) fn list(
    text: &str,
    yaml: &ParsedYaml,
    map: NodeId,
    key: &str,
    pairs: &[NewPair],
) -> Result<Splice, EditBlocker> {
    if !yaml.is_map(map) {
        return Err(EditBlocker::Unplaced);
    }
    let at = document_end(text, yaml, map)?;
    if yaml.node(map).flow {
        return flow_list(&text[..at], yaml, map, key, pairs);
    }
    let eol = line_break(text, at);
    let indent = list_indent(text, yaml, map);
    let body = format!("{key}:{eol}{}", item(pairs, &indent, " ", eol));
    let unfinished = !text[..at].ends_with(['\n', '\r']);
    // a block scalar without a final line break would get one, which changes its value
    let last = yaml.node(yaml.node(map).end - 1);
    if unfinished && matches!(last.kind, NodeKind::Scalar { style: ScalarStyle::Block, .. }) {
        return Err(EditBlocker::Unplaced);
    }
    let text = if unfinished { format!("{eol}{body}") } else { format!("{body}{eol}") };
    Ok(Splice { range: at..at, text })
}

/// Adds `key: [{…}]` at the end of a map in flow style, such as JSON; `text` ends with its document.
fn flow_list(
    text: &str,
    yaml: &ParsedYaml,
    map: NodeId,
    key: &str,
    pairs: &[NewPair],
) -> Result<Splice, EditBlocker> {
    let body = text.trim_end().strip_suffix('}').ok_or(EditBlocker::Unplaced)?.trim_end();
    let line = body.rsplit(['\n', '\r']).next().unwrap_or(body);
    if body.ends_with([',', '{']) || line.contains('#') {
        return Err(EditBlocker::Unplaced);
    }
    let style = style_of(yaml, map + 1);
    let before_first = &text[yaml.node(map).start + 1..yaml.node(map + 1).start];
    let is_own_line = before_first.contains(['\n', '\r']) && before_first.trim().is_empty();
    let gap = if is_own_line { before_first } else { " " };
    let item: Vec<_> = pairs.iter().map(|p| flow_pair(p, style)).collect();
    let text = format!(",{gap}{}: [{{{}}}]", render(key, style, true), item.join(", "));
    Ok(Splice { range: body.len()..body.len(), text })
}

/// Where a document ends, before the `...` or `---` after it.
fn document_end(text: &str, yaml: &ParsedYaml, root: NodeId) -> Result<usize, EditBlocker> {
    let nth = yaml.roots().iter().position(|&r| r == root).ok_or(EditBlocker::Unplaced)?;
    let end = match yaml.doc_starts.get(nth + 1) {
        None => text.len(),
        Some(&next) if text[next..].starts_with("---") => next,
        Some(_) => return Err(EditBlocker::Unplaced),
    };
    let start = yaml.node(root).start;
    let is_marker = |at: &usize| {
        let rest = &text[at + 3..end];
        text[..*at].ends_with(['\n', '\r']) && (rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
    };
    let marker = text[start..end].match_indices("...").map(|(at, _)| start + at).find(is_marker);
    Ok(marker.unwrap_or(end))
}

/// Indents lists like the other lists of the document. By default they get no indentation, as kustomize writes
/// them.
fn list_indent(text: &str, yaml: &ParsedYaml, map: NodeId) -> String {
    let lists = yaml.pairs(map).map(|(_, value)| value);
    let indents = lists.filter_map(|list| {
        let first = yaml.items(list).next().filter(|_| !yaml.node(list).flow)?;
        dash_of(text, yaml, first).ok().map(|(indent, _)| indent)
    });
    indents.into_iter().next().unwrap_or_default()
}

fn item(pairs: &[NewPair], indent: &str, gap: &str, eol: &str) -> String {
    let keys: Vec<_> = pairs.iter().map(block_pair).collect();
    let between = format!("{eol}{indent} {gap}");
    format!("{indent}-{gap}{}", keys.join(&between))
}

fn block_pair(pair: &NewPair) -> String {
    format!("{}: {}", pair.key, render(&pair.value, ScalarStyle::Plain, false))
}

/// In flow style, quotes keys and values like their neighbours, so that JSON stays JSON.
fn flow_pair(pair: &NewPair, style: ScalarStyle) -> String {
    format!("{}: {}", render(pair.key, style, true), render(&pair.value, style, true))
}

fn style_of(yaml: &ParsedYaml, key: NodeId) -> ScalarStyle {
    match yaml.node(key).kind {
        NodeKind::Scalar { style, .. } if yaml.node(key).flow => style,
        _ => ScalarStyle::Plain,
    }
}

/// The offset at which a scalar or an alias ends.
fn end_of(text: &str, yaml: &ParsedYaml, id: NodeId) -> Result<usize, EditBlocker> {
    match yaml.node(id).kind {
        NodeKind::Alias(_) => {
            let start = yaml.node(id).start;
            let name = text[start..].find([' ', '\t', '\n', '\r', ',', '}', ']']);
            Ok(name.map_or(text.len(), |n| start + n))
        }
        _ => span(text, yaml, id).map(|range| range.end),
    }
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find(['\n', '\r']).map_or(text.len(), |i| from + i)
}

fn break_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    ["\r\n", "\n", "\r"].into_iter().find(|b| rest.starts_with(b)).unwrap_or("")
}

fn break_before(text: &str, at: usize) -> usize {
    let before = &text[..at];
    ["\r\n", "\n", "\r"].into_iter().find(|b| before.ends_with(b)).map_or(0, str::len)
}

/// The line break at this position. If there is none, the file's first one, or else `\n`.
fn line_break(text: &str, at: usize) -> &str {
    let here = break_at(text, at);
    if !here.is_empty() {
        return here;
    }
    let first = text.find(['\n', '\r']).map_or("", |i| break_at(text, i));
    if first.is_empty() { "\n" } else { first }
}
