//! What servers answer, read from bytes: bounded, and without I/O of its own. Public for the fuzz target.
//!
//! `advertisement` is the list of references before a push, `push_report` what became of one, `meter` counts what
//! comes with a fetch, `text` is a server's own words, `limits` says how much of each is read.

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
