//! The forge that hosts a remote.

use crate::cli::ForgeArg;
use crate::decision::forge_kind;
use crate::forge::{self, ForgeSite};
use crate::git::RemoteUrl;
use crate::settings::RunContext;

/// The forge that hosts a remote; `named` is what the user says that it is.
pub(super) fn forge_site(run_context: &RunContext, remote: &RemoteUrl, named: ForgeArg) -> Option<ForgeSite> {
    forge::choose(&run_context.run, &run_context.environment, &page_of(remote, named)?, forge_kind(named))
}

/// The repository's page, which is not known for other hosts over ssh: their names may be aliases of ssh's. GitLab needs no API for merge
/// requests, and so no more than the user's word that the host is GitLab.
pub(super) fn page_of(remote: &RemoteUrl, named: ForgeArg) -> Option<String> {
    let is_gitlab = named == ForgeArg::Gitlab
        || remote.host().is_some_and(|host| host.eq_ignore_ascii_case("gitlab.com"));
    let over_ssh = || Some(format!("https://{}/{}", remote.host()?, remote.repository()?));
    remote.page().or_else(|| is_gitlab.then(over_ssh)?)
}
