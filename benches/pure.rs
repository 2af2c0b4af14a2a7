//! How fast the pure parts are: reading YAML, planning a bump, splicing an edit.
//!
//!     cargo bench --bench pure
//!
//! Whole processes beside other tools are timed by `benches/compare`.

use std::path::Path;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use tagbump::file_selection::Selection;
use tagbump::image::{Field, Tag};
use tagbump::plan::{
    self, FileContent, FileSource, FoundFiles, Request, Scope, SourceError, SourceFile, UpdateTarget,
    VisitScope, Visitor,
};
use tagbump::yaml::{Change, apply, scan};

fn main() {
    divan::main();
}

const RELEASE: &str = "fixtures/helm-release/homelab-shape-with-many-images/in";

/// Files in memory.
struct Memory(Vec<(String, Vec<u8>)>);

impl FileSource for Memory {
    fn visit(
        &self,
        selection: &Selection,
        _: VisitScope,
        look: Visitor<'_>,
    ) -> Result<FoundFiles, SourceError> {
        let mut found = FoundFiles::default();
        for (path, bytes) in &self.0 {
            if let Some(match_level) = selection.match_level(path) {
                found.take(path, match_level);
                if look(SourceFile { path, bytes, match_level }).is_break() {
                    break;
                }
            }
        }
        Ok(found)
    }

    fn read(&self, path: &str, _: usize) -> Result<Option<FileContent>, SourceError> {
        let file = self.0.iter().find(|(name, _)| name == path);
        Ok(file.map(|(_, bytes)| FileContent::Bytes(bytes.clone())))
    }
}

/// The first file below a folder of the fixtures.
fn fixture() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(RELEASE);
    let mut folders = vec![folder];
    while let Some(path) = folders.pop() {
        if path.is_file() {
            return std::fs::read(path).unwrap();
        }
        folders.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
    }
    panic!("no file below {RELEASE}");
}

/// A release of another name in each of many files, and one that is bumped.
fn tree(files: usize) -> Memory {
    let text = String::from_utf8(fixture()).unwrap();
    let mut all: Vec<_> =
        (0..files).map(|n| (format!("apps/{n}/release.yaml"), text.clone().into_bytes())).collect();
    let ours = "images:\n- name: ghcr.io/acme/storefront\n  newTag: v1\n";
    all.push(("apps/ours/kustomization.yaml".to_owned(), ours.as_bytes().to_vec()));
    Memory(all)
}

fn bump(tag: &str) -> Request {
    let target = UpdateTarget {
        name: "ghcr.io/acme/storefront".to_owned(),
        new_name: Field::Unspecified,
        tag: Some(Tag::parse(tag).unwrap()),
        digest: Field::Unspecified,
        new_digest: tagbump::plan::NewDigest::default(),
        service: None,
        scope: Scope::of_files(&Selection::new(&[]).unwrap()),
    };
    Request { targets: vec![target], ..Request::default() }
}

#[divan::bench]
fn parse(bencher: Bencher) {
    let bytes = fixture();
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| scan(black_box(&bytes)).unwrap());
}

#[divan::bench(args = [1, 100, 1000])]
fn plan_one_image(bencher: Bencher, files: usize) {
    let (tree, request) = (tree(files), bump("v2"));
    let bytes: usize = tree.0.iter().map(|(_, bytes)| bytes.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        let planned = plan::plan(black_box(&tree), &request).plan.unwrap();
        assert_eq!(planned.edits.len(), 1);
    });
}

#[divan::bench(args = [1, 100, 1000])]
fn list_all(bencher: Bencher, files: usize) {
    let tree = tree(files);
    let bytes: usize = tree.0.iter().map(|(_, bytes)| bytes.len()).sum();
    let everything = Selection::new(&[]).unwrap();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        let environments = plan::Environments::default();
        let request = plan::ListingRequest {
            selection: &everything,
            images: &[],
            environments: &environments,
            repository_url: None,
        };
        plan::list(black_box(&tree), &request, &|| {}).unwrap()
    });
}

#[divan::bench]
fn splice_and_prove(bencher: Bencher) {
    let bytes = fixture();
    let yaml = scan(&bytes).unwrap();
    let tag = (0..yaml.len()).find(|&id| yaml.key_text(id) == Some("tag")).unwrap();
    let change = [Change::Set { node: tag, value: "2994e02".to_owned() }];
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .bench_local(|| apply(black_box(&bytes), &yaml, &change).unwrap());
}
