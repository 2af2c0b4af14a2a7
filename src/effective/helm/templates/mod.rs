//! What a chart's templates show without being rendered: which tags images get, and the objects that a post-renderer patches.
//!
//! `text` reads the templates once, without any values; `syntax` finds the actions and images in them, and `bindings` follows
//! variables. `images` gives each image of the values its tags, and finds those that templates put together: by the lines that
//! `evaluation` can read (`line`), in view of what it can't (`used`), of what nothing uses (`unused`), and of the named templates
//! that the chart includes (`named`). `evaluation` knows `functions`, conditions (`truth`), and what a named template is included
//! with (`context`). `objects` shows containers to a post-renderer.

mod bindings;
mod context;
mod evaluation;
mod expression;
mod functions;
mod images;
mod line;
mod named;
mod objects;
mod syntax;
mod text;
mod truth;
mod unused;
mod used;

pub use images::{ChartImages, TemplateScope};
pub use named::AllNamed;
pub use objects::objects;
pub use text::ChartTemplates;
