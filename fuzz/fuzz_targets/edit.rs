//! Any document that is accepted, and one to three changes to it: they are made exactly, or not at all.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tagbump::yaml::{Change, NewPair, NodeId, ParsedYaml, scan};
use tagbump_fuzz::yaml_laws::edit_is_exact;

/// The first fields have a fixed size: `.ci/fuzz` puts as many bytes before a file to make a seed of it.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    picks: [Pick; 3],
    count: u8,
    own: [u8; 11],
    document: &'a str,
}

#[derive(Arbitrary, Debug)]
struct Pick {
    kind: u8,
    node: u16,
    value: u8,
}

/// What tags look like, and what they had better not look like.
const VALUES: [&str; 24] = [
    "v2",
    "1234567",
    "1e10",
    "0x1f",
    "1_000",
    "on",
    "1.10",
    "2024-01-01",
    "null",
    "~",
    "",
    "-",
    "it's",
    "a\"b",
    "a\\b",
    "a: b",
    "a #b",
    "{{ x }}",
    "é",
    "name:v2@sha256:00",
    "a,b]}",
    "a\nb",
    "\t",
    "#",
];

fuzz_target!(|input: Input| {
    let Ok(yaml) = scan(input.document.as_bytes()) else { return };
    if yaml.is_empty() {
        return;
    }
    let own = String::from_utf8_lossy(&input.own);
    let mut changes: Vec<Change> = Vec::new();
    for pick in &input.picks[..=usize::from(input.count) % 3] {
        let change = change(&yaml, pick, &own);
        let again = changes.iter().any(|other| pair_of(&yaml, other.node()) == pair_of(&yaml, change.node()));
        if !again {
            changes.push(change);
        }
    }
    let _ = edit_is_exact(input.document, &yaml, &changes);
});

fn change(yaml: &ParsedYaml, pick: &Pick, own: &str) -> Change {
    let node = usize::from(pick.node) % yaml.len();
    let value = VALUES.get(usize::from(pick.value) % (VALUES.len() + 6)).copied().unwrap_or(own).to_owned();
    match (pick.kind % 4, yaml.node(node).key) {
        (1, Some(key)) => Change::Remove { key },
        (2, Some(key)) => Change::InsertAfter { key, pairs: vec![NewPair { key: "newTag", value }] },
        (3, Some(key)) => {
            let digest = NewPair { key: "digest", value: own.to_owned() };
            Change::InsertAfter { key, pairs: vec![NewPair { key: "newTag", value }, digest] }
        }
        _ => Change::Set { node, value },
    }
}

/// The key of a key and of its value: changes to one pair are planned apart, never together.
fn pair_of(yaml: &ParsedYaml, node: NodeId) -> NodeId {
    yaml.node(node).key.unwrap_or(node)
}
