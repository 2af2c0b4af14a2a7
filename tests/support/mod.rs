//! What the integration tests share.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod bad_line;
pub mod cli;
pub mod endless;
pub mod fifty;
pub mod files;
pub mod git;
pub mod git_server;
pub mod init;
pub mod keys;
pub mod mono;
pub mod past;
pub mod proxy;
pub mod repo;
pub mod trap;
