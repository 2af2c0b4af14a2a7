//! GitLab's groups may be nested: `acme/shop/gitops` is another repository than `beta/shop/gitops`.

use tagbump::ci::System;

use crate::support::ci_job::{Job, Trigger};
use crate::support::cli::tagbump;
use crate::support::git::git;
use crate::support::repo::write;

#[test]
fn repository_in_nested_groups_is_known_by_all_of_them() {
    for (built, is_built) in [("acme/shop/gitops", true), ("beta/shop/gitops", false)] {
        let mut job = Job::new();
        job.check_out(System::GitLab, Trigger::Push);
        let nested = job.world.move_to("acme/shop/gitops.git");
        job.git(&["remote", "set-url", "origin", &nested]);
        let mut command = job.push(System::GitLab, Trigger::Push, &[]);
        command.env("CI_PROJECT_PATH", built);
        let (_, message) = job.lands_on(&mut command, "develop");
        let source = format!("Tagbump-Source: {built}@{}", job.develop);
        assert!(message.contains(&source), "{message}");
        assert_eq!(message.contains("[skip ci]"), is_built, "{message}");
    }
}

/// A release gets its chart from the repository itself, which Flux knows by its URL.
#[test]
fn chart_in_repository_in_nested_groups_is_found() {
    for (path, is_weaker) in [("acme/shop/gitops", true), ("beta/shop/gitops", false)] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        git(folder, &["init", "--quiet"]);
        git(folder, &["remote", "add", "origin", "git@gitlab.example.com:acme/shop/gitops.git"]);
        write(folder, "charts/api/Chart.yaml", "apiVersion: v2\nname: api\nversion: 0.1.0\n");
        let values = "image:\n  repository: ghcr.io/acme/api\n  tag: v0\n";
        write(folder, "charts/api/values.yaml", values);
        let source = format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{ name: gitops }}\n\
             spec: {{ url: https://gitlab.example.com/{path}.git }}\n"
        );
        write(folder, "apps/source.yaml", &source);
        let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: api }\nspec:\n  \
                       chart:\n    spec: { chart: charts/api, sourceRef: { kind: GitRepository, name: gitops } }\n  \
                       values: { image: { tag: v1 } }\n";
        write(folder, "apps/release.yaml", release);
        let run = tagbump(folder, &["bump", "ghcr.io/acme/api:v2"]);
        assert_eq!(run.exit, 0, "{}", run.output());
        let chart = std::fs::read_to_string(folder.join("charts/api/values.yaml")).unwrap();
        assert_eq!(chart == values, is_weaker, "{path}: {}", run.output());
        let release = std::fs::read_to_string(folder.join("apps/release.yaml")).unwrap();
        assert_eq!(release.contains("tag: v2"), is_weaker, "{path}: {release}");
    }
}
