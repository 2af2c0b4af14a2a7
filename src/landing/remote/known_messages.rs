//! What hosts report only in the text of their message when they refuse a push. Nothing else matches their text.
//!
//! Sources: GitHub's "Troubleshooting rules" and "About protected branches" (GH006, GH013); GitLab's `lib/gitlab/checks/branch_check.rb`,
//! `lib/gitlab/git_access.rb` and `ee/lib/ee/gitlab/checks/push_rules/commit_check.rb`; Gitea's and Forgejo's
//! `routers/private/hook_pre_receive.go`; answers of Bitbucket Cloud, Bitbucket Data Center and Azure Repos, as their users quote them.

use super::error::BranchRule;

/// Parts of messages, and the rule that each one is about.
const RULES: [(&str, BranchRule); 27] = [
    // GitHub
    ("must have verified signatures", BranchRule::SignatureOfGitHub),
    ("GH006", BranchRule::Protected),
    ("GH013", BranchRule::Protected),
    ("protected branch hook declined", BranchRule::Protected),
    ("Protected branch update failed", BranchRule::Protected),
    ("Repository rule violations found", BranchRule::Protected),
    ("Changes must be made through", BranchRule::Protected),
    ("approving review is required", BranchRule::Protected),
    ("Required status check", BranchRule::Protected),
    // GitLab; before 16.0: "Commit must be signed with a GPG key"
    ("Commit must be signed", BranchRule::Signature),
    ("not allowed to push code to protected branches", BranchRule::Protected),
    ("not allowed to merge code into protected branches", BranchRule::Protected),
    ("not allowed to create protected branches", BranchRule::Protected),
    ("not allowed to force push code to a protected branch", BranchRule::Protected),
    ("not allowed to push code to this project", BranchRule::NoWriteAccess),
    // Gitea and Forgejo
    ("is protected from unverified commit", BranchRule::Signature),
    ("Not allowed to push to protected branch", BranchRule::Protected),
    ("Not allowed to force-push to protected branch", BranchRule::Protected),
    ("is protected from changing file", BranchRule::Protected),
    ("is protected from force push", BranchRule::Protected),
    ("User permission denied for writing", BranchRule::NoWriteAccess),
    // Bitbucket Cloud and Data Center
    ("Permission denied to update branch", BranchRule::Protected),
    ("can only be modified through pull requests", BranchRule::Protected),
    // Azure Repos
    ("TF402455", BranchRule::Protected),
    ("TF401027", BranchRule::NoWriteAccess),
    // git itself
    ("denyCurrentBranch", BranchRule::CheckedOut),
    ("branch is currently checked out", BranchRule::CheckedOut),
];

/// The rules that a refusal names, each once. GitHub's GH006 and GH013 are about any rule: if a signature is the only one that is listed, a
/// pull request would be no way around it.
pub fn rules(status: &str, words: &str) -> Vec<BranchRule> {
    let mut found: Vec<BranchRule> = Vec::new();
    for (known, rule) in RULES {
        if (status.contains(known) || words.contains(known)) && !found.contains(&rule) {
            found.push(rule);
        }
    }
    let names_another = words.contains("through a pull request") || words.contains("status check");
    if found.contains(&BranchRule::SignatureOfGitHub) && !names_another {
        found.retain(|rule| *rule != BranchRule::Protected);
    }
    found
}

/// Which host forbids a push to a token that may read: the ways to let it write differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForbiddingHost {
    GitHub,
    GitLab,
    Azure,
    Bitbucket,
    Other,
}

/// Parts of the texts that come with the status 403.
const FORBIDDING: [(&str, ForbiddingHost); 8] = [
    ("Write access to repository not granted", ForbiddingHost::GitHub),
    ("Permission to ", ForbiddingHost::GitHub),
    ("Resource not accessible by integration", ForbiddingHost::GitHub),
    ("You are not allowed to push code", ForbiddingHost::GitLab),
    ("You are not allowed to upload code", ForbiddingHost::GitLab),
    ("TF401027", ForbiddingHost::Azure),
    ("GenericContribute", ForbiddingHost::Azure),
    ("privilege scopes", ForbiddingHost::Bitbucket),
];

/// The host that answers 403, by its text and its name.
pub fn forbidding_host(url: &str, words: &str) -> ForbiddingHost {
    let by_words = FORBIDDING.iter().find(|(known, _)| words.contains(known)).map(|(_, host)| *host);
    by_words.unwrap_or_else(|| {
        let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase));
        match host.as_deref() {
            Some("github.com") => ForbiddingHost::GitHub,
            Some("gitlab.com") => ForbiddingHost::GitLab,
            Some("dev.azure.com") => ForbiddingHost::Azure,
            Some("bitbucket.org") => ForbiddingHost::Bitbucket,
            _ => ForbiddingHost::Other,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_alone_is_the_rule_of_github() {
        let signature = "remote: error: GH006: Protected branch update failed for refs/heads/main.\n\
                         remote: - Commits must have verified signatures.";
        assert_eq!(rules("protected branch hook declined", signature), [BranchRule::SignatureOfGitHub]);
        let both = format!("{signature}\nremote: - Changes must be made through a pull request.");
        assert_eq!(
            rules("protected branch hook declined", &both),
            [BranchRule::SignatureOfGitHub, BranchRule::Protected]
        );
        assert_eq!(rules("pre-receive hook declined", "no deploys on Friday"), []);
        // what GitHub's API answers has no status
        let by_api = "Repository rule violations found\n\nCommits must have verified signatures.";
        assert_eq!(rules("", by_api), [BranchRule::SignatureOfGitHub]);
    }

    #[test]
    fn host_that_forbids_is_known_by_words_or_name() {
        for (url, words, host) in [
            (
                "https://git.example/a/b",
                "You are not allowed to push code to this project.",
                ForbiddingHost::GitLab,
            ),
            ("https://ghe.example/a/b", "Permission to a/b.git denied to bot.", ForbiddingHost::GitHub),
            ("https://github.com/a/b", "", ForbiddingHost::GitHub),
            ("https://bitbucket.org/a/b", "", ForbiddingHost::Bitbucket),
            ("https://dev.azure.com/o/p/_git/r", "", ForbiddingHost::Azure),
            ("https://git.example/a/b", "no", ForbiddingHost::Other),
        ] {
            assert_eq!(forbidding_host(url, words), host, "{url} {words}");
        }
    }
}
