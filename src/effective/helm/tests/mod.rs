//! What charts and releases run, in small repositories.

mod charts;
mod inflated;
mod post_renderers;
mod releases;
mod template_contexts;
mod template_images;
mod template_names;
