//! Git, over libgit2. The only user of `git2`; its types never leave this room.
//!
//! `checkout` is the user's repository, `tree` reads files of a commit, `local_commit` is `--commit`.
//! Landing goes over a `workspace` of its own: a temporary bare repository that borrows the checkout's
//! objects, so that nothing in the checkout moves. `place` implements the landing room's trait with it,
//! `fetch` brings what is new into it, `push` sends what the server lacks, by `packet`s, `transport` talks to the
//! server, `ssh_program` is the ssh that it runs, `credentials` finds out who we are, `credential_helper` asks git's
//! helpers, `submodule` decides whether `TAGBUMP_TOKEN` may go to a submodule's remote, `verdict` says what a failure
//! means, and `withheld` which credentials were not sent. `given` is configuration that stands in the environment,
//! `date` what a commit's date may be, `signing` who signs it. `carry` takes local commits along, `history` knows the
//! order of commits, `head` is a pull request's branch, `twin` finds what a server made of a commit, `sync` lets the
//! checkout see the landed commit, whose objects `adopt` brings there. `past` is what came before a commit, `renames`
//! what its files were called, `remote_past` that of a remote branch. `process` starts every program, and decides
//! what its environment holds.

mod adopt;
pub mod answers;
mod carry;
mod checkout;
mod classify;
mod commit_walk;
mod config;
mod credential_helper;
mod credentials;
mod date;
mod env_config;
mod equivalent_commit;
mod failure;
mod fetch;
mod history;
mod identity;
mod local_commit;
mod pkt_line;
mod place;
mod pr_branch;
mod process;
mod push;
mod remote_history;
mod remote_url;
mod renames;
mod signing;
mod ssh_program;
mod ssh_url;
mod submodule;
mod sync;
mod temporary_folder;
mod transport;
mod tree;
mod url_text;
mod withheld;
mod workspace;

pub use carry::CarriedCommits;
pub use checkout::Checkout;
pub use commit_walk::CommitWalk;
pub use credentials::Tokens;
pub use identity::{AuthorError, Identity};
pub use local_commit::{CommitRequest, commit, rehearse};
pub use place::{GitRemoteBranch, LandingTarget};
pub use pr_branch::RefUpdate;
pub use remote_history::RemoteHistory;
pub use remote_url::RemoteUrl;
pub use signing::Signer;
pub use ssh_url::is_scp;
pub use submodule::UrlOrigin;
pub use sync::{SyncResult, sync};
pub use url_text::{misspelt_url, without_user};

/// Whether git takes this as a branch's name.
pub fn is_branch_name(name: &str) -> bool {
    transport::prepare();
    git2::Branch::name_is_valid(name).unwrap_or(false)
}
