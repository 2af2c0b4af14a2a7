//! The shortest edit script that makes one sequence from another (Myers, "An O(ND) Difference Algorithm and Its
//! Variations", 1986).
//!
//! `similar` has six algorithms and compiles each of them for every type of item: half a megabyte for a text diff alone.
//! So the items are numbered first, and a single algorithm compares the numbers.

use std::hash::Hash;

use similar::DiffOp;
use similar::algorithms::{Capture, Compact, IdentifyDistinct, Replace, myers};

/// What is equal, removed, inserted and replaced, in order.
pub fn edit_script<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    let numbers = IdentifyDistinct::<u32>::new(old, 0..old.len(), new, 0..new.len());
    let (before, after) = (numbers.old_lookup(), numbers.new_lookup());
    let mut script = Compact::new(Replace::new(Capture::new()), before, after);
    let Ok(()) = myers::diff(&mut script, before, numbers.old_range(), after, numbers.new_range());
    script.into_inner().into_inner().into_ops()
}

#[cfg(test)]
mod tests {
    use similar::{Algorithm, capture_diff_slices};

    use super::*;

    #[test]
    fn script_is_that_of_the_library() {
        let texts = ["", "a", "abcabba", "cbabac", "aaaa", "aabaa", "xabcy", "abcabbaabcabbaabcabba"];
        for old in texts {
            for new in texts {
                let (old, new): (Vec<_>, Vec<_>) = (old.chars().collect(), new.chars().collect());
                let expected = capture_diff_slices(Algorithm::Myers, &old, &new);
                assert_eq!(edit_script(&old, &new), expected, "{old:?} {new:?}");
            }
        }
    }
}
