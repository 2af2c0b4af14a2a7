//! Which reference of a file's older version is which one of the newer version.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::plan::Mention;

/// For each older reference the newer one that it became, if it became one.
pub(super) fn align(older: &[Mention], newer: &[Mention]) -> Vec<Option<usize>> {
    if older.len() == newer.len() {
        return (0..newer.len()).map(Some).collect();
    }
    let (old, new): (Vec<_>, Vec<_>) = (older.iter().map(key).collect(), newer.iter().map(key).collect());
    let mut became = vec![None; older.len()];
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let (from, to) = match op {
            DiffOp::Equal { .. } | DiffOp::Replace { .. } => (op.old_range(), op.new_range()),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => continue,
        };
        // of two that say different things, only those in the same place are one
        let same =
            |(o, n): &(usize, usize)| older[*o].place == newer[*n].place && older[*o].want == newer[*n].want;
        from.zip(to).filter(same).for_each(|(o, n)| became[o] = Some(n));
    }
    became
}

fn key(mention: &Mention) -> (usize, u64, Option<&str>, Option<&str>) {
    (mention.want, mention.place, mention.tag.as_deref(), mention.digest.as_deref())
}

/// Whether two references run the same image.
pub(super) fn say_the_same(one: &Mention, other: &Mention) -> bool {
    (one.want, &one.tag, &one.digest) == (other.want, &other.tag, &other.digest)
}
