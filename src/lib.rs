//! tagbump puts the tag of a freshly built container image into the YAML of a GitOps repository, changes nothing else
//! in the file, and lands the commit.
//!
//! # How it works
//!
//! A bump is a pure function: `plan` takes files and a request, and gives edits. When another push gets there first,
//! tagbump calls it again on the new tip, so a lost race never ends in a conflict. `landing` runs that loop; a branch
//! that it can land on is one small trait ([`landing::TargetBranch`]). An edit is a range of bytes: `yaml` finds it by
//! parsing the file and verifies it by parsing the result. Everything that a command did ends up in one value
//! ([`output::Report`]), which every output format shows.
//!
//! # The map
//!
//! | module | what it does | what it may use |
//! |---|---|---|
//! | `main`, `console`, `progress`, `prompt` | parse, run, print, exit; nothing else prints | everything |
//! | [`commands`] | what each command does, one module each | everything below |
//! | [`diagnostics`] | turns an error into an exit code, a sentence and a hint | everything below |
//! | [`decision`] | from a tip and options to plan, message and notices; order guard, rollbacks | everything below |
//! | [`build_info`] | what is known about the build: commit, branch, tags, run | `ci`, `git`, `settings` |
//! | [`settings`] | checks what was typed | `cli`, `actions`, `ci`, `git` and the pure modules |
//! | [`cli`], [`extras`] | what can be typed; completions and man pages | |
//! | [`forge`] | pull requests, API commits; only user of octocrab | `actions`, `git`, `history`, `landing`, `http` |
//! | [`landing::remote`] | lands on a branch of a git remote | `git`, `history`, `landing`, `plan`, `http` |
//! | [`history::git`] | the commits of a git repository, for `history` | `git`, `history` |
//! | [`registry`] | whether an image is in its registry, its digest and labels | `git`, `http`, `image`, `landing` |
//! | [`git`] | git plumbing | `plan`, `object_id`, `tag`, `worktree`, `http` |
//! | [`landing`] | the landing loop, its back-off, the commit message | `plan`, `history` and the pure modules below |
//! | [`worktree`] | finds, reads and writes files by descriptor, never outside the root | `plan`, `file_selection` |
//! | [`http`] | the one HTTP client: whom it trusts, its own certificate, proxies, timeouts | `environment` |
//! | [`actions`] | what a GitHub Actions runner provides, and what it is given | `output`, `ci`, `environment`, `tag` |
//! | [`output`] | text, diff, JSON, Mermaid | `plan`, `history`, `edit_script`, `image` |
//! | [`scaffold`] | the `tagbump.yaml` and workflow that `init` proposes, as text | `config`, `plan`, `manifest` |
//! | [`config`] | `tagbump.yaml` | `plan` and the pure modules below |
//! | [`holds`] | `tagbump-holds.yaml`: images that keep their tags for a while | `plan` and the pure modules below |
//! | [`history`] | which tags an image had, from commit to commit | `plan` and the pure modules below |
//! | [`plan`] | takes files and a request, gives edits | `effective`, `manifest`, `yaml`, `image`, `file_selection` |
//! | [`effective`] | what runs: which place wins where several set an image | `manifest`, `yaml`, `image`, `dotenv` |
//! | [`manifest`] | where a file names images; one file per kind | `yaml`, `image`, `file_selection` |
//! | [`yaml`] | scalars as bytes; only user of yaml_rust2 | |
//! | [`duration`] | how long something lasts, as people write it | |
//! | [`dotenv`] | files of `NAME=VALUE` lines, and edits of one value | |
//! | [`verify`] | how strictly an image must be in its registry | |
//! | [`image`], [`tag`], [`template`], [`file_selection`] | names, tags, templates, paths | each other, `dot_git` |
//! | [`ci`] | which CI system runs this, and what its variables say about the build | `tag`, `object_id`, `environment` |
//! | [`object_id`] | the IDs of commits, trees and files in git's object database | |
//! | [`edit_script`] | how one sequence differs from another: the shortest edit script | |
//! | [`dot_git`] | which file names lead into a repository's own folder | |
//! | [`markdown`], [`visible`] | make text from files and servers safe to show | |
//! | [`error`], [`hint`] | an error as it is shown: exit code, sentence, and what to do | `visible` |
//! | [`location`] | a place in a file | |
//! | [`crash`] | what a panic ends with: a message, and nothing left behind | `signals` |
//! | [`environment`], [`signals`], [`memory`], [`mutex`] | what every module needs | |
//!
//! A module uses only modules further down, and only `git` and the two adapters above it use git2. `scaffold`,
//! `history`, `holds`, `plan`, `manifest`, `markdown`, `yaml`, `image`, `tag`, `template`, `file_selection`, `object_id`,
//! `dotenv`, `duration`, `edit_script`, `ci` and `dot_git` are pure, except for `history::git`: no files, no network, no clock, no
//! environment.
//! `tests/it/house.rs` enforces both.
//!
//! # Errors
//!
//! A module reports what happened as data: an enum of its own, with names, places and the values found. It knows
//! neither exit codes nor flags. [`diagnostics`] turns each error into an exit code, a sentence and a hint, for someone
//! at a terminal or for the action: an [`error::Failure`].
//!
//! # Glossary
//!
//! | word | meaning |
//! |---|---|
//! | reference | a place in a file that names an image: name, tag, digest ([`manifest::Reference`]) |
//! | root | what a controller or a person renders as one: a kustomization, a release, a chart ([`effective::Root`]) |
//! | winning place | the strongest of the places that set an image in a root ([`effective::EffectiveImage`]) |
//! | environment | a set of roots: staging, production ([`plan::NamedEnvironment`]) |
//! | promotion | setting an environment to what the one before it runs; if nothing has run there long enough, the outcome is `held` |
//! | target | an image that a run updates, with its new tag or digest ([`plan::UpdateTarget`]) |
//! | plan | the edits that a run would make, and what it reports about them ([`plan::Plan`]) |
//! | decision | a tip's plan, message, pull request text and skipped references ([`decision::Decision`]) |
//! | file source | where a plan reads files: the work tree, a commit, a tip on the server ([`plan::FileSource`]) |
//! | match level | how strongly a selection asks for a file ([`file_selection::MatchLevel`]) |
//! | tip | the commit that a remote branch points at ([`landing::Tip`]) |
//! | landing | getting a commit onto a remote branch, without force, however many others push ([`landing::land`]) |
//! | source | the commit that an image was built from ([`tag::Source`]) |
//! | provenance | which commit set the tag of a reference, and which of its trailers count ([`landing::Provenance`]) |
//! | order guard | keeps an older build from overwriting a newer one; the outcome is `superseded` |
//! | publisher | puts a commit on a remote branch, by push or a forge's API ([`landing::remote::Publisher`]) |
//! | forge | a host of repositories that has pull requests ([`forge::Forge`]) |
//! | pipeline | a run of a CI system, as its variables describe it ([`ci::Pipeline`]) |
//! | carry | push the checkout's own commits along with the bump |
//! | hold | a person's request that an image keep its tag for a while ([`holds::Hold`]) |
//! | outcome | how a run ended, in one word ([`output::Outcome`]) |

#![warn(clippy::unwrap_used, clippy::expect_used)] // input is never trusted: report errors, don't panic
#![warn(clippy::print_stdout, clippy::print_stderr)] // only the binary prints

pub mod actions;
pub mod build_info;
pub mod ci;
pub mod cli;
pub mod commands;
pub mod config;
pub mod crash;
pub mod decision;
pub mod diagnostics;
pub mod dot_git;
pub mod dotenv;
pub mod duration;
pub mod edit_script;
pub mod effective;
pub mod environment;
pub mod error;
pub mod extras;
pub mod file_selection;
pub mod forge;
pub mod git;
pub mod hint;
pub mod history;
pub mod holds;
pub mod http;
pub mod image;
pub mod landing;
pub mod location;
pub mod manifest;
pub mod markdown;
pub mod memory;
pub mod mutex;
pub mod object_id;
pub mod output;
pub mod plan;
pub mod registry;
pub mod scaffold;
pub mod settings;
pub mod signals;
pub mod tag;
pub mod template;
pub mod verify;
pub mod visible;
pub mod worktree;
pub mod yaml;
