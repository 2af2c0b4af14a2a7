//! Errors in the decision what a bump does.

use super::{config, git, history, holds, landing, plan, registry, tag};
use crate::decision::{DecisionError, PromotionError, RollbackError, SearchedHistory};
use crate::error::{Exit, Failure};
use crate::hint::{Hint, flag, hint, setting, switch};

pub(super) fn describe(error: &DecisionError) -> Failure {
    match error {
        DecisionError::NoRepository => {
            Failure::usage(error.to_string()).hinted(hint("name a checkout with ") + flag("repo"))
        }
        DecisionError::Unopened(error) => git::describe(error),
        DecisionError::Config(error) => config::describe(error),
        DecisionError::Git(error) => git::describe(error),
        DecisionError::Held { .. } => holds::describe_held(error.to_string()),
        DecisionError::History(error) => history::describe(error),
        DecisionError::Holds(error) => holds::describe(error),
        DecisionError::HoldsEdit(error) => holds::describe_edit(error),
        DecisionError::Message(error) => landing::describe_message(error),
        DecisionError::Plan(error) => plan::describe(error),
        DecisionError::Promotion(error) => promotion(error),
        DecisionError::Registry(error) => registry::describe(error),
        DecisionError::Rollback(error) => rollback(error),
        DecisionError::Tag(error) => tag::describe(error),
        DecisionError::Target(error) => tag::describe_target(error),
    }
}

fn promotion(error: &PromotionError) -> Failure {
    let message = error.to_string();
    let failure = match error {
        PromotionError::NoFrom { .. } => {
            Failure::usage(message).hinted("name the environment before it with from in tagbump.yaml")
        }
        PromotionError::NoServices => {
            Failure::usage(message).hinted("name the images, or add services to tagbump.yaml")
        }
        PromotionError::NothingInBoth { .. } => {
            Failure::new(Exit::NoMatch, message).hinted("both must run the image under the same name")
        }
        PromotionError::NotRun { from, .. } => {
            Failure::new(Exit::NoMatch, message).hinted(format!("{from} doesn't run it: bump it there first"))
        }
        PromotionError::OnlyInText { .. } => {
            let advice = "write the text as a literal block (|), or set the tag where a bump finds it";
            Failure::new(Exit::NoMatch, message).hinted(advice)
        }
        PromotionError::TwoTags { .. } => {
            let advice =
                "promote once a single tag runs there, or name a service whose files select one of them";
            Failure::new(Exit::NoMatch, message).hinted(advice)
        }
        PromotionError::NoTag { .. } | PromotionError::InvalidTag { .. } => {
            Failure::new(Exit::NotEditable, message).hinted("set a tag there first, with tagbump bump")
        }
    };
    Failure { place: error.location().map(Box::new), ..failure }
}

fn rollback(error: &RollbackError) -> Failure {
    let message = error.to_string();
    match error {
        RollbackError::NoHistory => {
            let advice = any_tag("set a tag with ") + ", or name a checkout with " + flag("repo");
            Failure::usage(message).hinted(advice)
        }
        RollbackError::NeverHadTag { history, .. } | RollbackError::NoEarlierTag { history, .. } => {
            Failure::new(Exit::NoMatch, message).hinted(search_advice(*history))
        }
        RollbackError::TwoTags { .. } | RollbackError::TwoTagsBefore { .. } => {
            let advice = hint("name the tag to go back to with ") + setting("to", "TAG");
            Failure::new(Exit::NoMatch, message).hinted(advice)
        }
        RollbackError::InvalidTag { .. } => {
            let advice = hint("name another tag with ") + setting("to", "TAG");
            Failure::new(Exit::NotEditable, message).hinted(advice)
        }
        RollbackError::Moved { .. } => Failure::new(Exit::NotLanded, message).hinted(
            "the branch moved; look at tagbump history, and run again if you still want to roll back",
        ),
    }
}

fn search_advice(history: SearchedHistory) -> Hint {
    match history {
        SearchedHistory::Complete => {
            any_tag("list the earlier tags with tagbump history, or set any tag with ")
        }
        SearchedHistory::IncompleteCheckout => {
            hint("get more of it with git fetch --deepen 1000, or read it from the server with ")
                + switch("push")
        }
        SearchedHistory::IncompleteFetch => any_tag("run again, or from a full clone, or set any tag with "),
    }
}

/// How to set a tag that isn't in the history.
fn any_tag(text: &str) -> Hint {
    hint(text) + setting("to", "TAG") + " and " + switch("force")
}
