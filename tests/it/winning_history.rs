//! History, rollback and the order guard for places that only their field leads to: a tag without a name, a value of a
//! patch, a variable.

use serde_json::Value;

use crate::support::cli::{self, Run};
use crate::support::mono::{Mono, notices};
use crate::support::past::Past;
use crate::support::repo::{self, API, FILE, ended, json};

/// A repository in which one place sets the tag.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// The file of the place.
    file: &'static str,
    /// What follows the text of the place in a tag.
    suffix: &'static str,
}

const DEPLOYMENT: (&str, &str) = (
    "base/deployment.yaml",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  template:\n    spec:\n      containers:\n        \
     - {name: api, image: ghcr.io/acme/api:v0}\n",
);
const BASE: (&str, &str) = ("base/kustomization.yaml", "resources: [deployment.yaml]\n");

const FLUX: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec:\n  \
    path: ./apps\n  postBuild:\n    substitute: {other: x}\n";

const CASES: &[Case] = &[
    Case {
        name: "values file with the tag alone",
        files: &[
            ("chart/Chart.yaml", "apiVersion: v2\nname: api\nversion: 0.1.0\n"),
            ("chart/values.yaml", "image:\n  repository: ghcr.io/acme/api\n  tag: latest\n"),
            ("chart/values-prod.yaml", "replicas: 3\nimage:\n  tag: TAG\n"),
        ],
        file: "chart/values-prod.yaml",
        suffix: "",
    },
    Case {
        name: "JSON patch in a file",
        files: &[
            DEPLOYMENT,
            BASE,
            (
                "prod/kustomization.yaml",
                "resources: [../base]\npatches:\n  - path: image.yaml\n    target: {kind: Deployment}\n",
            ),
            (
                "prod/image.yaml",
                "- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: ghcr.io/acme/api:TAG\n",
            ),
        ],
        file: "prod/image.yaml",
        suffix: "",
    },
    Case {
        name: "JSON patch inline",
        files: &[
            DEPLOYMENT,
            BASE,
            (
                "prod/kustomization.yaml",
                "resources: [../base]\npatches:\n  - target: {kind: Deployment}\n    patch: |-\n      - op: replace\n        \
                 path: /spec/template/spec/containers/0/image\n        value: ghcr.io/acme/api:TAG\n",
            ),
        ],
        file: "prod/kustomization.yaml",
        suffix: "",
    },
    Case {
        name: "strategic patch of a release inline",
        files: &[
            (
                "base/release.yaml",
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: api}\nspec:\n  values:\n    \
                 image: {repository: ghcr.io/acme/api, tag: v0}\n",
            ),
            ("base/kustomization.yaml", "resources: [release.yaml]\n"),
            (
                "prod/kustomization.yaml",
                "resources: [../base]\npatches:\n  - patch: |\n      apiVersion: helm.toolkit.fluxcd.io/v2\n      \
                 kind: HelmRelease\n      metadata: {name: api}\n      spec:\n        values:\n          image:\n            \
                 tag: TAG\n",
            ),
        ],
        file: "prod/kustomization.yaml",
        suffix: "",
    },
    Case {
        name: "variable of a Flux Kustomization",
        files: &[
            (
                "apps/pod.yaml",
                "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: ghcr.io/acme/api:${api_tag}\n",
            ),
            ("apps/kustomization.yaml", "resources: [pod.yaml]\n"),
            (
                "cluster/apps.yaml",
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec:\n  path: ./apps\n  \
                 postBuild:\n    substitute:\n      api_tag: TAG\n",
            ),
        ],
        file: "cluster/apps.yaml",
        suffix: "",
    },
    Case {
        name: "variable in .env",
        files: &[
            ("compose.yaml", "services:\n  api:\n    image: ghcr.io/acme/api:${TAG:-latest}\n"),
            (".env", "# ours\nOTHER=1\nTAG=TAG\n"),
        ],
        file: ".env",
        suffix: "",
    },
    Case {
        name: "variable in a file of another name",
        files: &[
            ("compose.yaml", "include:\n  - path: sub/compose.yaml\n    env_file: sub/my.vars\n"),
            ("sub/compose.yaml", "services:\n  api:\n    image: ghcr.io/acme/api:${TAG}\n"),
            ("sub/my.vars", "OTHER=1\nTAG=TAG\n"),
        ],
        file: "sub/my.vars",
        suffix: "",
    },
    Case {
        name: "part of a tag in .env",
        files: &[
            ("compose.yaml", "services:\n  api:\n    image: ghcr.io/acme/api:${V}-ad\n"),
            (".env", "V=TAG\n"),
        ],
        file: ".env",
        suffix: "-ad",
    },
    Case {
        name: "default of compose with text behind it",
        files: &[
            ("compose.yaml", "services:\n  api:\n    image: ghcr.io/acme/${NAME}:${V:-TAG}-ad\n"),
            (".env", "NAME=api\n"),
        ],
        file: "compose.yaml",
        suffix: "-ad",
    },
    Case {
        name: "end of an image in .env",
        files: &[
            ("compose.yaml", "services:\n  api:\n    image: ghcr.io/${IMAGE}\n"),
            (".env", "IMAGE=acme/api:TAG\n"),
        ],
        file: ".env",
        suffix: "",
    },
    Case {
        name: "default of Flux",
        files: &[
            (
                "apps/pod.yaml",
                "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  containers:\n    - name: api\n      image: ghcr.io/acme/api:${tag:=TAG}\n",
            ),
            ("cluster/apps.yaml", FLUX),
        ],
        file: "apps/pod.yaml",
        suffix: "",
    },
    Case {
        name: "default of Flux in a patch inline",
        files: &[
            DEPLOYMENT,
            BASE,
            (
                "apps/kustomization.yaml",
                "resources: [../base]\npatches:\n  - target: {kind: Deployment}\n    patch: |-\n      - op: replace\n        \
                 path: /spec/template/spec/containers/0/image\n        value: ghcr.io/acme/api:${tag:=TAG}\n",
            ),
            ("cluster/apps.yaml", FLUX),
        ],
        file: "apps/kustomization.yaml",
        suffix: "",
    },
    Case {
        name: "part of a tag in a variable of a Flux Kustomization",
        files: &[
            (
                "apps/pod.yaml",
                "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  containers:\n    - name: api\n      image: ghcr.io/acme/api:${x}-ad\n",
            ),
            (
                "cluster/apps.yaml",
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec:\n  path: ./apps\n  \
                 postBuild:\n    substitute:\n      x: TAG\n",
            ),
        ],
        file: "cluster/apps.yaml",
        suffix: "-ad",
    },
    Case {
        name: "literal of a generator",
        files: &[
            (
                "prod/pod.yaml",
                "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  containers:\n    - name: api\n      image: ghcr.io/acme/api:v0\n",
            ),
            (
                "prod/kustomization.yaml",
                "resources: [pod.yaml]\nconfigMapGenerator:\n  - name: v\n    literals:\n      - tag=TAG\nreplacements:\n  \
                 - source: {kind: ConfigMap, name: v, fieldPath: data.tag}\n    targets:\n      \
                 - select: {kind: Pod}\n        fieldPaths: [spec.containers.0.image]\n        \
                 options: {delimiter: ':', index: 1}\n",
            ),
        ],
        file: "prod/kustomization.yaml",
        suffix: "",
    },
    Case {
        name: "part of a tag in an element of an ApplicationSet",
        files: &[
            DEPLOYMENT,
            BASE,
            (
                "argo/set.yaml",
                "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: api}\nspec:\n  generators:\n    \
                 - list:\n        elements:\n          - env: prod\n            tag: TAG\n  template:\n    \
                 metadata: {name: 'api-{{env}}'}\n    spec:\n      source:\n        path: base\n        kustomize:\n          images: ['ghcr.io/acme/api:{{tag}}-ad']\n",
            ),
        ],
        file: "argo/set.yaml",
        suffix: "-ad",
    },
];

impl Case {
    /// The files with this tag.
    fn at(&self, tag: &str) -> impl Iterator<Item = (&'static str, String)> {
        let of_place = |path| path == self.file;
        let text = move |(path, text): &(&'static str, &'static str)| {
            let text = text.replace("=TAG", &format!("={tag}")).replace(": TAG", &format!(": {tag}"));
            (*path, text.replace(":TAG", &format!(":{tag}")).replace("-TAG", &format!("-{tag}")))
        };
        let mut files: Vec<_> = self.files.iter().map(text).collect();
        files.sort_by_key(|(path, _)| of_place(*path));
        files.into_iter()
    }

    fn text(&self, tag: &str) -> String {
        self.at(tag).find(|(path, _)| *path == self.file).unwrap().1
    }

    /// A repository with a commit of each tag, the last two made by tagbump.
    fn past(&self) -> Past {
        let past = Past::new();
        self.at("v1").for_each(|(path, text)| past.write(path, &text));
        past.commit("Ada", "start");
        for tag in ["v2", "v3"] {
            past.wait(60);
            let mut command = cli::command(&past.path);
            command.args(["bump", &format!("{API}:{tag}{}", self.suffix), "--commit", "--format", "json"]);
            let run = Run::of(&past.by("Ada", &mut command).output().unwrap());
            assert_eq!(run.exit, 0, "{}: {}", self.name, run.output());
            assert_eq!(past.read(self.file), self.text(tag), "{}", self.name);
        }
        past
    }
}

fn tags(told: &Value) -> Vec<&str> {
    told["entries"].as_array().unwrap().iter().map(|entry| entry["tag"].as_str().unwrap_or("none")).collect()
}

#[test]
fn history_lists_tags_of_place_that_only_its_field_leads_to() {
    for case in CASES {
        let past = case.past();
        let run = past.history(&[API, "--format", "json"]);
        assert_eq!(run.exit, 0, "{}: {}", case.name, run.output());
        let told = json(&run);
        let had = ["v3", "v2", "v1"].map(|tag| format!("{tag}{}", case.suffix));
        assert_eq!(tags(&told), had, "{}: {}", case.name, run.output());
        let files: Vec<_> = told["entries"].as_array().unwrap().iter().map(|entry| &entry["file"]).collect();
        assert!(files.iter().all(|file| *file == case.file), "{}: {files:?}", case.name);
    }
}

#[test]
fn history_leaves_out_weaker_place_of_same_file() {
    let past = Past::new();
    past.write(DEPLOYMENT.0, DEPLOYMENT.1);
    past.write(BASE.0, BASE.1);
    for (weaker, tag) in [("w1", "v1"), ("w2", "v1"), ("w2", "v2")] {
        let text = format!(
            "resources: [../base]\npatches:\n  - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      \
             metadata: {{name: api}}\n      spec:\n        template:\n          spec:\n            containers:\n              \
             - name: api\n                image: {API}:{weaker}\nimages:\n  - name: {API}\n    newTag: {tag}\n"
        );
        past.write("prod/kustomization.yaml", &text);
        past.commit("Ada", &format!("{weaker} {tag}"));
    }
    let told = json(&past.history(&[API, "--format", "json"]));
    assert_eq!(tags(&told), ["v2", "v1"], "{told}");
}

#[test]
fn history_goes_on_in_place_that_set_tag_before() {
    let past = Past::new();
    let deployment = |tag: &str| DEPLOYMENT.1.replace("v0", tag);
    past.write(BASE.0, BASE.1);
    past.write("prod/kustomization.yaml", "resources: [../base]\n");
    for tag in ["v1", "v2"] {
        past.write(DEPLOYMENT.0, &deployment(tag));
        past.commit("Ada", tag);
    }
    let entry = |tag: &str| format!("resources: [../base]\nimages:\n  - name: {API}\n    newTag: {tag}\n");
    past.write("prod/kustomization.yaml", &entry("v3"));
    let added = past.commit("Ada", "v3");
    past.write("prod/kustomization.yaml", &entry("v4"));
    past.commit("Ada", "v4");
    let told = json(&past.history(&[API, "--format", "json"]));
    assert_eq!(tags(&told), ["v4", "v3", "v2", "v1"], "{told}");
    let notice = format!("before {}, {}:8 set the tag", &added[..10], DEPLOYMENT.0);
    assert_eq!(told["notices"], serde_json::json!([notice]));
    assert_eq!(told["entries"][2]["until"], told["entries"][1]["since"]);
    let limited = json(&past.history(&[API, "--format", "json", "-n", "2"]));
    assert_eq!(limited["notices"], serde_json::json!([]), "{limited}");
}

#[test]
fn rollback_goes_back_in_place_that_only_its_field_leads_to() {
    for case in CASES {
        let past = case.past();
        for tag in ["v2", "v1"] {
            past.wait(60);
            let mut command = cli::command(&past.path);
            command.args(["rollback", API, "--commit", "--format", "json"]);
            let run = Run::of(&past.by("Ada", &mut command).output().unwrap());
            assert_eq!(run.exit, 0, "{}: {}", case.name, run.output());
            assert_eq!(past.read(case.file), case.text(tag), "{}", case.name);
        }
    }
}

#[test]
fn older_build_leaves_place_that_only_its_field_leads_to() {
    for case in CASES {
        let mono = Mono::new(2);
        mono.world.rival(FILE, "resources: []\n");
        case.at("v1").for_each(|(path, text)| {
            mono.world.rival(path, &text);
        });
        let bump = |nth: usize| {
            let tag = format!("v{}{}", nth + 2, case.suffix);
            repo::run(&mut mono.job(&mono.builds[nth], &["--tag", &tag]))
        };
        let run = bump(1);
        assert_eq!(run.exit, 0, "{}: {}", case.name, run.output());
        assert_eq!(mono.world.file(case.file).trim_end(), case.text("v3").trim_end(), "{}", case.name);
        let told = ended(&bump(0), 0, "superseded");
        assert!(notices(&told).contains("which is newer"), "{}: {told}", case.name);
        assert_eq!(mono.world.file(case.file).trim_end(), case.text("v3").trim_end(), "{}", case.name);
    }
}
