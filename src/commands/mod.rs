//! The commands, one module each.

pub mod bump;
pub mod history;
pub mod init;
pub mod scan;
pub mod tag;
