//! tagbump puts the tag of a freshly built container image into the YAML of a GitOps repository, changing
//! nothing else in the file, and lands the commit.
//!
//! # The map
//!
//! Four ideas carry it. A bump is a pure function (`plan`: files in, edits out), so a lost race is mended by
//! making it again. A place to land is one small trait (`land::Place`). An edit is a byte range that is found
//! by parsing and proved by parsing again (`yaml`). The outcome is one value (`report::Report`), which every
//! printer shows.
//!
//! | room | does | may use |
//! |---|---|---|
//! | `main`, `console`, `progress` | parse, run, show, exit: all that prints | everything |
//! | [`bump`], [`tags`], [`inventory`], [`history`], [`facts`] | the stories of the commands | everything below |
//! | [`init`] | the story of `tagbump init` | `inventory` and everything below |
//! | [`request`] | IMAGEs and services, made a plan's request | `settings`, `config`, `plan` |
//! | [`settings`] | what was typed, checked | `cli`, `actions`, `git` and the pure rooms |
//! | [`cli`], [`extras`] | what can be typed; completions and man pages | |
//! | [`github`] | commits and pull requests by GitHub's API; the only user of octocrab | `git`, `land`, `plan`, `http` |
//! | [`git`] | commits, signatures, remotes, credentials; the only user of git2 and ring | `land`, `plan`, `timeline`, `worktree`, `select`, `http` |
//! | [`land`] | the landing loop, its pace, the commit's words | `plan`, `timeline` and the pure rooms |
//! | [`worktree`] | find, read, replace and create files; nothing outside the root | `plan`, `select` |
//! | [`http`] | the one HTTP client: whom to trust, which proxy, how long to wait | `environment` |
//! | [`actions`] | what a GitHub Actions runner tells, and is told | `report`, `environment`, `tag` |
//! | [`report`] | text, diff, JSON, a picture | `plan`, `timeline` |
//! | [`proposal`] | a new `tagbump.yaml` and workflow, as text | `config`, `plan`, `manifest` and the pure rooms |
//! | [`config`] | `tagbump.yaml` | `plan` and the pure rooms |
//! | [`timeline`] | which tags images had, from commit to commit | `plan` and the pure rooms |
//! | [`plan`] | files and a request in, edits out | `manifest`, `yaml`, `image`, `select` |
//! | [`manifest`] | where references live: one file a kind | `yaml`, `image`, `select` |
//! | [`yaml`] | scalars as bytes; the only user of yaml_rust2 | |
//! | [`image`], [`tag`], [`template`], [`select`] | names, tags, templates, paths | each other |
//! | [`markdown`] | shows text from files in messages and summaries so that it does nothing | `error` |
//! | [`error`], [`environment`], [`interrupt`] | what all rooms need | |
//!
//! Arrows point down the table. `proposal`, `timeline`, `plan`, `manifest`, `markdown`, `yaml`, `image`, `tag`,
//! `template` and `select` are pure: no files, no network, no clock, no environment. `tests/house.rs` holds the
//! code to it.

#![warn(clippy::unwrap_used, clippy::expect_used)] // input is never trusted: errors are told, not panicked at
#![warn(clippy::print_stdout, clippy::print_stderr)] // the library tells its caller, who prints

pub mod actions;
pub mod bump;
pub mod cli;
pub mod config;
pub mod environment;
pub mod error;
pub mod extras;
pub mod facts;
pub mod git;
pub mod github;
pub mod history;
pub mod http;
pub mod image;
pub mod init;
pub mod interrupt;
pub mod inventory;
pub mod land;
pub mod manifest;
pub mod markdown;
pub mod plan;
pub mod proposal;
pub mod report;
pub mod request;
pub mod select;
pub mod settings;
pub mod tag;
pub mod tags;
pub mod template;
pub mod timeline;
pub mod worktree;
pub mod yaml;
