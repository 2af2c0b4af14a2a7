//! How much of a server's answer tagbump reads. Each limit is several times what the largest public repositories
//! send, so that nobody hits one by accident. If a server never stops sending, the run ends before the disk or the
//! memory is full.
//!
//! | answer | largest known | limit |
//! |---|---|---|
//! | list of references | nixpkgs on GitHub: 420,000, 28 MB | 2,000,000, 128 MB |
//! | one fetch | a shallow clone of chromium: 2 GB | 8 GB, 50,000,000 objects |
//! | answer to a push | a deployment's log: about 100 kB | 16 MB |
//!
//! `docs/landing.md` lists the limits for users.

/// Bytes in a list of references.
pub const ADVERTISED_BYTES: u64 = 128 * MEGABYTE;
/// References in a list.
pub const ADVERTISED_REFS: u64 = 2_000_000;
/// Bytes of everything that a fetch brings.
pub const FETCHED_BYTES: u64 = 8_000 * MEGABYTE;
/// Objects in a fetched pack.
pub const FETCHED_OBJECTS: usize = 50_000_000;
/// Bytes in the answer to a push, including what the server's hooks print.
pub const PUSH_ANSWER_BYTES: u64 = 16 * MEGABYTE;
/// Bytes in the report on a push, which has a line or two for its one reference.
pub const REPORT_BYTES: usize = 64 * 1024;
/// Bytes of a server's text that are kept for a message.
pub const TEXT_BYTES: usize = 64 * 1024;

const MEGABYTE: u64 = 1_000_000;
