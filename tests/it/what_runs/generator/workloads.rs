//! Objects that run containers.

use super::maker::Maker;
use super::yaml::{Yaml, bare, list, map, nested, text};

/// An object that runs containers, as overlays see it.
#[derive(Clone, Debug)]
pub struct Workload {
    pub kind: &'static str,
    pub version: &'static str,
    pub name: String,
    /// Where the list of containers is.
    pub path: Vec<&'static str>,
    pub containers: Vec<Container>,
}

#[derive(Clone, Debug)]
pub struct Container {
    pub name: String,
    /// The image's name as it is by now.
    pub image: String,
}

/// Kind, version, path of the list of containers.
const KINDS: [(&str, &str, &[&str]); 7] = [
    ("Deployment", "apps/v1", &["spec", "template", "spec", "containers"]),
    ("Deployment", "apps/v1", &["spec", "template", "spec", "containers"]),
    ("Deployment", "apps/v1", &["spec", "template", "spec", "containers"]),
    ("StatefulSet", "apps/v1", &["spec", "template", "spec", "containers"]),
    ("CronJob", "batch/v1", &["spec", "jobTemplate", "spec", "template", "spec", "containers"]),
    ("Job", "batch/v1", &["spec", "template", "spec", "initContainers"]),
    ("CloneSet", "apps.kruise.io/v1alpha1", &["spec", "template", "spec", "containers"]),
];

impl Workload {
    /// Whether kustomize joins its lists by name.
    pub fn is_built_in(&self) -> bool {
        !self.version.contains(".io/")
    }

    /// The path of an image as a JSON pointer.
    pub fn pointer(&self, container: usize) -> String {
        format!("/{}/{container}/image", self.path.join("/"))
    }

    /// The object with only this list of containers.
    pub fn patch(&self, maker: &mut Maker, containers: Vec<Yaml>) -> Yaml {
        maker.object(self.version, self.kind, None, &self.name).over(nested(&self.path, list(containers)))
    }
}

/// A workload of one to three containers.
pub fn workload(maker: &mut Maker, name: &str) -> (Workload, Yaml) {
    let (kind, version, path) = KINDS[maker.rng.usize(0..KINDS.len())];
    let count = [1, 1, 2, 3][maker.rng.usize(0..4)];
    let mut containers = Vec::new();
    let mut written = Vec::new();
    for index in 0..count {
        let image = maker.name();
        let container = Container { name: format!("c{index}"), image: image.clone() };
        let image = maker.weak_image(&image);
        written.push(container_yaml(maker, &container.name, image));
        containers.push(container);
    }
    if count > 1 && maker.chance(12) {
        share_image(&mut containers, &mut written);
    }
    let workload = Workload { kind, version, name: name.to_owned(), path: path.to_vec(), containers };
    let mut object = workload.patch(maker, written);
    if kind == "Deployment" {
        object = object.over(nested(&["spec", "replicas"], bare("2")));
    }
    (workload, object)
}

/// The second container takes its image from the first one, by an alias.
fn share_image(containers: &mut [Container], written: &mut [Yaml]) {
    containers[1].image = containers[0].image.clone();
    let set = |container: &mut Yaml, value: &dyn Fn(Yaml) -> Yaml| {
        let Yaml::Map(pairs) = container else { return };
        let image = pairs.iter_mut().find(|(key, _)| key == "image");
        image.into_iter().for_each(|(_, image)| *image = value(image.clone()));
    };
    set(&mut written[0], &|image| Yaml::Anchored("image".to_owned(), Box::new(image)));
    set(&mut written[1], &|_| bare("*image"));
}

pub fn container_yaml(maker: &mut Maker, name: &str, image: String) -> Yaml {
    let (name, image) = (("name", text(name)), ("image", text(image)));
    if maker.chance(25) { map([image, name]) } else { map([name, image]) }
}

/// An object whose containers no kustomize entry reaches, or that no older tagbump knows.
pub fn custom(maker: &mut Maker, name: &str) -> Yaml {
    let image = maker.name();
    let image = maker.image(&image);
    let container = map([("image", text(image.clone()))]);
    let named = container_yaml(maker, "main", image);
    match maker.rng.u8(0..5) {
        0 => {
            let template = map([("name", text("run")), ("container", container)]);
            let spec = map([
                ("schedule", text("0 4 * * *")),
                ("workflowSpec", map([("templates", list([template]))])),
            ]);
            maker.object("argoproj.io/v1alpha1", "CronWorkflow", None, name).with("spec", spec)
        }
        1 => {
            let group = map([
                ("groupName", text("small")),
                ("template", nested(&["spec", "containers"], list([named]))),
            ]);
            maker
                .object("ray.io/v1", "RayCluster", None, name)
                .with("spec", map([("workerGroupSpecs", list([group]))]))
        }
        2 => maker
            .object("serving.kserve.io/v1alpha1", "ServingRuntime", None, name)
            .with("spec", map([("containers", list([named]))])),
        3 => maker.object("tekton.dev/v1", "Task", None, name).with("spec", map([("steps", list([named]))])),
        _ => maker
            .object("v1", "ReplicationController", None, name)
            .with("spec", nested(&["template", "spec", "containers"], list([named]))),
    }
}
