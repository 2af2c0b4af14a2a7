//! Images in places that no rule knows: fields of custom resources, compose files under another name, values of
//! tools that tagbump doesn't read. They are reported, with the field that sets them, but never edited by themselves.

use std::collections::HashSet;

use super::encrypted::is_encrypted;
use super::syntax::{self, is_image_key};
use super::walk::{Next, walk};
use super::{Document, ManifestFile, Reference, ReferenceSyntax, ValueLocation, documents};
use crate::file_selection::{file_name, is_own_file};
use crate::image::{ParsedReference, Tag, is_name, same_image, short_name, shortened};
use crate::yaml::{NodeId, NodeKind, ParsedYaml};

/// A place that names an image, and that no rule knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPlace {
    /// The scalar that holds the tag, or the whole image.
    pub at: NodeId,
    /// The kind of the object that it is in, if it is in one.
    pub object: Option<String>,
    pub image: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
    /// Only the name is there: no tag, and no field for one.
    pub bare: bool,
    /// Where it stands says that it is an image, whatever its name is.
    pub certain: bool,
}

/// The keys of a whole image in custom resources, besides `image` and `xImage` (CloudNativePG's `Cluster`).
const IMAGE_NAME: &str = "imageName";

/// The keys of the parts of a name, in their order. The last one that is there is a name of its own.
const NAME_PARTS: [&str; 4] = ["registry", "repository", "repo", "image"];

/// Keys of a name in a map that is called `image`.
const IN_IMAGE: [&str; 3] = ["name", "url", "path"];

/// Those that make no block with a `tag`.
const NO_BLOCK: [&str; 2] = ["url", "path"];

/// Kinds that name images without running them. `ImageRepository` is Flux's, `ImageUpdater` Argo CD's, `VulnerabilityReport` Trivy's.
const NOTHING_RUNS: [&str; 4] =
    ["CustomResourceDefinition", "ImageRepository", "ImageUpdater", "VulnerabilityReport"];

/// Keys of the tag of an image whose name is beside it.
const TAGS_BESIDE: [&str; 6] = ["tag", "newTag", "imageTag", "image_tag", "imageVersion", "image_version"];

/// Blocks that are nested deeper are not looked at closely.
const MAX_DEPTH: usize = 64;

/// Chooses images by name, tag and digest.
pub type WantedImage<'a> = &'a dyn Fn(&ParsedReference<'_>) -> bool;

/// Every place in a file that names a wanted image, and that isn't a part of a known reference.
pub fn unknown_places<'a>(
    file: &ManifestFile<'_>,
    known: impl Iterator<Item = &'a Reference>,
    wanted: WantedImage<'_>,
) -> Vec<UnknownPlace> {
    if is_no_manifest(file.path) || file.yaml.check().is_err() {
        return Vec::new();
    }
    let known: HashSet<NodeId> = known.flat_map(Reference::slots).map(|slot| slot.node).collect();
    let may_have_blocks = may_have_blocks(file.text);
    let mut search = PlaceSearch { yaml: file.yaml, known, wanted, may_have_blocks, found: Vec::new() };
    let mut documents = documents(file);
    documents.reverse();
    for doc in documents.iter().filter(|doc| !doc.kind().is_some_and(|kind| NOTHING_RUNS.contains(&kind))) {
        search.document(doc);
    }
    search.found.sort_by_key(|place| place.at);
    search.found
}

/// A line that names an image, in a text that isn't valid YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamingLine {
    /// 1-based.
    pub line: usize,
    /// What a container gets, if that is written there as it is: `name[:tag][@digest]`.
    pub image: Option<String>,
}

/// The lines of a text that isn't valid YAML, such as a template, in which an image is named with a tag or digest.
pub fn unparsed_places(path: &str, text: &str, image: &str) -> Vec<NamingLine> {
    if is_no_manifest(path) {
        return Vec::new();
    }
    let word = short_name(image);
    let named = |line: &&str| {
        !line.trim_start().starts_with('#') && line.match_indices(word).any(|(at, _)| names(line, at, image))
    };
    let naming = text.lines().enumerate().filter(|(_, line)| named(line));
    naming.map(|(nth, line)| NamingLine { line: nth + 1, image: written_image(line) }).collect()
}

/// What is behind `image:` in a line, unless an action of a template is.
fn written_image(line: &str) -> Option<String> {
    let line = line.trim_start().trim_start_matches("- ").trim_start();
    let value = line.strip_prefix("image:")?.split(" #").next()?.trim().trim_matches(['"', '\'']);
    (!value.is_empty() && !value.contains([' ', '{', '$'])).then(|| value.to_owned())
}

/// Whether the name whose last part is at this offset is that of the image, in any spelling, with a tag or digest behind it, or the
/// whole value of a name's key.
fn names(line: &str, at: usize, image: &str) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(byte);
    let above = line.as_bytes()[..at].iter().rev().take(MAX_NAME);
    let start = at - above.take_while(|byte| is_of_name(byte)).count();
    let end = at + short_name(image).len();
    let (before, name, behind) = (&line[..start], &line[start..end], &line[end..]);
    if !same_image(name, image) || !name.contains('/') && !may_name_image(line) {
        return false;
    }
    let tagged = behind.strip_prefix([':', '@']);
    let is_tagged = tagged.is_some_and(|tag| !tag.starts_with(char::is_whitespace) && !tag.is_empty());
    let rest = behind.trim_start_matches(['"', '\'']).trim_start();
    let key = before.trim_end_matches(['"', '\'', ' ']).strip_suffix(':').unwrap_or_default();
    let is_value =
        ["name", "Name", "image", "Image", "repository", "repo"].iter().any(|end| key.ends_with(end))
            && (rest.is_empty() || rest.starts_with(['#', ',', '}']));
    is_tagged || is_value
}

/// More of a line isn't looked at as one name, in bytes.
const MAX_NAME: usize = 512;

/// Files that name images without running them: those of tagbump itself, GitHub, Renovate and Dependabot.
fn is_no_manifest(path: &str) -> bool {
    let name = file_name(path);
    let is_of_updater = ["renovate", ".renovaterc", "dependabot"].iter().any(|start| name.starts_with(start));
    is_of_updater || is_own_file(path) || path.split('/').any(|folder| folder == ".github")
}

struct PlaceSearch<'a> {
    yaml: &'a ParsedYaml,
    /// The scalars that belong to references, and those that were found.
    known: HashSet<NodeId>,
    wanted: WantedImage<'a>,
    may_have_blocks: bool,
    found: Vec<UnknownPlace>,
}

/// Whether a text may have a key for the tag of an image block. An escape can hide it.
fn may_have_blocks(text: &str) -> bool {
    ["tag", "Tag", "\\"].iter().any(|part| memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some())
}

impl PlaceSearch<'_> {
    fn document(&mut self, doc: &Document<'_>) {
        if self.may_have_blocks {
            self.blocks(doc);
        }
        let object = doc.api_version().and(doc.kind()).map(shortened);
        walk(doc.yaml, doc.root, |id| {
            let yaml = self.yaml;
            if yaml.key_text(id).is_some_and(|key| doc.is_aside(id, key)) {
                return Next::Past;
            }
            match yaml.node(id).kind {
                NodeKind::Map => self.version(id, object.as_deref()),
                NodeKind::Scalar { .. } if !is_key(yaml, id) => self.scalar(id, object.as_deref()),
                _ => {}
            }
            Next::Inside
        });
    }

    /// Image blocks outside of what is read as Helm values.
    fn blocks(&mut self, doc: &Document<'_>) {
        for block in syntax::find(doc, doc.root, "") {
            let ReferenceSyntax::Block { tag, .. } = block.syntax else { continue };
            let text = self.yaml.text(tag.node).unwrap_or_default();
            if is_encrypted(text) || !self.is_new(&block) || self.is_below_status(doc, tag.node) {
                continue;
            }
            self.known.extend(block.slots().iter().map(|slot| slot.node));
            let Reference { image, tag: text, digest, .. } = &block;
            if (self.wanted)(&ParsedReference {
                name: image,
                tag: text.as_deref(),
                digest: digest.as_deref(),
            }) {
                let map = self.yaml.node(tag.node).parent;
                let is_image = map.is_some_and(|map| syntax::is_image(self.yaml, map));
                let certain = is_image || (doc.api_version().is_some() && doc.kind().is_some());
                self.found.push(UnknownPlace {
                    at: tag.place(),
                    object: doc.api_version().and(doc.kind()).map(shortened),
                    image: block.image,
                    tag: block.tag,
                    digest: block.digest,
                    bare: false,
                    certain,
                });
            }
        }
    }

    fn is_new(&self, reference: &Reference) -> bool {
        !reference.slots().iter().any(|slot| self.known.contains(&slot.node))
    }

    fn is_below_status(&self, doc: &Document<'_>, id: NodeId) -> bool {
        let parents = std::iter::successors(Some(id), |&id| self.yaml.node(id).parent);
        let mut top = parents.take_while(|&id| id != doc.root).take(MAX_DEPTH);
        top.any(|id| self.yaml.key_text(id) == Some("status"))
    }

    /// The key that ends an image's name in a map, if it has one.
    fn last_name(&self, map: NodeId) -> Option<ValueLocation> {
        let get = |key: &&str| self.yaml.get(map, key).map(ValueLocation::from);
        let in_image = || syntax::is_image(self.yaml, map).then(|| IN_IMAGE.iter().find_map(get)).flatten();
        NAME_PARTS[1..].iter().rev().find_map(get).or_else(in_image)
    }

    /// A `repository`, or an `image` without a tag, whose tag is in `version`. tagbump can't know whether the chart reads it.
    fn version(&mut self, map: NodeId, object: Option<&str>) {
        let Some(last) = self.last_name(map) else { return };
        let get = |key: &str| self.yaml.get(map, key).map(ValueLocation::from);
        let text = |slot: ValueLocation| self.yaml.text(slot.node).filter(|text| !is_encrypted(text));
        let is_no_block = self.yaml.text(last.key).is_some_and(|key| NO_BLOCK.contains(&key));
        let beside = if is_no_block { get("tag") } else { None };
        let Some(version) = syntax::VERSIONS.iter().find_map(|key| get(key)).or(beside) else { return };
        let (Some(tag), Some(own)) = (text(version), text(last)) else { return };
        let is_own = self.yaml.node(version.key).parent == Some(map);
        if (beside.is_none() && get("tag").is_some())
            || get("imageTag").is_some()
            || !is_own
            || !is_name(own)
            || own.contains("://")
        {
            return;
        }
        let parts: Vec<_> = NAME_PARTS.iter().filter_map(|key| get(key)).collect();
        // charts differ in which of these they join
        let whole: Vec<&str> = parts.iter().filter_map(|part| text(*part)).collect();
        let names = [own.to_owned(), whole.join("/"), whole[whole.len().saturating_sub(2)..].join("/")];
        self.known.extend(parts.iter().chain([&version, &last]).map(|slot| slot.node));
        let is_wanted = |name: &&String| {
            is_name(name) && (self.wanted)(&ParsedReference { name, tag: Some(tag), digest: None })
        };
        if let Some(image) = names.iter().find(is_wanted).cloned() {
            let tag = Some(tag).filter(|tag| !tag.is_empty()).map(shortened);
            let object = object.map(str::to_owned);
            // other tools have a repository and a version too
            let (at, certain) = (version.place(), syntax::is_image(self.yaml, map));
            self.found.push(UnknownPlace { at, object, image, tag, digest: None, bare: false, certain });
        }
    }

    /// Where the tag of a name is, if it is in the same map.
    fn tag_beside(&self, name: NodeId) -> Option<ValueLocation> {
        let map = self.yaml.node(name).parent.filter(|map| self.yaml.is_map(*map))?;
        let found = TAGS_BESIDE.iter().find_map(|key| self.yaml.get(map, key)).map(ValueLocation::from);
        found.filter(|tag| self.yaml.text(tag.node).is_some_and(|text| !is_encrypted(text)))
    }

    fn scalar(&mut self, id: NodeId, object: Option<&str>) {
        if self.known.contains(&id) {
            return;
        }
        let Some(text) = self.yaml.text(id).map(str::trim).filter(|text| !is_encrypted(text)) else { return };
        // most texts are no image, and many are long
        if memchr::memchr2(b'*', b' ', text.as_bytes()).is_some() {
            return;
        }
        let written = ParsedReference::parse(text);
        let bare = written.tag.is_none() && written.digest.is_none();
        if !(self.wanted)(&written) || !is_name(written.name) {
            return;
        }
        let key = self.yaml.key_text(id).unwrap_or_default();
        let is_user = key == "user" && !written.name.contains('/');
        if is_user || is_any_word(&written) && !may_name_image(key) {
            return;
        }
        self.known.insert(id);
        let beside = if bare { self.tag_beside(id) } else { None };
        let (at, tag) = match beside {
            Some(tag) => (tag.place(), self.yaml.text(tag.node).filter(|tag| !tag.is_empty())),
            None => (id, written.tag),
        };
        let bare = bare && beside.is_none();
        self.found.push(UnknownPlace {
            at,
            object: object.map(str::to_owned),
            image: written.name.to_owned(),
            tag: tag.map(shortened),
            digest: written.digest.map(shortened),
            bare,
            certain: !bare
                && object.is_some()
                && (is_image_key(key) || key == IMAGE_NAME)
                && has_version(&written),
        });
    }
}

/// Whether the text can be anything: a word, or a host with a port.
fn is_any_word(written: &ParsedReference<'_>) -> bool {
    let is_port = |tag: &str| tag.bytes().all(|b| b.is_ascii_digit());
    !written.name.contains('/') && written.digest.is_none() && written.tag.is_none_or(is_port)
}

/// Whether a key says that its value names an image.
fn may_name_image(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.contains("image") || key.contains("repo")
}

fn has_version(written: &ParsedReference<'_>) -> bool {
    written.digest.is_some() || written.tag.is_some_and(|tag| Tag::parse(tag).is_ok())
}

fn is_key(yaml: &ParsedYaml, id: NodeId) -> bool {
    let node = yaml.node(id);
    node.key.is_none() && node.parent.is_some_and(|parent| matches!(yaml.node(parent).kind, NodeKind::Map))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::references;
    use crate::yaml::{FieldPath, scan};

    const NAME: &str = "ghcr.io/acme/api";

    /// Field, tag and whether only the name is there, of every place.
    fn places(path: &str, text: &str) -> Vec<(String, Option<String>, bool)> {
        let yaml = scan(text.as_bytes()).unwrap();
        let file = ManifestFile { path, text, yaml: &yaml, is_values: false };
        let known = references(&file);
        let found = unknown_places(&file, known.iter(), &|image| image.name == NAME);
        found.into_iter().map(|p| (FieldPath::to_node(&yaml, p.at).unwrap(), p.tag, p.bare)).collect()
    }

    fn place(field: &str, tag: Option<&str>) -> (String, Option<String>, bool) {
        (field.to_owned(), tag.map(str::to_owned), false)
    }

    fn lines(path: &str, text: &str, image: &str) -> Vec<usize> {
        unparsed_places(path, text, image).iter().map(|place| place.line).collect()
    }

    #[test]
    fn image_that_a_template_gives_as_it_is_written_is_known() {
        let text = "{{ x }}\n  - image: ghcr.io/acme/api:v1 # x\nimage: 'ghcr.io/acme/api'\nimage: ghcr.io/acme/api:{{ .tag }}\nimage: ghcr.io/acme/api:${X}\nx: ghcr.io/acme/api:v1\n";
        let found = unparsed_places("chart/templates/d.yaml", text, NAME);
        let images: Vec<_> = found.iter().map(|place| place.image.as_deref()).collect();
        assert_eq!(images, [Some("ghcr.io/acme/api:v1"), Some(NAME), None, None, None]);
    }

    #[test]
    fn scalar_that_is_the_image_is_found() {
        let text = "apiVersion: x/v1\nkind: KafkaConnect\nspec:\n  image: ghcr.io/acme/api:v1\n  list: [a, ghcr.io/acme/api@sha256:1]\n  other: ghcr.io/acme/api-x:v1\n  sub: x/ghcr.io/acme/api:v1\n";
        assert_eq!(places("k.yaml", text), [place("spec.image", Some("v1")), place("spec.list[1]", None)]);
    }

    #[test]
    fn word_or_host_with_a_port_is_an_image_only_where_its_key_says_so() {
        let fields = |text: &str| {
            let yaml = scan(text.as_bytes()).unwrap();
            let file = ManifestFile { path: "k.yaml", text, yaml: &yaml, is_values: false };
            let found = unknown_places(&file, [].into_iter(), &|image| image.name == "api");
            found.into_iter().map(|p| FieldPath::to_node(&yaml, p.at).unwrap()).collect::<Vec<_>>()
        };
        let text = "app: api\nuser: api:api\nurl: api:8080\nx: api:v1\nmyImage: api:16\nimageName: api\nl: [api, 'api:80']\n";
        assert_eq!(fields(text), ["x", "myImage", "imageName"]);
        assert_eq!(lines("t.yaml", "{{ x }}\nurl: api:80\nimage: api:80\n", "api"), [3]);
    }

    #[test]
    fn name_alone_is_bare() {
        assert_eq!(places("k.yaml", "a: ghcr.io/acme/api\n"), [("a".to_owned(), None, true)]);
    }

    #[test]
    fn block_is_set_by_its_tag() {
        let text = "apiVersion: x/v1\nkind: X\nspec: {image: {repository: ghcr.io/acme/api, tag: v1}}\nstatus: {image: {repository: ghcr.io/acme/api, tag: v1}}\n";
        assert_eq!(places("k.yaml", text), [place("spec.image.tag", Some("v1"))]);
    }

    #[test]
    fn version_beside_a_repository_is_found() {
        let text = "image: {repository: ghcr.io/acme/api, version: v1}\nb: {repository: ghcr.io/acme/api, tag: v1, version: v2}\n";
        let found = places("k.yaml", text);
        assert_eq!(found, [place("image.version", Some("v1")), place("b.tag", Some("v1"))]);
    }

    #[test]
    fn places_that_run_nothing_are_not_found() {
        for text in [
            "apiVersion: x/v1\nkind: X\nstatus: {image: ghcr.io/acme/api:v1}\n",
            "apiVersion: x/v1\nkind: X\nmetadata: {annotations: {a: ghcr.io/acme/api:v1}}\n",
            "apiVersion: x/v1\nkind: CustomResourceDefinition\nspec: {default: ghcr.io/acme/api:v1}\n",
            "apiVersion: x/v1\nkind: ImageRepository\nspec: {image: ghcr.io/acme/api}\n",
            "apiVersion: x/v1\nkind: ImageUpdater\nspec: {images: [{imageName: 'ghcr.io/acme/api:4.0.x'}]}\n",
            "a: ghcr.io/acme/api:*\n",
            "ghcr.io/acme/api:v1: a\n",
            "a: ENC[ghcr.io/acme/api:v1]\n",
            "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: ghcr.io/acme/api:v1}]}\n",
        ] {
            assert_eq!(places("k.yaml", text), [], "{text}");
        }
        for path in [".github/workflows/a.yml", "renovate.yaml", "tagbump.yaml", "a/.github/dependabot.yml"] {
            assert_eq!(places(path, "a: ghcr.io/acme/api:v1\n"), [], "{path}");
        }
    }

    #[test]
    fn line_of_a_template_names_the_whole_image() {
        let text = "{{- if x }}\nimage: \"ghcr.io/acme/api:{{ .tag }}\"\n# ghcr.io/acme/api:v1\na: ghcr.io/acme/api-x:v1\nb: x/ghcr.io/acme/api:v1\nc: ghcr.io/acme/api\nd: 'ghcr.io/acme/api@sha256:1'\n- name: ghcr.io/acme/api # x\n";
        assert_eq!(lines("chart/templates/d.yaml", text, NAME), [2, 7, 8]);
        assert!(unparsed_places(".github/d.yaml", text, NAME).is_empty());
        let hub = "{{ x }}\nimage: busybox:v1\nimage: docker.io/library/busybox:v1\nimage: docker.io/acme/busybox:v1\n";
        for name in ["busybox", "docker.io/library/busybox", "library/busybox"] {
            assert_eq!(lines("d.yaml", hub, name), [2, 3], "{name}");
        }
        assert_eq!(lines("d.yaml", "image: docker.io/acme/api:v1\n{{ x }}", "acme/api"), [1]);
    }
}
