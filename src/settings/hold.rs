//! Validates the arguments of `hold` and `unhold`, which land as a bump does.

use super::bump::delivery;
use super::parse::{listed, names, non_empty, parse_template};
use super::{
    BadCombination, BareName, BumpSettings, DEFAULT_VERIFY_TIMEOUT, Delivery, ExpectedValue, HoldAction,
    HoldOptions, Operation, ReferenceSelection, RegistrySettings, SettingsError, run_context,
};
use crate::ci::System;
use crate::cli::{CommonArgs, EnvArgs, FileArgs, HoldArgs, IfHeld, IfOlder, UnholdArgs};
use crate::environment::Environment;
use crate::file_selection::Selection;
use crate::holds::end_of_hold;
use crate::image::{Field, ImageArg};
use crate::tag::DEFAULT_TEMPLATE;
use crate::verify::Verify;

/// What both commands take.
struct Typed {
    images: Vec<String>,
    env: EnvArgs,
    files: FileArgs,
    delivery: Delivery,
    common: CommonArgs,
}

/// Checks a `hold`.
///
/// # Errors
/// With the flag, and the values that it takes.
pub fn hold(args: HoldArgs, environment: Environment, now: i64) -> Result<BumpSettings, SettingsError> {
    let reason = non_empty(args.reason.as_deref().map(str::trim)).ok_or(BadCombination::HoldWithoutReason)?;
    if reason.contains(['\n', '\r']) {
        let (flag, value, expected) = ("reason", reason.to_owned(), ExpectedValue::OneLine);
        return Err(SettingsError::Value { flag, value, expected });
    }
    let until = non_empty(args.until.as_deref()).map(|text| end_of_hold(text, now)).transpose()?;
    let action = HoldAction::Hold { reason: reason.to_owned(), until };
    let delivery = delivery(args.deliver, IfOlder::Write, &environment)?;
    let typed =
        Typed { images: args.images, env: args.env, files: args.files, delivery, common: args.common };
    settings(typed, action, environment, now)
}

/// Checks an `unhold`.
///
/// # Errors
/// With the flag, and the values that it takes.
pub fn unhold(args: UnholdArgs, environment: Environment, now: i64) -> Result<BumpSettings, SettingsError> {
    let delivery = delivery(args.deliver, IfOlder::Write, &environment)?;
    let typed =
        Typed { images: args.images, env: args.env, files: args.files, delivery, common: args.common };
    settings(typed, HoldAction::Unhold, environment, now)
}

fn settings(
    typed: Typed,
    action: HoldAction,
    environment: Environment,
    now: i64,
) -> Result<BumpSettings, SettingsError> {
    let Typed { images, env, files, delivery, common } = typed;
    let env = non_empty(env.env.as_deref()).map(str::to_owned);
    let images = names(images, BareName::Hold)?;
    let bare = |name: &String| ImageArg::parse(name).map(|image| ImageArg { tag: Field::Keep, ..image });
    let run_context = run_context(&common, None, &delivery.landing.remote, environment, now)?;
    let by = match run_context.ci.pipeline().map(|pipeline| pipeline.system) {
        Some(System::GitHub) => run_context.environment.get("GITHUB_ACTOR"),
        Some(System::GitLab) => run_context.environment.get("GITLAB_USER_LOGIN"),
        _ => None,
    };
    let settings = BumpSettings {
        operation: Operation::HoldChange(HoldOptions { action, env: env.clone(), by: by.map(str::to_owned) }),
        images: images.iter().map(bare).collect::<Result<_, _>>()?,
        tag: None,
        template: None,
        default_template: parse_template("tag-template", DEFAULT_TEMPLATE)?,
        references: ReferenceSelection {
            env,
            selection: Selection::new(&listed(files.files))?,
            fields: Vec::new(),
            all: true,
            expect: None,
        },
        add: false,
        registry: RegistrySettings {
            verify: Some(Verify::Off),
            timeout: DEFAULT_VERIFY_TIMEOUT,
            pins_digests: false,
        },
        if_held: IfHeld::Fail,
        run_context,
        delivery,
    };
    settings.check()?;
    Ok(settings)
}
