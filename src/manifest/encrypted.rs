//! Values that sops encrypted. (sops, "Encryption Protocol".)

use crate::yaml::ParsedYaml;

/// What an encrypted value starts with.
pub const ENCRYPTED: &str = "ENC[";

/// Whether a value is encrypted: `ENC[AES256_GCM,data:…]`.
pub fn is_encrypted(text: &str) -> bool {
    text.starts_with(ENCRYPTED) && text.ends_with(']')
}

/// Whether any edit breaks the file: sops keeps a MAC over all values, unless only the encrypted ones count.
pub fn has_mac(yaml: &ParsedYaml) -> bool {
    yaml.roots().iter().any(|&root| {
        let at = |key| yaml.at(root, &["sops", key]).and_then(|node| yaml.text(node));
        at("mac").is_some_and(|mac| !mac.is_empty()) && at("mac_only_encrypted") != Some("true")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::scan;

    #[test]
    fn mac_covers_all_values_unless_only_encrypted_ones_count() {
        let has = |text: &str| has_mac(&scan(text.as_bytes()).unwrap());
        assert!(has("a: 1\nsops: {mac: 'ENC[x]'}\n"));
        assert!(has("a: 1\n---\nb: 1\nsops: {mac: 'ENC[x]', mac_only_encrypted: false}\n"));
        assert!(!has("a: 1\nsops: {mac: 'ENC[x]', mac_only_encrypted: true}\n"));
        assert!(!has("a: 1\nsops: {version: 3}\nmac: x\n"));
    }
}
