//! Builds a [`ParsedYaml`] from values instead of text, so that whatever reads parsed files can read the result of
//! a merge too. Such a document has no bytes: its nodes have no position and can't be edited.

use super::document::{Node, NodeId, NodeKind, ParsedYaml, ScalarStyle};

/// Writes one document, value by value.
#[derive(Debug, Default)]
pub struct SyntheticDocument {
    yaml: ParsedYaml,
    /// The maps and lists that are not closed yet, each with its number of pairs.
    open: Vec<(NodeId, usize)>,
    /// The key of the next value.
    key: Option<NodeId>,
}

impl SyntheticDocument {
    /// Opens a map. Each of its values follows its [`key`](Self::key).
    pub fn open_map(&mut self) -> NodeId {
        let id = self.add(NodeKind::Map);
        self.open.push((id, 0));
        id
    }

    /// Opens a list.
    pub fn open_list(&mut self) -> NodeId {
        let id = self.add(NodeKind::Seq);
        self.open.push((id, 0));
        id
    }

    /// Closes the innermost map or list.
    pub fn close(&mut self) {
        let Some((id, pairs)) = self.open.pop() else { return };
        let end = self.yaml.len();
        self.yaml.nodes[id].end = end;
        self.yaml.index_large(id, pairs);
    }

    /// Adds the key of the next value.
    pub fn key(&mut self, text: &str) {
        let id = self.scalar(text, false);
        if let Some((_, pairs)) = self.open.last_mut() {
            *pairs += 1;
        }
        self.key = Some(id);
    }

    /// Adds a scalar. `plain` means that it was written without quotes, so it may be a number, a boolean or null.
    pub fn scalar(&mut self, text: &str, plain: bool) -> NodeId {
        let style = if plain { ScalarStyle::Plain } else { ScalarStyle::Double };
        self.add(NodeKind::Scalar { value: text.to_owned(), style, missing: false })
    }

    /// Adds a scalar that stands in this line of some other file.
    pub fn scalar_in_line(&mut self, text: &str, line: usize) -> NodeId {
        let id = self.scalar(text, true);
        self.yaml.nodes[id].line = line;
        id
    }

    /// The document, with everything closed that is still open.
    pub fn finish(mut self) -> ParsedYaml {
        while !self.open.is_empty() {
            self.close();
        }
        self.yaml
    }

    fn add(&mut self, kind: NodeKind) -> NodeId {
        let id = self.yaml.len();
        let parent = self.open.last().map(|(parent, _)| *parent);
        if parent.is_none() {
            self.yaml.roots.push(id);
            self.yaml.doc_starts.push(0);
        }
        let key = self.key.take();
        self.yaml.nodes.push(Node {
            kind,
            start: 0,
            line: 1,
            column: 1,
            anchored: false,
            tag: None,
            flow: false,
            end: id + 1,
            parent,
            key,
        });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_document_answers_like_a_parsed_one() {
        let mut document = SyntheticDocument::default();
        document.open_map();
        document.key("spec");
        document.open_map();
        document.key("image");
        document.scalar("acme/api:v1", true);
        document.key("ports");
        document.open_list();
        document.scalar("80", true);
        document.scalar("90", true);
        document.close();
        document.close();
        document.key("kind");
        document.scalar("Pod", true);
        let yaml = document.finish();
        let parsed =
            super::super::scan(b"spec:\n  image: acme/api:v1\n  ports: [80, 90]\nkind: Pod\n").unwrap();
        for yaml in [&yaml, &parsed] {
            let root = yaml.roots()[0];
            let text = |path: &[&str]| yaml.at(root, path).and_then(|node| yaml.text(node));
            assert_eq!(text(&["spec", "image"]), Some("acme/api:v1"));
            assert_eq!(text(&["kind"]), Some("Pod"));
            let ports = yaml.at(root, &["spec", "ports"]).unwrap();
            assert_eq!(
                yaml.items(ports).filter_map(|item| yaml.text(item)).collect::<Vec<_>>(),
                ["80", "90"]
            );
        }
        assert_eq!(yaml.len(), parsed.len());
    }
}
