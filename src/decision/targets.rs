//! Turns IMAGE arguments and services of `tagbump.yaml` into the request of a plan.

use crate::config::{Config, ConfiguredEnvironment, Service};
use crate::file_selection::{Selection, SelectionError};
use crate::image::{Field, ImageArg, Tag};
use crate::plan::{EnvironmentLimit, NewDigest, Plan, Request, Scope, TargetIndex, UpdateTarget};
use crate::settings::{BumpSettings, Operation};
use crate::template::Template;
use crate::visible::inline;

use super::tag_origin::TagOrigin;

/// Computes a tag from a template.
pub type ComputeTag<'a, E> = dyn Fn(&Template) -> Result<Tag, E> + 'a;

/// Why IMAGE arguments make no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("IMAGE {image} doesn't change anything")]
    NoChange { image: String },
    /// An environment that `tagbump.yaml` doesn't have.
    #[error("there is no environment {}", inline(.name))]
    UnknownEnvironment { name: String, known: Vec<String> },
    #[error(transparent)]
    Selection(#[from] SelectionError),
}

/// The images to set, as a plan's request.
///
/// # Errors
/// The errors of `compute`, and those of [`TargetError`].
pub fn request<E: From<TargetError>>(
    settings: &BumpSettings,
    config: &Config,
    compute: &ComputeTag<'_, E>,
) -> Result<Request, E> {
    let services = || config.names().map(ImageArg::of_name).collect();
    let all: Vec<ImageArg> = if settings.images.is_empty() { services() } else { settings.images.clone() };
    let images = all.iter().map(|image| RequestedImage::new(image, config));
    let targets = images.map(|image| image.target(settings, config, compute)).collect::<Result<_, E>>()?;
    let services = config.names().map(str::to_owned).collect();
    let (env, selection) = (settings.references.env.as_deref(), &settings.references.selection);
    let limit = match (env, selection.is_everything()) {
        (None, true) => EnvironmentLimit::NotPromoted,
        (None, false) => EnvironmentLimit::Everything,
        (Some(env), _) => environment_limit(config, env)?,
    };
    Ok(Request {
        environments: config.limited_to(limit),
        targets,
        add: settings.add,
        all: settings.references.all,
        floating: settings.references.all,
        expect: settings.references.expect,
        services,
        config: config.file.clone(),
        ..Request::default()
    })
}

/// A request that changes nothing: it finds the references of images and services.
///
/// # Errors
/// If there is no such environment, or if a path is not valid.
pub fn lookup_request(
    config: &Config,
    names: &[String],
    selection: &Selection,
    env: Option<&str>,
) -> Result<Request, TargetError> {
    let target = |name: &String| -> Result<UpdateTarget, TargetError> {
        let service = config.service(name);
        let scope = match service {
            Some(service) => service.scope(selection)?,
            None => Scope::of_files(selection),
        };
        Ok(UpdateTarget {
            name: service.map_or(name, |service| &service.image).clone(),
            new_name: Field::Unspecified,
            tag: None,
            digest: Field::Unspecified,
            new_digest: NewDigest::default(),
            service: service.map(|_| name.clone()),
            scope,
        })
    };
    let targets = names.iter().map(target).collect::<Result<_, _>>()?;
    let services = config.names().map(str::to_owned).collect();
    let limit = env.map(|env| environment_limit(config, env)).transpose()?;
    let environments = limit.map(|limit| config.limited_to(limit)).unwrap_or_default();
    let config = config.file.clone();
    Ok(Request { targets, all: true, services, config, environments, ..Request::default() })
}

/// Limits a request to a named environment.
///
/// # Errors
/// If there is no such environment.
pub fn environment_limit(config: &Config, name: &str) -> Result<EnvironmentLimit, TargetError> {
    environment(config, name).map(|_| EnvironmentLimit::Only(name.to_owned()))
}

/// The environment with this name.
pub(super) fn environment<'a>(
    config: &'a Config,
    name: &str,
) -> Result<&'a ConfiguredEnvironment, TargetError> {
    config.environment(name).ok_or_else(|| {
        let known = config.environments().map(|environment| environment.name.clone()).collect();
        TargetError::UnknownEnvironment { name: name.to_owned(), known }
    })
}

/// The template that computes the tags of a service, or of an image without one.
pub fn tag_template<'a>(
    settings: &'a BumpSettings,
    config: &'a Config,
    service: Option<&str>,
) -> &'a Template {
    let own = service.and_then(|name| config.service(name)?.tag.as_ref());
    let configured = own.or(config.tag.as_ref());
    settings.template.as_ref().or(configured).unwrap_or(&settings.default_template)
}

/// The template of the commit message: the typed one, that of the only service that changes, or the default of `tagbump.yaml`.
pub fn message<'a>(settings: &'a BumpSettings, config: &'a Config, plan: &Plan) -> Option<&'a Template> {
    let service = |target: TargetIndex| config.service(target.of(&plan.targets)?.service.as_deref()?);
    let mut changed: Vec<TargetIndex> = plan.changes.iter().map(|change| change.target).collect();
    changed.dedup();
    let own = match changed.as_slice() {
        [only] => service(*only).and_then(|service| service.message.as_ref()),
        _ => None,
    };
    settings.delivery.commit.message.as_ref().or(own).or(config.message.as_ref())
}

/// An IMAGE argument, and the service that it names.
struct RequestedImage<'a> {
    image: &'a ImageArg,
    service: Option<&'a Service>,
}

impl<'a> RequestedImage<'a> {
    fn new(image: &'a ImageArg, config: &'a Config) -> Self {
        let is_bare = image.new_name == Field::Unspecified;
        RequestedImage { image, service: config.service(&image.name).filter(|_| is_bare) }
    }

    fn target<E: From<TargetError>>(
        &self,
        settings: &BumpSettings,
        config: &Config,
        compute: &ComputeTag<'_, E>,
    ) -> Result<UpdateTarget, E> {
        let image = self.image;
        let tag = match TagOrigin::of(image, self.service, settings, config) {
            TagOrigin::Explicit(tag) | TagOrigin::Previous { named: Some(tag) } => Some(tag.clone()),
            TagOrigin::Template(template) => Some(compute(template)?),
            TagOrigin::Previous { named: None } | TagOrigin::Promoted | TagOrigin::Unchanged => None,
        };
        let renames = matches!(image.new_name, Field::Set(_));
        let asks = tag.is_some() || matches!(image.digest, Field::Set(_)) || renames;
        // a rollback or promotion finds its tag later, and a hold sets none
        if !asks && matches!(settings.operation, Operation::Bump) {
            return Err(TargetError::NoChange { image: image.name.clone() }.into());
        }
        Ok(UpdateTarget {
            name: self.service.map_or(&image.name, |service| &service.image).clone(),
            new_name: image.new_name.clone(),
            tag,
            digest: image.digest.clone(),
            new_digest: NewDigest::default(),
            service: self.service_name().map(str::to_owned),
            scope: self.scope(settings).map_err(TargetError::from)?,
        })
    }

    fn service_name(&self) -> Option<&str> {
        self.service.map(|_| self.image.name.as_str())
    }

    /// Where to look: in the files of the service, and of those only in the typed ones.
    fn scope(&self, settings: &BumpSettings) -> Result<Scope, SelectionError> {
        let (typed, fields) = (&settings.references.selection, &settings.references.fields);
        match (self.service, fields.is_empty()) {
            (Some(service), true) => service.scope(typed),
            (Some(service), false) => service.scope_of_fields(fields, typed),
            (None, true) => Ok(Scope::of_files(typed)),
            (None, false) => Ok(Scope::of_fields(fields, typed)),
        }
    }
}
