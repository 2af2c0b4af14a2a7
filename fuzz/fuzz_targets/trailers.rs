//! Reads any commit message, and builds one of ours from any text: the trailers that are read are in the message, and
//! those of our message are exactly the ones that we wrote.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tagbump::image::{Field, Tag};
use tagbump::landing::RolledBack;
use tagbump::landing::message::MessageParts;
use tagbump::plan::{ChangedReference, FileEdit, Plan, Scope, TargetIndex, UpdateTarget};
use tagbump::tag::{BuildInfo, Source};
use tagbump::template::Template;
use tagbump_fuzz::message_laws::{own_message_says_only_ours, what_is_appended_is_found_again};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    source: Option<&'a str>,
    template: Option<&'a str>,
    skip_ci: bool,
    prefix: &'a str,
    branch: &'a str,
    changes: Vec<Change<'a>>,
    rolled_back: Vec<(u8, &'a str, Option<&'a str>)>,
    message: &'a [u8],
}

/// A reference that a plan changes; all of it is text from a file.
#[derive(Arbitrary, Debug)]
struct Change<'a> {
    target: u8,
    file: &'a str,
    image: &'a str,
    renamed_from: Option<&'a str>,
    from: &'a str,
    to: &'a str,
}

const IMAGE: &str = "ghcr.io/acme/api";

/// How many references one message has here.
const MOST: usize = 4;

fuzz_target!(|input: Input| {
    let message = String::from_utf8_lossy(input.message);
    let source = input.source.and_then(Source::parse);
    let tag = Tag::parse("v1.2.3").expect("a tag");
    what_is_appended_is_found_again(&message, IMAGE, &tag, source.as_ref());

    let template = input.template.and_then(|text| Template::parse(text).ok());
    let facts = BuildInfo { branch: Some(input.branch.to_owned()), ..BuildInfo::default() };
    let plan = plan(&input.changes);
    let words = MessageParts {
        brought: Vec::new(),
        template: template.as_ref(),
        facts: &facts,
        skip_ci: input.skip_ci,
        sources: TargetIndex::each(&plan.targets).filter_map(|(index, _)| Some((index, source.clone()?))).collect(),
        promoted_from: None,
        rolled_back: input.rolled_back.iter().map(|bad| rolled_back(bad, plan.targets.len())).collect(),
        overridden_holds: Vec::new(),
        signoff: None,
        prefix: input.prefix,
    };
    if !plan.changes.is_empty() {
        own_message_says_only_ours(&words, &plan);
    }
});

fn rolled_back(
    (target, tag, source): &(u8, &str, Option<&str>),
    targets: usize,
) -> (TargetIndex, RolledBack) {
    let bad = RolledBack { tag: (*tag).to_owned(), source: source.and_then(Source::parse) };
    (TargetIndex::new(usize::from(*target) % targets.max(1)), bad)
}

fn plan(changes: &[Change]) -> Plan {
    let changes: Vec<_> = changes.iter().take(MOST).map(changed).collect();
    let edit = |change: &ChangedReference| FileEdit {
        path: change.file.clone(),
        before: Vec::new(),
        after: Vec::new(),
    };
    Plan {
        targets: (0..MOST).map(target).collect(),
        edits: changes.iter().map(edit).collect(),
        changes,
        ..Plan::default()
    }
}

fn changed(change: &Change) -> ChangedReference {
    ChangedReference {
        file: change.file.to_owned(),
        line: 1,
        kind: "kustomization",
        image: change.image.to_owned(),
        renamed_from: change.renamed_from.map(str::to_owned),
        target: TargetIndex::new(usize::from(change.target) % MOST),
        field: None,
        from: change.from.to_owned(),
        to: change.to.to_owned(),
        dropped_digest: false,
    }
}

fn target(_: usize) -> UpdateTarget {
    UpdateTarget {
        name: IMAGE.to_owned(),
        new_name: Field::Keep,
        tag: None,
        digest: Field::Unspecified,
        new_digest: tagbump::plan::NewDigest::default(),
        service: None,
        scope: Scope::default(),
    }
}
