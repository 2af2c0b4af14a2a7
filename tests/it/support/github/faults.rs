//! What a test can make the API do wrong, and to which request.

use std::sync::{Arc, Mutex};

use super::lock;
use super::pulls::Pull;
use super::store::Refs;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Any request to the API.
    Any,
    /// Any request to the REST API.
    Rest,
    /// Any request to the GraphQL API.
    GraphQl,

    Repo,
    RateLimit,
    /// Any of the next four.
    Pulls,
    ListPulls,
    CreatePull,
    GetPull,
    UpdatePull,
    RequestReviewers,
    MergePull,
    /// Any of the next three.
    Labels,
    GetLabel,
    ListLabels,
    AddLabels,
    Assign,
    BranchRules,
    MatchingRefs,
    GetRef,
    CreateRef,
    UpdateRef,
    DeleteRef,
    CreateTree,
    CreateCommit,
    /// `git/commits/{sha}` and `commits/{ref}`.
    GetCommit,
    Compare,
    CombinedStatus,
    CheckRuns,

    CreateCommitOnBranch,
    UpdateRefs,
    EnableAutoMerge,
    /// A GraphQL query.
    Query,
}

impl On {
    /// Whether a request for `operation`, which is none of the groups, is meant.
    pub fn covers(self, operation: On) -> bool {
        let group: &[On] = match self {
            On::Any => return true,
            On::Rest => return !On::GraphQl.covers(operation),
            On::GraphQl => {
                &[On::GraphQl, On::CreateCommitOnBranch, On::UpdateRefs, On::EnableAutoMerge, On::Query]
            }
            On::Pulls => &[On::ListPulls, On::CreatePull, On::GetPull, On::UpdatePull],
            On::Labels => &[On::GetLabel, On::ListLabels, On::AddLabels],
            one => return one == operation,
        };
        group.contains(&operation)
    }

    fn writes_a_branch(self) -> bool {
        matches!(self, On::CreateCommitOnBranch | On::UpdateRef | On::UpdateRefs)
    }

    /// Whether the answer depends on what was written shortly before.
    fn looks(self) -> bool {
        let only_writes = [
            On::CreateCommitOnBranch,
            On::UpdateRefs,
            On::CreateRef,
            On::UpdateRef,
            On::DeleteRef,
            On::CreateTree,
            On::CreateCommit,
        ];
        !only_writes.contains(&self)
    }
}

#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers this, and does nothing. From 500 on with a page of HTML, as GitHub's front does.
    Status(u16),
    /// Does what was asked, then answers this: the client can't know.
    AfterCommit(u16),
    /// Just before, somebody else commits to the branch: waits for a request that writes one.
    StaleHead,
    /// The secondary rate limit: 403 with `Retry-After` in seconds. Until then all else gets it too.
    Secondary { retry_after: u64 },
    /// The primary rate limit: 403 (GraphQL: 200 with an error) with the time of the reset, so many
    /// seconds from now. Until then all else gets it too.
    Primary { reset: u64 },
    /// 422 "Validation Failed" with this message (GraphQL: an error of type `UNPROCESSABLE`).
    Unprocessable(&'static str),
    /// 403 with this message (GraphQL: an error of type `FORBIDDEN`).
    Forbidden(&'static str),
    /// So many requests see branches and pull requests as they were when this was ordered.
    LagReads(usize),
    /// Does what was asked, then ends the connection in the middle of the answer.
    Cut,
    /// Ends the connection without doing or saying anything.
    Close,
}

/// The branches and the pull requests at one time.
pub struct Snapshot {
    pub refs: Refs,
    pub pulls: Vec<Pull>,
}

struct Order {
    on: On,
    /// How many requests it lets pass first.
    passes: usize,
    fault: Fault,
    then: Arc<Snapshot>,
}

/// The faults still to come, oldest first.
#[derive(Default)]
pub struct Faults(Mutex<Vec<Order>>);

impl Faults {
    /// For the `nth` such request from now, counted from 1.
    pub fn push(&self, on: On, nth: usize, fault: Fault, then: Snapshot) {
        assert!(nth > 0, "the first request is number 1");
        lock(&self.0).push(Order { on, passes: nth - 1, fault, then: Arc::new(then) });
    }

    /// The fault for this request, with the state as it was when it was ordered.
    pub fn take(&self, operation: On) -> Option<(Fault, Arc<Snapshot>)> {
        let mut orders = lock(&self.0);
        let fits = |order: &Order| {
            order.on.covers(operation)
                && match order.fault {
                    Fault::StaleHead => operation.writes_a_branch(),
                    Fault::LagReads(_) => operation.looks(),
                    _ => true,
                }
        };
        let index = orders.iter().position(|order| fits(order) && order.passes == 0);
        for order in orders.iter_mut().filter(|order| fits(order)) {
            order.passes = order.passes.saturating_sub(1);
        }
        let index = index?;
        let found = (orders[index].fault.clone(), orders[index].then.clone());
        match &mut orders[index].fault {
            Fault::LagReads(left) if *left > 1 => *left -= 1,
            _ => drop(orders.remove(index)),
        }
        Some(found)
    }

    /// What no request came for.
    pub fn left(&self) -> Vec<String> {
        lock(&self.0).iter().map(|order| format!("{:?} on {:?}", order.fault, order.on)).collect()
    }
}
