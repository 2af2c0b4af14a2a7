//! Converts between git2's object IDs and ours.

use git2::Oid;

use crate::object_id::ObjectId;

/// Converts git2's ID to ours.
pub fn id(oid: Oid) -> ObjectId {
    let mut bytes = [0; 20];
    bytes.iter_mut().zip(oid.as_bytes()).for_each(|(to, from)| *to = *from);
    ObjectId(bytes)
}

/// Converts our ID to git2's.
///
/// # Errors
/// Fails if libgit2 refuses the bytes.
pub fn oid(id: ObjectId) -> Result<Oid, git2::Error> {
    Oid::from_bytes(&id.0)
}
