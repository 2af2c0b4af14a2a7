//! Visits every node below a root, each once, however many aliases lead to it.

use std::collections::HashSet;

use crate::yaml::{NodeId, NodeKind, ParsedYaml};

/// Where to go on after a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// With what is inside it.
    Inside,
    /// With what comes after it.
    Past,
}

/// Visits the nodes below `root` (and `root`) in document order; then, where they are written, the maps and lists that
/// aliases lead to. Ends early when the file's budget is spent.
pub fn walk(yaml: &ParsedYaml, root: NodeId, mut visit: impl FnMut(NodeId) -> Next) {
    let mut seen = HashSet::new();
    let mut ranges = vec![yaml.resolve(root)];
    while let Some(start) = ranges.pop() {
        if !seen.insert(start) {
            continue;
        }
        let mut at = start;
        while at < yaml.node(start).end && yaml.budget().spend(1) {
            // don't visit an anchored map again that is inside one already visited
            let known = at != start && !seen.insert(at);
            let next = if known { Next::Past } else { visit(at) };
            if let NodeKind::Alias(target) = yaml.node(at).kind {
                let is_scalar = matches!(yaml.node(target).kind, NodeKind::Scalar { .. });
                ranges.extend((!is_scalar && next == Next::Inside).then_some(target));
            }
            at = if next == Next::Inside { at + 1 } else { yaml.node(at).end };
        }
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
