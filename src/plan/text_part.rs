//! A version in a part of a text: the default of a placeholder, or a variable in an `.env` file.

use super::UpdateTarget;
use crate::effective::{Holds, TextPart};
use crate::image::{Field, ParsedReference, join_tag, split_tag};
use crate::manifest::{Refusal, RefusalReason, Rewrite};
use crate::yaml::{Change, EditBlocker, ParsedYaml, part_blocker};

/// The edit that sets a part of a text to a target's version. `version` is the tag and digest that run now.
///
/// # Errors
/// The new tag doesn't fit the text around the variable.
pub(super) fn rewrite(
    yaml: &ParsedYaml,
    part: &TextPart,
    version: (Option<&str>, Option<&str>),
    target: &UpdateTarget,
) -> Result<Rewrite, Refusal> {
    let node = part.place.node;
    let text = yaml.text(node).unwrap_or_default();
    let old = text.get(part.range.clone()).ok_or_else(|| unplaced(node))?;
    if let Some(blocker) = part_blocker(yaml, node) {
        return Err(Refusal::blocked(node, "the value", blocker));
    }
    let from = join_tag(version.0, version.1);
    let new = NewVersion::of(version, target);
    let value = match &part.holds {
        Holds::Image => {
            let name = ParsedReference::parse(old).name;
            let name = if let Field::Set(new) = &target.new_name { new } else { name };
            new.after(name)
        }
        Holds::Digest => new.digest.clone().ok_or_else(|| {
            Refusal::new(node, RefusalReason::AroundVariable { around: "a digest and no tag".to_owned() })
        })?,
        Holds::NoTag => format!(":{}", new.joined()),
        Holds::Tag { prefix, suffix } => inside(&new.joined(), prefix, suffix).ok_or_else(|| {
            let around = [prefix, suffix].map(|text| format!("{text:?}"));
            let around =
                around.iter().filter(|text| *text != "\"\"").cloned().collect::<Vec<_>>().join(" and ");
            Refusal::new(node, RefusalReason::AroundVariable { around })
        })?,
    };
    let mut rewrite = Rewrite { from, to: new.joined(), ..Rewrite::default() };
    if value == old {
        return Ok(rewrite);
    }
    rewrite.dropped_digest = version.1.is_some() && new.digest.is_none();
    rewrite.changes = vec![Change::SetPart { node, range: part.range.clone(), value }];
    Ok(rewrite)
}

fn unplaced(node: usize) -> Refusal {
    Refusal::blocked(node, "the value", EditBlocker::Unplaced)
}

/// The tag without the text around the variable.
fn inside(tag: &str, prefix: &str, suffix: &str) -> Option<String> {
    let inner = tag.strip_prefix(prefix)?.strip_suffix(suffix)?;
    (!inner.is_empty()).then(|| inner.to_owned())
}

struct NewVersion {
    tag: Option<String>,
    digest: Option<String>,
}

impl NewVersion {
    fn of((old_tag, old_digest): (Option<&str>, Option<&str>), target: &UpdateTarget) -> Self {
        let tag = target.tag.as_ref().map(|tag| tag.as_str());
        let changes = tag.is_some() && tag != old_tag;
        let digest = match &target.digest {
            Field::Set(digest) => Some(digest.as_str()),
            Field::Unspecified if changes => None,
            Field::Unspecified | Field::Keep => old_digest,
        };
        NewVersion { tag: tag.or(old_tag).map(str::to_owned), digest: digest.map(str::to_owned) }
    }

    fn joined(&self) -> String {
        join_tag(self.tag.as_deref(), self.digest.as_deref())
    }

    /// `name[:tag][@digest]`.
    fn after(&self, name: &str) -> String {
        let joined = self.joined();
        match split_tag(&joined) {
            ("", None) => name.to_owned(),
            ("", Some(digest)) => format!("{name}@{digest}"),
            _ => format!("{name}:{joined}"),
        }
    }
}
