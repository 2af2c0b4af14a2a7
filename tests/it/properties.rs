//! Properties that hold for any document and any tag: generated documents, realistic and odd, and tags that look like
//! numbers, dates and words.
//!
//! Every run tests the same cases; `PROPTEST_RNG_SEED=7 cargo test --test it properties::` tests others. The laws are
//! in `support/*_laws.rs`, which the fuzz targets use too.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;
use tagbump::image::Tag;
use tagbump::tag::Source;
use tagbump::yaml::{
    Change, FieldPath, NewPair, NodeId, NodeKind, ParsedYaml, ScalarStyle, edit_blocker, needs_quotes, scan,
    span,
};

use crate::support::message_laws::what_is_appended_is_found_again;
use crate::support::one_file::bump;
use crate::support::yaml_laws::{edit_is_exact, rendering_reads_back, spans_read_back, tape_is_sound};

const IMAGE: &str = "ghcr.io/acme/api";

/// The seed is fixed, and no files are written into the source tree.
fn cases(cases: u32) -> ProptestConfig {
    let given = ProptestConfig::default().rng_seed;
    let rng_seed = if given == RngSeed::Random { RngSeed::Fixed(20_240_101) } else { given };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn bump_changes_only_the_tag(file in manifest(), tag in tag()) {
        let yaml = scan(file.text.as_bytes()).unwrap();
        let bumped = |text: &str| bump(file.path, text, IMAGE, &tag).map_err(|e| e.to_string());
        let after = bumped(&file.text).unwrap();
        let read = scan(after.as_bytes()).unwrap();
        let (old, new) = (file.place(&yaml), file.place(&read));
        prop_assert_eq!(read.text(new).unwrap(), format!("{}{tag}", file.before_tag));
        let plain = matches!(read.node(new).kind, NodeKind::Scalar { style: ScalarStyle::Plain, .. });
        prop_assert!(!plain || !needs_quotes(read.text(new).unwrap(), read.node(new).flow), "{after:?}");
        let (old, new) = (span(&file.text, &yaml, old).unwrap(), span(&after, &read, new).unwrap());
        prop_assert_eq!(&file.text[..old.start], &after[..new.start]);
        prop_assert_eq!(&file.text[old.end..], &after[new.end..]);
        prop_assert_eq!(bumped(&after), Ok(after.clone()), "a second bump");
    }

    #[test]
    fn any_scalar_with_position_takes_any_tag(text in document(), picks in vec(any::<Index>(), 4), tag in tag()) {
        let yaml = scan(text.as_bytes());
        prop_assume!(yaml.as_ref().is_ok_and(|yaml| !yaml.is_empty()));
        let yaml = yaml.unwrap();
        for pick in picks {
            let node = pick.index(yaml.len());
            let open = edit_blocker(&yaml, node).is_none() && span(&text, &yaml, node).is_ok();
            let set = Change::Set { node, value: tag.clone() };
            let made = edit_is_exact(&text, &yaml, &[set]);
            prop_assert_eq!(made.is_ok(), open, "node {} of {:?}: {:?}", node, text, made);
        }
    }

    #[test]
    fn several_changes_are_made_exactly_or_not_at_all(
        text in prop_oneof![document(), document().prop_flat_map(spoilt)],
        picks in vec((any::<Index>(), 0..4_usize, prop_oneof![tag(), odd_text()]), 1..4),
    ) {
        let yaml = scan(text.as_bytes());
        prop_assume!(yaml.as_ref().is_ok_and(|yaml| !yaml.is_empty()));
        let yaml = yaml.unwrap();
        let mut changes: Vec<Change> = Vec::new();
        for (pick, kind, value) in picks {
            let change = change(&yaml, pick.index(yaml.len()), kind, value);
            let pair = |change: &Change| yaml.node(change.node()).key.unwrap_or(change.node());
            if changes.iter().all(|other| pair(other) != pair(&change)) {
                changes.push(change);
            }
        }
        let _ = edit_is_exact(&text, &yaml, &changes);
    }

    #[test]
    fn any_document_is_read_soundly(text in prop_oneof![document(), document().prop_flat_map(spoilt), soup()]) {
        if let Ok(yaml) = scan(text.as_bytes()) {
            tape_is_sound(&text, &yaml);
            spans_read_back(&text, &yaml);
        }
    }
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn any_text_reads_back_however_it_is_written(text in prop_oneof![odd_text(), tag()], flow: bool) {
        for style in [ScalarStyle::Plain, ScalarStyle::Single, ScalarStyle::Double, ScalarStyle::Block] {
            rendering_reads_back(&text, style, flow);
        }
    }

    #[test]
    fn appended_trailers_are_found_again_in_any_message(
        message in vec(message_line(), 0..6), image in select(vec![IMAGE, "nginx"]), tag in tag(), sha in "[0-9a-f]{7,40}"
    ) {
        let (tag, source) = (Tag::parse(&tag).unwrap(), Source::parse(&format!("acme/api@{sha}")));
        what_is_appended_is_found_again(&message.join("\n"), image, &tag, source.as_ref());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..200), text in any::<String>()) {
        let _ = scan(&bytes);
        let _ = scan(text.as_bytes());
    }
}

fn change(yaml: &ParsedYaml, node: NodeId, kind: usize, value: String) -> Change {
    match (kind, yaml.node(node).key) {
        (1, Some(key)) => Change::Remove { key },
        (2, Some(key)) => Change::InsertAfter { key, pairs: vec![NewPair { key: "newTag", value }] },
        _ => Change::Set { node, value },
    }
}

/// A file with one reference to [`IMAGE`].
#[derive(Clone, Debug)]
struct Manifest {
    path: &'static str,
    text: String,
    document: usize,
    /// The field with the tag, and its text before the tag.
    field: &'static str,
    before_tag: String,
}

impl Manifest {
    fn place(&self, yaml: &ParsedYaml) -> NodeId {
        let found = FieldPath::parse(self.field).unwrap().find(yaml, yaml.roots()[self.document]);
        found[0].node
    }
}

// ---------------------------------------------------------------- tags and texts

/// Any tag of the OCI grammar; about half of them aren't strings to some YAML reader.
fn tag() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}",
        1 => "[A-Za-z0-9_][A-Za-z0-9._-]{100,127}",
        1 => "(v|main-|sha-)?[0-9]{1,2}(\\.[0-9]{1,2}){0,3}(-[0-9a-f]{7})?",
        1 => "[0-9]{7}|[0-9]{1,6}e[0-9]{1,4}|[0-9a-f]{7}",
        1 => "0x[0-9a-f]{0,6}|0o[0-7]{1,4}|0b[01]{1,4}|0[0-7]{1,6}",
        1 => "[0-9]{1,2}_[0-9]{3}|[0-9]{1,2}\\.[0-9]{0,2}|20[0-9]{2}-[0-9]{1,2}-[0-9]{2}",
        1 => select(vec!["on", "Off", "yes", "NO", "y", "n", "true", "False", "null", "NULL", "_", "inf", "nan"])
            .prop_map(str::to_owned),
    ]
}

/// A line of a commit's message.
fn message_line() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just(String::new()),
        (" {0,2}Tagbump-(Image|Source|Rollback) ?: ?", prop_oneof![odd_text(), tag()])
            .prop_map(|(key, text)| key + &text),
        tag().prop_map(|tag| format!("Tagbump-Image: {IMAGE}:{tag}")),
        tag().prop_map(|tag| format!("Tagbump-Rollback: {IMAGE}:{tag} acme/api@abcdef0 -> {tag}")),
    ]
}

/// Text that a tag can't contain, but a name in front of it can.
fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-?:,\\[\\]{}#&*!|>'\"%@`~ =<.a0\\\\]{0,6}",
        "[ \ta\n\r\u{85}\u{2028}\u{feff}\u{7f}é]{0,5}",
    ]
}

// ---------------------------------------------------------------- documents

/// The lines of one level of a block map, without indentation.
type Lines = Vec<String>;

fn key() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[a-h][0-9]{0,2}", 1 => "'[a-h] é'", 1 => "\"[a-h]\\\\t\"", 1 => "[0-9]{1,3}"]
}

/// The text after a key's colon, on the same line.
fn inline() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9][a-z0-9./_-]{0,12}".prop_map(|s| format!(" {s}")),
        1 => "[a-z]{1,4}( [a-z0-9#'\"]{1,4}){1,2}".prop_map(|s| format!(" {s}")),
        2 => "'[a-z \"é日#:]{0,8}('')?'".prop_map(|s| format!(" {s}")),
        2 => "\"[a-z '日🚀#:]{0,8}(\\\\n|\\\\\"|\\\\x41|\\\\u00e9|\\\\\\\\)?\"".prop_map(|s| format!("  {s}")),
        1 => Just(String::new()),
        1 => select(vec![" ~", " {}", " []", " !!str 12", " !!int 5", " ${X}", " '{{ x }}'"]).prop_map(str::to_owned),
        1 => vec("[a-z0-9]{1,5}|'[a-z, ]{0,4}'|\"[a-z\\]}]{0,4}\"", 0..4).prop_map(|v| format!(" [{}]", v.join(", "))),
        1 => vec(("[a-h]|\"[a-h]\"", "[a-z0-9]{0,5}|\\[x, y\\]|'it''s'"), 0..3).prop_map(flow_map),
    ]
}

fn flow_map(pairs: Vec<(String, String)>) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!(" {{{}}}", pairs.join(", "))
}

fn comment() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => "  ?# [a-z:'\"\\[é]{0,8}".prop_map(|c| format!(" {}", c.trim_start()))]
}

fn leaf() -> impl Strategy<Value = Lines> {
    let pair = (key(), inline(), comment()).prop_map(|(k, v, c)| vec![format!("{k}:{v}{c}")]);
    let block = (key(), select(vec!["|", ">-", "|+", ">"]), "[a-z]{1,5}", "[a-zé: #]{0,9}")
        .prop_map(|(k, mark, a, b)| vec![format!("{k}: {mark}"), format!("  {a}"), format!("  {b}")]);
    let folded =
        (key(), "[a-z]{1,5}", "[a-z]{1,5}").prop_map(|(k, a, b)| vec![format!("{k}: {a}"), format!("  {b}")]);
    let shared = (key(), key(), "[a-z0-9]{1,7}|'[a-z]{0,3}'")
        .prop_map(|(a, b, v)| vec![format!("{a}: &x {v}"), format!("{b}: *x")]);
    let merged = (key(), key(), "[a-z0-9]{1,7}")
        .prop_map(|(a, b, v)| vec![format!("{a}: &m {{k: {v}}}"), format!("{b}:"), "  <<: *m".to_owned()]);
    let remark = "# [a-z:'\"é]{0,9}".prop_map(|c| vec![c, "z: 1".to_owned()]);
    prop_oneof![8 => pair, 1 => block, 1 => folded, 1 => shared, 1 => merged, 1 => remark]
}

/// Some keys of a block map, with everything below them.
fn entries() -> impl Strategy<Value = Lines> {
    let entry = leaf().prop_recursive(3, 16, 3, |inner| {
        let map = (key(), vec(inner.clone(), 1..4)).prop_map(|(k, inner)| below(&k, &inner.concat()));
        let list = (key(), select(vec!["", "  "]), vec(inner, 1..3)).prop_map(|(k, indent, items)| {
            let items: Lines = items.iter().flat_map(|item| list_item(indent, item)).collect();
            [vec![format!("{k}:")], items].concat()
        });
        prop_oneof![2 => map, 1 => list]
    });
    vec(entry, 0..4).prop_map(|entries| entries.concat())
}

fn below(key: &str, lines: &[String]) -> Lines {
    let indented = lines.iter().map(|line| format!("  {line}"));
    std::iter::once(format!("{key}:")).chain(indented).collect()
}

fn list_item(indent: &str, lines: &[String]) -> Lines {
    let mark = |n: usize| if n == 0 { "- " } else { "  " };
    lines.iter().enumerate().map(|(n, line)| format!("{indent}{}{line}", mark(n))).collect()
}

/// A file's layout: its line breaks, how it begins, and whether it ends with a line break.
fn layout() -> impl Strategy<Value = (&'static str, &'static str, bool)> {
    let line_break = prop_oneof![4 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r")];
    let start = select(vec!["", "", "", "---\n", "# é\n\n", "%YAML 1.2\n---\n", "\u{feff}", "\u{feff}---\n"]);
    (line_break, start, any::<bool>())
}

/// Documents as one file. An empty one gets a marker, since a file of blank lines has no document.
fn lay_out(documents: &[Lines], (line_break, start, ended): (&str, &str, bool)) -> String {
    let bodies: Vec<_> = documents.iter().map(|lines| lines.join("\n")).collect();
    let text = format!("{start}{}{}", bodies.join("\n---\n"), if ended { "\n" } else { "" });
    text.replace('\n', line_break)
}

/// Any file of one to three documents.
fn document() -> impl Strategy<Value = String> {
    let filled = (leaf(), entries()).prop_map(|(first, rest)| [first, rest].concat());
    (vec(filled, 1..4), layout()).prop_map(|(documents, layout)| lay_out(&documents, layout))
}

/// The same with a piece inserted or cut out somewhere.
fn spoilt(text: String) -> impl Strategy<Value = String> {
    let pieces = vec![
        "\n", "\r", " ", "\t", "- ", ": ", "? ", "#", " #", "'", "\"", "\\", "[", "]", "{", "}", ",", "&x ",
        "*x", "|", ">", "!!str ", "---", "...\n", "%", "\u{feff}", "\u{85}", "\u{2028}", "é", "~", "<<: *m",
    ];
    (vec((any::<Index>(), select(pieces), 0..3_usize), 1..4)).prop_map(move |spoils| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, piece, cut) in spoils {
            let at = at.index(chars.len() + 1);
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, piece.chars());
        }
        chars.into_iter().collect()
    })
}

/// Tokens in random order.
fn soup() -> impl Strategy<Value = String> {
    "([-?:,\\[\\]{}#&*!|>'\"%@~ \n\r\ta0é\u{feff}]|- |: |\n  |---\n|\\*a|&a |!!str |<<: ){0,24}"
}

// ---------------------------------------------------------------- manifests

/// The current tag, as it is written.
fn written_tag() -> impl Strategy<Value = (String, &'static str)> {
    (tag(), select(vec!["", "'", "\""]))
}

/// The reference's lines, its field, and the text before the tag in that field.
type Site = (Lines, &'static str, String);

fn helm_site() -> impl Strategy<Value = Site> {
    (written_tag(), comment(), 0..4, key()).prop_map(|((tag, quote), comment, form, other)| {
        let written = format!("{quote}{tag}{quote}");
        let field = "spec.values.image.tag";
        match form {
            0 => {
                let body = [
                    format!("repository: {IMAGE}"),
                    format!("tag: {written}{comment}"),
                    format!("{other}: x"),
                ];
                (below("image", &body), field, String::new())
            }
            1 => (
                vec![format!("image: {{repository: {IMAGE}, tag: {written}}}{comment}")],
                field,
                String::new(),
            ),
            2 => {
                let json = format!(
                    "image: {{\"tag\":\"{tag}\",\"{other}\":[1],\"repository\":\"{IMAGE}\"}}{comment}"
                );
                (vec![json.replace("\"'", "\"").replace("'\"", "\"")], field, String::new())
            }
            _ => {
                let line = format!("image: {quote}{IMAGE}:{tag}{quote}{comment}");
                (vec![line], "spec.values.image", format!("{IMAGE}:"))
            }
        }
    })
}

fn helm_release() -> impl Strategy<Value = (Lines, &'static str, String)> {
    (entries(), helm_site(), entries(), entries()).prop_map(|(before, (site, field, fixed), after, top)| {
        let values = below("values", &[before, site, after].concat());
        let head = ["apiVersion: helm.toolkit.fluxcd.io/v2", "kind: HelmRelease", "metadata: {name: api}"];
        let head: Lines = head.map(str::to_owned).to_vec();
        ([head, top, below("spec", &values)].concat(), field, fixed)
    })
}

fn deployment() -> impl Strategy<Value = (Lines, &'static str, String)> {
    (entries(), written_tag(), comment(), entries(), select(vec!["", "  "])).prop_map(
        |(top, (tag, quote), comment, after, indent)| {
            let image = format!("image: {quote}{IMAGE}:{tag}{quote}{comment}");
            let container = list_item(indent, &[vec!["name: api".to_owned(), image], after].concat());
            let containers = [vec!["containers:".to_owned()], container].concat();
            let spec = below("spec", &below("template", &below("spec", &containers)));
            let head =
                ["apiVersion: apps/v1", "kind: Deployment", "metadata: {name: api}"].map(str::to_owned);
            let field = "spec.template.spec.containers[0].image";
            ([head.to_vec(), top, spec].concat(), field, format!("{IMAGE}:"))
        },
    )
}

fn kustomization() -> impl Strategy<Value = (Lines, &'static str, String)> {
    (entries(), written_tag(), comment(), select(vec!["", "  "]), any::<bool>()).prop_map(
        |(top, (tag, quote), comment, indent, flow)| {
            let written = format!("{quote}{tag}{quote}");
            let site = if flow {
                vec![format!("{indent}- {{name: {IMAGE}, newTag: {written}}}{comment}")]
            } else {
                list_item(indent, &[format!("name: {IMAGE}"), format!("newTag: {written}{comment}")])
            };
            let head = vec!["kind: Kustomization".to_owned()];
            ([head, top, vec!["images:".to_owned()], site].concat(), "images[0].newTag", String::new())
        },
    )
}

/// A file with one reference, among other documents. Files that the parser rejects are skipped.
fn manifest() -> impl Strategy<Value = Manifest> {
    let others = || vec((leaf(), entries()).prop_map(|(first, rest)| [first, rest].concat()), 0..2);
    let site = prop_oneof![
        2 => helm_release().prop_map(|site| ("releases/api.yaml", site)),
        1 => deployment().prop_map(|site| ("apps/api.yaml", site)),
        1 => kustomization().prop_map(|site| ("kustomization.yaml", site)),
    ];
    let file = (others(), site, others(), layout()).prop_map(|(before, (path, site), after, layout)| {
        let (lines, field, before_tag) = site;
        let document = before.len();
        let text = lay_out(&[before, vec![lines], after].concat(), layout);
        Manifest { path, text, document, field, before_tag }
    });
    file.prop_filter("no YAML", |file| scan(file.text.as_bytes()).is_ok())
}
