//! Errors with landings: the loop, the remote branch, and messages made from templates.

use super::{git, tag};
use crate::error::{Exit, Failure};
use crate::hint::{Hint, flag, hint, setting, switch};
use crate::landing::remote::{BranchRule, ForbiddingHost, HttpRefusal, RemoteError};
use crate::landing::{GiveUpReason, LandingError, MessageError, outcome_unknown};
use crate::tag::{MESSAGE_VARIABLES, VariableError, variables};

/// What to do if the time ran out.
pub(super) fn more_time() -> Hint {
    hint("run again, or increase ") + flag("timeout")
}

impl<B, P> From<LandingError<B, P>> for Failure
where
    B: Into<Failure> + std::fmt::Display,
    P: Into<Failure> + std::fmt::Display,
{
    fn from(error: LandingError<B, P>) -> Self {
        let message = error.to_string();
        match error {
            LandingError::GaveUp { reason, .. } => {
                Failure::new(Exit::NotLanded, message).hinted(advice(reason))
            }
            LandingError::RejectedUnclear { .. } => Failure::new(Exit::Refused, message).hinted(
                "a rule of the branch or a hook is the likely cause; ask the repository's administrators",
            ),
            LandingError::UnpackFailed { .. } => Failure::new(Exit::Refused, message).hinted(
                "its disk may be full, or the push may exceed its limits; ask the repository's administrators",
            ),
            LandingError::OutcomeUnknown { error, reason } => {
                let failure = Failure::from(*error);
                Failure { message: failure.message + &*outcome_unknown(&reason), ..failure }
            }
            LandingError::Branch(error) => error.into(),
            LandingError::Propose(error) => error.into(),
        }
    }
}

fn advice(reason: GiveUpReason) -> Hint {
    match reason {
        GiveUpReason::TimedOut => more_time(),
        GiveUpReason::Unreachable => hint("check the remote's URL and the network, then run again"),
        GiveUpReason::LockStays => hint("a lock was left behind on the server; remove it, then run again"),
    }
}

pub(super) fn describe_remote(error: &RemoteError) -> Failure {
    let message = error.to_string();
    match error {
        RemoteError::Git(error) => git::describe(error),
        RemoteError::Server(error) => git::describe_server(error),
        RemoteError::Http(refusal) => Failure::new(Exit::Refused, message).hinted(status_advice(refusal)),
        RemoteError::NotRead { .. } | RemoteError::NotPushed { .. } => Failure::other(message)
            .hinted("run again; if git can do the same there, please report this as a bug"),
        RemoteError::NotAfterTip { .. } => {
            Failure::other(message).hinted("nothing was pushed; run again, and please report this as a bug")
        }
        RemoteError::NoBranch { .. } => {
            let other = hint("name another with ") + flag("branch");
            Failure::usage(message).hinted(other + "; only a pull request creates branches")
        }
        RemoteError::NoDefaultBranch { .. } => {
            Failure::usage(message).hinted(hint("name one with ") + flag("branch"))
        }
        RemoteError::HistoryTimedOut { .. } => {
            Failure::new(Exit::NotLanded, message).hinted("check the network, then run again")
        }
        RemoteError::BranchInTheWay { .. } => {
            let advice = hint("another branch has part of that name; delete it, or use another name with ");
            Failure::new(Exit::Refused, message).hinted(advice + flag("pr-branch"))
        }
        // the server's status is one line, and what a hook says comes after it
        RemoteError::Declined { rules, message: answer, .. }
            if rules == &[BranchRule::Hook] && answer.lines().count() < 2 =>
        {
            Failure::new(Exit::Refused, message)
                .hinted("a hook on the server declined the push without a message; ask who runs the server")
        }
        RemoteError::Declined { rules, .. } => {
            Failure::new(Exit::Refused, message).hinted(rules_advice(rules))
        }
        RemoteError::Withheld { error, withheld } => with_withheld(describe_remote(error), withheld),
    }
}

/// Only a refusal may be due to credentials that weren't sent.
fn with_withheld(failure: Failure, withheld: &[String]) -> Failure {
    if failure.exit != Exit::Refused {
        return failure;
    }
    let message = withheld.iter().fold(failure.message, |message, why| message + "\n" + why.as_str());
    Failure { message, ..failure }
}

pub(super) fn rules_advice(rules: &[BranchRule]) -> Hint {
    let advice = rules.iter().map(|rule| rule_advice(*rule));
    advice.reduce(|one, other| one + "; " + other).unwrap_or_else(|| rule_advice(BranchRule::Hook))
}

fn rule_advice(rule: BranchRule) -> Hint {
    match rule {
        BranchRule::Protected => {
            hint("the branch is protected: open a pull request with ")
                + switch("pr")
                + ", let this identity bypass the rule, or land on another branch with "
                + flag("branch")
        }
        BranchRule::CheckedOut => hint("the remote has that branch checked out; push to a bare repository"),
        BranchRule::SignatureOfGitHub => {
            hint("only commits with a verified signature may land: let GitHub sign with ")
                + setting("via", "api")
                + ", or sign with "
                + switch("sign")
        }
        BranchRule::Signature => {
            hint("only signed commits may land: sign with ")
                + switch("sign")
                + ", and add the key to the account of the committer"
        }
        BranchRule::NoWriteAccess => hint("this identity may not write: let it contribute to the repository"),
        BranchRule::Hook => hint("a hook on the server declined the push; its message is above"),
    }
}

fn status_advice(refusal: &HttpRefusal) -> &'static str {
    match (refusal.status, &refusal.credential) {
        (401, Some(_)) => {
            "the token may be wrong, expired, or for another host; set another one in TAGBUMP_TOKEN"
        }
        (401, None) if refusal.has_withheld => {
            "remove the cause that is given above, or configure another credential for this host in git"
        }
        (401, None) => {
            "set TAGBUMP_TOKEN (sent only over https, or to this machine), or let actions/checkout persist its credentials"
        }
        (403, _) => forbidden_advice(refusal.forbidding_host()),
        (404, _) => "fix the remote's URL; hosts also answer 404 for repositories that the token can't see",
        // nginx, to a client without a certificate
        (400, _) => {
            "fix the remote's URL; a server that wants a client certificate (http.sslCert) also answers 400"
        }
        // nginx's `client_max_body_size` is 1 MB by default
        (413, _) => {
            "the push is too large for the server or a proxy before it; raise its limit on the size of requests"
        }
        _ => "fix the remote's URL",
    }
}

fn forbidden_advice(host: ForbiddingHost) -> &'static str {
    match host {
        ForbiddingHost::GitHub => {
            "the token can't write: in Actions, give the job permissions: contents: write"
        }
        ForbiddingHost::GitLab => {
            "the token can't write: it needs write_repository and at least the role Developer; for CI_JOB_TOKEN, allow \
             Git push requests in Settings, CI/CD, Job token permissions"
        }
        ForbiddingHost::Azure => {
            "the token can't write: allow Contribute for the build service in Project settings, Repositories, Security"
        }
        ForbiddingHost::Bitbucket => "the token can't write: it needs the scope repository:write",
        ForbiddingHost::Other => {
            "the token can't write: give it write access to the repository; in GitHub Actions, give the job \
             permissions: contents: write"
        }
    }
}

pub(super) fn describe_message(error: &MessageError) -> Failure {
    match error {
        MessageError::Variable { option, error: VariableError::Unknown { .. }, .. } => {
            Failure::usage(flag(option) + ": " + &*error.to_string())
                .hinted(tag::known_variables(MESSAGE_VARIABLES.into_iter().chain(variables())))
        }
        MessageError::Variable { option, .. } => {
            Failure::usage(flag(option) + ": " + &*error.to_string()).hinted(hint("change ") + flag(option))
        }
        MessageError::Empty { option } => {
            Failure::usage(flag(option) + " gives an empty message").hinted(hint("change ") + flag(option))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hint::Audience;
    use crate::visible::inline;

    type AnyError = LandingError<Failure, Failure>;

    #[test]
    fn landing_that_gave_up_is_exit_4_with_the_number_of_tries() {
        let gave_up = |tries, reason| {
            let problem = "the branch moved".to_owned();
            Failure::from(AnyError::GaveUp { tries, problem, reason })
        };
        for (tries, message) in [
            (0, "not landed before anything was pushed: the branch moved"),
            (1, "not landed after 1 try: the branch moved"),
            (7, "not landed after 7 tries: the branch moved"),
        ] {
            let failure = gave_up(tries, GiveUpReason::TimedOut);
            assert_eq!((failure.exit, &*failure.to_string()), (Exit::NotLanded, message));
            assert_eq!(failure.hint.to_string(), "run again, or increase --timeout");
        }
        for (reason, hint) in [(GiveUpReason::Unreachable, "network"), (GiveUpReason::LockStays, "lock")] {
            let failure = gave_up(1, reason);
            assert_eq!(failure.exit, Exit::NotLanded);
            assert!(failure.hint.to_string().contains(hint));
        }
    }

    #[test]
    fn rejected_push_is_exit_5() {
        let message = || "no, the disk is full".to_owned();
        for error in
            [AnyError::RejectedUnclear { message: message() }, AnyError::UnpackFailed { message: message() }]
        {
            let failure = Failure::from(error);
            assert_eq!(failure.exit, Exit::Refused);
            assert!(failure.to_string().ends_with(": no, the disk is full") && !failure.hint.is_empty());
        }
    }

    #[test]
    fn errors_of_branch_and_proposal_are_described_as_they_are() {
        let inner = Failure::new(Exit::Refused, "pre-receive hook declined").hinted("ask");
        assert_eq!(Failure::from(AnyError::Branch(inner.clone())), inner);
        assert_eq!(Failure::from(AnyError::Propose(inner.clone())), inner);
        let unknown = Failure::from(AnyError::OutcomeUnknown {
            error: Box::new(AnyError::Propose(inner.clone())),
            reason: "u: no answer in time".to_owned(),
        });
        let message = "pre-receive hook declined; the outcome of the last try is unknown, because the branch \
            couldn't be read after it: u: no answer in time";
        assert_eq!((unknown.exit, &*unknown.to_string()), (Exit::Refused, message));
        assert_eq!(unknown.hint, inner.hint);
    }

    #[test]
    fn declined_push_names_the_rule() {
        for (rule, hint) in [
            (BranchRule::Protected, "--pr"),
            (BranchRule::Signature, "--sign"),
            (BranchRule::SignatureOfGitHub, "--via api, or sign with --sign"),
            (BranchRule::NoWriteAccess, "contribute"),
            (BranchRule::CheckedOut, "bare"),
            (BranchRule::Hook, "hook"),
        ] {
            let (url, message) = ("u".to_owned(), "no".to_owned());
            let failure = describe_remote(&RemoteError::Declined { url, rules: vec![rule], message });
            assert_eq!((failure.exit, &*failure.to_string()), (Exit::Refused, "u declines the push: no"));
            assert!(failure.hint.to_string().contains(hint), "{rule:?}");
        }
    }

    #[test]
    fn push_that_is_too_large_needs_another_limit() {
        let (url, message) = ("u".to_owned(), String::new());
        let refusal = HttpRefusal { url, status: 413, credential: None, has_withheld: false, message };
        let hint = describe_remote(&RemoteError::Http(refusal)).hint.to_string();
        assert!(hint.contains("too large for the server"), "{hint}");
    }

    #[test]
    fn withheld_credentials_are_listed_for_refusals_only() {
        let explained = |error| {
            let withheld = vec!["TAGBUMP_TOKEN was not sent".to_owned()];
            describe_remote(&RemoteError::Withheld { error: Box::new(error), withheld }).to_string()
        };
        let url = || "u".to_owned();
        let refusal = HttpRefusal {
            url: url(),
            status: 403,
            credential: None,
            has_withheld: false,
            message: String::new(),
        };
        assert_eq!(
            inline(&explained(RemoteError::Http(refusal))),
            r"u forbids access (403)\nTAGBUMP_TOKEN was not sent"
        );
        assert_eq!(explained(RemoteError::NoDefaultBranch { url: url() }), "u has no default branch");
    }

    #[test]
    fn unknown_variable_lists_the_known_ones_and_how_to_write_a_brace() {
        let error = crate::tag::unknown_variable("\"a\"");
        let error = MessageError::Variable { option: "message", template: "{\"a\"}".to_owned(), error };
        let hint = describe_message(&error).hint.to_string();
        for word in ["{old_tag}", "{sha}", "{{ and }}"] {
            assert!(hint.contains(word), "{hint}");
        }
    }

    #[test]
    fn message_error_names_its_option() {
        let failure = describe_message(&MessageError::Empty { option: "pr-title" });
        assert_eq!((failure.exit, &*failure.to_string()), (Exit::Usage, "--pr-title gives an empty message"));
        assert_eq!(failure.hint.to_string(), "change --pr-title");
        let in_action = failure.worded_for(Audience::Action);
        assert_eq!(in_action.to_string(), "the input \"pr-title\" gives an empty message");
    }
}
