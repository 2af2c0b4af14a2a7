//! Git errors.

use super::{http, signing, worktree};
use crate::error::{Exit, Failure};
use crate::git::{
    AnswerError, CarryError, CheckoutError, CommitError, GitError, GitSettingError, IncludeProblem,
    LimitExceeded, RemoteUrlError, ServerError, SshProblem, UncommittedChange, UnsupportedFeature,
    UrlProblem,
};
use crate::hint::{Hint, flag, hint, setting, switch};
use crate::visible::inline;

pub(super) fn describe(error: &GitError) -> Failure {
    let message = error.to_string();
    match error {
        GitError::Library { .. } => {
            Failure::other(message).hinted("git fsck checks the repository; a fresh clone may help")
        }
        GitError::System { .. } => Failure::other(message)
            .hinted("check who owns the repository's files, and that the disk has space"),
        GitError::Temporary(_) => {
            Failure::other(message).hinted("set TMPDIR to a folder that can be written and has space")
        }
        GitError::CurrentFolder(_) => Failure::other(message).hinted("run in a folder that exists"),
        GitError::NoCommit => Failure::usage(message).hinted("make the first commit, then run again"),
        GitError::Carry(error) => carry(error),
        GitError::Checkout(error) => checkout(error),
        GitError::Commit(error) => commit(error),
        GitError::Http(error) => http::describe(error),
        GitError::RemoteUrl(error) => describe_url(error),
        GitError::Setting(error) => Failure::usage(message).hinted(setting_advice(error)),
        GitError::Signing(error) => signing::describe(error),
        GitError::Source(error) => worktree::describe_source(error),
        GitError::Worktree(error) => worktree::describe(error),
    }
}

fn carry(error: &CarryError) -> Failure {
    let message = error.to_string();
    match error {
        CarryError::PartialClone => {
            let advice =
                hint("name a folder with ") + flag("repo") + ", cloned without git's --filter, or remove ";
            Failure::usage(message).hinted(advice + switch("carry"))
        }
        CarryError::NoUpstream => {
            let advice = hint("git branch --set-upstream-to origin/BRANCH, or remove ") + switch("carry");
            Failure::usage(message).hinted(advice)
        }
        CarryError::Detached { remote, branch } => {
            let fetch = match branch {
                Some(branch) => hint(format!("git fetch {remote} {branch}:refs/remotes/{remote}/{branch}")),
                None => hint("name the branch with ") + flag("branch"),
            };
            Failure::usage(message).hinted(fetch + ", or remove " + switch("carry"))
        }
        CarryError::Conflict { .. } => {
            let advice = hint("rebase it by hand, or remove ") + switch("carry") + "; nothing was changed";
            Failure::new(Exit::NotLanded, message).hinted(advice)
        }
    }
}

fn checkout(error: &CheckoutError) -> Failure {
    let message = error.to_string();
    match error {
        CheckoutError::BadFolder { .. } => {
            Failure::usage(message).hinted(hint("name a folder with ") + flag("repo"))
        }
        CheckoutError::NotUtf8 { .. } => Failure::usage(message).hinted("rename the folder"),
        CheckoutError::ForeignOwner { folder } => Failure::other(message).hinted(trust(folder)),
        CheckoutError::NotOpened { feature, .. } => Failure::other(message).hinted(match feature {
            Some(UnsupportedFeature::Sha256) => "SHA-256 repositories are not supported; use a SHA-1 clone",
            Some(UnsupportedFeature::Reftable) => {
                "reftable is not supported: git refs migrate --ref-format=files"
            }
            None => "run git status there to see what git reports",
        }),
        CheckoutError::NoGitDir { .. } => Failure::usage(message).hinted(
            "unset GIT_DIR, or set it to the repository's .git; a git hook sets it for its own repository",
        ),
        CheckoutError::UnsupportedVariable { variable } => Failure::usage(message)
            .hinted(hint(format!("unset {variable} for tagbump; git's hooks set such variables"))),
        CheckoutError::UnsupportedSetting { setting } => {
            Failure::usage(message).hinted(hint(match setting.ends_with(".proxy") {
                true => "set http.URL.proxy instead".to_owned(),
                false => format!("if you can do without it: git config --unset {setting}"),
            }))
        }
        CheckoutError::ForbiddenProtocol { setting, .. } => {
            Failure::usage(message).hinted(hint(format!("use another URL, or allow it in {setting}")))
        }
        CheckoutError::Bare { .. } => Failure::usage(message).hinted(
            hint("name its work tree in GIT_WORK_TREE, or work without one: ")
                + flag("repo")
                + " with its URL",
        ),
        CheckoutError::NoWorkTree { setting, .. } => {
            Failure::usage(message).hinted(hint(format!("fix {setting}, or unset it")))
        }
        CheckoutError::OutsideWorkTree { .. } => Failure::usage(message).hinted(
            hint("name a folder in the work tree with ")
                + flag("repo")
                + ", or fix GIT_WORK_TREE or core.worktree",
        ),
        CheckoutError::UnknownRemote { other: Some(other), .. } => {
            Failure::usage(message).hinted(hint("name another with ") + setting("remote", inline(other)))
        }
        CheckoutError::UnknownRemote { other: None, .. } => {
            let advice = hint("name one with ") + flag("remote") + ", or add it: git remote add origin URL";
            Failure::usage(message).hinted(advice)
        }
        CheckoutError::RemoteWithoutUrl { name } => {
            Failure::usage(message).hinted(format!("git config remote.{}.url URL", inline(name)))
        }
        CheckoutError::DashedRemote { .. } => Failure::usage(message).hinted("give its name"),
        CheckoutError::SeveralPushUrls { .. } => {
            Failure::usage(message).hinted(hint("name one of them with ") + flag("remote"))
        }
    }
}

fn trust(folder: &str) -> Hint {
    hint(format!("if you trust it: git config --global --add safe.directory {folder}"))
}

fn commit(error: &CommitError) -> Failure {
    let message = error.to_string();
    match error {
        CommitError::Unfinished => Failure::other(message).hinted("finish it first; git status shows how"),
        CommitError::IndexChanged | CommitError::BranchMoved => Failure::other(message).hinted("run again"),
        CommitError::UnreadableIndex { .. } => Failure::other(message).hinted(
            "a split or sparse index is not supported: git update-index --no-split-index, \
             git sparse-checkout reapply --no-sparse-index",
        ),
        CommitError::Locked { .. } => Failure::other(message)
            .hinted("run again when it is done; a lock that a crash left behind must be removed by hand"),
        CommitError::Uncommitted { change: UncommittedChange::Sparse, .. } => {
            let advice = hint("add its folder with git sparse-checkout add FOLDER, or land with ");
            Failure::new(Exit::NotEditable, message).hinted(advice + switch("push"))
        }
        CommitError::Uncommitted { change: UncommittedChange::NotInWorkTree { .. }, .. } => {
            let advice = "make it readable, or restore it with git checkout -- FILE; then run again";
            Failure::new(Exit::NotEditable, message).hinted(advice)
        }
        CommitError::Uncommitted { .. } => {
            Failure::new(Exit::NotEditable, message).hinted("commit, stash or undo those changes, then bump")
        }
        CommitError::BadPath { .. } => Failure::new(Exit::NotEditable, message).hinted("rename the file"),
        CommitError::BadIdentity { .. } => {
            Failure::usage(message).hinted(hint("set git's user.name and user.email, or ") + flag("author"))
        }
    }
}

pub(super) fn describe_url(error: &RemoteUrlError) -> Failure {
    Failure::usage(error.to_string()).hinted(match &error.problem {
        UrlProblem::Helper => "use an https URL".to_owned(),
        UrlProblem::Scheme => "use https, ssh, file or a path".to_owned(),
        UrlProblem::NotAUrl { meant: Some(meant) } => format!("write it as {meant}"),
        UrlProblem::Ssh(_) => {
            "write it as ssh://USER@HOST/PATH or USER@HOST:PATH; for a file, put ./ before it".to_owned()
        }
        UrlProblem::Path => "write ./ before it".to_owned(),
        UrlProblem::Password => {
            "write it as https://HOST/PATH, with the password in TAGBUMP_TOKEN; for a path, put ./ before it"
                .to_owned()
        }
        UrlProblem::ControlCharacter
        | UrlProblem::NotAUrl { meant: None }
        | UrlProblem::Backslash
        | UrlProblem::Syntax(_)
        | UrlProblem::AtSign
        | UrlProblem::Host => "fix the remote's URL".to_owned(),
    })
}

const PUSH_OPTIONS: &str = "git config --show-origin --get-all push.pushOption shows where it is set; \
                            an empty value after it discards it";

fn setting_advice(error: &GitSettingError) -> Hint {
    hint(match error {
        GitSettingError::Count { .. } => "unset it, or set it to the number of pairs",
        GitSettingError::MissingKey { .. } => "set it, or reduce the count",
        GitSettingError::Parameters { .. } => "unset it; git -c sets it for the programs that it runs",
        GitSettingError::Key { .. } => "write it as SECTION.NAME or SECTION.SUBSECTION.NAME",
        GitSettingError::Date { .. } => {
            "write it as @1112904793 +0200, 2005-04-07T22:13:13+0200 or Thu, 07 Apr 2005 22:13:13 +0200"
        }
        GitSettingError::Header => {
            "git config --show-origin --get-regexp 'http.*extraheader' shows where it is set"
        }
        GitSettingError::UrlLineBreak => "fix the remote's URL",
        GitSettingError::SimpleSshPort { .. } => "set ssh.variant, or the port where the program reads it",
        GitSettingError::PushOption { .. } => PUSH_OPTIONS,
        GitSettingError::Include { problem, .. } => include_advice(problem),
    })
}

fn include_advice(problem: &IncludeProblem) -> &'static str {
    match problem {
        IncludeProblem::Unreadable(_) => {
            "fix the file or its permissions; git config --list shows what git says"
        }
        IncludeProblem::TooDeep | IncludeProblem::TooMany => "include fewer files, or nest them less deeply",
        IncludeProblem::NotFromFile | IncludeProblem::OtherHome | IncludeProblem::Prefix => {
            "write the path in full"
        }
        IncludeProblem::NoHome => "set HOME, or write the path in full",
        IncludeProblem::RemoteUrl => {
            "git refuses this too: set the URL in the repository's own configuration"
        }
    }
}

pub(super) fn describe_server(error: &ServerError) -> Failure {
    let (exit, advice) = match error {
        ServerError::Http(error) => return http::describe(error),
        ServerError::Setting(error) => (Exit::Usage, setting_advice(error)),
        ServerError::Answer { error, .. } => answer_advice(error),
        ServerError::RedirectedToPage { .. } => {
            (Exit::Other, hint("fix the remote's URL; a login page may be in the way"))
        }
        ServerError::RedirectedAway { url, .. } => {
            (Exit::Refused, hint("nothing was sent there; ") + &*if_it_moved(url))
        }
        ServerError::RedirectsOff { url } => (Exit::Refused, hint(if_it_moved(url))),
        ServerError::TooManyRedirects { .. } => (Exit::Other, hint("fix the remote's URL")),
        ServerError::BadUrl { .. } => (Exit::Usage, hint("fix the remote's URL")),
        ServerError::NotAGitServer { .. } => {
            (Exit::Other, hint("fix the remote's URL; a proxy or a login page may be in the way"))
        }
        ServerError::TooManyHeaders { .. } => {
            (Exit::Other, hint("check the remote's URL; a proxy may answer in the server's place"))
        }
        ServerError::GitMissing => (Exit::Other, hint("install git, or use an https remote")),
        ServerError::GitNotStarted { .. } => {
            (Exit::Other, hint("check that git runs here: git --version; or use an https remote"))
        }
        ServerError::NotARepository { .. } => (Exit::Usage, hint("fix the remote's path")),
        ServerError::ForeignOwner { path } => (Exit::Other, trust(path)),
        ServerError::SshNotStarted { .. } => {
            let advice =
                "install an ssh client, name one in GIT_SSH_COMMAND, or use an https URL with a token";
            (Exit::Other, hint(advice))
        }
        ServerError::Ssh { problem: SshProblem::CommandMissing, .. } => {
            let advice = "check GIT_SSH_COMMAND and core.sshCommand here, and that the server has git";
            (Exit::Other, hint(advice))
        }
        ServerError::Ssh { host, port, problem, .. } => {
            (Exit::Refused, hint(ssh_advice(*problem, host, *port)))
        }
    };
    Failure::new(exit, error.to_string()).hinted(advice)
}

fn if_it_moved(url: &str) -> String {
    format!("if the repository has moved: git remote set-url origin {url}")
}

fn answer_advice(error: &AnswerError) -> (Exit, Hint) {
    let advice = match error {
        AnswerError::NoPushOptions => return (Exit::Usage, hint(PUSH_OPTIONS)),
        AnswerError::NoMergeRequestOptions => {
            let advice = hint("push without ") + switch("pr");
            return (
                Exit::Usage,
                advice + ", or have the server allow them: git's receive.advertisePushOptions",
            );
        }
        AnswerError::TooLong(LimitExceeded::References | LimitExceeded::ReferenceBytes) => {
            "check the remote's URL; a real repository of that size needs fewer branches and tags on the server"
        }
        AnswerError::TooLong(LimitExceeded::FetchedBytes | LimitExceeded::FetchedObjects) => {
            "check the remote's URL; for a real repository of that size, run in a clone of it"
        }
        AnswerError::TooLong(LimitExceeded::PushAnswer) => "check what the server's hooks print",
        _ => "check the remote's URL; a proxy may answer in the server's place",
    };
    (Exit::Other, hint(advice))
}

fn ssh_advice(problem: SshProblem, host: &str, port: Option<u16>) -> String {
    match problem {
        SshProblem::HostKeyChanged => {
            format!(
                "compare it with the key that {host} publishes; if they match: ssh-keygen -R {host}, and add it"
            )
        }
        SshProblem::HostKeyUnknown => {
            let port = port.map(|port| format!("-p {port} ")).unwrap_or_default();
            format!(
                "compare the host's key with the one that {host} publishes, then add it: \
                 ssh-keyscan {port}{host} >> ~/.ssh/known_hosts"
            )
        }
        SshProblem::KeyRejected => {
            "give ssh a key that the host knows: an agent, or GIT_SSH_COMMAND='ssh -i FILE'; \
             or use an https URL with a token"
                .to_owned()
        }
        SshProblem::Forbidden => "let the key write to the repository".to_owned(),
        SshProblem::RepositoryMissing => {
            "fix the remote's URL; hosts give the same answer if the key may not see the repository"
                .to_owned()
        }
        SshProblem::CommandMissing => {
            "check GIT_SSH_COMMAND and core.sshCommand here, and that the server has git".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_over_ssh_are_exit_5_and_missing_commands_are_not() {
        for (problem, exit) in [
            (SshProblem::HostKeyChanged, Exit::Refused),
            (SshProblem::HostKeyUnknown, Exit::Refused),
            (SshProblem::KeyRejected, Exit::Refused),
            (SshProblem::Forbidden, Exit::Refused),
            (SshProblem::RepositoryMissing, Exit::Refused),
            (SshProblem::CommandMissing, Exit::Other),
        ] {
            let (url, host, message) = ("u".to_owned(), "h".to_owned(), "the message of ssh".to_owned());
            let failure = describe_server(&ServerError::Ssh { url, host, port: None, problem, message });
            assert_eq!(failure.exit, exit, "{problem:?}");
            assert!(
                failure.to_string().contains("the message of ssh") && !failure.hint.is_empty(),
                "{failure}"
            );
        }
    }
}
