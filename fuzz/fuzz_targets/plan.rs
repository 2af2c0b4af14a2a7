//! Any file: a bump is refused, or it is made, and then there is nothing left to do.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tagbump_fuzz::one_file::bump;

/// The first field has a fixed size: `.ci/fuzz` puts as many bytes before a file to make a seed of it.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    path: u8,
    document: &'a str,
}

/// A name for each rule that goes by it.
const PATHS: [&str; 4] = ["apps/api.yaml", "kustomization.yaml", "values.yaml", "compose.yaml"];

/// The image of the fixtures.
const IMAGE: &str = "ghcr.io/acme/api";

fuzz_target!(|input: Input| {
    let path = PATHS[usize::from(input.path) % PATHS.len()];
    let Ok(after) = bump(path, input.document, IMAGE, "1234567") else { return };
    match bump(path, &after, IMAGE, "1234567") {
        Ok(again) => assert!(again == after, "{after:?}\nis bumped again to {again:?}"),
        Err(e) => panic!("{after:?}\nis refused: {e}"),
    }
});
