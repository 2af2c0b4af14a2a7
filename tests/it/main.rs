//! The integration tests, in one binary: `cargo test --test it MODULE::` runs one subject.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod api_landing;
#[cfg(feature = "root-tests")]
mod as_root;
mod author;
mod background_processes;
mod carry;
mod changes;
mod child_environment;
mod ci_systems;
mod command_lines;
mod commit;
mod commit_index;
mod commit_refused;
mod config;
mod credentials;
mod delivery_guide;
#[cfg(feature = "deployment-tests")]
mod deployments;
mod docs;
mod environments;
mod fake_github;
mod faults;
mod fixtures;
mod folder_of_repository;
mod forge_answers;
mod forge_first;
#[cfg(feature = "forge-tests")]
mod forge_server;
mod forged_trailers;
mod forgotten_files;
mod git_config;
mod git_dir;
mod git_settings;
mod git_unsupported;
mod gitea;
mod github_client;
mod gitlab;
mod gitlab_api;
mod hints;
mod history;
mod history_hostile;
mod history_remote;
mod history_words;
mod holds;
mod holds_land;
mod hostile;
mod hostile_trees;
mod house;
mod init;
mod init_writing;
mod interrupted;
mod killed;
mod landing;
mod landing_deadline;
mod malformed_urls;
mod message;
mod nested_groups;
mod netrc;
mod order;
mod own_messages;
mod platforms;
mod promote;
mod promote_soak;
mod properties;
mod pull_after;
mod pull_request;
mod pull_request_faults;
mod pull_request_finish;
mod pull_request_own;
mod pull_request_race;
mod pull_request_words;
mod push_options;
mod push_reports;
mod race;
mod random_faults;
mod readme;
mod readme_claims;
mod refusals;
mod registry;
mod registry_labels;
mod registry_landing;
mod registry_secrets;
#[cfg(unix)]
mod registry_terminal;
mod remotes;
mod rollback;
mod rollback_apart;
mod rollback_holds;
mod rollback_lands;
mod rollback_local;
mod rollback_second;
mod rules_of_hosts;
mod runner_log;
mod scan;
mod secrets;
mod server_limits;
#[cfg(feature = "server-tests")]
mod servers;
mod shown_text;
#[cfg(feature = "signing-tests")]
mod signing;
#[cfg(feature = "signing-tests")]
mod signing_landing;
mod source;
mod ssh;
mod statuses;
mod steps;
mod submodule;
mod support;
mod swapped_files;
mod sync;
#[cfg(unix)]
mod sync_without_git;
mod tag;
mod target;
mod temporary_folders;
mod terminal;
mod tls_and_proxies;
mod trust;
mod url;
mod wait;
#[cfg(feature = "deployment-tests")]
mod what_runs;
mod winning_history;
mod worktree;
