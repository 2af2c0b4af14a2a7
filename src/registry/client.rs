//! Asks the registries of several images at once.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::lookup::Lookup;
use super::manifest::SourceLabels;
use super::{ImageRepository, ManifestReference, RegistryCredentials, RegistryError};
use crate::environment::Environment;
use crate::http::HttpSettings;
use crate::image::Digest;
use crate::landing::{Backoff, SystemClock};

/// How many registries are asked at the same time.
const AT_ONCE: usize = 8;

/// Each image gets this much time, even if others took all there was.
const LEAST_TIME: Duration = Duration::from_secs(2);

/// How long to look for an image's labels, once the image is found.
const LABELS_TIME: Duration = Duration::from_secs(20);

/// An image to look up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageQuestion {
    /// The name without a tag.
    pub name: String,
    pub wanted: ManifestReference,
    /// Whether to read its labels too.
    pub with_labels: bool,
}

/// An image that is in its registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundImage {
    /// Of the index, if there is one. `None` if the registry doesn't say and it wasn't asked for.
    pub digest: Option<Digest>,
    pub labels: Option<SourceLabels>,
    /// How long the registry lagged.
    pub waited: Duration,
}

/// The answers to several questions, in their order.
#[derive(Default)]
pub struct RegistryAnswers {
    pub answers: Vec<Result<FoundImage, RegistryError>>,
    /// What was sent or received, and must stay secret, in every form that was used.
    pub secrets: BTreeSet<String>,
}

/// The answer to one question, and what must stay secret.
type AnswerWithSecrets = (Result<FoundImage, RegistryError>, Vec<String>);

/// Asks registries, with the credentials that the environment offers.
pub struct RegistryClient {
    http: HttpSettings,
    credentials: RegistryCredentials,
}

impl RegistryClient {
    /// # Errors
    /// Fails if a file of credentials can't be used.
    pub fn new(environment: &Environment) -> Result<Self, RegistryError> {
        // git's own settings are for git's servers
        let http = HttpSettings::new(environment, Vec::new());
        Ok(RegistryClient { http, credentials: RegistryCredentials::read(environment)? })
    }

    /// Looks for the images until they are there, or the time is over. Several are looked for at once, so that a registry
    /// that doesn't answer takes no time from those that do.
    pub fn look_up(&self, questions: &[ImageQuestion], time: Duration) -> RegistryAnswers {
        let deadline = Instant::now() + time;
        let next = AtomicUsize::new(0);
        let take = || {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            Some((nth, questions.get(nth)?))
        };
        let ask_one = |(nth, question)| {
            let left = deadline.saturating_duration_since(Instant::now());
            (nth, self.look_up_image(question, left.max(LEAST_TIME.min(time))))
        };
        let work = || std::iter::from_fn(take).map(ask_one).collect::<Vec<_>>();
        let answers: HashMap<usize, AnswerWithSecrets> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE.min(questions.len())).map(|_| scope.spawn(work)).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
        });
        in_order(questions, answers)
    }

    fn look_up_image(&self, question: &ImageQuestion, time: Duration) -> AnswerWithSecrets {
        let repository = ImageRepository::of_image(&question.name);
        let lookup = repository.as_ref().map_err(Clone::clone).and_then(|repository| {
            Lookup::new(&question.name, repository, &question.wanted, &self.http, &self.credentials)
        });
        match lookup {
            Ok(mut lookup) => {
                let answer = found(&mut lookup, question.with_labels, time);
                (answer, lookup.into_secrets())
            }
            Err(error) => (Err(error), Vec::new()),
        }
    }
}

/// A question without an answer was lost with its thread.
fn in_order(questions: &[ImageQuestion], mut answers: HashMap<usize, AnswerWithSecrets>) -> RegistryAnswers {
    let mut all = RegistryAnswers::default();
    for (nth, question) in questions.iter().enumerate() {
        let lost = || RegistryError::Unreachable {
            image: question.name.clone(),
            problem: "the request was lost".to_owned(),
        };
        let (answer, secrets) = answers.remove(&nth).unwrap_or_else(|| (Err(lost()), Vec::new()));
        all.answers.push(answer);
        all.secrets.extend(secrets);
    }
    all
}

fn found(lookup: &mut Lookup<'_>, with_labels: bool, time: Duration) -> Result<FoundImage, RegistryError> {
    let mut backoff = Backoff::new(&SystemClock, time, fastrand::Rng::new());
    let (digest, waited) = lookup.find(&mut backoff)?;
    let known = digest.as_ref().filter(|_| with_labels);
    let labels = known.and_then(|digest| lookup.labels(digest, Instant::now() + LABELS_TIME));
    Ok(FoundImage { digest, labels, waited })
}

/// Hides the credentials.
impl fmt::Debug for RegistryClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryClient").finish_non_exhaustive()
    }
}
