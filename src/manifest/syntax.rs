//! The two ways in which values files write an image: as a block (`repository` and `tag`) or as a string
//! (`image: a:b`).
//!
//! In Helm values, both appear at any depth. The keys are those that charts use by convention; there is no
//! standard for them.

use std::collections::{HashMap, HashSet};

use super::encrypted::ENCRYPTED;
use super::walk::{Next, walk};
use super::{Document, Reference, ReferenceSyntax, ValueLocation};
use crate::image::{
    Digest, NAME_LENGTH, ParsedReference, SHA256, is_possible_name, is_sha256, shortened, split_tag,
};
use crate::yaml::{NodeId, NodeKind, ParsedYaml, ScalarStyle, needs_quotes};

/// Name key and tag key of a block, most specific first.
pub const BLOCKS: [(&str, &str); 11] = [
    ("repository", "tag"),
    ("repository", "imageTag"),
    ("repo", "tag"),
    ("repo", "imageTag"),
    ("imageRepository", "imageTag"),
    ("imageRepo", "imageTag"),
    ("imageName", "imageTag"),
    ("image_name", "image_tag"),
    ("image", "tag"),
    ("image", "imageTag"),
    IN_IMAGE,
];

/// A block only in a map that is called `image`: anything can have a `name` and a `tag`.
pub const IN_IMAGE: (&str, &str) = ("name", "tag");

/// What charts call the digest of an image.
const DIGESTS: [&str; 8] =
    ["digest", "sha", "imageDigest", "image_digest", "sha256", "imageSha", "imageSHA", "tagDigest"];

/// Those that have only the hexadecimal digits, unless they say otherwise.
const BARE_DIGESTS: [&str; 4] = ["sha", "sha256", "imageSha", "imageSHA"];

/// How the keys of a digest end if those before it are `xImage` and `xImageTag`.
const DIGEST_ENDINGS: [&str; 3] = ["Digest", "Sha", "SHA"];

/// Keys of a tag that a chart may join to a name by itself. tagbump can't know whether it does.
pub const VERSIONS: [&str; 4] = ["version", "imageVersion", "image_version", "release"];

/// Keys of a name that can lack the last part of it, which is then under `name` or `image`.
const REPOSITORIES: [&str; 2] = ["repository", "repo"];

/// Every reference below `root`, the top-level map of the values.
pub fn find(doc: &Document<'_>, root: NodeId, kind: &'static str) -> Vec<Reference> {
    let finder = Finder { doc, kind, registry: global_registry(doc, root) };
    let mut found = Vec::new();
    walk(doc.yaml, root, |id| finder.visit(id, &mut found));
    // the same place can be found twice: as a map, and through an alias to a node around it
    let mut places = HashSet::new();
    found.retain(|r: &Reference| places.insert(r.at));
    found
}

/// `global.imageRegistry` replaces the `registry` of every block (a convention of Bitnami's charts).
fn global_registry(doc: &Document<'_>, root: NodeId) -> Option<String> {
    let node = doc.yaml.at(root, &["global", "imageRegistry"])?;
    doc.yaml.text(node).filter(|text| !text.is_empty()).map(str::to_owned)
}

struct Finder<'a> {
    doc: &'a Document<'a>,
    kind: &'static str,
    registry: Option<String>,
}

impl Finder<'_> {
    /// Searches one node. Aliased maps are searched where they are written.
    fn visit(&self, id: NodeId, found: &mut Vec<Reference>) -> Next {
        let yaml = self.doc.yaml;
        if !matches!(yaml.node(id).kind, NodeKind::Map) {
            return Next::Inside;
        }
        // image names in annotations don't run anything
        if yaml.key_text(id).is_some_and(is_annotations) {
            return Next::Past;
        }
        self.map(id, found);
        Next::Inside
    }

    fn map(&self, map: NodeId, found: &mut Vec<Reference>) {
        let block = self.may_be_block(map).then(|| self.block(map).or_else(|| self.untagged(map))).flatten();
        let block_key = block.as_ref().map(|(key, _)| *key);
        found.extend(block.map(|(_, reference)| reference));
        // the `image` of a Ceph volume isn't a container image
        if self.doc.yaml.key_text(map) != Some("rbd") {
            self.strings(map, block_key, found);
        }
    }

    /// Whether the map has a key that only blocks have, or a merge key. Most maps don't.
    fn may_be_block(&self, map: NodeId) -> bool {
        let yaml = self.doc.yaml;
        let mut keys = yaml.pairs(map).filter_map(|(_, value)| yaml.key_text(value));
        keys.any(|key| {
            key == "<<" || REPOSITORIES.contains(&key) || BLOCKS.iter().any(|(_, tag)| *tag == key)
        })
    }

    /// Reads the map as a block. Also returns the key that holds the name, so that it isn't read as a string
    /// too.
    fn block(&self, map: NodeId) -> Option<(NodeId, Reference)> {
        let yaml = self.doc.yaml;
        let get = |key: &str| yaml.get(map, key).map(ValueLocation::from);
        let in_image = is_image(yaml, map);
        BLOCKS.iter().filter(|keys| in_image || **keys != IN_IMAGE).find_map(|&(name_key, tag_key)| {
            let (name, tag) = (get(name_key)?, get(tag_key)?);
            let hub = (name_key == "image").then(|| get("hub")).flatten();
            let prefix = hub.or_else(|| get("registry"));
            // a block that comes from a merge key as a whole is found where it is written
            let own = |slot: ValueLocation| yaml.node(slot.key).parent == Some(map);
            let any_own = own(name) || own(tag) || prefix.is_some_and(own);
            let (name, registry) = last_part(yaml, map, name, self.prefix(prefix, hub.is_some()));
            let written = ParsedReference::parse(yaml.text(name.node)?);
            if !any_own || written.tag.is_some() || written.digest.is_some() {
                return None;
            }
            let parts = ImageBlock { repository: name, registry, tag, digest: digest_key(yaml, &get) };
            Some((name.key, parts.reference(yaml, self.kind)?))
        })
    }

    /// A `repository` alone runs the chart's default tag; `--add` can give it one, unless a `version` is its tag.
    fn untagged(&self, map: NodeId) -> Option<(NodeId, Reference)> {
        let get = |key: &str| self.doc.yaml.get(map, key).map(ValueLocation::from);
        let own = |slot: &ValueLocation| self.doc.yaml.node(slot.key).parent == Some(map);
        if ["tag", "imageTag"].iter().chain(&VERSIONS).any(|key| get(key).is_some()) {
            return None;
        }
        let repository = get("repository").or_else(|| get("repo")).filter(own)?;
        let registry = self.prefix(get("registry"), false);
        let (repository, registry) = last_part(self.doc.yaml, map, repository, registry);
        let digest = digest_key(self.doc.yaml, &get);
        let form = ReferenceSyntax::BlockWithoutTag { repository, registry: registry.clone(), digest };
        let reference = Reference {
            kind: self.kind,
            at: repository.place(),
            image: full_name(self.doc.yaml, repository, registry.as_deref())?,
            kustomize_name: None,
            tag: None,
            digest: digest.and_then(|d| digest_text(self.doc.yaml, d)),
            syntax: form,
        };
        Some((repository.key, reference))
    }

    /// The prefix of the repository. A global registry replaces the block's own one.
    fn prefix(&self, own: Option<ValueLocation>, is_hub: bool) -> Option<String> {
        let own = own?;
        let global = self.registry.as_deref().filter(|_| !is_hub);
        let text = global.or_else(|| written(self.doc.yaml, own))?.trim_end_matches('/');
        // one character over the limit is enough to keep a name invalid that is too long
        Some(text.get(..=NAME_LENGTH).unwrap_or(text).to_owned())
    }

    /// `image: name:tag@digest`, also `xImage:`. If there is an `xImageTag` next to it, that holds the tag.
    fn strings(&self, map: NodeId, block_key: Option<NodeId>, found: &mut Vec<Reference>) {
        let yaml = self.doc.yaml;
        let text = |key| yaml.text(key).unwrap_or_default();
        let pairs = || yaml.pairs(map).filter(|&(key, _)| Some(key) != block_key);
        let is_beside = |key: &str| key.contains("Image") && !is_image_key(key);
        // `xImageTag`, `xImageDigest`
        let beside: HashMap<_, _> = pairs()
            .filter(|&(k, _)| is_beside(text(k)))
            .map(|(key, value)| (text(key), (key, value)))
            .collect();
        for (key, value) in pairs() {
            let name = text(key);
            if !is_image_key(name) {
                continue;
            }
            let get = |ending: &str| {
                let (key, value) = *beside.get(format!("{name}{ending}").as_str())?;
                Some(self.slot(key, value))
            };
            let (repository, tag) =
                (self.slot(key, value), if beside.is_empty() { None } else { get("Tag") });
            let reference = match tag {
                Some(tag) => {
                    let digest = first_digest(yaml, &DIGEST_ENDINGS.map(get));
                    ImageBlock { repository, registry: None, tag, digest }.reference(yaml, self.kind)
                }
                None => {
                    string(yaml, repository, self.kind).filter(|found| !self.is_beside_version(map, found))
                }
            };
            let is_image = name == "image";
            let beside = if beside.is_empty() { None } else { first_digest(yaml, &DIGEST_ENDINGS.map(get)) };
            let has_digest = match is_image {
                true => self.has_digest(map),
                false => tag.is_none() && beside.is_some_and(|digest| yaml.text(digest.node) != Some("")),
            };
            found.extend(reference.map(|r| {
                match r.tag.is_none() && is_image && block_key.is_some() || has_digest {
                    true => beside_block(r),
                    false => r,
                }
            }));
        }
    }

    /// Whether a name without a tag is beside a version, which a chart may add to it.
    fn is_beside_version(&self, map: NodeId, one: &Reference) -> bool {
        let is_bare = one.tag.is_none() && one.digest.is_none();
        is_bare && VERSIONS.iter().any(|key| self.doc.yaml.get(map, key).is_some())
    }

    /// Whether a map has a digest in a key of its own.
    fn has_digest(&self, map: NodeId) -> bool {
        let yaml = self.doc.yaml;
        let text =
            |key: &str| yaml.get(map, key).and_then(|value| yaml.text(ValueLocation::from(value).node));
        DIGESTS.iter().filter_map(|key| text(key)).any(|text| is_sha256(text) || Digest::parse(text).is_ok())
    }

    fn slot(&self, key: NodeId, value: NodeId) -> ValueLocation {
        let node = self.doc.yaml.resolve(value);
        ValueLocation { key, node, shared_by: (node != value).then_some(value) }
    }
}

/// Whether a key names an image: `image`, `xImage`.
pub fn is_image_key(key: &str) -> bool {
    key == "image" || key.ends_with("Image")
}

/// Whether a map is called `image`, `xImage`, …
pub fn is_image(yaml: &ParsedYaml, map: NodeId) -> bool {
    yaml.key_text(map).is_some_and(is_image_key)
}

/// Where the last part of a block's name is, and what is before it: in a map called `image`,
/// `repository: ghcr.io/acme` and `name: api`, or `image: api`, are one name.
pub fn last_part(
    yaml: &ParsedYaml,
    map: NodeId,
    repository: ValueLocation,
    registry: Option<String>,
) -> (ValueLocation, Option<String>) {
    let is_repository = yaml.text(repository.key).is_some_and(|key| REPOSITORIES.contains(&key));
    let last = ["name", "image"].iter().find_map(|key| yaml.get(map, key));
    let name = last.filter(|_| is_repository && is_image(yaml, map)).map(ValueLocation::from);
    let joined = name.and_then(|name| {
        let (before, last) = (yaml.text(repository.node)?, yaml.text(name.node)?);
        Some((name, joined_prefix(registry.as_deref(), before, last)?))
    });
    match joined {
        Some((name, prefix)) => (name, Some(prefix)),
        None => (repository, registry),
    }
}

/// What is before the last part of a name, if `repository` lacks that part: `ghcr.io/acme` of `ghcr.io/acme` and `api`.
pub fn joined_prefix(registry: Option<&str>, repository: &str, name: &str) -> Option<String> {
    let before = repository.trim_end_matches('/');
    let is_whole = before == name || before.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'));
    if before.is_empty() || name.is_empty() || is_whole || !is_possible_name(before) {
        return None;
    }
    Some(registry.map_or_else(|| before.to_owned(), |registry| format!("{registry}/{before}")))
}

/// The string form: `name[:tag][@digest]` in one scalar.
pub fn string(yaml: &ParsedYaml, slot: ValueLocation, kind: &'static str) -> Option<Reference> {
    if is_no_string(yaml, slot.node) {
        return None;
    }
    let written = ParsedReference::parse(yaml.text(slot.node)?);
    is_name(written.name).then(|| Reference {
        kind,
        at: slot.place(),
        image: written.name.to_owned(),
        kustomize_name: None,
        tag: written.tag.map(shortened),
        digest: written.digest.map(shortened),
        syntax: ReferenceSyntax::Text(slot),
    })
}

/// An `image` without a tag next to a block's repository and tag, and any beside a digest, is part of a name. Charts differ in
/// how they combine them.
fn beside_block(reference: Reference) -> Reference {
    match reference.syntax {
        ReferenceSyntax::Text(slot) if reference.digest.is_none() => {
            Reference { syntax: ReferenceSyntax::BesideBlock(slot), ..reference }
        }
        _ => reference,
    }
}

/// The block form: name and tag in separate scalars.
pub struct ImageBlock {
    pub repository: ValueLocation,
    /// The prefix of the repository, if there is one.
    pub registry: Option<String>,
    pub tag: ValueLocation,
    pub digest: Option<ValueLocation>,
}

impl ImageBlock {
    /// The block as a reference; `None` if the repository isn't a name or the tag isn't a scalar.
    pub fn reference(self, yaml: &ParsedYaml, kind: &'static str) -> Option<Reference> {
        let ImageBlock { repository, registry, tag, digest } = self;
        let (text, in_tag) = split_tag(yaml.text(tag.node)?);
        let own = digest.and_then(|d| digest_text(yaml, d));
        Some(Reference {
            kind,
            at: tag.place(),
            image: full_name(yaml, repository, registry.as_deref())?,
            kustomize_name: None,
            tag: Some(text).filter(|t| !t.is_empty()).map(shortened),
            digest: own.or_else(|| in_tag.map(shortened)),
            syntax: ReferenceSyntax::Block { repository, registry, tag, digest },
        })
    }
}

/// Whether a scalar is a number or a boolean, as in `pullImage: true`.
fn is_no_string(yaml: &ParsedYaml, id: NodeId) -> bool {
    let plain = matches!(yaml.node(id).kind, NodeKind::Scalar { style: ScalarStyle::Plain, .. });
    plain && yaml.text(id).is_some_and(|text| needs_quotes(text, false))
}

fn written(yaml: &ParsedYaml, slot: ValueLocation) -> Option<&str> {
    yaml.text(slot.node).filter(|text| !text.is_empty())
}

/// The key of a block's digest: of several, the first that isn't empty. In some charts, such as grafana and
/// kube-prometheus-stack, it is `sha`, and has only the hexadecimal digits of a SHA-256.
pub fn digest_key(yaml: &ParsedYaml, get: &dyn Fn(&str) -> Option<ValueLocation>) -> Option<ValueLocation> {
    first_digest(yaml, &DIGESTS.map(get))
}

/// The first digest that isn't empty, or else the first place for one. Only a key that is called `digest` may hold something else.
fn first_digest(yaml: &ParsedYaml, slots: &[Option<ValueLocation>]) -> Option<ValueLocation> {
    let is_digest = |text: &str| text.is_empty() || is_sha256(text) || Digest::parse(text).is_ok();
    let is_meant = |slot: &&ValueLocation| {
        yaml.text(slot.key) == Some(DIGESTS[0]) || yaml.text(slot.node).is_some_and(is_digest)
    };
    let meant = || slots.iter().flatten().filter(is_meant);
    let filled = meant().find(|slot| yaml.text(slot.node) != Some(""));
    filled.or_else(|| meant().next()).copied()
}

/// The value of a digest key, as an image has it.
fn digest_text(yaml: &ParsedYaml, slot: ValueLocation) -> Option<String> {
    let text = written(yaml, slot)?;
    let is_bare = is_bare_digest(yaml, slot) && is_sha256(text);
    Some(if is_bare { format!("{SHA256}{text}") } else { shortened(text) })
}

/// Whether a digest key takes a SHA-256 without `sha256:`.
pub fn is_bare_digest(yaml: &ParsedYaml, slot: ValueLocation) -> bool {
    let is_sha = yaml.text(slot.key).is_some_and(|key| BARE_DIGESTS.iter().any(|bare| key.ends_with(bare)));
    yaml.text(slot.node).is_some_and(|text| is_sha256(text) || (is_sha && !text.starts_with(SHA256)))
}

fn full_name(yaml: &ParsedYaml, name: ValueLocation, registry: Option<&str>) -> Option<String> {
    let name = written(yaml, name).filter(|text| is_name(text))?;
    match registry {
        Some(registry) => is_possible_name(registry).then(|| format!("{registry}/{name}")),
        None => Some(name.to_owned()),
    }
}

pub fn is_annotations(key: &str) -> bool {
    key == "annotations" || key.ends_with("Annotations")
}

/// Whether a string can be an image's name at all. Matching against the IMAGE argument happens later.
fn is_name(text: &str) -> bool {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let is_other = text.contains("://") || text.starts_with(ENCRYPTED);
    !text.is_empty() && is_possible_name(text) && !text.contains(blank) && !is_other
}
