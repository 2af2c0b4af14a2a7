//! Reads private keys in OpenSSH's format, and signs with them.
//!
//! Only unencrypted Ed25519 and ECDSA keys (P-256, P-384) are supported here; ssh-keygen handles all others.
//!
//! Sources: OpenSSH's `PROTOCOL.key` and `PROTOCOL.sshsig`; RFC 4251 (strings, mpint), RFC 5656 (ECDSA).

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ring::digest::{SHA512, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair,
};

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";
const HASH: &[u8] = b"sha512";
/// The length of a signature's lines, as in ssh-keygen's output.
const WIDTH: usize = 70;

/// The contents of a key file.
pub enum KeyFile {
    Key(Box<PrivateKey>),
    /// It can't be used here, for this reason.
    Not(&'static str),
}

/// A private key.
pub struct PrivateKey {
    /// The public key in wire format.
    public: Vec<u8>,
    /// The name of the key type.
    kind: String,
    pair: KeyPair,
}

enum KeyPair {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
}

/// Reads a key file.
pub fn open(file: &[u8]) -> KeyFile {
    let text = String::from_utf8_lossy(file);
    let Some(rest) = text.trim_start().strip_prefix(BEGIN) else {
        return KeyFile::Not("the file holds no private key of OpenSSH's");
    };
    let encoded: String =
        rest.split(END).next().unwrap_or_default().chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let Ok(bytes) = BASE64_STANDARD.decode(encoded) else { return KeyFile::Not("the key is damaged") };
    read(&bytes).unwrap_or(KeyFile::Not("the key is damaged"))
}

fn read(bytes: &[u8]) -> Option<KeyFile> {
    let mut outer = WireReader(bytes.strip_prefix(MAGIC)?);
    let cipher = outer.string()?;
    let (_kdf, _options) = (outer.string()?, outer.string()?);
    if outer.number()? != 1 {
        return None;
    }
    let public = outer.string()?.to_vec();
    if cipher != b"none" {
        return Some(KeyFile::Not("the key has a passphrase"));
    }
    let mut inner = WireReader(outer.string()?);
    // OpenSSH writes the same number twice, to detect wrong decryption
    if inner.number()? != inner.number()? {
        return None;
    }
    let kind = String::from_utf8(inner.string()?.to_vec()).ok()?;
    let pair = match kind.as_str() {
        "ssh-ed25519" => {
            let (public, private) = (inner.string()?, inner.string()?);
            KeyPair::Ed25519(Ed25519KeyPair::from_seed_and_public_key(private.get(..32)?, public).ok()?)
        }
        "ecdsa-sha2-nistp256" => ecdsa(&mut inner, &ECDSA_P256_SHA256_FIXED_SIGNING, 32)?,
        "ecdsa-sha2-nistp384" => ecdsa(&mut inner, &ECDSA_P384_SHA384_FIXED_SIGNING, 48)?,
        _ => return Some(KeyFile::Not("the key is of a kind that ssh-keygen alone can sign with")),
    };
    Some(KeyFile::Key(Box::new(PrivateKey { public, kind, pair })))
}

fn ecdsa(
    inner: &mut WireReader<'_>,
    algorithm: &'static EcdsaSigningAlgorithm,
    size: usize,
) -> Option<KeyPair> {
    let (_curve, public, number) = (inner.string()?, inner.string()?, inner.string()?);
    let number = number.strip_prefix(&[0]).unwrap_or(number);
    let mut private = vec![0; size.checked_sub(number.len())?];
    private.extend_from_slice(number);
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &private, public, &random);
    pair.ok().map(KeyPair::Ecdsa)
}

/// Makes an armoured signature; `None` if the system has no random numbers.
pub fn sign(key: &PrivateKey, namespace: &str, content: &[u8]) -> Option<String> {
    let parts = |first: &[u8]| [first, b"", HASH].map(string).concat();
    let hashed = digest(&SHA512, content);
    let signed = [b"SSHSIG".as_slice(), &parts(namespace.as_bytes()), &string(hashed.as_ref())].concat();
    let raw = match &key.pair {
        KeyPair::Ed25519(pair) => pair.sign(&signed).as_ref().to_vec(),
        KeyPair::Ecdsa(pair) => {
            let both = pair.sign(&SystemRandom::new(), &signed).ok()?;
            let (r, s) = both.as_ref().split_at(both.as_ref().len() / 2);
            [mpint(r), mpint(s)].concat()
        }
    };
    let signature = [string(key.kind.as_bytes()), string(&raw)].concat();
    let blob = [
        b"SSHSIG\0\0\0\x01".as_slice(),
        &string(&key.public),
        &parts(namespace.as_bytes()),
        &string(&signature),
    ]
    .concat();
    let encoded = BASE64_STANDARD.encode(blob);
    let mut armour = "-----BEGIN SSH SIGNATURE-----\n".to_owned();
    for line in encoded.as_bytes().chunks(WIDTH) {
        armour.extend(line.iter().map(|byte| char::from(*byte)));
        armour.push('\n');
    }
    armour.push_str("-----END SSH SIGNATURE-----\n");
    Some(armour)
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

/// Encodes a non-negative number: without leading zeros, except for one if the first bit is set.
fn mpint(number: &[u8]) -> Vec<u8> {
    let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let number = &number[first..];
    match number.first() {
        Some(byte) if byte & 0x80 != 0 => string(&[&[0], number].concat()),
        _ => string(number),
    }
}

/// The bytes left to read.
struct WireReader<'a>(&'a [u8]);

impl<'a> WireReader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(mpint(&[0, 0, 1]), [0, 0, 0, 1, 1]);
        assert_eq!(mpint(&[0, 0x80]), [0, 0, 0, 2, 0, 0x80]);
        assert_eq!(mpint(&[0, 0]), [0, 0, 0, 0]);
    }

    #[test]
    fn what_is_no_key() {
        let why = |text: &str| match open(text.as_bytes()) {
            KeyFile::Key(_) => panic!("{text}"),
            KeyFile::Not(why) => why,
        };
        assert!(why("ssh-ed25519 AAAA").contains("no private key"));
        assert!(why(&format!("{BEGIN}\n!\n{END}")).contains("damaged"));
        // cut off at every position
        let whole = [MAGIC, &string(b"none"), &string(b"none"), &string(b""), &[0, 0, 0, 1]].concat();
        for end in 0..=whole.len() {
            let text = format!("{BEGIN}\n{}\n{END}", BASE64_STANDARD.encode(&whole[..end]));
            assert!(why(&text).contains("damaged"), "{end}");
        }
    }
}
