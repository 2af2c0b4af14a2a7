//! The cost of processing a file, counted in steps: at most doubled if the file's size doubles, whatever it contains.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::one_file::{OneFile, request};
use tagbump::manifest::{ManifestFile, references};
use tagbump::plan::{Cancellation, PlanError, current_references, plan};
use tagbump::yaml::{FieldPath, ParseAborted, ParsedYaml, ReadError, scan, scan_until};

const OURS: &str = "image: ghcr.io/acme/api:v1\n";
const BLOCK: &str = "{repository: ghcr.io/acme/api, tag: v1}";

/// `line` of 0, 1, 2, …
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// A file with this many parts that is made to be slow.
struct Shape {
    name: &'static str,
    path: &'static str,
    text: fn(usize) -> String,
}

const fn shape(name: &'static str, path: &'static str, text: fn(usize) -> String) -> Shape {
    Shape { name, path, text }
}

const SHAPES: [Shape; 16] = [
    shape("chain of merge keys", "values.yaml", |n| {
        OURS.to_owned()
            + "b0: &b0 {k: v}\n"
            + &lines(n, |i| format!("b{}: &b{} {{<<: *b{i}}}\n", i + 1, i + 1))
    }),
    shape("chain of merged blocks", "values.yaml", |n| {
        format!("b0: &b0 {BLOCK}\n") + &lines(n, |i| format!("b{}: &b{} {{<<: *b{i}, x: 1}}\n", i + 1, i + 1))
    }),
    shape("ladder of merge keys", "values.yaml", |n| {
        let start = "b0: &b0 {k: v}\nb1: &b1 {<<: *b0}\n".to_owned() + OURS;
        start + &lines(n, |i| format!("b{}: &b{} {{<<: [*b{}, *b{i}]}}\n", i + 2, i + 2, i + 1))
    }),
    shape("one long list that is merged", "values.yaml", |n| {
        let maps = lines(n, |i| format!("a{i}: &a{i} {{k{i}: v}}\n"));
        let all: Vec<_> = (0..n).map(|i| format!("*a{i}")).collect();
        let list = format!("all: &all [{}]\n", all.join(", "));
        maps + &list + &lines(n, |i| format!("m{i}: {{<<: *all}}\n"))
    }),
    shape("one wide map that is merged", "values.yaml", |n| {
        "w: &w\n".to_owned()
            + &lines(n, |i| format!("  k{i}: v\n"))
            + &lines(n, |i| format!("m{i}: {{<<: *w}}\n"))
    }),
    shape("wide container that is repeated", "pod.yaml", |n| {
        let first = format!("  - &c\n    {OURS}{}", lines(n, |i| format!("    k{i}: v\n")));
        format!(
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n{first}{}",
            lines(n, |_| "  - *c\n".to_owned())
        )
    }),
    shape("source that is repeated", "app.yaml", |n| {
        let head = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  sources:\n  - &s\n    helm:\n      valuesObject:\n";
        let values = lines(n, |i| format!("        k{i}: {{image: a/b{i}:v1}}\n"));
        format!("{head}{values}{}", lines(n, |_| "  - *s\n".to_owned()))
    }),
    shape("post-renderer that is repeated", "release.yaml", |n| {
        let head = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  postRenderers:\n  - &r\n    kustomize:\n      images:\n";
        let images = lines(n, |i| format!("      - {{name: a/b{i}, newTag: v1}}\n"));
        format!("{head}{images}{}", lines(n, |_| "  - *r\n".to_owned()))
    }),
    shape("services that use extensions", "compose.yaml", |n| {
        let extensions = lines(n, |i| format!("x-{i}: &x{i} ghcr.io/acme/api:v1\n"));
        format!("{extensions}services:\n{}", lines(n, |i| format!("  s{i}: {{image: *x{i}}}\n")))
    }),
    shape("long line", "values.yaml", |n| {
        format!("x: [{}]\n", lines(n, |i| format!("{{image: ghcr.io/acme/ä{i}:v1}}, ")))
    }),
    shape("long line of implicit pairs", "values.yaml", |n| {
        format!("x: [{}]\n", lines(n, |i| format!("a{i}: , ? b, 'c': d, ")))
    }),
    shape("bomb of aliases", "values.yaml", |n| {
        let bomb = |i: usize| {
            let levels =
                (1..9).map(|k| format!("l{i}x{k}: &l{i}x{k} [{}]\n", format!("*l{i}x{}, ", k - 1).repeat(9)));
            format!("l{i}x0: &l{i}x0 [x, x]\n{}", levels.collect::<String>())
        };
        lines(n / 50 + 1, bomb)
    }),
    shape("nesting of lists", "values.yaml", |n| format!("x:\n{}{OURS}", "- ".repeat(n))),
    shape("blocks in blocks", "values.yaml", |n| {
        let tower = |i: usize| {
            (0..20).fold(format!("t{i}:\n"), |mut text, depth| {
                let indent = " ".repeat(depth + 1);
                let _ = write!(text, "{indent}repository: a/b\n{indent}tag: v1\n{indent}b:\n");
                text
            })
        };
        lines(n / 20 + 1, tower)
    }),
    shape("embedded manifests", "config.yaml", |n| {
        let inner = "    apiVersion: v1\n    kind: Pod\n    spec: {containers: [{image: a/b:v1}]}\n";
        format!("apiVersion: v1\nkind: ConfigMap\ndata:\n{}", lines(n, |i| format!("  k{i}: |\n{inner}")))
    }),
    shape("brackets that need padding", "values.yaml", |n| {
        OURS.to_owned() + &lines(n, |i| format!("k{i}: {{a: [b, c]}}\n")) + &"k: [\n  a\n]\n".repeat(3)
    }),
];

/// Reads a file and finds its references.
fn searched(path: &str, text: &str) -> ParsedYaml {
    let yaml = scan(text.as_bytes()).unwrap();
    for is_values in [false, true] {
        references(&ManifestFile { path, text, yaml: &yaml, is_values });
    }
    yaml
}

#[test]
fn steps_at_most_double_when_file_doubles() {
    for Shape { name, path, text } in SHAPES {
        let (small, large) = (text(2_000), text(4_000));
        let steps = |text: &str| {
            let yaml = searched(path, text);
            assert_eq!(yaml.check(), Ok(()), "{name}");
            yaml.budget().spent() as f64
        };
        let (small_steps, large_steps) = (steps(&small), steps(&large));
        let growth = large.len() as f64 / small.len() as f64;
        assert!(large_steps <= small_steps * growth * 1.1, "{name}: {small_steps} steps, then {large_steps}");
    }
}

/// The quantity that the limit is checked against.
#[test]
fn real_manifests_stay_far_below_the_limit() {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut paths);
    let texts = paths.iter().filter_map(|path| Some((path, std::fs::read_to_string(path).ok()?)));
    let readable = texts.filter(|(_, text)| text.len() > 20 && scan(text.as_bytes()).is_ok());
    let mut count = 0;
    for (path, text) in readable {
        let steps = searched(path.to_str().unwrap(), &text).budget().spent();
        assert!(steps < 10 * text.len() as u64, "{}: {steps} steps", path.display());
        count += 1;
    }
    assert!(count > 500, "{count}");
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

/// Each step of the path doubles the number of paths that continue, but not the number of places.
#[test]
fn field_paths_through_aliases_stay_small() {
    let yaml = scan(b"l: &l [{k: v, tag: v1, l: *l}, {k: v, tag: v2, l: *l}]\n").unwrap();
    let path = format!("l[k=v]{}.tag", ".l[k=v]".repeat(100));
    let found = FieldPath::parse(&path).unwrap().find(&yaml, 0);
    let tags: Vec<_> = found.iter().map(|f| yaml.text(f.node).unwrap()).collect();
    assert_eq!((tags.len(), tags.contains(&"v1"), tags.contains(&"v2")), (4, true, true), "{tags:?}");
    assert_eq!(yaml.check(), Ok(()));
}

/// One text that is part of every reference, and a list that every document uses.
#[test]
fn file_is_given_up_when_it_takes_too_many_steps() {
    let long_tag = format!(
        "t: &t {}\n{}",
        "t".repeat(100_000),
        lines(5_000, |i| format!("m{i}: {{repository: a/b, tag: *t}}\n"))
    );
    let shared = format!("kind: List\nx: &p {{containers: [{}]}}\nitems:\n", "{name: a}, ".repeat(5_000));
    let shared = shared + &lines(5_000, |_| "- {apiVersion: v1, kind: Pod, spec: *p}\n".to_owned());
    for (path, text) in [("values.yaml", long_tag), ("list.yaml", shared)] {
        let yaml = searched(path, &text);
        assert!(
            matches!(yaml.check(), Err(ParseAborted::Steps(_))),
            "{path}: {} steps",
            yaml.budget().spent()
        );
        let limit = 100_000 + 100 * text.len() as u64;
        assert!(yaml.budget().spent() < 2 * limit, "{path}: the work ended");
    }
}

/// The parser copies a tag's prefix for every node that has the tag.
#[test]
fn file_is_given_up_when_tag_prefixes_are_long() {
    let text = format!("%TAG !e! tag:{}:\n---\n{}", "x".repeat(200_000), "- !e!x v\n".repeat(50_000));
    assert!(matches!(scan(text.as_bytes()), Err(ReadError::Stopped(ParseAborted::Steps(_)))));
}

/// If the work is cancelled at the nth check, for any n, it ends there with the matching error.
#[test]
fn work_stops_at_once_when_cancelled() {
    let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n".to_owned();
    let text = pod + &lines(4_000, |_| format!("  - {OURS}"));
    let after = |looks: usize| {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let cancellation = Cancellation::when(move || counted.fetch_add(1, Ordering::Relaxed) >= looks);
        (cancellation, asked)
    };
    let (never, asked) = after(usize::MAX);
    assert!(plan(&OneFile { path: "pod.yaml", text: &text }, &request_until(never)).plan.is_ok());
    let questions = asked.load(Ordering::Relaxed);
    assert!(questions > 10, "{questions}");
    for looks in 0..questions {
        let (cancellation, asked) = after(looks);
        let planned = plan(&OneFile { path: "pod.yaml", text: &text }, &request_until(cancellation));
        let error = planned.plan.unwrap_err();
        assert!(matches!(error, PlanError::Cancelled), "{looks}: {error}");
        let more = asked.load(Ordering::Relaxed) - looks;
        assert!(more <= 5, "{looks}: {more} questions after the end");
    }
}

#[test]
fn scans_and_mentions_give_no_answer_when_cancelled() {
    let cancelled = || Cancellation::when(|| true);
    let text = "x".repeat(1_000_000);
    assert_eq!(
        scan_until(text.as_bytes(), &cancelled()).unwrap_err(),
        ReadError::Stopped(ParseAborted::Cancelled)
    );
    let file = OneFile { path: "pod.yaml", text: OURS };
    let mentioned = current_references(&file, &request_until(cancelled()));
    assert!(matches!(mentioned, Err(PlanError::Cancelled)));
}

fn request_until(cancellation: Cancellation) -> tagbump::plan::Request {
    tagbump::plan::Request { cancellation, ..request("ghcr.io/acme/api", "v2").unwrap() }
}
