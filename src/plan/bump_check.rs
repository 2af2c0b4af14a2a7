//! Checks whether a change to a file is a bump and nothing else.
//!
//! Pure. It applies the bump to the old version of the file, and compares the bytes.

use std::collections::BTreeSet;

use super::{
    FileContent, FileSource, FoundFiles, Request, Scope, SourceError, SourceFile, UpdateTarget, Visitor, plan,
};
use crate::file_selection::{MatchLevel, Selection, folder};
use crate::image::{Digest, Field, ParsedReference, Tag, is_version, join_tag, same_image, split_tag};
use crate::yaml::{Change, NodeId, NodeKind, ParsedYaml, apply, scan};

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
    fn visit(&self, _: &Selection, _: bool, look: Visitor<'_>) -> Result<FoundFiles, SourceError> {
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
    let changes = differences(&old, &new)?;
    let is_image = |change: &Change| match change {
        Change::Set { node, value } => is_value_of(old.text(*node).unwrap_or_default(), value, images),
        _ => true,
    };
    let is_bump = !changes.is_empty() && changes.iter().all(is_image);
    Some(is_bump && apply(before, &old, &changes).is_ok_and(|made| made == after))
}

/// The changed values and the removed digests; `None` if anything else differs.
fn differences(old: &ParsedYaml, new: &ParsedYaml) -> Option<Vec<Change>> {
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
            (NodeKind::Scalar { .. }, Some(NodeKind::Scalar { value, .. })) if !keys.contains(&at) => {
                changes.push(Change::Set { node: at, value: value.clone() });
            }
            (NodeKind::Map, Some(NodeKind::Map)) | (NodeKind::Seq, Some(NodeKind::Seq)) => {}
            (NodeKind::Alias(_), Some(NodeKind::Alias(_))) => {}
            _ => return None,
        }
        (at, other) = (at + 1, other + 1);
    }
    (other == new.len()).then_some(changes)
}

/// Whether a bump to one of the images writes this value.
fn is_value_of(old: &str, new: &str, images: &[ImageVersion]) -> bool {
    // in Helm values, a dropped digest becomes empty
    let is_dropped_digest = new.is_empty() && Digest::parse(old).is_ok();
    let is_part = |image: &ImageVersion| {
        let (tag, digest) = split_tag(&image.version);
        let in_one = ParsedReference::parse(new.split_once('=').map_or(new, |(_, new)| new));
        let version = join_tag(in_one.tag, in_one.digest);
        [tag, digest.unwrap_or_default(), &image.version].contains(&new)
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
