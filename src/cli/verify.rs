//! The flags for what the image's registry is asked.

use clap::Args;

use super::headings::IMAGE_AND_TAG;

/// Whether the image must be in its registry.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Check that the image exists: require, warn or off [default: off]
    ///
    /// Without a value, it means require: if the image is missing, tagbump writes nothing and
    /// exits with 3. The registry may lag after a push, so tagbump asks again until
    /// --verify-timeout.
    #[arg(
        long,
        value_name = "HOW",
        env = "TAGBUMP_VERIFY",
        hide_env = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "require",
        help_heading = IMAGE_AND_TAG,
        verbatim_doc_comment
    )]
    pub verify: Option<String>,

    /// How long to wait for the image, such as 90s or 5m [default: 60s]
    #[arg(
        long,
        value_name = "DUR",
        env = "TAGBUMP_VERIFY_TIMEOUT",
        hide_env = true,
        help_heading = IMAGE_AND_TAG
    )]
    pub verify_timeout: Option<String>,
}
