//! What is waited for: a commit of the branch, and the tags that it set.
//!
//! Without `--rev`, it is the newest commit that set a tag of the images. Of several references, those count that this commit changed: another
//! environment may be bumped in the meantime.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::decision::lookup_request;
use crate::diagnostics::{Error, WaitError};
use crate::git::Checkout;
use crate::history::{self, CommitStore, FollowedReferences, HistoryStart};
use crate::image::{Tag, join_tag};
use crate::landing::remote::RemoteHistory;
use crate::landing::{claims, images_in_trailers};
use crate::object_id::CommitId;
use crate::output::BumpedImage;
use crate::plan::{self, CurrentReference, PlanError, Request};
use crate::settings::WaitSettings;
use crate::visible::inline;

/// The tags of each reference's file, by the target's position.
type Values = BTreeMap<(usize, String), BTreeSet<String>>;

/// A commit, and the tags that it set.
pub(super) struct Awaited {
    pub commit: CommitId,
    pub images: Vec<BumpedImage>,
    /// Tags, digests where there is no tag, and the commits that the images were built from.
    pub words: Vec<String>,
    request: Request,
    values: Values,
}

/// Whether a commit still has the awaited tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TagState {
    Same,
    /// What it has in place of them.
    Other(String),
}

impl Awaited {
    pub fn find(settings: &WaitSettings, remote: &RemoteHistory, checkout: &Checkout) -> Result<Self, Error> {
        let given = settings.rev.as_deref().map(|rev| given_commit(remote, rev)).transpose()?;
        let config = Config::load(&remote.files_at(given.unwrap_or(remote.tip())))?;
        let request = request(settings, &config, remote, given)?;
        let repository_url = checkout.repository_url(&settings.remote.name);
        let request = Request { repository_url, ..request };
        let commit = match given {
            Some(commit) => commit,
            None => newest_writer(remote, &request, checkout.prefix())?,
        };
        let all = plan::matching_references(&remote.files_at(commit), &request)?;
        let values = changed(remote, &request, commit, values(&all));
        let tracked: Vec<&CurrentReference> =
            all.iter().filter(|now| values.contains_key(&key(now))).collect();
        let message = remote.message(commit).unwrap_or_default();
        let (images, words) = (images(&request, &tracked), words(&request, &tracked, &message));
        Ok(Awaited { commit, images, words, request, values })
    }

    /// Whether a later commit of the branch has the same tags in the same files.
    pub fn holds(&self, remote: &RemoteHistory, commit: CommitId) -> Result<TagState, Error> {
        let there = match plan::matching_references(&remote.files_at(commit), &self.request) {
            Ok(there) => values(&there),
            Err(PlanError::NoMatch(_)) => return Ok(TagState::Other("no reference to it".to_owned())),
            Err(error) => return Err(error.into()),
        };
        for ((target, file), ours) in &self.values {
            // a file may have been renamed
            let elsewhere = || there.iter().filter(|((of, _), _)| of == target).any(|(_, tags)| tags == ours);
            match there.get(&(*target, file.clone())) {
                Some(tags) if tags == ours => {}
                Some(tags) => return Ok(TagState::Other(format!("{} in {}", joined(tags), inline(file)))),
                None if elsewhere() => {}
                None => return Ok(TagState::Other(format!("no reference in {}", inline(file)))),
            }
        }
        Ok(TagState::Same)
    }
}

fn given_commit(remote: &RemoteHistory, rev: &str) -> Result<CommitId, WaitError> {
    let branch = || remote.branch().to_owned();
    remote.find(rev).ok_or_else(|| WaitError::NotOnBranch { commit: rev.to_owned(), branch: branch() })
}

/// The typed images; else those of the given commit's trailers; else all services.
fn request(
    settings: &WaitSettings,
    config: &Config,
    remote: &RemoteHistory,
    given: Option<CommitId>,
) -> Result<Request, Error> {
    let mut names = settings.images.clone();
    if names.is_empty() {
        let message = given.and_then(|commit| remote.message(commit)).unwrap_or_default();
        names = images_in_trailers(&message).into_iter().map(|image| image.name).collect();
        names.dedup();
    }
    if names.is_empty() {
        names = config.names().map(str::to_owned).collect();
    }
    if names.is_empty() {
        return Err(WaitError::NoImage.into());
    }
    Ok(lookup_request(config, &names, &settings.selection, settings.env.as_deref())?)
}

/// The newest commit of the branch that set one of the tags.
fn newest_writer(remote: &RemoteHistory, request: &Request, prefix: &str) -> Result<CommitId, Error> {
    let now = plan::matching_references(&remote.files_at(remote.tip()), request)?;
    let (commits, tip) = remote.past();
    let mut writer = None;
    let references = FollowedReferences { request, now: &now };
    history::walk_history(HistoryStart { commits: &commits, tip, prefix }, references, &mut |entry| {
        writer = entry.written.map(|by| by.commit);
        writer.is_none()
    })?;
    writer.ok_or_else(|| WaitError::WriterUnknown { branch: remote.branch().to_owned() }.into())
}

/// The values that a commit set, if it is known which.
fn changed(remote: &RemoteHistory, request: &Request, commit: CommitId, now: Values) -> Values {
    let parent =
        remote.past().0.links(commit).ok().flatten().and_then(|links| links.parents.first().copied());
    let Some(before) = parent.filter(|parent| remote.has(*parent)) else { return now };
    let before = match plan::matching_references(&remote.files_at(before), request) {
        Ok(before) => values(&before),
        Err(_) => return now,
    };
    let set: Values = now.iter().filter(|(key, tags)| before.get(*key) != Some(*tags)).map(owned).collect();
    if set.is_empty() { now } else { set }
}

fn owned((key, tags): (&(usize, String), &BTreeSet<String>)) -> ((usize, String), BTreeSet<String>) {
    (key.clone(), tags.clone())
}

fn key(reference: &CurrentReference) -> (usize, String) {
    (reference.target.position(), reference.file.clone())
}

fn values(references: &[CurrentReference]) -> Values {
    let mut values = Values::new();
    for reference in references {
        values.entry(key(reference)).or_default().insert(version(reference));
    }
    values
}

fn version(reference: &CurrentReference) -> String {
    join_tag(reference.tag.as_deref(), reference.digest.as_deref())
}

fn joined(tags: &BTreeSet<String>) -> String {
    let shown: Vec<String> =
        tags.iter().map(|tag| inline(if tag.is_empty() { "(none)" } else { tag })).collect();
    shown.join(", ")
}

fn images(request: &Request, tracked: &[&CurrentReference]) -> Vec<BumpedImage> {
    let mut images: Vec<BumpedImage> = Vec::new();
    for reference in tracked {
        let Some(target) = reference.target.of(&request.targets) else { continue };
        let image = BumpedImage {
            name: target.name.clone(),
            tag: reference.tag.clone(),
            digest: reference.digest.clone(),
            verified: None,
        };
        if !images.contains(&image) {
            images.push(image);
        }
    }
    images
}

/// What a page can show: a tag, or a digest without one, or the commit that a trailer of this commit names for it.
fn words(request: &Request, tracked: &[&CurrentReference], message: &str) -> Vec<String> {
    let mut words = BTreeSet::new();
    for reference in tracked {
        let Some(target) = reference.target.of(&request.targets) else { continue };
        let version = version(reference);
        words.extend(reference.tag.clone().or_else(|| reference.digest.clone()));
        let claimed = claims(message, &target.name, &version).and_then(|claims| claims.source);
        words.extend(claimed.map(|source| source.sha));
    }
    words.into_iter().filter(|word| Tag::parse(word).is_ok() || word.contains(':')).collect()
}
