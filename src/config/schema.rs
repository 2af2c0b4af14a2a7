//! What `tagbump.schema.json` says beyond the types: patterns for the mistakes that people make most. The program checks more.

/// The types of a part that may be left empty.
pub(super) const OR_NOTHING: [&str; 2] = ["object", "null"];

pub(super) const SERVICE_NAME: &str = "^[A-Za-z0-9._-]+$";
pub(super) const ENVIRONMENT_NAME: &str = "^[A-Za-z0-9._][A-Za-z0-9._-]*$";

/// A name without a tag, a digest, a scheme or capital letters; a host may have a port. Of a name with a placeholder, nothing is
/// known.
pub(super) const IMAGE_NAME: &str = r"^(([A-Za-z0-9-]*\.[A-Za-z0-9.-]*(:[0-9]+)?|[A-Za-z0-9.-]+:[0-9]+|\[[0-9A-Fa-f:]+\](:[0-9]+)?)/)?[^A-Z:@*=\s-][^A-Z:@*=\s]*$|\$";

/// A path that isn't empty, and doesn't start at the root of the machine.
pub(super) const RELATIVE_PATH: &str = r"^\s*[^/\s]";
