//! Image names, tags and digests, and kustomize's syntax for an IMAGE argument.
//!
//! Pure. Follows the OCI distribution specification 1.1 (tags), the OCI image specification 1.1 (digests), and
//! Docker's distribution library (names, including the short forms for Docker Hub).

mod argument;
mod error;
mod name;
mod parsed_reference;
mod version;

pub use argument::{Field, ImageArg};
pub use error::{DigestProblem, ImageError, NameProblem, TagProblem};
pub use name::{
    NAME_LENGTH, full_name, has_registry, is_name, is_possible_name, same_image, short_name, without_registry,
};
pub use parsed_reference::{ParsedReference, shortened};
pub use version::{Digest, SHA256, Tag, is_floating, is_sha256, is_version, join_tag, same_tag, split_tag};
