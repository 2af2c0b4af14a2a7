//! Git plumbing on top of libgit2: repositories, remotes, credentials, signatures. It knows nothing about landing or
//! history.
//!
//! `checkout` is the user's repository, which `discovery` finds; `tracked_paths` reads its index; `tree` reads the files of a
//! commit, which `tree_search` finds, and `local_commit` implements `--commit`.
//!
//! Landing uses its own `workspace`: a temporary bare repository that borrows the checkout's objects, so that nothing
//! in the checkout moves. `fetch` brings new commits into it, and `push` sends what the server lacks, as `pkt_line`s;
//! `early_advertisement` asks for what a push needs to know while the fetch runs.
//! `carry` rebases local commits, and `equivalent_commit` finds the commit that a server made from one of ours. After
//! landing, `sync` updates the checkout, and `adopt` copies the new objects there.
//!
//! `transport` talks to the server, `ssh_program` is the ssh that it runs, and `answers` parses what the server
//! sends. `credentials` finds a token or password, `netrc` reads `.netrc`, `credential_helper` asks git's helpers, and `submodule` decides
//! whether `TAGBUMP_TOKEN` may go to a submodule's remote; `remote_settings` knows the settings that tagbump doesn't
//! support.
//!
//! `config` reads git's configuration, `env_config` the part of it in the environment, `date` parses a commit's date, and `signing` signs commits.
//! `process` starts every program, and decides what its environment contains.

mod adopt;
pub mod answers;
pub(crate) mod carry;
mod checkout;
mod checkout_update;
mod config;
mod credential_helper;
pub(crate) mod credentials;
mod date;
mod discovery;
pub(crate) mod early_advertisement;
mod env_config;
pub(crate) mod equivalent_commit;
mod error;
#[cfg(unix)]
mod fast_forward;
pub(crate) mod fetch;
mod identity;
mod index_file;
mod local_commit;
mod masking;
mod netrc;
pub(crate) mod oid;
mod pkt_line;
#[cfg(unix)]
mod plain_checkout;
pub mod process;
pub(crate) mod push;
mod real_path;
mod remote_settings;
mod remote_url;
pub(crate) mod signing;
mod ssh_program;
mod ssh_url;
mod submodule;
mod sync;
mod temporary_folder;
mod tracked_paths;
pub(crate) mod transport;
pub(crate) mod tree;
mod tree_search;
#[cfg(unix)]
mod unchanged;
mod url_text;
pub(crate) mod workspace;

pub use answers::{AnswerError, LimitExceeded, RefAdvertisement};
pub use carry::CarriedCommits;
pub use checkout::Checkout;
pub use credentials::{Secrets, Tokens};
pub use error::{
    CarryError, CheckoutError, CommitError, GitError, GitSettingError, IncludeProblem, RemoteUrlError,
    ServerError, SshProblem, UncommittedChange, UnsupportedFeature, UrlProblem,
};
pub use identity::{AuthorError, Identity};
pub use local_commit::{CommitRequest, commit, rehearse};
pub use remote_url::RemoteUrl;
pub use signing::{ProgramFailure, Signer, SigningError};
pub use ssh_url::is_scp;
pub use submodule::UrlOrigin;
pub(crate) use sync::LandedCommit;
pub use sync::{SyncResult, sync};
pub use url_text::{misspelt_url, without_user};

/// Whether git accepts this as the name of a branch.
pub fn is_branch_name(name: &str) -> bool {
    transport::prepare();
    git2::Branch::name_is_valid(name).unwrap_or(false)
}
