//! Parses servers' answers, within limits and without doing I/O itself. Public for the fuzz target.
//!
//! `advertisement` is the list of references before a push, `push_report` is the server's report on a push, `meter`
//! counts what a fetch brings, `text` makes a server's text fit for a message, and `limits` says how much of each
//! tagbump reads.

mod advertisement;
mod error;
pub mod limits;
mod meter;
mod push_report;
mod text;

pub use super::pkt_line::{PktLine, read as read_packet};
pub use super::transport::{TransportError, redirect_target, retry_after};
pub use advertisement::{RefAdvertisement, read_advertisement};
pub use error::{AnswerError, LimitExceeded};
pub use meter::FetchMeter;
pub use push_report::{PushReport, read_push_report};
pub use text::{keep, server_text, short_server_text};
