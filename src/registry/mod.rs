//! Whether an image is in its registry, what its digest is, and which commit its labels name.
//!
//! Speaks the part of the OCI distribution specification 1.1 that reads, with the token authentication that Docker's
//! registry introduced and all others took over ("Docker Registry v2 authentication via central service").
//!
//! `client` asks about several images at once. `lookup` answers one question about one image, and asks again while the registry may lag behind a push. It asks
//! through `session`, which authenticates as `challenge` and `token` say. `repository`, `challenge`, `token_server`,
//! `manifest` and `similar` are pure. `credentials` chooses what to authenticate with: from `auth_file`, from a
//! `helper` that such a file names, or the job's token.

mod auth_file;
mod challenge;
mod client;
mod credentials;
mod error;
mod helper;
mod lookup;
mod manifest;
mod repository;
mod session;
mod similar;
mod token;
mod token_server;

pub use client::{FoundImage, ImageQuestion, RegistryAnswers, RegistryClient};
pub use credentials::RegistryCredentials;
pub use error::{AuthFileError, HelperProblem, RegistryError, TokenServerProblem};
pub use lookup::ManifestReference;
pub use manifest::SourceLabels;
pub use repository::ImageRepository;
