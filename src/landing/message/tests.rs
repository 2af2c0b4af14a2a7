use super::*;
use crate::image::{Field, Tag};
use crate::plan::{ChangedReference, FileEdit, NewDigest};

fn target(name: &str) -> UpdateTarget {
    UpdateTarget {
        name: name.to_owned(),
        new_name: Field::Unspecified,
        tag: Some(Tag::parse("main-abc1234").unwrap()),
        digest: Field::Unspecified,
        new_digest: NewDigest::default(),
        service: None,
        scope: crate::plan::Scope::default(),
    }
}

fn plan(images: &[&str]) -> Plan {
    let change = |(target, image): (usize, &&str)| ChangedReference {
        file: "k8s/kustomization.yaml".into(),
        line: 5,
        kind: "kustomization",
        image: (*image).to_owned(),
        renamed_from: None,
        target: TargetIndex::new(target),
        from: "v1".into(),
        to: "main-abc1234".into(),
        dropped_digest: false,
        left_out_digest: false,
        field: None,
    };
    let edit = FileEdit { path: "k8s/kustomization.yaml".into(), before: vec![], after: vec![] };
    Plan { changes: images.iter().enumerate().map(change).collect(), edits: vec![edit], ..Plan::default() }
}

/// One source for all.
fn of_each(targets: &[UpdateTarget]) -> BTreeMap<TargetIndex, Source> {
    let source = Source::parse("acme/api@0123456789").unwrap();
    TargetIndex::each(targets).map(|(index, _)| (index, source.clone())).collect()
}

fn message(targets: &[UpdateTarget], template: Option<&str>, skip_ci: bool) -> String {
    let template = template.map(|t| Template::parse(t).unwrap());
    let facts = BuildInfo { sha: Some("0123456789".into()), ..BuildInfo::default() };
    let words = MessageParts {
        template: template.as_ref(),
        facts: &facts,
        verb: SubjectVerb::Update,
        skip_ci,
        included: Vec::new(),
        sources: of_each(targets),
        promoted_from: None,
        signoff: None,
        rolled_back: Vec::new(),
        overridden_holds: Vec::new(),
        prefix: "",
    };
    let images: Vec<_> = targets.iter().map(|w| w.name.as_str()).collect();
    words.message(&Plan { targets: targets.to_vec(), ..plan(&images) }).unwrap()
}

#[test]
fn one_image() {
    assert_eq!(
        message(&[target("ghcr.io/acme/api")], None, true),
        "chore: update api image to main-abc1234 [skip ci]\n\n\
         ghcr.io/acme/api: v1 -> main-abc1234 (k8s/kustomization.yaml)\n\n\
         Tagbump-Image: ghcr.io/acme/api:main-abc1234\nTagbump-Source: acme/api@0123456789\n"
    );
}

#[test]
fn several_images() {
    let text = message(&[target("a"), target("b"), target("c")], None, true);
    assert!(text.starts_with("chore: update 3 images [skip ci]\n\na: v1 -> "), "{text}");
    assert_eq!(text.matches("Tagbump-Image: ").count(), 3);
}

#[test]
fn own_words_keep_their_mark_and_trailers() {
    let text = message(&[target("a/b")], Some("deploy {name} {old_tag}>{tag} {sha:4} [ci skip]"), true);
    assert!(text.starts_with("deploy b v1>main-abc1234 0123 [ci skip]\n\nTagbump-Image: "), "{text}");
    let text = message(&[target("a/b")], Some("subject\n\nbody\n\nRefs: #1\nX-Y: z"), true);
    assert!(text.starts_with("subject [skip ci]\n\nbody\n\nRefs: #1\nX-Y: z\nTagbump-Image: "), "{text}");
    let text = message(&[target("a/b")], Some("Fix: subject"), false);
    assert!(text.starts_with("Fix: subject\n\nTagbump-Image: "), "{text}");
}

#[test]
fn skip_checks_stays_the_last_trailer() {
    for (start, joined) in [("\n\n\n", "\n\n\n"), ("\n\nRefs: #1\n", "\n\nRefs: #1\n")] {
        let text = message(&[target("a/b")], Some(&format!("deploy{start}skip-checks: true")), true);
        assert_eq!(
            text,
            format!(
                "deploy{joined}Tagbump-Image: a/b:main-abc1234\nTagbump-Source: acme/api@0123456789\nskip-checks: true\n"
            )
        );
    }
}

#[test]
fn line_breaks_of_other_systems_become_gits() {
    let text = message(&[target("a/b")], Some("deploy\r\n\r\nbody\rmore\r\n"), false);
    assert!(text.starts_with("deploy\n\nbody\nmore\n\nTagbump-Image: "), "{text:?}");
}

/// git leaves blank lines at the start of a message out: the first line is the first one with words.
#[test]
fn blank_lines_at_start_of_own_message_are_removed() {
    let text = message(&[target("a/b")], Some("\n\ndeploy\n\nbody\n\n"), true);
    assert_eq!(
        text,
        "deploy [skip ci]\n\nbody\n\nTagbump-Image: a/b:main-abc1234\nTagbump-Source: acme/api@0123456789\n"
    );
}

#[test]
fn digest_mentions_no_user() {
    assert_eq!(
        shown_version(&format!("v1@sha256:{}", "0".repeat(64))),
        format!("v1@sha256:{}", "0".repeat(64))
    );
    assert_eq!(shown_version("v1@octocat:0123abcd"), "`v1@octocat:0123abcd`");
    assert_eq!(shown_version("@octocat:0123abcd"), "`@octocat:0123abcd`");
}

#[test]
fn images_of_different_sources_have_paragraphs_of_their_own() {
    let source = |text: &str| Source::parse(text).unwrap();
    let sources =
        [(0, source("acme/api@1111111")), (2, source("acme/web@2222222")), (3, source("acme/api@1111111"))];
    let names = ["api", "db", "web", "worker", "cache"];
    let plan = Plan { targets: names.map(target).to_vec(), ..plan(&names) };
    let template = Template::parse("deploy\n\nskip-checks: true").unwrap();
    let words = MessageParts {
        template: None,
        facts: &BuildInfo::default(),
        verb: SubjectVerb::Update,
        skip_ci: false,
        included: Vec::new(),
        sources: sources.map(|(target, source)| (TargetIndex::new(target), source)).into_iter().collect(),
        promoted_from: Some("staging@3333333".to_owned()),
        overridden_holds: Vec::new(),
        signoff: Some("Ada <ada@example.com>".to_owned()),
        rolled_back: vec![(TargetIndex::new(2), RolledBack { tag: "v9".to_owned(), source: None })],
        prefix: "",
    };
    let text = words.message(&plan).unwrap();
    let trailers = "\n\nTagbump-Image: api:main-abc1234\nTagbump-Image: worker:main-abc1234\n\
                    Tagbump-Source: acme/api@1111111\nTagbump-Promoted-From: staging@3333333\n\n\
                    Tagbump-Image: db:main-abc1234\nTagbump-Image: cache:main-abc1234\n\
                    Tagbump-Promoted-From: staging@3333333\n\n\
                    Tagbump-Image: web:main-abc1234\nTagbump-Rollback: web:v9\n\
                    Tagbump-Source: acme/web@2222222\nTagbump-Promoted-From: staging@3333333\n\
                    Signed-off-by: Ada <ada@example.com>\n";
    assert!(text.ends_with(trailers), "{text}");
    let source_of = |image: &str| trailers::claims(&text, image, "main-abc1234").unwrap().source;
    assert_eq!(
        names.map(|name| source_of(name).map(|source| source.sha)),
        ["1", "", "2", "1", ""].map(|digit| { (!digit.is_empty()).then(|| digit.repeat(7)) })
    );
    let marked = MessageParts { template: Some(&template), ..words }.message(&plan).unwrap();
    assert!(marked.ends_with("Signed-off-by: Ada <ada@example.com>\nskip-checks: true\n"), "{marked}");
    assert!(marked.starts_with("deploy\n\nTagbump-Image: api"), "{marked}");
}

#[test]
fn rollback_has_a_subject_of_its_own() {
    let subject = |targets: &[UpdateTarget], plan: Plan| {
        let words = MessageParts {
            template: None,
            facts: &BuildInfo::default(),
            verb: SubjectVerb::RollBack,
            skip_ci: true,
            included: Vec::new(),
            sources: BTreeMap::new(),
            promoted_from: None,
            signoff: None,
            rolled_back: Vec::new(),
            overridden_holds: Vec::new(),
            prefix: "",
        };
        let text = words.message(&Plan { targets: targets.to_vec(), ..plan }).unwrap();
        text.lines().next().unwrap().to_owned()
    };
    let one = subject(&[target("ghcr.io/acme/api")], plan(&["ghcr.io/acme/api"]));
    assert_eq!(one, "revert: roll back api image to main-abc1234 [skip ci]");
    let two = subject(&[target("a/api"), target("b/api")], plan(&["a/api", "b/api"]));
    assert_eq!(two, "revert: roll back 2 images [skip ci]");
    let mut two_tags = plan(&["api", "api"]);
    two_tags.changes[1].to = "v2".to_owned();
    let two_tags = subject(&[target("api"), target("api")], two_tags);
    assert_eq!(two_tags, "revert: roll back api image to main-abc1234, v2 [skip ci]");
}

#[test]
fn unknown_variables_are_reported() {
    let template = Template::parse("{foo}").unwrap();
    let words = MessageParts {
        template: Some(&template),
        facts: &BuildInfo::default(),
        verb: SubjectVerb::Update,
        skip_ci: false,
        included: Vec::new(),
        sources: BTreeMap::new(),
        promoted_from: None,
        signoff: None,
        rolled_back: Vec::new(),
        overridden_holds: Vec::new(),
        prefix: "",
    };
    let plan = Plan { targets: vec![target("a")], ..plan(&["a"]) };
    let error = words.message(&plan).unwrap_err();
    assert!(matches!(error, MessageError::Variable { option: "message", .. }), "{error:?}");
    assert!(error.to_string().contains("unknown variable {foo}"), "{error}");
}

#[test]
fn kept_name_and_rename_are_in_the_message() {
    let target = UpdateTarget { new_name: Field::Keep, ..target("app") };
    let mut plan = plan(&["ghcr.io/acme/api"]);
    plan.changes[0].renamed_from = Some("ghcr.io/acme/old".to_owned());
    plan.targets = vec![target];
    let words = MessageParts {
        template: None,
        facts: &BuildInfo::default(),
        verb: SubjectVerb::Update,
        skip_ci: false,
        included: Vec::new(),
        sources: BTreeMap::new(),
        promoted_from: None,
        signoff: None,
        rolled_back: Vec::new(),
        overridden_holds: Vec::new(),
        prefix: "",
    };
    let text = words.message(&plan).unwrap();
    assert!(text.starts_with("chore: update api image to main-abc1234\n"), "{text}");
    assert!(text.contains("\nghcr.io/acme/api: ghcr.io/acme/old:v1 -> main-abc1234 ("), "{text}");
    assert!(text.contains("\nTagbump-Image: ghcr.io/acme/api:main-abc1234\n"), "{text}");
}

/// Only what a reader would take for a trailer of ours.
#[test]
fn own_trailers_are_removed_and_other_lines_stay() {
    let text =
        "tagbump-bot: deploy v2\n\nTagbump-Image: a:v1\n tagbump-source : abc\ntagbump-holds.yaml was ended";
    assert_eq!(without_own_trailers(text), "tagbump-bot: deploy v2\n\ntagbump-holds.yaml was ended");
}

#[test]
fn message_of_nothing_but_trailers_is_empty() {
    for text in ["", " ", "Tagbump-Image: a:v1"] {
        assert_eq!(
            subject_and_body(text, true, None),
            Err(MessageError::Empty { option: "message" }),
            "{text:?}"
        );
    }
}
