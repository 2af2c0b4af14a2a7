//! Validates the arguments of `promote`.

use super::bump::{delivery, if_held, if_older, registry};
use super::parse::{count, listed, non_empty, parse_template};
use super::{
    BareName, BumpSettings, ExpectedValue, Operation, PromotionOptions, ReferenceSelection, SettingsError,
    run_context,
};
use crate::cli::PromoteArgs;
use crate::duration;
use crate::environment::Environment;
use crate::file_selection::Selection;
use crate::image::ImageArg;
use crate::tag::DEFAULT_TEMPLATE;

/// Checks a `promote`: a bump to what another environment runs.
///
/// # Errors
/// With the flag, and the values that it takes.
pub fn promote(args: PromoteArgs, environment: Environment, now: i64) -> Result<BumpSettings, SettingsError> {
    let if_held = if_held(args.held.if_held, &environment);
    let delivery = delivery(args.deliver, if_older(args.if_older, &environment), &environment)?;
    let soak = non_empty(args.soak.as_deref()).map(soak).transpose()?;
    let settings = BumpSettings {
        operation: Operation::Promotion(PromotionOptions { env: args.env.clone(), soak }),
        images: args.images.iter().filter(|name| !name.is_empty()).map(name).collect::<Result<_, _>>()?,
        tag: None,
        template: None,
        default_template: parse_template("tag-template", DEFAULT_TEMPLATE)?,
        references: ReferenceSelection {
            env: Some(args.env),
            selection: Selection::new(&listed(args.files.files))?,
            fields: Vec::new(),
            all: args.all,
            expect: non_empty(args.expect.as_deref()).map(|text| count("expect", text)).transpose()?,
        },
        add: args.add,
        registry: registry(&args.verify, false)?,
        if_held,
        run_context: run_context(&args.common, None, &delivery.landing.remote, environment, now)?,
        delivery,
    };
    settings.check()?;
    Ok(settings)
}

/// A service, or an image without a tag.
fn name(typed: &String) -> Result<ImageArg, SettingsError> {
    let parsed = ImageArg::parse(typed)?;
    match parsed.name == *typed {
        true => Ok(parsed),
        false => Err(SettingsError::NotBareName { image: typed.clone(), takes: BareName::Promotion }),
    }
}

fn soak(text: &str) -> Result<u64, SettingsError> {
    let (flag, value, expected) = ("soak", text.to_owned(), ExpectedValue::LongDuration);
    duration::seconds(text).ok_or(SettingsError::Value { flag, value, expected })
}
