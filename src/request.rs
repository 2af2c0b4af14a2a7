//! What is asked for: IMAGEs and services of `tagbump.yaml`, made a plan's request.

use crate::config::{Config, Service};
use crate::error::{Failure, Result};
use crate::image::{ImageArg, Part, Tag};
use crate::plan::{Field, Plan, Request, Scope, Want};
use crate::select::Selection;
use crate::settings::BumpSettings;
use crate::template::Template;

/// Makes a tag of a template.
pub type Compute<'a> = dyn Fn(&Template) -> Result<Tag> + 'a;

/// What is to be planned.
///
/// # Errors
/// What `compute` says, and exit 2 where nothing is to be set.
pub fn request(settings: &BumpSettings, config: &Config, compute: &Compute<'_>) -> Result<Request> {
    let asked = settings.images.iter().map(|image| Asked::of(image, config));
    let wants = asked.map(|asked| asked.want(settings, config, compute)).collect::<Result<_>>()?;
    Ok(Request { wants, add: settings.add, all: settings.all, expect: settings.expect })
}

/// The template that tags are made by where no service has its own.
pub fn tag_template<'a>(settings: &'a BumpSettings, config: &'a Config) -> &'a Template {
    settings.template.as_ref().or(config.tag.as_ref()).unwrap_or(&settings.default_template)
}

/// The commit message for a plan: what was typed, that of the only service, that of them all.
pub fn message<'a>(settings: &'a BumpSettings, config: &'a Config, plan: &Plan) -> Option<&'a Template> {
    let service = |nth: usize| config.service(plan.wants.get(nth)?.service.as_deref()?);
    let mut changed: Vec<usize> = plan.changes.iter().map(|change| change.want).collect();
    changed.dedup();
    let own = match changed.as_slice() {
        [only] => service(*only).and_then(|service| service.message.as_ref()),
        _ => None,
    };
    settings.commit.message.as_ref().or(own).or(config.message.as_ref())
}

/// An IMAGE as it was typed, and the service that it names.
struct Asked<'a> {
    image: &'a ImageArg,
    service: Option<&'a Service>,
}

impl<'a> Asked<'a> {
    fn of(image: &'a ImageArg, config: &'a Config) -> Self {
        let bare = image.new_name == Part::Unsaid;
        Asked { image, service: config.service(&image.name).filter(|_| bare) }
    }

    fn want(&self, settings: &BumpSettings, config: &Config, compute: &Compute<'_>) -> Result<Want> {
        let image = self.image;
        let tag = match &image.tag {
            Part::Set(tag) => Some(tag.clone()),
            Part::Keep => None,
            Part::Unsaid if settings.tag.is_some() => settings.tag.clone(),
            Part::Unsaid if self.is_computed(settings) => Some(compute(self.template(settings, config))?),
            Part::Unsaid => None,
        };
        let renames = matches!(image.new_name, Part::Set(_));
        if tag.is_none() && !matches!(image.digest, Part::Set(_)) && !renames {
            return Err(Failure::usage(format!("IMAGE {} asks for no change", image.name))
                .hinted("give a tag, a digest or a new name"));
        }
        Ok(Want {
            name: self.service.map_or(&image.name, |service| &service.image).clone(),
            new_name: image.new_name.clone(),
            tag,
            digest: image.digest.clone(),
            service: self.service.map(|_| image.name.clone()),
            scope: self.scope(settings)?,
        })
    }

    /// A bare IMAGE gets the computed tag; `A=B` and `A@DIGEST` only where a template was asked for.
    fn is_computed(&self, settings: &BumpSettings) -> bool {
        let image = self.image;
        let bare = image.new_name == Part::Unsaid && (image.digest == Part::Unsaid || image.digest_beside);
        bare || settings.template.is_some()
    }

    fn template<'s>(&self, settings: &'s BumpSettings, config: &'s Config) -> &'s Template
    where
        'a: 's,
    {
        let own = self.service.and_then(|service| service.tag.as_ref());
        settings.template.as_ref().or(own).unwrap_or_else(|| tag_template(settings, config))
    }

    /// Where to look: the files and fields that were typed, else the service's.
    fn scope(&self, settings: &BumpSettings) -> Result<Scope> {
        let typed = &settings.selection;
        if !settings.fields.is_empty() {
            let field = |path: &crate::yaml::FieldPath| Field { files: typed.clone(), path: path.clone() };
            return Ok(Scope { files: None, fields: settings.fields.iter().map(field).collect() });
        }
        let Some(service) = self.service else {
            return Ok(Scope { files: Some(typed.clone()), fields: Vec::new() });
        };
        if !typed.is_everything() {
            let chosen =
                |field: &&Field| field.files.names().iter().any(|name| typed.standing(name).is_some());
            let fields = service.fields.iter().filter(chosen).cloned().collect();
            return Ok(Scope { files: Some(typed.clone()), fields });
        }
        let everywhere = || service.fields.is_empty().then(|| Selection::new(&[])).transpose();
        let files = match &service.files {
            Some(files) => Some(files.clone()),
            None => everywhere()?,
        };
        Ok(Scope { files, fields: service.fields.clone() })
    }
}
