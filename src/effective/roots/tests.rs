//! Which roots there are in small repositories.

use std::collections::BTreeSet;

use super::super::testing::with_files;
use super::{Scene, roots};

/// The names of the roots, if these files name the image.
fn names(files: &[(&str, &str)], reached: &[&str]) -> Vec<String> {
    let reached = reached.iter().map(|path| (*path).to_owned()).collect();
    let scene = Scene {
        reached: &reached,
        declarations: &BTreeSet::new(),
        url: Some("https://github.com/acme/gitops"),
    };
    with_files(files, |files| roots(files, &scene).into_iter().map(|root| root.name).collect())
}

const KUSTOMIZATION: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n";

/// Its file is not among those that lead to the image.
#[test]
fn source_beside_a_flux_kustomization_says_which_repository_it_builds() {
    let flux = format!("{KUSTOMIZATION}metadata: {{name: apps}}\nspec: {{path: ./apps}}\n");
    let pod =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec: {containers: [{image: 'acme/api:v1'}]}\n";
    for (url, is_here) in [("https://github.com/other/dns", false), ("https://github.com/acme/gitops", true)]
    {
        let source = format!(
            "kind: GitRepository\napiVersion: source.toolkit.fluxcd.io/v1\nmetadata: {{name: dns}}\nspec: {{url: '{url}'}}\n---\n\
             {KUSTOMIZATION}metadata: {{name: crds}}\nspec: {{sourceRef: {{kind: GitRepository, name: dns}}}}\n"
        );
        let files = [("flux.yaml", flux.as_str()), ("apps/dns.yaml", &source), ("pod.yaml", pod)];
        let names = names(&files, &["flux.yaml", "pod.yaml"]);
        assert_eq!(names.contains(&"Flux Kustomization crds".to_owned()), is_here, "{names:?}");
    }
}
