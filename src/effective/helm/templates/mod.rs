//! What a chart's templates show without being rendered: which tags images get, and the objects that a post-renderer patches.
//!
//! Control flow isn't followed, so what this gives is a good guess.

mod evaluation;
mod expression;
mod images;
mod objects;
mod text;

pub use images::{AllNamed, ChartImages, TemplateScope};
pub use objects::objects;
pub use text::ChartTemplates;
