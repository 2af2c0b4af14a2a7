//! Names of images, with the short forms for Docker Hub: `nginx`, `library/nginx`, `docker.io/library/nginx`. (Docker's
//! distribution library.)

/// Longer names are invalid: registries accept 255 characters at most.
pub const NAME_LENGTH: usize = 512;

/// Whether two names mean the same image. Whole names are compared; only Docker Hub's short forms are the same
/// as their long forms.
pub fn same_image(a: &str, b: &str) -> bool {
    a == b || (short_name(a) == short_name(b) && full_name(a) == full_name(b))
}

/// The name with its registry and, on Docker Hub, with `library/`.
pub fn full_name(name: &str) -> String {
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if is_host(host) => (host, path),
        _ => ("docker.io", name),
    };
    let host = if host == "index.docker.io" { "docker.io" } else { host };
    let library = host == "docker.io" && !path.contains('/');
    format!("{host}/{}{path}", if library { "library/" } else { "" })
}

/// Whether a name says which registry it is in.
pub fn has_registry(name: &str) -> bool {
    name.split_once('/').is_some_and(|(host, _)| is_host(host))
}

/// A name without its registry.
pub fn without_registry(name: &str) -> &str {
    name.split_once('/').filter(|(host, _)| is_host(host)).map_or(name, |(_, path)| path)
}

pub(super) fn is_host(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

/// The last part of a name: `api` of `ghcr.io/acme/api`.
pub fn short_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Whether a text can be the name of an image. Capital letters are allowed, because files contain them.
pub fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-/:[]".contains(&b);
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[' || c == '_');
    starts && text.len() <= NAME_LENGTH && text.bytes().all(fits) && !short_name(text).contains(':')
}

/// Whether a text is short enough for an image name.
pub fn is_possible_name(text: &str) -> bool {
    text.len() <= NAME_LENGTH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_hub_has_short_names() {
        assert!(same_image("nginx", "docker.io/library/nginx"));
        assert!(same_image("library/nginx", "nginx"));
        assert!(same_image("acme/api", "index.docker.io/acme/api"));
        assert!(!same_image("nginx", "acme/nginx"));
        assert!(!same_image("ghcr.io/acme/api", "ghcr.io/acme/api-worker"));
        assert!(!same_image("localhost/nginx", "nginx"));
        assert!(same_image("localhost:5000/x", "localhost:5000/x"));
    }
}
