//! The forges that host a repository, one folder each.

pub mod github;
