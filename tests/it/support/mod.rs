//! What the tests share.

pub mod apart;
pub mod bad_line;
pub mod bare;
pub mod ci_job;
pub mod ci_variables;
pub mod cli;
#[cfg(any(feature = "server-tests", feature = "forge-tests"))]
pub mod crane;
#[cfg(any(feature = "server-tests", feature = "forge-tests"))]
pub mod daemon;
pub mod endless;
pub mod fifty;
pub mod files;
pub mod git;
pub mod git_server;
pub mod gitea;
pub mod github;
pub mod gitlab_api;
pub mod hub;
#[cfg(any(feature = "server-tests", feature = "forge-tests"))]
pub mod image_layout;
pub mod init;
#[cfg(any(feature = "server-tests", feature = "signing-tests"))]
pub mod keys;
pub mod message_laws;
pub mod mono;
pub mod one_file;
pub mod past;
pub mod proxy;
pub mod pty;
pub mod registry;
pub mod repo;
pub mod schema;
#[cfg(unix)]
pub mod signal;
pub mod trap;
pub mod verify;
pub mod waiting;
pub mod yaml_laws;
