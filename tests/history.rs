//! `tagbump history`: every tag that an image has had, with the commit that wrote it, whoever that was.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use support::fifty::{API, BUMPS, Fifty, WEB};
use support::git::git;
use support::past::{main_fields, tags};

/// By hand with other forms, by sed, in kustomize's shape and by tagbump; in three files, two of which move,
/// past merges of both kinds, a file that was no YAML for a while, and commits that change no tag.
#[test]
fn fifty_bumps_by_writers_of_every_style() {
    let fifty = Fifty::new();
    let past = &fifty.past;
    let told = past.told(&[API]);
    let (wanted, found) = (past.wanted(API), main_fields(&told));
    // the three files began with a tag
    assert_eq!(wanted.len(), BUMPS + 3);
    for (nth, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
        assert_eq!(found, wanted, "entry {nth} of {:#?}", tags(&told));
    }
    assert_eq!(found.len(), wanted.len());
    assert_eq!((&told["schema"], &told["image"], &told["complete"]), (&1.into(), &API.into(), &true.into()));
    // the other image of one of the files has a history of its own
    assert_eq!(main_fields(&past.told(&[WEB])), past.wanted(WEB));
    assert!(past.wanted(WEB).len() > 9);
    // and one environment
    let file = "envs/prod/kustomization.yaml";
    let prod: Vec<_> = wanted.into_iter().filter(|entry| entry["file"] == file).collect();
    assert_eq!(main_fields(&past.told(&[API, "-f", "envs/prod"])), prod);
    assert!(prod.len() > 9);
    assert_eq!(git(&past.path, &["status", "--porcelain"]), "");
}
