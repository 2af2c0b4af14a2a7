//! Charts with sub-charts, aliases and values files.

use super::kustomize::below;
use super::maker::Maker;
use super::yaml::{Yaml, list, map, nested, text};

/// A chart, and where its values have images.
pub struct Chart {
    pub folder: String,
    pub name: String,
    pub images: Vec<Block>,
}

/// An image in a chart's values.
#[derive(Clone)]
pub struct Block {
    pub path: Vec<String>,
    pub form: Form,
    pub image: String,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Form {
    RepositoryAndTag,
    RegistryToo,
    OneString,
    NameAndTag,
    /// The template prefers a tag for all images.
    GlobalTag,
    /// A digest behind the tag, if the values have one.
    WithDigest,
    /// The same, as a hash.
    WithSha,
    ImageAndTag,
    ImageRepositoryAndTag,
    /// A repository without the last part of the name, which has a key of its own.
    RepositoryAndName,
    /// The parts of the name are under keys that only the template knows.
    OwnKeys,
    /// The template puts a registry before the name.
    DefaultRegistry,
    /// A variable has the tag, and another one if the values have that.
    PinnedTag,
    /// A named template gets the image's values in a map. It prefers a tag for all images.
    InMap,
}

/// Gives an image of `InMap`.
const NAMED_TEMPLATE: &str = r#"{{- define "shop.image" -}}
{{- $tag := .image.tag | default .root.Chart.AppVersion -}}
{{- with (.root.Values.global).imageTag -}}
  {{- $tag = . | toString -}}
{{- end -}}
{{- with .image.registry }}{{ . }}/{{ end -}}
{{- printf "%s:%s" .image.repository $tag -}}
{{- end -}}
"#;

impl Form {
    /// The keys of the name and of the tag, if they are two.
    fn keys(self) -> Option<(&'static str, &'static str)> {
        match self {
            Form::OneString => None,
            Form::RepositoryAndTag
            | Form::RegistryToo
            | Form::GlobalTag
            | Form::WithDigest
            | Form::WithSha
            | Form::DefaultRegistry
            | Form::PinnedTag
            | Form::InMap => Some(("repository", "tag")),
            Form::OwnKeys => Some(("service", "tag")),
            Form::NameAndTag | Form::RepositoryAndName => Some(("name", "tag")),
            Form::ImageAndTag => Some(("image", "tag")),
            Form::ImageRepositoryAndTag => Some(("imageRepository", "imageTag")),
        }
    }

    /// The key of the digest, and what the value lacks to be one.
    fn digest(self) -> Option<(&'static str, &'static str)> {
        match self {
            Form::WithDigest => Some(("digest", "")),
            Form::WithSha => Some(("sha", "sha256:")),
            _ => None,
        }
    }
}

impl Block {
    fn keys(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    fn template(&self) -> String {
        let at = |key: &str| format!(".Values.{}{key}", self.path.join("."));
        match self.form {
            Form::RepositoryAndTag => {
                format!(
                    "\"{{{{ {} }}}}:{{{{ {} | default .Chart.AppVersion }}}}\"",
                    at(".repository"),
                    at(".tag")
                )
            }
            Form::GlobalTag => {
                format!(
                    "\"{{{{ {} }}}}:{{{{ .Values.global.imageTag | default {} }}}}\"",
                    at(".repository"),
                    at(".tag")
                )
            }
            Form::RegistryToo => {
                format!(
                    "{{{{ printf \"%s/%s:%s\" {} {} {} }}}}",
                    at(".registry"),
                    at(".repository"),
                    at(".tag")
                )
            }
            Form::OneString => format!("{{{{ {} | quote }}}}", at("")),
            Form::NameAndTag | Form::ImageAndTag | Form::ImageRepositoryAndTag => {
                let (name, tag) = self.form.keys().unwrap_or_default();
                let (name, tag) = (at(&format!(".{name}")), at(&format!(".{tag}")));
                format!("\"{{{{ {name} }}}}:{{{{ {tag} }}}}\"")
            }
            Form::RepositoryAndName => {
                let (repository, name, tag) = (at(".repository"), at(".name"), at(".tag"));
                format!("\"{{{{ {repository} }}}}/{{{{ {name} }}}}:{{{{ {tag} }}}}\"")
            }
            Form::OwnKeys => {
                let (host, service, tag) = (at(".host"), at(".service"), at(".tag"));
                format!("{{{{ {host} }}}}/{{{{ {service} }}}}:{{{{ {tag} }}}}")
            }
            Form::DefaultRegistry => {
                let (registry, repository, tag) = (at(".registry"), at(".repository"), at(".tag"));
                let default = self.image.split_once('/').unwrap_or_default().0;
                format!(
                    "\"{{{{ {registry} | default \"{default}\" }}}}/{{{{ {repository} }}}}:{{{{ {tag} }}}}\""
                )
            }
            Form::PinnedTag => format!("\"{{{{ {} }}}}:{{{{ $tag }}}}\"", at(".repository")),
            Form::InMap => {
                format!("{{{{ include \"shop.image\" (dict \"image\" {} \"root\" $) | quote }}}}", at(""))
            }
            Form::WithDigest | Form::WithSha => {
                let (key, before) = self.form.digest().unwrap_or_default();
                let (repository, tag, digest) = (at(".repository"), at(".tag"), at(&format!(".{key}")));
                format!(
                    "\"{{{{ {repository} }}}}:{{{{ {tag} }}}}{{{{ with {digest} }}}}@{before}{{{{ . }}}}{{{{ end }}}}\""
                )
            }
        }
    }

    /// What stands before the container in the template.
    fn before(&self) -> String {
        let path = self.path.join(".");
        match self.form {
            Form::PinnedTag => format!(
                "        {{{{- $tag := .Values.{path}.tag }}}}\n        {{{{- if .Values.{path}.pinned }}}}\n        {{{{- $tag = .Values.{path}.pinned }}}}\n        {{{{- end }}}}\n"
            ),
            _ => String::new(),
        }
    }

    /// Values that set the name and the tag.
    pub fn whole(&self, tag: &str) -> Yaml {
        let (registry, repository) = self.image.split_once('/').unwrap_or(("docker.io", &self.image));
        let (folder, name) = self.image.rsplit_once('/').unwrap_or(("", &self.image));
        let value = match (self.form, self.form.keys()) {
            (Form::RegistryToo | Form::InMap, _) => {
                map([("registry", text(registry)), ("repository", text(repository)), ("tag", text(tag))])
            }
            (Form::OwnKeys, _) => map([("host", text(folder)), ("service", text(name)), ("tag", text(tag))]),
            (Form::DefaultRegistry, _) => map([("repository", text(repository)), ("tag", text(tag))]),
            (Form::RepositoryAndName, _) => {
                map([("repository", text(folder)), ("name", text(name)), ("tag", text(tag))])
            }
            (_, Some((name, key))) => map([(name, text(&self.image)), (key, text(tag))]),
            (_, None) => text(self.text_of(tag)),
        };
        nested(&self.keys(), value)
    }

    /// Values that set the tag alone, where that can be.
    pub fn tag_alone(&self, tag: &str) -> Yaml {
        match self.form.keys() {
            None => self.whole(tag),
            Some((_, key)) => nested(&self.keys(), map([(key, text(tag))])),
        }
    }

    /// Values that set the tag which the template prefers, where there is one.
    fn global_tag(&self, tag: &str) -> Option<Yaml> {
        matches!(self.form, Form::GlobalTag | Form::InMap)
            .then(|| nested(&["global"], map([("imageTag", text(tag))])))
    }

    /// Values that set the tag which is stronger, where there is one.
    fn pinned(&self, tag: &str) -> Option<Yaml> {
        (self.form == Form::PinnedTag).then(|| nested(&self.keys(), map([("pinned", text(tag))])))
    }

    /// Values that leave the image without a tag, where the chart has another one for it then.
    fn emptied(&self, maker: &mut Maker) -> Option<Yaml> {
        let none = if maker.chance(50) { text("") } else { super::yaml::bare("null") };
        let has_default = matches!(self.form, Form::RepositoryAndTag | Form::InMap);
        has_default.then(|| nested(&self.keys(), map([("tag", none)])))
    }

    /// Values that set the digest alone, where there can be one.
    fn digest(&self, maker: &mut Maker) -> Option<Yaml> {
        let (key, lacks) = self.form.digest()?;
        let hash = maker.pick(&["3", "a", "f"]).repeat(64);
        let value = if lacks.is_empty() { format!("sha256:{hash}") } else { hash };
        Some(nested(&self.keys(), map([(key, text(value))])))
    }

    /// Below the name of a sub-chart.
    fn below(&self, name: &str) -> Block {
        Block { path: [vec![name.to_owned()], self.path.clone()].concat(), ..self.clone() }
    }

    /// The path of the tag, or of the whole image.
    pub fn tag_path(&self) -> String {
        let path = self.path.join(".");
        self.form.keys().map_or(path.clone(), |(_, tag)| format!("{path}.{tag}"))
    }

    /// What is at that path.
    pub fn text_of(&self, tag: &str) -> String {
        if self.form == Form::OneString { format!("{}:{tag}", self.image) } else { tag.to_owned() }
    }
}

pub fn chart(maker: &mut Maker, folder: &str, name: &str) -> Chart {
    let images = blocks(maker);
    write_chart(maker, folder, name, &images, Vec::new());
    let mut values = defaults(maker, &images);
    let mut all = images;
    if maker.chance(30) {
        let (dependency, inner) = sub_chart(maker, folder);
        write_chart(maker, folder, name, &all, vec![dependency]);
        for block in inner {
            if maker.chance(50) {
                let tag = maker.tag();
                values = values.over(some_values(maker, &block, &tag));
            }
            all.push(block);
        }
    }
    maker.write(&below(folder, "values.yaml"), &values);
    Chart { folder: folder.to_owned(), name: name.to_owned(), images: all }
}

fn some_values(maker: &mut Maker, block: &Block, tag: &str) -> Yaml {
    if maker.chance(6)
        && let Some(values) = block.emptied(maker)
    {
        return values;
    }
    let values = if maker.chance(50) { block.whole(tag) } else { block.tag_alone(tag) };
    let values = some_global_tag(maker, block, values);
    some_digest(maker, block, values, 25)
}

fn some_global_tag(maker: &mut Maker, block: &Block, values: Yaml) -> Yaml {
    let tag = maker.tag();
    match block.global_tag(&tag).or_else(|| block.pinned(&tag)).filter(|_| maker.chance(40)) {
        Some(global) => values.over(global),
        None => values,
    }
}

/// With a digest too, of so many in a hundred.
fn some_digest(maker: &mut Maker, block: &Block, values: Yaml, percent: u8) -> Yaml {
    match block.digest(maker).filter(|_| maker.chance(percent)) {
        Some(digest) => values.over(digest),
        None => values,
    }
}

fn blocks(maker: &mut Maker) -> Vec<Block> {
    let paths: &[&[&str]] = match maker.rng.u8(0..5) {
        0 | 1 => &[&["image"]],
        2 => &[&["api", "image"], &["worker", "image"]],
        3 => &[&["image"], &["sidecar", "image"]],
        _ => &[&["images", "api"]],
    };
    let mut blocks = Vec::new();
    for path in paths {
        let form = match maker.rng.u8(0..20) {
            0 => Form::RegistryToo,
            1 => Form::OneString,
            2 if path.last() == Some(&"image") => Form::NameAndTag,
            3 => Form::WithDigest,
            4 => Form::WithSha,
            5 => Form::ImageAndTag,
            6 => Form::ImageRepositoryAndTag,
            7 if path.last() == Some(&"image") => Form::RepositoryAndName,
            8 => Form::GlobalTag,
            9 => Form::OwnKeys,
            10 => Form::DefaultRegistry,
            11 => Form::PinnedTag,
            12 | 13 => Form::InMap,
            _ => Form::RepositoryAndTag,
        };
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        let image = maker.name();
        let has_folder = image.contains('/');
        let needs_folder = matches!(
            form,
            Form::RegistryToo | Form::RepositoryAndName | Form::OwnKeys | Form::DefaultRegistry | Form::InMap
        );
        let form = if needs_folder && !has_folder { Form::RepositoryAndTag } else { form };
        blocks.push(Block { path, form, image });
    }
    blocks
}

/// What values.yaml says: names, and often a floating tag.
fn defaults(maker: &mut Maker, images: &[Block]) -> Yaml {
    let mut values = map([("replicaCount", super::yaml::bare("1"))]);
    if images.iter().any(|block| block.form == Form::GlobalTag) {
        // helm refuses to look for a key where there is no map
        values = values.over(nested(&["global"], map([("team", text("shop"))])));
    }
    for block in images {
        let tag = match maker.rng.u8(0..6) {
            0..3 => maker.mark("latest"),
            3 if matches!(block.form, Form::RepositoryAndTag | Form::InMap) => String::new(),
            _ => maker.tag(),
        };
        let whole = some_global_tag(maker, block, block.whole(&tag));
        let whole = some_digest(maker, block, whole, 40);
        values = values.over(whole);
    }
    if maker.chance(20) { with_shared_tag(values, images) } else { values }
}

/// The second image's tag is an alias to the first one's.
fn with_shared_tag(values: Yaml, images: &[Block]) -> Yaml {
    let [first, second, ..] = images else { return values };
    let (Some((_, tag)), Some((_, other))) = (first.form.keys(), second.form.keys()) else { return values };
    let anchored = |text: Yaml| Yaml::Anchored("tag".to_owned(), Box::new(text));
    let path = [first.keys(), vec![tag]].concat();
    let values = values.changed(&path, &anchored);
    values.changed(&[second.keys(), vec![other]].concat(), &|_| super::yaml::bare("*tag"))
}

fn write_chart(maker: &mut Maker, folder: &str, name: &str, images: &[Block], dependencies: Vec<Yaml>) {
    let mut about = map([
        ("apiVersion", text("v2")),
        ("name", text(name)),
        ("version", text("0.1.0")),
        ("appVersion", text("1.0.0")),
    ]);
    if !dependencies.is_empty() {
        about = about.with("dependencies", list(dependencies));
    }
    maker.write(&below(folder, "Chart.yaml"), &about);
    let containers: String = images
        .iter()
        .enumerate()
        .map(|(index, block)| {
            format!("{}        - name: c{index}\n          image: {}\n", block.before(), block.template())
        })
        .collect();
    let template = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}\nspec:\n  template:\n    spec:\n      containers:\n{containers}"
    );
    maker.files.insert(below(folder, "templates/deployment.yaml"), template);
    if images.iter().any(|block| block.form == Form::InMap) {
        maker.files.insert(below(folder, "templates/_image.tpl"), NAMED_TEMPLATE.to_owned());
    }
}

/// A chart in `charts`, by its name or an alias; its images as the parent's values name them.
fn sub_chart(maker: &mut Maker, parent: &str) -> (Yaml, Vec<Block>) {
    let folder = below(parent, "charts/cache");
    let images = blocks(maker);
    write_chart(maker, &folder, "cache", &images, Vec::new());
    let values = defaults(maker, &images);
    maker.write(&below(&folder, "values.yaml"), &values);
    let alias = maker.chance(40);
    let mut dependency = map([("name", text("cache")), ("version", text("0.1.0"))]);
    if alias {
        dependency = dependency.with("alias", text("fast"));
    }
    let key = if alias { "fast" } else { "cache" };
    (dependency, images.iter().map(|block| block.below(key)).collect())
}

/// Values for some of the images of a chart.
pub fn values(maker: &mut Maker, chart: &Chart, percent: u8) -> Yaml {
    let mut values = map([("replicaCount", super::yaml::bare("3"))]);
    for block in &chart.images {
        if maker.chance(percent) {
            let tag = maker.tag();
            values = values.over(some_values(maker, block, &tag));
        }
    }
    values
}

/// Values files beside a chart.
pub fn values_files(maker: &mut Maker, chart: &Chart) -> Vec<String> {
    let mut files = Vec::new();
    let sets: u8 = if maker.chance(70) { 95 } else { 50 };
    for environment in ["prod", "staging"] {
        let name = match maker.rng.u8(0..8) {
            0 => continue,
            1 => format!("values.{environment}.yaml"),
            2 => format!("{environment}-values.yml"),
            3 => format!("values_{environment}.yaml"),
            _ => format!("values-{environment}.yaml"),
        };
        let values = values(maker, chart, sets);
        let path = below(&chart.folder, &name);
        maker.write(&path, &values);
        files.push(path);
    }
    files
}
