//! `tagbump history`: every tag that an image has had, with the commit that wrote it, whoever made it.

use crate::support::cli::{self, Run};
use crate::support::fifty::{API, BUMPS, Fifty, WEB};
use crate::support::git::git;
use crate::support::past::{main_fields, state, tags};
use crate::support::repo::{ended, json};

/// Tags set by hand in different notations, by sed, in kustomize's style and by tagbump; in three files, two of which
/// move; with merges of both kinds, a file that wasn't valid YAML for a while, and commits that change no tag.
#[test]
fn history_shows_fifty_bumps_of_every_style() {
    let fifty = Fifty::new();
    let past = &fifty.past;
    let told = past.told(&[API]);
    let (wanted, found) = (past.wanted(API), main_fields(&told));
    // each of the three files started with a tag
    assert_eq!(wanted.len(), BUMPS + 3);
    for (nth, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
        assert_eq!(found, wanted, "entry {nth} of {:#?}", tags(&told));
    }
    assert_eq!(found.len(), wanted.len());
    assert_eq!((&told["schema"], &told["image"], &told["complete"]), (&1.into(), &API.into(), &true.into()));
    // another image in one of the files has a history of its own
    assert_eq!(main_fields(&past.told(&[WEB])), past.wanted(WEB));
    assert!(past.wanted(WEB).len() > 9);
    // and one environment only
    let file = "envs/prod/kustomization.yaml";
    let prod: Vec<_> = wanted.into_iter().filter(|entry| entry["file"] == file).collect();
    assert_eq!(main_fields(&past.told(&[API, "-f", "envs/prod"])), prod);
    assert!(prod.len() > 9);
    assert_eq!(git(&past.path, &["status", "--porcelain"]), "");
}

/// With all merges, starting from one commit: after deepening as far as necessary, the output is the same.
#[test]
fn history_shows_fifty_bumps_from_shallow_clone() {
    let fifty = Fifty::new();
    let past = &fifty.past;
    let source = format!("file://{}", past.path.display());
    for depth in ["1", "9"] {
        git(past.path.parent().unwrap(), &["clone", "--quiet", "--depth", depth, &source, depth]);
        let folder = past.path.with_file_name(depth);
        let before = state(&folder);
        let mut command = past.command(&[API, "--fetch", "--format", "json"]);
        let run = Run::of(&command.current_dir(&folder).output().unwrap());
        assert_eq!(run.exit, 0, "{}", run.output());
        assert_eq!(main_fields(&json(&run)), past.wanted(API), "{depth}");
        assert_eq!((&json(&run)["complete"], state(&folder)), (&true.into(), before));
    }
}

/// Goes back by one, and by one more: each time to the tag that the test has recorded.
#[test]
fn rollback_goes_back_through_shown_history() {
    let fifty = Fifty::new();
    let past = &fifty.past;
    let file = "envs/prod/kustomization.yaml";
    let had: Vec<_> = past.wanted(API).into_iter().filter(|entry| entry["file"] == file).collect();
    let mut were: Vec<(&str, Option<&str>)> = Vec::new();
    for entry in &had {
        let said = (entry["tag"].as_str().unwrap(), entry["digest"].as_str());
        if !were.contains(&said) {
            were.push(said);
        }
    }
    for wanted in &were[1..5] {
        let mut command = cli::command(&past.path);
        command.args(["rollback", API, "-f", "envs/prod", "--commit", "--format", "json"]);
        past.wait(60);
        let told = ended(&Run::of(&past.by("Ada", &mut command).output().unwrap()), 0, "committed");
        let to = &told["images"][0];
        assert_eq!((to["tag"].as_str().unwrap(), to["digest"].as_str()), *wanted, "{were:#?}");
    }
    let told = past.told(&[API, "-f", "envs/prod"]);
    assert_eq!(told["entries"].as_array().unwrap().len(), had.len() + 4);
}
