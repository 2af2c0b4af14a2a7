use super::*;

/// 2026-11-28T12:00:00Z
const NOW: i64 = 1_795_867_200;

const FILE: &str = "\
# who holds what
holds:
  # the database is being moved
  - image: ghcr.io/acme/api # the API
    files: [envs/prod, 'k8s/**']
    reason: \"incident 42: don't\"
    until: 2026-12-01T08:00:00Z
    by: ada
  - image: ghcr.io/acme/worker
    env: prod
    reason: freeze
    by: bob # on call
# the end
";

fn file(text: &str) -> HoldsFile {
    HoldsFile::parse(text.as_bytes().to_vec()).unwrap()
}

fn hold(image: &str, reason: &str) -> Hold {
    Hold {
        image: image.to_owned(),
        env: None,
        files: Vec::new(),
        reason: reason.to_owned(),
        until: None,
        by: "eve".to_owned(),
    }
}

fn query(image: &str) -> HoldQuery {
    HoldQuery { image: image.to_owned(), env: None, files: Vec::new() }
}

/// The file after a change.
#[track_caller]
fn after(before: &HoldsFile, change: &HoldsChange) -> String {
    String::from_utf8(edited(before, change, NOW).unwrap().unwrap()).unwrap()
}

#[track_caller]
fn error(text: &str) -> String {
    HoldsFile::parse(text.as_bytes().to_vec()).unwrap_err().to_string()
}

#[test]
fn all_that_it_holds() {
    let file = file(FILE);
    let [api, worker] = file.holds.as_slice() else { panic!("{file:?}") };
    assert_eq!(api.hold.to_string(), "held by ada until 2026-12-01T08:00:00Z: incident 42: don't");
    assert_eq!((api.at.line, worker.at.line), (4, 9));
    let held = api.held_image();
    assert!(
        held.covers("ghcr.io/acme/api", "envs/prod/a.yaml")
            && held.covers("ghcr.io/acme/api", "k8s/x/b.yaml")
    );
    assert!(
        !held.covers("ghcr.io/acme/api", "envs/dev/a.yaml") && !held.covers("ghcr.io/acme/web", "k8s/b.yaml")
    );
    assert_eq!(worker.held_image().env.as_deref(), Some("prod"));
    assert!(worker.held_image().covers("ghcr.io/acme/worker", "anything.yaml"));
    for text in ["", "# nothing\n", "holds:\n", "holds: []\n", "---\n", "{}\n"] {
        assert_eq!(HoldsFile::parse(text.as_bytes().to_vec()).unwrap().holds.len(), 0, "{text:?}");
    }
}

#[test]
fn hold_ends_at_its_time() {
    let until = |text: &str| {
        let text = format!("holds:\n- {{image: a/b, reason: r, by: x, until: {text}}}\n");
        file(&text).holds[0].hold.is_over(NOW)
    };
    assert!(until("2026-11-28T12:00:00Z") && until("2026-11-28") && until("'2026-11-28T13:00:00+02:00'"));
    assert!(!until("2026-11-28T12:00:01Z") && !until("2026-11-29") && !hold("a/b", "r").is_over(NOW));
}

#[test]
fn mistakes_say_where_they_are() {
    for (text, wanted) in [
        (
            "holds:\n- image: a/b:v1\n  reason: r\n  by: x\n",
            "tagbump-holds.yaml:2:10: image: give the name alone",
        ),
        ("holds:\n- {image: a/b, by: x}\n", "tagbump-holds.yaml:2:3: holds[0]: `reason` is missing"),
        ("holds:\n- {image: a/b, reason: r}\n", "`by` is missing"),
        ("holds:\n- {image: a/b, reason: r, by: x, whom: y}\n", "unknown key `whom`"),
        ("holds: []\n---\nholds: []\n", "tagbump-holds.yaml:3:1: there is a second document; keep one"),
        ("hold: []\n", "unknown key `hold`"),
        ("holds:\n- {image: a/b, reason: r, by: x, until: soon}\n", "until: soon is not a time"),
        ("holds:\n- {image: a/b, reason: r, by: x, files: ['']}\n", "files: a path is empty"),
        ("holds:\n- {image: a/b, reason: r, by: x, files: ['../x']}\n", "files: ../x: is outside the root"),
        ("holds:\n- {image: a/b\n", "(not valid YAML)"),
        ("holds: 3\n", "tagbump-holds.yaml:1:8: holds: must be a list"),
    ] {
        let message = error(text);
        assert!(message.contains(wanted), "{text:?}: {message}");
    }
}

#[test]
fn entries_come_and_go_without_a_change_elsewhere() {
    let before = file(FILE);
    let added = after(&before, &HoldsChange::Add(vec![hold("ghcr.io/acme/web", "1.10")]));
    let new = "  - image: ghcr.io/acme/web\n    reason: \"1.10\"\n    by: eve\n";
    assert_eq!(added, FILE.replace("# the end", &format!("{new}# the end")));
    let back = after(&file(&added), &HoldsChange::Remove(vec![query("ghcr.io/acme/web")]));
    assert_eq!(back, FILE);
    let without = after(&before, &HoldsChange::Remove(vec![query("ghcr.io/acme/worker")]));
    let (start, _) = FILE.split_once("  - image: ghcr.io/acme/worker").unwrap();
    assert_eq!(without, format!("{start}# the end\n"));
    let none = HoldsChange::Remove(vec![query("ghcr.io/acme/worker"), query("ghcr.io/acme/api")]);
    let none = after(&before, &none);
    assert_eq!(none, "# who holds what\nholds: []\n  # the database is being moved\n# the end\n");
    let again = after(&file(&none), &HoldsChange::Add(vec![hold("a/b", "r")]));
    assert_eq!(file(&again).holds[0].hold, hold("a/b", "r"), "{again}");
    assert!(
        again.starts_with("# who holds what\nholds:\n  - image: a/b\n    reason: r\n    by: eve\n"),
        "{again}"
    );
}

#[test]
fn entry_about_the_same_references_is_replaced_in_its_place() {
    let before = file(FILE);
    let longer =
        Hold { until: Some("2027-01-01T00:00:00Z".parse().unwrap()), ..before.holds[0].hold.clone() };
    let text = after(&before, &HoldsChange::Add(vec![longer]));
    assert!(
        text.contains("until: \"2027-01-01T00:00:00Z\"")
            && text.contains("# the database is being moved\n  - image"),
        "{text}"
    );
    assert_eq!(file(&text).holds.len(), 2);
    let same = HoldsChange::Add(vec![Hold { by: "zoe".to_owned(), ..before.holds[1].hold.clone() }]);
    assert_eq!(edited(&before, &same, NOW), Ok(None), "the same reason and end");
    let elsewhere = HoldsChange::Add(vec![Hold { env: None, ..before.holds[1].hold.clone() }]);
    assert_eq!(file(&after(&before, &elsewhere)).holds.len(), 3, "in every environment");
}

#[test]
fn unhold_takes_the_entries_that_it_names() {
    let text = "holds:\n- {image: a/b, reason: r, by: x}\n- {image: a/b, files: [p], reason: r, by: x}\n";
    let before = file(text);
    let of_file = HoldQuery { files: vec!["p".to_owned()], ..query("a/b") };
    assert_eq!(
        after(&before, &HoldsChange::Remove(vec![of_file])),
        "holds:\n- {image: a/b, reason: r, by: x}\n"
    );
    assert_eq!(after(&before, &HoldsChange::Remove(vec![query("a/b")])), "holds: []\n");
    let of_env = HoldQuery { env: Some("prod".to_owned()), ..query("a/b") };
    assert_eq!(edited(&before, &HoldsChange::Remove(vec![of_env]), NOW), Ok(None));
}

#[test]
fn entries_that_are_over_go_with_the_next_edit() {
    let text =
        "holds:\n- {image: a/b, reason: r, by: x, until: 2026-11-01}\n- {image: c/d, reason: r, by: x}\n";
    let before = file(text);
    let nothing = HoldsChange::Remove(vec![query("e/f")]);
    assert_eq!(edited(&before, &nothing, NOW), Ok(None), "no edit of its own");
    let gone = after(&before, &HoldsChange::Remove(vec![query("c/d")]));
    assert_eq!(gone, "holds: []\n");
    let added = after(&before, &HoldsChange::Add(vec![hold("e/f", "r")]));
    let kept: Vec<_> = file(&added).holds.iter().map(|placed| placed.hold.image.clone()).collect();
    assert_eq!(kept, ["c/d", "e/f"], "{added}");
}

#[test]
fn new_file_and_files_of_other_layouts() {
    let add = HoldsChange::Add(vec![Hold { files: vec!["envs/*".to_owned()], ..hold("a/b", "r") }]);
    let items = "holds:\n  - image: a/b\n    files: [\"envs/*\"]\n    reason: r\n    by: eve\n";
    let new = after(&HoldsFile::default(), &add);
    assert!(
        new.starts_with("# Images whose tags") && new.ends_with(&format!("\n{}", items.replace('"', ""))),
        "{new}"
    );
    for (text, wanted) in [
        ("# mine", "# mine\nholds:\n"),
        (
            "holds:\r\n- image: c/d\r\n  reason: r\r\n  by: x",
            "holds:\r\n- image: c/d\r\n  reason: r\r\n  by: x\r\n- image: a/b\r\n",
        ),
        ("holds: # none\n# more\n", "holds: # none\n  - image: a/b\n"),
        ("holds: []\n", "holds:\n  - image: a/b\n"),
    ] {
        let text = after(&file(text), &add);
        assert!(text.starts_with(wanted), "{text:?}");
    }
    for text in [
        "holds: [{image: c/d, reason: r, by: x}]\n",
        "{}\n",
        "holds:\n-\n  image: c/d\n  reason: r\n  by: x\n",
    ] {
        let error = edited(&file(text), &add, NOW).unwrap_err();
        assert!(error.to_string().starts_with("tagbump-holds.yaml:"), "{error}");
    }
}

/// The shipped schema must match the types. To update it, copy what this test prints into the file.
#[test]
fn the_schema_is_that_of_the_types() {
    let mut schema = schemars::schema_for!(RawHolds);
    schema.insert("title".to_owned(), HOLDS_PATH.into());
    let wanted = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let shipped = include_str!("../../tagbump-holds.schema.json");
    assert!(shipped == wanted, "tagbump-holds.schema.json must be:\n{wanted}");
}
