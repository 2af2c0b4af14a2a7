//! Converts between git2's object IDs and ours.

use git2::Oid;

use crate::object_id::{CommitId, ObjectId};

/// The ID of a tree or a file.
pub fn object_id(oid: Oid) -> ObjectId {
    let mut bytes = [0; 20];
    bytes.iter_mut().zip(oid.as_bytes()).for_each(|(to, from)| *to = *from);
    ObjectId(bytes)
}

/// The ID of a commit.
pub fn commit_id(oid: Oid) -> CommitId {
    object_id(oid).into()
}

/// Converts our ID to git2's.
pub fn oid(id: impl Into<ObjectId>) -> Oid {
    // libgit2 would refuse another length only
    Oid::from_bytes(&id.into().0).unwrap_or(Oid::ZERO_SHA1)
}
