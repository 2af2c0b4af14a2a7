//! Checks whether a change to a file is a bump and nothing else.
//!
//! Pure. It applies the bump to the old version of the file, and compares the bytes.

use std::collections::BTreeSet;

use super::{
    FileContent, FileSource, FoundFiles, Request, Scope, SourceError, SourceFile, UpdateTarget, VisitScope,
    Visitor, plan,
};
use crate::dotenv;
use crate::file_selection::{MatchLevel, Selection, folder, is_yaml};
use crate::image::{
    Digest, Field, ParsedReference, SHA256, Tag, is_sha256, is_version, join_tag, same_image, split_tag,
};
use crate::yaml::{Change, NodeId, NodeKind, ParsedYaml, ScalarStyle, apply, scan};

/// Block scalars that are nested deeper are text.
const MAX_DEPTH: usize = 8;

/// An image and its new version: `TAG`, `TAG@DIGEST` or `@DIGEST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageVersion {
    pub name: String,
    pub version: String,
}

/// A single file as a file source.
pub struct SingleFile<'a> {
    pub path: &'a str,
    pub bytes: &'a [u8],
    pub match_level: MatchLevel,
    /// Whether a `Chart.yaml` is in the same folder.
    pub has_chart: bool,
}

impl FileSource for SingleFile<'_> {
    fn visit(&self, _: &Selection, _: VisitScope, look: Visitor<'_>) -> Result<FoundFiles, SourceError> {
        let SingleFile { path, bytes, match_level, has_chart } = *self;
        let mut found = FoundFiles::default();
        found.take(path, match_level);
        if has_chart {
            found.charts.insert(folder(path).to_owned());
        }
        // there are no other files to visit, so it doesn't matter if the visitor wants to stop
        let _ = look(SourceFile { path, bytes, match_level });
        Ok(found)
    }

    fn read(&self, path: &str, max_size: usize) -> Result<Option<FileContent>, SourceError> {
        Ok((path == self.path).then(|| FileContent::new(self.bytes.to_vec(), max_size)))
    }

    fn is_whole(&self) -> bool {
        false
    }
}

/// Whether a bump to these images turns `before` into `after`.
pub fn is_bump(path: &str, before: &[u8], after: &[u8], images: &[ImageVersion]) -> bool {
    sets_only_images(before, after, images) == Some(true)
        || (!is_yaml(path) && assigns_only_versions(before, after, images) == Some(true))
        || planned_again(path, before, images).is_some_and(|planned| planned == after)
}

/// The file after a bump of all references in it, with missing keys added.
fn planned_again(path: &str, before: &[u8], images: &[ImageVersion]) -> Option<Vec<u8>> {
    let scope = Scope::of_files(&Selection::new(&[path.to_owned()]).ok()?);
    let target = |image: &ImageVersion| {
        let (tag, digest) = split_tag(&image.version);
        Some(UpdateTarget {
            name: image.name.clone(),
            new_name: Field::Unspecified,
            tag: if tag.is_empty() { None } else { Some(Tag::parse(tag).ok()?) },
            digest: digest
                .map_or(Some(Field::Unspecified), |digest| Some(Field::Set(Digest::parse(digest).ok()?)))?,
            new_digest: super::NewDigest::default(),
            service: None,
            scope: scope.clone(),
        })
    };
    let named = images.iter().filter(|image| is_named_in(before, &image.name));
    let targets = named.map(target).collect::<Option<Vec<_>>>()?;
    let request = Request { targets, all: true, add: true, ..Request::default() };
    let file = SingleFile { path, bytes: before, match_level: MatchLevel::Explicit, has_chart: true };
    let mut edits = plan(&file, &request).plan.ok()?.edits.into_iter();
    edits.next().filter(|_| edits.next().is_none()).map(|edit| edit.after)
}

/// Whether the file mentions the image. A commit message may also name images of other files.
fn is_named_in(text: &[u8], image: &str) -> bool {
    memchr::memmem::find(text, crate::image::short_name(image).as_bytes()).is_some()
}

/// Whether the files differ only in values of these images and in removed digests, and editing `before` gives
/// exactly `after`. `None` if anything else differs. This also covers fields that tagbump doesn't recognise,
/// and bumps of only some references.
fn sets_only_images(before: &[u8], after: &[u8], images: &[ImageVersion]) -> Option<bool> {
    let (old, new) = (scan(before).ok()?, scan(after).ok()?);
    let changes = differences(&old, &new, images, 0)?;
    let is_bump = !changes.is_empty();
    Some(is_bump && apply(before, &old, &changes).is_ok_and(|made| made == after))
}

/// Whether two files of `NAME=VALUE` lines differ only in versions of these images.
fn assigns_only_versions(before: &[u8], after: &[u8], images: &[ImageVersion]) -> Option<bool> {
    let (old, new) = (dotenv::parse(before).ok()?, dotenv::parse(after).ok()?);
    let mut made = before.to_vec();
    let mut changed = false;
    for (nth, (one, now)) in old.iter().zip(&new).enumerate().filter(|(_, (one, now))| one.value != now.value)
    {
        if !is_part_of(&one.value, &now.value, images) {
            return None;
        }
        changed = true;
        made = dotenv::set(&made, nth, 0..one.value.len(), &now.value).ok()?;
    }
    Some(changed && made == after)
}

/// The changed values of these images and the removed digests; `None` if anything else differs.
fn differences(
    old: &ParsedYaml,
    new: &ParsedYaml,
    images: &[ImageVersion],
    depth: usize,
) -> Option<Vec<Change>> {
    let keys: BTreeSet<NodeId> = (0..old.len()).filter_map(|id| old.node(id).key).collect();
    let (mut changes, mut at, mut other) = (Vec::new(), 0, 0);
    while at < old.len() {
        let (node, now) = (old.node(at), (other < new.len()).then(|| new.node(other)));
        match (&node.kind, now.map(|now| &now.kind)) {
            (NodeKind::Scalar { value, .. }, Some(NodeKind::Scalar { value: now, .. })) if value == now => {}
            (NodeKind::Scalar { value, .. }, _) if value == "digest" && keys.contains(&at) => {
                changes.push(Change::Remove { key: at });
                at = old.node(at + 1).end;
                continue;
            }
            (NodeKind::Scalar { value, style, .. }, Some(NodeKind::Scalar { value: now, .. }))
                if !keys.contains(&at) =>
            {
                let is_text = *style == ScalarStyle::Block && depth < MAX_DEPTH;
                match is_text {
                    true => changes.extend(differences_inside(at, value, now, images, depth)?),
                    false => changes.push(set(at, old.text(at).unwrap_or_default(), now, images)?),
                }
            }
            (NodeKind::Map, Some(NodeKind::Map)) | (NodeKind::Seq, Some(NodeKind::Seq)) => {}
            (NodeKind::Alias(_), Some(NodeKind::Alias(_))) => {}
            _ => return None,
        }
        (at, other) = (at + 1, other + 1);
    }
    (other == new.len()).then_some(changes)
}

/// The differences of YAML in a block scalar.
fn differences_inside(
    block: NodeId,
    before: &str,
    after: &str,
    images: &[ImageVersion],
    depth: usize,
) -> Option<Vec<Change>> {
    let (old, new) = (scan(before.as_bytes()).ok()?, scan(after.as_bytes()).ok()?);
    let changes = differences(&old, &new, images, depth + 1)?;
    Some(changes.into_iter().map(|change| Change::Inside { block, change: Box::new(change) }).collect())
}

/// The change from one value to another, if a bump to one of the images makes it.
fn set(node: NodeId, old: &str, new: &str, images: &[ImageVersion]) -> Option<Change> {
    if is_value_of(old, new, images) {
        return Some(Change::Set { node, value: new.to_owned() });
    }
    let is_default = old.contains("${") && is_part_of(old, new, images);
    is_default.then(|| Change::SetPart { node, range: 0..old.len(), value: new.to_owned() })
}

/// Whether a text differs from another in the version of one of the images, or in a part of it: of `v2-ad`, a variable
/// may hold `v2`, if `-ad` is in the text too, or if it is the shorter part.
fn is_part_of(old: &str, new: &str, images: &[ImageVersion]) -> bool {
    let fits = |(part, rest): (&str, &str)| {
        (rest.len() <= part.len() || new.contains(rest)) && is_only_difference(old, new, part)
    };
    images.iter().any(|image| parts(&image.version).any(fits))
}

/// A version, and each part of its tag with the rest.
fn parts(version: &str) -> impl Iterator<Item = (&str, &str)> {
    let tag = split_tag(version).0;
    let is_mark = |at: usize| tag[..at].ends_with(['-', '.', '_']) || tag[at..].starts_with(['-', '.', '_']);
    let ends = (1..tag.len()).filter(move |&at| tag.is_char_boundary(at) && is_mark(at));
    let halves = ends.map(move |at| tag.split_at(at)).flat_map(|(head, tail)| [(head, tail), (tail, head)]);
    [(version, ""), (tag, "")].into_iter().chain(halves)
}

fn is_only_difference(old: &str, new: &str, part: &str) -> bool {
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._-@:".contains(c));
    new.match_indices(part).any(|(at, _)| {
        let (before, after) = (&new[..at], &new[at + part.len()..]);
        let rest = old.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        rest.is_some_and(is_word)
    })
}

/// Whether a bump to one of the images writes this value.
fn is_value_of(old: &str, new: &str, images: &[ImageVersion]) -> bool {
    // in Helm values, a dropped digest becomes empty
    let is_dropped_digest = new.is_empty() && (is_sha256(old) || Digest::parse(old).is_ok());
    let is_part = |image: &ImageVersion| {
        let (tag, digest) = split_tag(&image.version);
        let in_one = ParsedReference::parse(new.split_once('=').map_or(new, |(_, new)| new));
        let version = join_tag(in_one.tag, in_one.digest);
        let digest = digest.unwrap_or_default();
        let bare = digest.strip_prefix(SHA256).unwrap_or(digest);
        [tag, digest, bare, &image.version].contains(&new)
            || (same_image(in_one.name, &image.name)
                && (version.is_empty() || version_is(&version, &image.version)))
    };
    is_dropped_digest || (!new.is_empty() && images.iter().any(is_part))
}

fn version_is(text: &str, version: &str) -> bool {
    is_version(text) && (text == version || split_tag(version).0 == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "images:\n- name: ghcr.io/acme/api # ours\n  newTag: v1\n- name: web\n  newTag: v1\n";

    fn image(name: &str, version: &str) -> ImageVersion {
        ImageVersion { name: name.to_owned(), version: version.to_owned() }
    }

    fn is(path: &str, before: &str, after: &str, version: &str) -> bool {
        is_bump(path, before.as_bytes(), after.as_bytes(), &[image("ghcr.io/acme/api", version)])
    }

    #[test]
    fn single_file_is_too_large_when_it_exceeds_the_limit() {
        let file =
            SingleFile { path: "a", bytes: b"abc", match_level: MatchLevel::Explicit, has_chart: false };
        assert_eq!(file.read("a", 2).unwrap(), Some(FileContent::TooLarge));
        assert_eq!(file.read("a", 3).unwrap(), Some(FileContent::Bytes(b"abc".to_vec())));
        assert_eq!(file.read("b", 3).unwrap(), None);
    }

    #[test]
    fn bump_is_one() {
        let bumped = OLD.replacen("v1", "v2", 1);
        assert!(is("kustomization.yaml", OLD, &bumped, "v2"));
        let quoted = OLD.replacen("v1", "\"1234567\"", 1);
        assert!(is("kustomization.yaml", OLD, &quoted, "1234567"));
        let string = "kind: HelmRelease\nspec: {values: {image: 'ghcr.io/acme/api:v1'}}\n";
        assert!(is("a.yaml", string, &string.replace("v1", "v2"), "v2"));
        // a field that tagbump doesn't recognise
        let field = "a:\n  b: v1\n";
        assert!(is("a.yaml", field, &field.replace("v1", "v2"), "v2"));
    }

    #[test]
    fn digest_that_is_dropped_belongs_to_it() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let file = format!("images:\n- name: ghcr.io/acme/api\n  newTag: v1\n  digest: {digest}\n");
        let after = file.replace("v1", "v2").replace(&format!("  digest: {digest}\n"), "");
        assert!(is("kustomization.yaml", &file, &after, "v2"));
        let block = format!("image:\n  repository: ghcr.io/acme/api\n  tag: v1\n  digest: {digest}\n");
        let after = block.replace("v1", "v2").replace(&digest, "\"\"");
        assert!(is("values.yaml", &block, &after, "v2"));
    }

    #[test]
    fn key_that_was_missing_belongs_to_it() {
        let file = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n- name: ghcr.io/acme/api\n";
        assert!(is("kustomization.yaml", file, &format!("{file}  newTag: v2\n"), "v2"));
    }

    #[test]
    fn value_in_literal_text_belongs_to_it() {
        let file = "data:\n  values.yaml: |\n    image: ghcr.io/acme/api:v1\n    replicas: 1\n";
        assert!(is("a.yaml", file, &file.replace("api:v1", "api:v2"), "v2"));
        assert!(!is("a.yaml", file, &file.replace("replicas: 1", "replicas: v2"), "v3"));
        assert!(!is(
            "a.yaml",
            &file.replace('|', ">"),
            &file.replace('|', ">").replace("api:v1", "api:v2"),
            "v2"
        ));
    }

    #[test]
    fn default_and_value_of_a_variable_belong_to_it() {
        let file = "services:\n  api:\n    image: ghcr.io/acme/api:${TAG:-v1}-ad\n";
        assert!(is("compose.yaml", file, &file.replace("v1", "v2"), "v2-ad"));
        assert!(!is("compose.yaml", file, &file.replace("v1", "v3"), "v2-ad"));
        assert!(!is("compose.yaml", file, &file.replace("TAG:-v1", "OTHER:-v2"), "v2-ad"));
        let env = "A=v1 # c\nREPLICAS=1\n";
        assert!(is(".env", env, &env.replace("v1", "v2"), "v2"));
        assert!(is("my.vars", env, &env.replace("v1", "v2"), "v2"), "compose reads files of any name");
        assert!(!is(".env", env, &env.replace("S=1", "S=2"), "v2"));
        assert!(!is(".env", env, &env.replace("# c", "# d").replace("v1", "v2"), "v2"));
        assert!(!is("env.yaml", env, &env.replace("v1", "v2"), "v2"));
    }

    #[test]
    fn change_of_anything_else_is_none() {
        let bumped = OLD.replacen("v1", "v2", 1);
        for other in [
            bumped.replace("# ours", "# theirs"),
            bumped.replace("v2", "'v2'"),
            bumped.replace("name: web", "name: other"),
            bumped.replace("v2", "v3"),
            format!("{bumped}x: y\n"),
            format!("{bumped}\n"),
            OLD.to_owned(),
            format!("{bumped}\t: no YAML"),
        ] {
            assert!(!is("kustomization.yaml", OLD, &other, "v2"), "{other}");
        }
        let replicas = "replicas: 1\nimage: ghcr.io/acme/api:v1\n";
        let more = replicas.replace(": 1", ": 2").replace("v1", "v2");
        assert!(!is("a.yaml", replicas, &more, "v2"));
    }
}
