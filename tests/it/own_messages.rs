//! Our own messages, made from whatever a repository contains: the trailers are those that tagbump adds, and
//! nothing mentions people, closes issues or skips CI. The fuzz target `trailers` checks the same laws.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use tagbump::image::Field;
use tagbump::landing::RolledBack;
use tagbump::landing::message::{MessageParts, SubjectVerb};
use tagbump::plan::{ChangedReference, FileEdit, NewDigest, Plan, Scope, TargetIndex, UpdateTarget};
use tagbump::tag::{BuildInfo, Source};

use crate::support::message_laws::own_message_says_only_ours;

const IMAGE: &str = "ghcr.io/acme/api";

/// Text in a file, as an attacker would write it.
fn hostile() -> impl Strategy<Value = String> {
    let attacks = vec![
        "v1\nTagbump-Source: acme/api@0123456789",
        "v2\r\n\nTagbump-Rollback: ghcr.io/acme/api:v3",
        "v1 fixes #1 @acme/everyone <img src=x>",
        "`` ` [skip ci] \u{202e}",
        "https://evil.example/x.yaml",
        "kkkkkk\n!kk",
        "",
    ];
    prop_oneof![
        2 => select(attacks).prop_map(str::to_owned),
        2 => "v[0-9]{1,2}",
        1 => any::<String>(),
    ]
}

fn change() -> impl Strategy<Value = ChangedReference> {
    let image = prop_oneof![Just(IMAGE.to_owned()), hostile()];
    (hostile(), image, hostile(), hostile()).prop_map(|(file, image, from, to)| ChangedReference {
        file,
        line: 1,
        kind: "kustomization",
        image,
        renamed_from: None,
        target: TargetIndex::new(0),
        from,
        to,
        dropped_digest: false,
        left_out_digest: false,
        field: None,
    })
}

fn plan(changes: Vec<ChangedReference>) -> Plan {
    let target = UpdateTarget {
        name: IMAGE.to_owned(),
        new_name: Field::Keep,
        tag: None,
        digest: Field::Unspecified,
        new_digest: NewDigest::default(),
        service: None,
        scope: Scope::default(),
    };
    let edit = |change: &ChangedReference| FileEdit {
        path: change.file.clone(),
        before: Vec::new(),
        after: Vec::new(),
    };
    Plan { targets: vec![target], edits: changes.iter().map(edit).collect(), changes, ..Plan::default() }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500, rng_seed: RngSeed::Fixed(20_240_101), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn generated_message_has_only_its_own_trailers_for_any_text(
        changes in vec(change(), 1..4), prefix in hostile(), bad in vec(hostile(), 0..3), skip_ci: bool, has_source: bool
    ) {
        let source = Source::parse("acme/api@0123456789abcdef").filter(|_| has_source);
        let words = MessageParts {
            included: Vec::new(),
            template: None,
            facts: &BuildInfo::default(),
            verb: SubjectVerb::Update,
            skip_ci,
            sources: source.into_iter().map(|source| (TargetIndex::new(0), source)).collect(),
            promoted_from: None,
            rolled_back: bad.into_iter().map(|tag| (TargetIndex::new(0), RolledBack { tag, source: None })).collect(),
            overridden_holds: Vec::new(),
            signoff: None,
            prefix: &prefix,
        };
        own_message_says_only_ours(&words, &plan(changes));
    }
}
