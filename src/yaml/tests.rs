//! Pitfalls of positions and spans. Each test covers a mistake that YAML editors have made.

use super::*;

fn set(yaml: &str, path: &str, value: &str) -> Result<String, EditError> {
    let parsed = scan(yaml.as_bytes()).unwrap();
    let node = FieldPath::parse(path).unwrap().find(&parsed, parsed.roots()[0])[0].node;
    let after = apply(yaml.as_bytes(), &parsed, &[Change::Set { node, value: value.to_owned() }])?;
    Ok(String::from_utf8(after).unwrap())
}

fn refused(yaml: &str, path: &str) -> EditBlocker {
    match set(yaml, path, "v2").unwrap_err() {
        EditError::Refused { obstacle, .. } => obstacle,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_the_value_changes() {
    for (before, after) in [
        ("tag: v1", "tag: v2"),
        ("tag: v1 # v1\n", "tag: v2 # v1\n"),
        ("tag:    'v1'   \r\n", "tag:    'v2'   \r\n"),
        ("tag: \"v1\"\n", "tag: \"v2\"\n"),
        ("tag: \"v\\x31\" # é\n", "tag: \"v2\" # é\n"),
        ("tag: 'it''s'\n", "tag: 'v2'\n"),
        ("\u{feff}tag: v1\n", "\u{feff}tag: v2\n"),
        ("{\"a\": \"é\", \"tag\": \"v1\"}", "{\"a\": \"é\", \"tag\": \"v2\"}"),
        ("x: é日本\rtag: v1\r", "x: é日本\rtag: v2\r"),
        ("x: \"\u{2028}\u{85}\"\ntag: v1\n", "x: \"\u{2028}\u{85}\"\ntag: v2\n"),
        ("tag: !!str v1\n", "tag: !!str v2\n"),
        ("tag: &a v1\nb: *a\n", "tag: &a v2\nb: *a\n"),
        ("tag: ~\n", "tag: v2\n"),
        ("? tag\n: v1\n", "? tag\n: v2\n"),
        ("tag:\n  v1\n", "tag:\n  v2\n"),
        ("tag: v1\n---\ntag: v1\n", "tag: v2\n---\ntag: v1\n"),
        ("%YAML 1.2\n---\ntag: v1\n...\n", "%YAML 1.2\n---\ntag: v2\n...\n"),
    ] {
        assert_eq!(set(before, "tag", "v2").as_deref(), Ok(after), "{before:?}");
    }
}

#[test]
fn positions_do_not_drift_behind_long_lines_that_are_not_ascii() {
    let long = "é".repeat(5000);
    let yaml = format!("a: |\n  {long}\n  {long}\nb: '{long}'\ntag: v1\n");
    assert_eq!(set(&yaml, "tag", "v2").unwrap(), yaml.replace("tag: v1", "tag: v2"));
}

#[test]
fn missing_values_are_put_behind_their_colon() {
    for (before, after) in [
        ("tag:\n", "tag: v2\n"),
        ("tag:", "tag: v2"),
        ("tag:\n\n# c\nother: x\n", "tag: v2\n\n# c\nother: x\n"),
        ("tag: # of the chart\n", "tag: v2 # of the chart\n"),
        ("\"tag\" :\nb: 1\n", "\"tag\" : v2\nb: 1\n"),
        ("{tag: , b: 1}\n", "{tag: v2 , b: 1}\n"),
        ("{b: 1, tag:}\n", "{b: 1, tag: v2}\n"),
        ("tag:\n~: x\n", "tag: v2\n~: x\n"),
    ] {
        assert_eq!(set(before, "tag", "v2").as_deref(), Ok(after), "{before:?}");
    }
}

#[test]
fn what_has_no_bytes_of_its_own_is_refused() {
    assert_eq!(refused("a: &x v1\ntag: |\n  v1\n", "tag"), EditBlocker::Block);
    assert_eq!(refused("tag: >-\n  v1\n", "tag"), EditBlocker::Block);
    assert_eq!(refused("tag: v1\n  v2\n", "tag"), EditBlocker::MultiLine);
    assert_eq!(refused("tag: \"v1\n  v2\"\n", "tag"), EditBlocker::MultiLine);
    assert_eq!(refused("tag: {a: b}\n", "tag"), EditBlocker::NotScalar);
    assert_eq!(refused("tag: ${TAG}\n", "tag"), EditBlocker::Placeholder);
    assert_eq!(refused("tag: '{{ .Values.tag }}'\n", "tag"), EditBlocker::Placeholder);
    assert_eq!(refused("tag: !!int 5\n", "tag"), EditBlocker::Tagged);
    assert_eq!(refused("tag: &a\nb: c\n", "tag"), EditBlocker::AnchoredNothing);
}

#[test]
fn what_is_no_yaml_says_where() {
    let error = |bytes: &[u8]| scan(bytes).unwrap_err().to_string();
    assert_eq!(error(b"a: b\n\0"), "2:1: holds a NUL byte");
    assert_eq!(error(b"a: \xff"), "1:4: is not UTF-8");
    assert_eq!(error(b"\xff\xfea\0"), "1:1: is UTF-16; save it as UTF-8");
    assert!(error(b"a: b\nc: [\n").starts_with("3:1: "), "{}", error(b"a: b\nc: [\n"));
    assert_eq!(error(b"a: &x 1\n---\nb: *x\n"), "3:4: alias to an anchor of another document");
}

#[test]
fn deep_nesting_costs_no_stack() {
    let deep = format!("{}tag: v1\n", "- ".repeat(100_000));
    let parsed = scan(deep.as_bytes()).unwrap();
    let node = parsed.len() - 1;
    let after = apply(deep.as_bytes(), &parsed, &[Change::Set { node, value: "v2".to_owned() }]).unwrap();
    assert_eq!(String::from_utf8(after).unwrap(), deep.replace("v1", "v2"));
}

#[test]
fn keys_come_and_go_with_their_lines() {
    let yaml = "- name: x # n\r\n  digest: d # gone\r\n  # kept\r\n- {name: y, digest: d}\r\n- digest: d\r\n  name: z";
    let parsed = scan(yaml.as_bytes()).unwrap();
    let key = |path: &str| FieldPath::parse(path).unwrap().find(&parsed, 0)[0].key;
    let mut changes: Vec<_> = (0..3).map(|n| Change::Remove { key: key(&format!("[{n}].digest")) }).collect();
    changes.extend((0..3).map(|n| Change::InsertAfter {
        key: key(&format!("[{n}].name")),
        pairs: vec![NewPair { key: "newTag", value: "1e5".to_owned() }],
    }));
    let after = String::from_utf8(apply(yaml.as_bytes(), &parsed, &changes).unwrap()).unwrap();
    let expected = "- name: x # n\r\n  newTag: \"1e5\"\r\n  # kept\r\n- {name: y, newTag: \"1e5\"}\r\n- name: z\r\n  newTag: \"1e5\"";
    assert_eq!(after, expected);
}

#[test]
fn two_changes_of_the_same_bytes_are_refused() {
    let parsed = scan(b"a: b\n").unwrap();
    let change = |value: &str| Change::Set { node: 2, value: value.to_owned() };
    let twice = apply(b"a: b\n", &parsed, &[change("c"), change("d")]);
    assert_eq!(twice, Err(EditError::Overlap { node: 2 }));
}

#[test]
fn merge_keys_and_duplicates_are_read_as_readers_do() {
    let parsed = scan(b"b: &b {x: 1, y: 2}\nm:\n  <<: *b\n  x: 3\nd: {k: 1, k: 2}\n").unwrap();
    let root = parsed.roots()[0];
    let text = |path: &[&str]| parsed.at(root, path).and_then(|node| parsed.text(node));
    assert_eq!((text(&["m", "x"]), text(&["m", "y"]), text(&["d", "k"])), (Some("3"), Some("2"), Some("2")));
    let merged = parsed.get(parsed.at(root, &["m"]).unwrap(), "y").unwrap();
    assert!(merged.shared_by.is_some());
}

#[test]
fn merge_bombs_are_read_in_no_time() {
    let mut bomb = "a0: &a0 {x: 1}\n".to_owned();
    for n in 1..40 {
        let aliases = vec![format!("*a{}", n - 1); 9].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} {{<<: [{aliases}]}}\n"));
    }
    bomb.push_str("<<: *a39\n");
    let parsed = scan(bomb.as_bytes()).unwrap();
    assert_eq!(parsed.get(0, "x").map(|found| parsed.text(found.node)), Some(Some("1")));
    assert_eq!(parsed.get(0, "y"), None);
}

#[test]
fn many_maps_that_merge_a_large_one_are_read_in_time() {
    let large: String = (0..3000).map(|n| format!("  key{n}: v\n")).collect();
    let users: String = (0..3000).map(|n| format!("m{n}: {{<<: *large, image: a:v{n}}}\n")).collect();
    let text = format!("large: &large\n{large}{users}");
    let parsed = scan(text.as_bytes()).unwrap();
    let maps = parsed.pairs(0).skip(1);
    let found = maps
        .filter(|&(_, map)| parsed.get(map, "key2999").is_some() && parsed.get(map, "repository").is_none());
    assert_eq!(found.count(), 3000);
}

#[test]
fn indentation_that_other_readers_accept() {
    let cases = [
        ("a:\n  args: [\n    x,\n  ]\n  b: {tag: v1}\n", "v1"),
        ("a:\n  args: [x,\n y,\n z\n  ]\n  tag: v1\n", "v1"),
        ("a:\n  - d: 'one\n  two''s\n\n  three'\n    tag: v1 # é\n", "v1"),
        ("a:\n  - d: \"one \\\"\n  two\"\n    tag: v1\n", "v1"),
        ("\u{feff}a:\r\n  args: [\r\n    \"é\", tag: v1\r\n  ]\r\n", "v1"),
        ("a:\n  args: [\n  tag: v1 ]\n", "v1"),
    ];
    for (text, old) in cases {
        let parsed = scan(text.as_bytes()).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        let tag = (0..parsed.len()).find(|&id| parsed.text(id) == Some(old)).unwrap();
        assert!(text[parsed.node(tag).start..].starts_with(old), "{text:?}");
        let line = text[..parsed.node(tag).start].rsplit('\n').next().unwrap();
        let column = line.trim_start_matches('\u{feff}').chars().count() + 1;
        assert_eq!(parsed.node(tag).column, column, "{text:?}");
        let change = Change::Set { node: tag, value: "v2".to_owned() };
        let after = apply(text.as_bytes(), &parsed, &[change]).unwrap();
        assert_eq!(String::from_utf8(after).unwrap(), text.replace("v1", "v2"));
    }
}

#[test]
fn what_is_really_wrong_still_says_where() {
    for (text, line) in [("a:\n  b: [\n  c\nd: x\n", 4), ("a:\n  d: 'x\n y\n", 2), ("a: [\n]]\n", 2)] {
        assert_eq!(error(text).line, line, "{text:?}");
    }
    // each such line costs another pass over the file, so there is a limit
    let flow = |lines: usize| format!("a:\n  b: [\n{}  ]\n", " x,\n".repeat(lines));
    assert!(scan(flow(200).as_bytes()).is_ok());
    let large = format!("{}# {}\n", flow(20), "x".repeat(1_000_000));
    assert!(error(&large).reason.starts_with("invalid indentation"));
}

#[test]
fn a_tag_does_not_go_to_the_next_key() {
    let parsed = scan(b"!!str a: x\nc: y\n").unwrap();
    let first = Change::Remove { key: 1 };
    let set = Change::Set { node: 3, value: "b".to_owned() };
    let made = apply(b"!!str a: x\nc: y\n", &parsed, &[first.clone(), set.clone()]);
    assert_eq!(made, Err(EditError::Refused { node: 1, obstacle: EditBlocker::Unplaced }));
    // the tag of a value is removed with it
    let parsed = scan(b"a: !!str x\nc: y\n").unwrap();
    assert_eq!(apply(b"a: !!str x\nc: y\n", &parsed, &[first, set]), Ok(b"b: y\n".to_vec()));
}

#[test]
fn a_comma_in_a_comment_stays() {
    let remove = |yaml: &str, key| {
        let parsed = scan(yaml.as_bytes()).unwrap();
        let after = apply(yaml.as_bytes(), &parsed, &[Change::Remove { key }]);
        after.map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let refused = EditError::Refused { node: 3, obstacle: EditBlocker::Unplaced };
    assert_eq!(remove("{a: 1, # x,\n b: 2\n}\n", 3), Err(refused));
    assert_eq!(remove("{a: '#',\n b: 2, c: 3}\n", 5).as_deref(), Ok("{a: '#',\n b: 2}\n"));
}

#[test]
fn document_marks_end_what_is_quoted() {
    for text in ["a:\n  b: \"x\ny\n--- z\n\"\n", "a:\n  b: \"x\ny\n... z\n\"\n"] {
        assert!(scan(text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn a_key_that_would_still_be_there_is_not_removed() {
    for (yaml, key) in [
        ("digest: old\nname: x\ndigest: d\n", 5),
        ("- &b {digest: old}\n- <<: *b\n  digest: d\n", 7),
        ("- &b {digest: old}\n- {<<: [*b], digest: d}\n", 8),
    ] {
        let parsed = scan(yaml.as_bytes()).unwrap();
        assert_eq!(parsed.key_text(parsed.node(key).end), Some("digest"), "{yaml:?}");
        let made = apply(yaml.as_bytes(), &parsed, &[Change::Remove { key }]);
        assert_eq!(made, Err(EditError::Refused { node: key, obstacle: EditBlocker::Twice }), "{yaml:?}");
    }
}

fn error(text: &str) -> YamlError {
    match scan(text.as_bytes()) {
        Err(ReadError::Syntax(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn set_part(yaml: &str, part: &str, value: &str) -> Result<String, EditError> {
    let parsed = scan(yaml.as_bytes()).unwrap();
    let node = parsed.at(parsed.roots()[0], &["tag"]).unwrap();
    let start = parsed.text(node).unwrap().find(part).unwrap();
    let change = Change::SetPart { node, range: start..start + part.len(), value: value.to_owned() };
    apply(yaml.as_bytes(), &parsed, &[change]).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn a_part_is_replaced_and_the_placeholder_around_it_stays() {
    for yaml in [
        "tag: ${TAG:-v1}\n",
        "tag: api:${TAG:-v1}-ad # v1\r\n",
        "tag: 'it''s ${TAG:-v1}'\n",
        "tag: \"${TAG:-v1}\"\n",
        "{tag: \"${TAG:-v1}\"}\n",
        "tag: &a 'é/${TAG:-v1}'\nb: *a\n",
    ] {
        assert_eq!(set_part(yaml, "v1", "v2").unwrap(), yaml.replacen("v1", "v2", 1), "{yaml:?}");
    }
    assert_eq!(set_part("tag: ${TAG:-v1}\n", "v1", "").unwrap(), "tag: ${TAG:-}\n");
}

#[test]
fn a_part_is_refused_where_the_whole_would_be() {
    let refused = |yaml: &str| match set_part(yaml, "v1", "v2") {
        Err(EditError::Refused { obstacle, .. }) => obstacle,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("tag: \"\\u0061${TAG:-v1}\"\n"), EditBlocker::Unplaced);
    assert_eq!(refused("tag: |\n  v1\n"), EditBlocker::Block);
    assert_eq!(refused("tag: a\n  v1\n"), EditBlocker::MultiLine);
    assert_eq!(refused("tag: !x ${TAG:-v1}\n"), EditBlocker::Tagged);
}
