//! The commands, one module each. `branch_choice` and `remote_site` answer what several of them ask: which branch, and which forge.

mod branch_choice;
pub mod bump;
pub mod history;
pub mod init;
mod remote_site;
pub mod scan;
pub mod tag;
pub mod wait;
