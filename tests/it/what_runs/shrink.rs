//! Makes a repository that fails smaller, as long as it fails in the same way.

use super::files::{Files, name_of};
use super::generator::Repository;
use super::judge::{Verdict, judge};
use crate::deployments::tools::Tools;

pub fn shrink(repository: &Repository, verdict: &Verdict, tools: &Tools) -> Repository {
    let mut smallest = repository.clone();
    let fails = |candidate: &Repository| {
        let found = judge(candidate, tools);
        found.outcome == verdict.outcome && found.at == verdict.at
    };
    for simpler in simpler_bumps(&smallest) {
        if fails(&simpler) {
            smallest = simpler;
        }
    }
    loop {
        let size = size(&smallest.files);
        let mut at = 0;
        while let Some(candidate) = without(&smallest, at) {
            if fails(&candidate) {
                smallest = candidate;
            } else {
                at += 1;
            }
        }
        if self::size(&smallest.files) == size {
            return smallest;
        }
    }
}

fn size(files: &Files) -> usize {
    files.values().map(String::len).sum()
}

fn simpler_bumps(repository: &Repository) -> Vec<Repository> {
    let tag = Repository { tag: "v2".to_owned(), ..repository.clone() };
    let all = Repository { all: false, ..tag.clone() };
    let only = Repository { only: None, ..all.clone() };
    vec![tag, all, only]
}

/// The repository without its nth part: first whole files, each with the lines that name it, then blocks of lines.
fn without(repository: &Repository, at: usize) -> Option<Repository> {
    let files = repository.files.len();
    let smaller = if at < files {
        without_file(&repository.files, at)
    } else {
        without_block(&repository.files, at - files)
    };
    Some(Repository { files: smaller?, ..repository.clone() })
}

fn without_file(files: &Files, at: usize) -> Option<Files> {
    let gone = files.keys().nth(at)?;
    let folder = gone.rsplit_once('/').map(|(folder, _)| name_of(folder));
    let named = [Some(name_of(gone)).filter(|name| !name.starts_with("kustomization")), folder];
    let is_named = |line: &str| {
        named.iter().flatten().any(|name| line.trim_end().trim_end_matches(['"', '\'']).ends_with(name))
    };
    let mut smaller = files.clone();
    smaller.remove(gone);
    for text in smaller.values_mut() {
        let lines: Vec<&str> = text.lines().collect();
        let keeps = (0..lines.len())
            .filter(|line| !is_named(lines[*line]) || !lines[*line].trim_start().starts_with("- "));
        *text = keeps.map(|line| format!("{}\n", lines[line])).collect();
    }
    Some(smaller)
}

/// Without a line, and those below it that are indented more.
fn without_block(files: &Files, mut at: usize) -> Option<Files> {
    for (path, text) in files {
        let lines: Vec<&str> = text.lines().collect();
        if at >= lines.len() {
            at -= lines.len();
            continue;
        }
        let depth = |line: &str| line.len() - line.trim_start().len();
        let is_inside = |line: &&&str| {
            let same_list = !lines[at].trim_start().starts_with('-') && line.trim_start().starts_with("- ");
            depth(line) > depth(lines[at]) || (same_list && depth(line) == depth(lines[at]))
        };
        let end = at + 1 + lines[at + 1..].iter().take_while(is_inside).count();
        let kept = lines[..at].iter().chain(&lines[end..]).map(|line| format!("{line}\n")).collect();
        let mut smaller = files.clone();
        smaller.insert(path.clone(), kept);
        return Some(smaller);
    }
    None
}
