//! Parses the files that a listing is about to render, on all cores. Rendering itself is done by one.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{available_parallelism, scope};

use crate::effective::{ParsedContent, ReadFile};
use crate::yaml::{Cancellation, scan_until};

/// Fewer files are parsed sooner than threads start.
const FEW_FILES: usize = 64;

/// The files at these paths, by path. Those that don't exist or aren't valid YAML are left out.
pub(super) fn parse_ahead(
    paths: &[&str],
    read: ReadFile<'_>,
    cancellation: &Cancellation,
) -> HashMap<String, ParsedContent> {
    if paths.len() < FEW_FILES {
        return HashMap::new();
    }
    let (files, waiting) = channel();
    let waiting = Mutex::new(waiting);
    scope(|scope| {
        let cores = available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(|| parse(&waiting, cancellation))).collect();
        for &path in paths {
            // sending fails only if all workers panicked
            let _ = read(path).map(|bytes| files.send((path.to_owned(), bytes)));
        }
        drop(files);
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    })
}

/// Parses what comes in, until all was sent.
fn parse(
    waiting: &Mutex<Receiver<(String, Vec<u8>)>>,
    cancellation: &Cancellation,
) -> Vec<(String, ParsedContent)> {
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
    let parse = |(path, bytes): (String, Vec<u8>)| {
        let yaml = scan_until(&bytes, cancellation).ok()?;
        Some((path, ParsedContent { bytes, yaml }))
    };
    std::iter::from_fn(next).filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_files_are_parsed() {
        let paths: Vec<String> = (0..200).map(|n| format!("{n}.yaml")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let text = |path: &str| match path {
            "1.yaml" => None,
            "2.yaml" => Some(b"a: [".to_vec()),
            path => Some(format!("a: {path}").into_bytes()),
        };
        let parsed = parse_ahead(&paths, &text, &Cancellation::default());
        assert_eq!(parsed.len(), 198);
        for (path, ParsedContent { bytes, yaml }) in &parsed {
            assert_eq!(*bytes, text(path).unwrap());
            assert_eq!(yaml.at(0, &["a"]).and_then(|at| yaml.text(at)), Some(path.as_str()));
        }
    }
}
