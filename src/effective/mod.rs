//! What runs: which place wins where several set the same image.
//!
//! A **root** is what a controller or a person renders as one: a kustomization, a HelmRelease, a chart with a values
//! file, a compose project. In a root, each image comes out of a **chain** of places that override each other. The
//! **winning place** is the strongest of them.
//!
//! Every value keeps the place where it is written ([`Value`]), so a merge of values is a merge of places too. A root
//! is rendered as its tool renders it, as far as images go, and then searched for images like any file
//! ([`object_images`], [`values_images`]).
//!
//! Pure: files come in through [`Files`].

pub mod argo;
pub mod compose;
mod composed;
mod entry_files;
mod files;
pub mod flux;
mod folder_pattern;
pub mod helm;
mod helmfile;
mod images;
pub mod kustomize;
mod mentions;
mod overriders;
mod path_words;
mod place;
mod repository_url;
mod root;
mod roots;
mod second_reader;
mod setting;
#[cfg(test)]
mod testing;
mod unfilled;
mod unique_pairs;
mod value;
mod word_index;
mod words;

pub use entry_files::EntryFiles;
pub use files::{Files, LoadedFile, ParsedContent, ReadFile, folder_of, join};
pub use folder_pattern::FolderPattern;
pub use images::{object_images, values_images};
pub use mentions::{Mentions, StructuralFile};
pub use overriders::overriders;
pub use place::{FileId, Place};
pub use root::{Doubt, FedPlace, Root, StaleChart, TestedPlace, UnmatchedEntry};
pub use roots::{FileMarks, FileRole, Scene, roots};
pub use second_reader::SecondReader;
pub use setting::{AppVersion, DigestAt, EffectiveImage, Fixed, Holds, Link, Setting, TextPart};
pub use value::{Rendered, Scalar, Value};
