//! Matches the references of a file's older version with those of the newer version.

use std::collections::{HashMap, VecDeque};

use similar::DiffOp;

use crate::edit_script::edit_script;
use crate::plan::{CurrentReference, TargetIndex};

/// The most pairs that a diff may have to compare, since its cost grows with the square of its input.
const MAX_PAIRS: usize = 1_000_000;

/// For each older reference, the index of the newer one that it became, if any.
pub(super) fn align(older: &[CurrentReference], newer: &[CurrentReference]) -> Vec<Option<usize>> {
    if older.len() == newer.len() {
        return (0..newer.len()).map(Some).collect();
    }
    if older.len().saturating_mul(newer.len()) > MAX_PAIRS {
        return align_by_place(older, newer);
    }
    let (old, new): (Vec<_>, Vec<_>) = (older.iter().map(key).collect(), newer.iter().map(key).collect());
    let mut became = vec![None; older.len()];
    for op in edit_script(&old, &new) {
        let (from, to) = match op {
            DiffOp::Equal { .. } | DiffOp::Replace { .. } => (op.old_range(), op.new_range()),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => continue,
        };
        // references with different tags are the same one only if they are in the same place
        let same = |(o, n): &(usize, usize)| {
            older[*o].place == newer[*n].place && older[*o].target == newer[*n].target
        };
        from.zip(to).filter(same).for_each(|(o, n)| became[o] = Some(n));
    }
    became
}

fn key(mention: &CurrentReference) -> (TargetIndex, u64, Option<&str>, Option<&str>) {
    (mention.target, mention.place, mention.tag.as_deref(), mention.digest.as_deref())
}

/// Like [`align`], but for so many references that a diff would take too long. It pairs the references at each
/// place in order.
fn align_by_place(older: &[CurrentReference], newer: &[CurrentReference]) -> Vec<Option<usize>> {
    let mut places: HashMap<(TargetIndex, u64), VecDeque<usize>> = HashMap::new();
    for (n, mention) in newer.iter().enumerate() {
        places.entry((mention.target, mention.place)).or_default().push_back(n);
    }
    let mut became = Vec::with_capacity(older.len());
    for mention in older {
        let there = places.get_mut(&(mention.target, mention.place));
        became.push(there.and_then(VecDeque::pop_front));
    }
    became
}

/// Whether two references have the same tag and digest.
pub(super) fn same_version(one: &CurrentReference, other: &CurrentReference) -> bool {
    (one.target, &one.tag, &one.digest) == (other.target, &other.tag, &other.digest)
}
