//! Visits every node below a root, each once, however many aliases lead to it.

use std::collections::BTreeMap;

use crate::yaml::{NodeId, NodeKind, ParsedYaml};

/// Where to go on after a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// With what is inside it.
    Inside,
    /// With what comes after it.
    Past,
}

/// What a node costs that an alias leads to. Many documents can share one, and then it is visited for each of them.
const STEPS: usize = 4;

/// Visits the nodes below `root` (and `root`) in document order; then, where they are written, the maps and lists that
/// aliases lead to. Ends early when the file's budget is spent.
pub fn walk(yaml: &ParsedYaml, root: NodeId, mut visit: impl FnMut(NodeId) -> Next) {
    let root = yaml.resolve(root);
    let mut visited = VisitedRanges::default();
    let mut ranges = vec![root];
    while let Some(start) = ranges.pop() {
        let end = yaml.node(start).end;
        let cost = if start == root { 0 } else { STEPS };
        let (mut from, mut at) = (start, start);
        let mut known = visited.next(at);
        while at < end && yaml.budget().check().is_ok() {
            if let Some((start, end)) = known.filter(|(start, _)| *start <= at) {
                visited.add(from, at.min(start));
                (from, at) = (end, end);
                known = visited.next(at);
                continue;
            }
            yaml.budget().spend(cost);
            let next = visit(at);
            match yaml.node(at).kind {
                NodeKind::Alias(target) if next == Next::Inside && is_collection(yaml, target) => {
                    ranges.push(target);
                }
                _ => {}
            }
            at += 1;
            if next == Next::Past {
                visited.add(from, at);
                at = yaml.node(at - 1).end;
                from = at;
                known = visited.next(at);
            }
        }
        visited.add(from, at);
    }
}

fn is_collection(yaml: &ParsedYaml, id: NodeId) -> bool {
    matches!(yaml.node(id).kind, NodeKind::Map | NodeKind::Seq)
}

/// The ranges of nodes that were visited: each start with its end.
#[derive(Default)]
struct VisitedRanges(BTreeMap<NodeId, NodeId>);

impl VisitedRanges {
    fn add(&mut self, start: NodeId, end: NodeId) {
        if start < end {
            self.0.insert(start, end);
        }
    }

    /// The first range that ends after this node.
    fn next(&self, at: NodeId) -> Option<(NodeId, NodeId)> {
        let before = self.0.range(..=at).next_back().filter(|(_, end)| **end > at);
        before.or_else(|| self.0.range(at..).next()).map(|(&start, &end)| (start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::scan;

    #[test]
    fn walk_visits_each_node_once_when_aliases_lead_to_it() {
        let yaml = scan(b"a: &a {b: &b {c: x}}\nl: [*a, *b, *a]\n").unwrap();
        let mut visits = vec![0; yaml.len()];
        walk(&yaml, 0, |id| {
            visits[id] += 1;
            Next::Inside
        });
        assert_eq!(visits, vec![1; yaml.len()]);
    }

    #[test]
    fn walk_visits_what_it_left_out_when_an_alias_leads_to_it() {
        let yaml = scan(b"a: &a {b: &b {c: x}, d: {e: y}}\nl: [*b, *a]\nm: *a\n").unwrap();
        let mut visits = vec![0; yaml.len()];
        walk(&yaml, 0, |id| {
            visits[id] += 1;
            if yaml.key_text(id) == Some("a") { Next::Past } else { Next::Inside }
        });
        assert_eq!(visits, vec![1; yaml.len()]);
    }

    #[test]
    fn walk_leaves_out_what_is_inside_when_visit_goes_past() {
        let yaml = scan(b"a: {b: x}\nc: y\n").unwrap();
        let mut texts = Vec::new();
        walk(&yaml, 0, |id| {
            texts.extend(yaml.text(id).map(str::to_owned));
            if yaml.key_text(id) == Some("a") { Next::Past } else { Next::Inside }
        });
        assert_eq!(texts, ["a", "c", "y"]);
    }
}
