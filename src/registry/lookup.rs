//! Looks up one image, and asks again while its registry may lag behind a push.

use std::time::{Duration, Instant};

use super::manifest::{ACCEPT, Manifest, SourceLabels, digest_like, sha256};
use super::session::{Answer, Question, RegistrySession};
use super::similar::{parse_tags, similar};
use super::{ImageRepository, RegistryCredentials, RegistryError};
use crate::http::HttpSettings;
use crate::image::{Digest, Tag};
use crate::landing::{Backoff, FetchError};

/// The longest manifest that is read: what the OCI distribution specification wants registries to take at least.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;
/// The longest configuration of an image, and the longest list of tags.
const MAX_OTHER: u64 = 4 * 1024 * 1024;
/// How long to look for similar tags, when the time for the image itself is over.
const SIMILAR_TIME: Duration = Duration::from_secs(5);

/// What to look for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ManifestReference {
    /// Whether the tag is there.
    Tag(Tag),
    /// Also what it points to.
    DigestOf(Tag),
    /// Whether this digest is there.
    Digest(Digest),
}

impl std::fmt::Display for ManifestReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.reference())
    }
}

impl ManifestReference {
    fn reference(&self) -> &str {
        match self {
            ManifestReference::Tag(tag) | ManifestReference::DigestOf(tag) => tag.as_str(),
            ManifestReference::Digest(digest) => digest.as_str(),
        }
    }
}

/// An image to look up.
pub(super) struct Lookup<'a> {
    session: RegistrySession<'a>,
    repository: &'a ImageRepository,
    wanted: &'a ManifestReference,
    /// NAME:TAG or NAME@DIGEST, for messages.
    image: String,
}

/// What one try found.
enum Sighting {
    Found(Option<Digest>),
    NotYet { reason: RetryReason, retry_after: Option<Duration> },
}

/// Why a try didn't find the image, although a later one may.
enum RetryReason {
    Missing,
    /// The credential may be for something else, or the image is missing: many registries don't say which.
    Denied(RegistryError),
    Unreachable(String),
}

impl<'a> Lookup<'a> {
    /// `name` is how messages call the image.
    ///
    /// # Errors
    /// Fails if the settings for HTTP can't be used.
    pub fn new(
        name: &str,
        repository: &'a ImageRepository,
        wanted: &'a ManifestReference,
        http: &'a HttpSettings,
        credentials: &'a RegistryCredentials,
    ) -> Result<Self, RegistryError> {
        let separator = if matches!(wanted, ManifestReference::Digest(_)) { '@' } else { ':' };
        let image = format!("{name}{separator}{}", wanted.reference());
        Ok(Lookup {
            session: RegistrySession::new(repository, http, credentials)?,
            repository,
            wanted,
            image,
        })
    }

    /// What was sent or received, and must stay secret.
    pub fn into_secrets(self) -> Vec<String> {
        self.session.into_secrets()
    }

    /// Looks for the image until it is there, or the budget is spent. Gives its digest, if the registry says it, and
    /// how long that took.
    ///
    /// # Errors
    /// Fails if it isn't there then, and at once for what time doesn't change.
    pub fn find(&mut self, backoff: &mut Backoff<'_>) -> Result<(Option<Digest>, Duration), RegistryError> {
        let start = backoff.now();
        let mut answered = None;
        loop {
            let (reason, retry_after) = match self.look(backoff.deadline())? {
                Sighting::Found(digest) => {
                    return Ok((digest, backoff.now().saturating_duration_since(start)));
                }
                Sighting::NotYet { reason, retry_after } => (reason, retry_after),
            };
            // a try that the end of the time cut says less than the one before it
            let is_cut = matches!(reason, RetryReason::Unreachable(_)) && backoff.now() >= backoff.deadline();
            let reason = if is_cut { answered.take().unwrap_or(reason) } else { reason };
            if !backoff.wait(retry_after) {
                return Err(self.give_up(reason, backoff.now().saturating_duration_since(start)));
            }
            answered = Some(reason);
        }
    }

    /// The commit and repository that the image's labels name, if it has such labels and they can be read.
    pub fn labels(&mut self, digest: &Digest, deadline: Instant) -> Option<SourceLabels> {
        let manifest =
            Manifest::parse(&self.content("manifests", ACCEPT, MAX_MANIFEST, digest, deadline)?)?;
        let config = match manifest {
            Manifest::Image { config } => config,
            Manifest::Index { first } => {
                let body = self.content("manifests", ACCEPT, MAX_MANIFEST, &first, deadline)?;
                match Manifest::parse(&body)? {
                    Manifest::Image { config } => config,
                    Manifest::Index { .. } => return None,
                }
            }
        };
        SourceLabels::parse(&self.content("blobs", "*/*", MAX_OTHER, &config, deadline)?)
    }

    /// What has a digest. `None` if it can't be read, or has another one.
    fn content(
        &mut self,
        kind: &str,
        accept: &'static str,
        longest: u64,
        digest: &Digest,
        deadline: Instant,
    ) -> Option<Vec<u8>> {
        let path = format!("{kind}/{digest}");
        let answer =
            self.session.ask(Question { method: "GET", path: &path, accept, longest }, deadline).ok()?;
        let is_it = answer.status == 200
            && !answer.is_cut
            && digest_like(digest, answer.body()).as_ref() == Some(digest);
        is_it.then(|| answer.body().to_vec())
    }

    fn look(&mut self, deadline: Instant) -> Result<Sighting, RegistryError> {
        let not_yet = |reason, retry_after| Ok(Sighting::NotYet { reason, retry_after });
        let answer = match self.ask(deadline) {
            Ok(answer) => answer,
            Err(FetchError::Transient { what, retry_after }) => {
                return not_yet(RetryReason::Unreachable(what), retry_after);
            }
            Err(FetchError::Unreachable { what }) => return not_yet(RetryReason::Unreachable(what), None),
            Err(FetchError::Permanent(error @ RegistryError::WrongCredential { .. })) => {
                return not_yet(RetryReason::Denied(error), None);
            }
            Err(FetchError::Permanent(error)) => return Err(error),
        };
        let reason = match answer.status {
            // a proxy or a login page answers anything like this
            200 if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/")) => {
                return Err(self.repository.not_a_registry("it answered with a page of text"));
            }
            200 => return self.digest(&answer).map(Sighting::Found),
            404 => RetryReason::Missing,
            401 | 403 if self.session.credential_sent().is_some() => {
                RetryReason::Denied(self.denied(answer.status))
            }
            401 | 403 => return Err(self.denied(answer.status)),
            status @ (429 | 500..) => {
                RetryReason::Unreachable(format!("{} answered {status}", self.repository.host()))
            }
            status => return Err(self.repository.not_a_registry(&format!("it answered {status}"))),
        };
        not_yet(reason, answer.retry_after())
    }

    /// Asks with HEAD, which Docker Hub doesn't count as a pull, unless the content is needed or HEAD isn't known.
    fn ask(&mut self, deadline: Instant) -> Result<Answer, FetchError<RegistryError>> {
        let path = format!("manifests/{}", self.wanted.reference());
        let question = |method| Question { method, path: &path, accept: ACCEPT, longest: MAX_MANIFEST };
        if !matches!(self.wanted, ManifestReference::DigestOf(_)) {
            let answer = self.session.ask(question("HEAD"), deadline)?;
            if !matches!(answer.status, 400 | 405 | 501) {
                return Ok(answer);
            }
        }
        self.session.ask(question("GET"), deadline)
    }

    /// The digest that a manifest has. What the registry says of it is checked if it sent the manifest.
    fn digest(&self, answer: &Answer) -> Result<Option<Digest>, RegistryError> {
        let stated = answer.header("docker-content-digest").and_then(|text| Digest::parse(text.trim()).ok());
        if !matches!(self.wanted, ManifestReference::DigestOf(_)) {
            return Ok(stated);
        }
        if answer.is_cut {
            return Err(self.repository.not_a_registry("it sent a manifest of more than 4 MB"));
        }
        if serde_json::from_slice::<serde::de::IgnoredAny>(answer.body()).is_err() {
            return Err(self.repository.not_a_registry("it sent a manifest that is not JSON"));
        }
        let computed = match &stated {
            Some(stated) => digest_like(stated, answer.body()),
            None => sha256(answer.body()),
        };
        match (stated, computed) {
            (Some(stated), Some(computed)) if stated != computed => Err(RegistryError::WrongDigest {
                image: self.image.clone(),
                registry: self.repository.host().to_owned(),
                stated,
                computed,
            }),
            (_, computed) => Ok(computed),
        }
    }

    fn give_up(&mut self, reason: RetryReason, waited: Duration) -> RegistryError {
        let image = self.image.clone();
        match reason {
            RetryReason::Missing => {
                let similar = self.similar_tags();
                RegistryError::Missing { image, waited_seconds: waited.as_secs(), similar }
            }
            RetryReason::Denied(error) => error,
            RetryReason::Unreachable(problem) => RegistryError::Unreachable { image, problem },
        }
    }

    fn similar_tags(&mut self) -> Vec<String> {
        if matches!(self.wanted, ManifestReference::Digest(_)) {
            return Vec::new();
        }
        let question = Question {
            method: "GET",
            path: "tags/list?n=1000",
            accept: "application/json",
            longest: MAX_OTHER,
        };
        match self.session.ask(question, Instant::now() + SIMILAR_TIME) {
            Ok(answer) if answer.status == 200 && !answer.is_cut => {
                similar(&parse_tags(answer.body()), self.wanted.reference())
            }
            _ => Vec::new(),
        }
    }

    fn denied(&self, status: u16) -> RegistryError {
        RegistryError::Denied {
            image: self.image.clone(),
            registry: self.repository.host().to_owned(),
            status,
            credential: self.session.credential_sent().map(str::to_owned),
        }
    }
}
