use super::fake::{FakeCommits, FakeTip, id, request};
use super::*;
use crate::plan::matching_references;

/// `FILE TAG SINCE-UNTIL` of every entry, newest first, and how much of the history was available.
fn walked(fake: &FakeCommits, tip: usize) -> (Vec<String>, Extent) {
    let request = request();
    let now = matching_references(&FakeTip(fake, id(tip)), &request).unwrap();
    let mut entries = Vec::new();
    let references = FollowedReferences { request: &request, now: &now };
    let reach = walk_history(
        HistoryStart { commits: fake, tip: id(tip), prefix: "" },
        references,
        &mut |entry: TagEntry| {
            let since = entry.written.as_ref().map_or("?".to_owned(), |by| by.time.to_string());
            let until = entry.until.map(|time| time.to_string()).unwrap_or_default();
            entries.push(format!("{} {} {since}-{until}", entry.file, entry.tag.unwrap_or_default()));
            true
        },
    );
    (entries, reach.unwrap().extent)
}

fn all(fake: &FakeCommits, tip: usize) -> Vec<String> {
    let (entries, reach) = walked(fake, tip);
    assert_eq!(reach, Extent::Complete);
    entries
}

#[test]
fn each_tag_from_its_commit_to_the_next() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("b.yaml", "v0")]);
    fake.commit(2, &[1], &[("a.yaml", "v1"), ("b.yaml", "v0")]);
    fake.commit(3, &[2], &[("a.yaml", "v1"), ("b.yaml", "v1")]);
    fake.commit(4, &[3], &[("a.yaml", "v2"), ("b.yaml", "v1"), ("c.txt", "")]);
    fake.commit(5, &[4], &[("a.yaml", "v1"), ("b.yaml", "v1")]);
    let entries = ["a.yaml v1 5-", "a.yaml v2 4-5", "b.yaml v1 3-", "a.yaml v1 2-4", "b.yaml v0 1-3"];
    assert_eq!(all(&fake, 5), entries);
}

#[test]
fn a_moved_file_is_the_same_file() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("old.yaml", "v1")]);
    fake.commit(2, &[1], &[("old.yaml", "v2")]);
    fake.commit(3, &[2], &[("new/name.yaml", "v2")]);
    fake.commit(4, &[3], &[("new/name.yaml", "v3")]);
    assert_eq!(all(&fake, 4), ["new/name.yaml v3 4-", "new/name.yaml v2 2-4", "new/name.yaml v1 1-2"]);
}

#[test]
fn a_file_that_a_merge_moves_has_its_past_on_the_other_side() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("old.yaml", "v1")]);
    fake.commit(2, &[1], &[("new.yaml", "v1")]);
    fake.commit(3, &[1], &[("old.yaml", "v2")]);
    fake.commit(4, &[3], &[("old.yaml", "v3")]);
    for parents in [[2, 4], [4, 2]] {
        fake.commit(5, &parents, &[("new.yaml", "v3")]);
        assert_eq!(all(&fake, 5), ["new.yaml v3 4-", "new.yaml v2 3-4", "new.yaml v1 1-3"]);
    }
}

#[test]
fn a_merge_is_followed_to_where_the_tag_comes_from() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("a.yaml", "v1")]);
    fake.commit(2, &[1], &[("a.yaml", "v2")]);
    fake.commit(3, &[1], &[("a.yaml", "v1"), ("x", "y")]);
    fake.commit(4, &[3, 2], &[("a.yaml", "v2"), ("x", "y")]);
    fake.commit(5, &[4], &[("a.yaml", "v3"), ("x", "y")]);
    assert_eq!(all(&fake, 5), ["a.yaml v3 5-", "a.yaml v2 2-5", "a.yaml v1 1-2"]);
}

#[test]
fn a_merge_can_bring_a_tag_from_each_side() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("a.yaml", "v1 w1")]);
    fake.commit(2, &[1], &[("a.yaml", "v2 w1")]);
    fake.commit(3, &[1], &[("a.yaml", "v1 w2")]);
    fake.commit(4, &[2, 3], &[("a.yaml", "v2 w2")]);
    let entries = ["a.yaml w2 3-", "a.yaml v2 2-", "a.yaml v1 1-2", "a.yaml w1 1-3"];
    assert_eq!(all(&fake, 4), entries);
}

#[test]
fn references_come_and_go() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("a.yaml", "v1")]);
    fake.commit(2, &[1], &[("a.yaml", "w1 v1")]);
    fake.commit(3, &[2], &[("a.yaml", "w1 v2")]);
    fake.commit(4, &[3], &[("a.yaml", "v2")]);
    fake.commit(5, &[4], &[("a.yaml", "v3")]);
    let entries = ["a.yaml v3 5-", "a.yaml v2 3-5", "a.yaml w1 2-4", "a.yaml v1 1-3"];
    assert_eq!(all(&fake, 5), entries);
}

#[test]
fn what_was_no_reference_for_a_while_begins_anew() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("a.yaml", "v1")]);
    fake.commit(2, &[1], &[("a.yaml", "")]);
    fake.commit(3, &[2], &[("a.yaml", "v1")]);
    assert_eq!(all(&fake, 3), ["a.yaml v1 3-", "a.yaml v1 1-2"]);
}

#[test]
fn clocks_may_be_wrong() {
    let fake = FakeCommits::default();
    fake.commit(9, &[], &[("a.yaml", "v1")]);
    fake.commit(2, &[9], &[("a.yaml", "v2")]);
    fake.commit(5, &[2], &[("a.yaml", "v3")]);
    assert_eq!(all(&fake, 5), ["a.yaml v3 5-", "a.yaml v2 2-5", "a.yaml v1 9-2"]);
}

#[test]
fn what_is_cut_off_is_asked_for_and_else_told() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("a.yaml", "v1"), ("b.yaml", "w1")]);
    fake.commit(2, &[1], &[("a.yaml", "v1"), ("b.yaml", "w2")]);
    fake.commit(3, &[2], &[("a.yaml", "v2"), ("b.yaml", "w2")]);
    fake.cut.borrow_mut().push(id(1));
    let whole = ["a.yaml v2 3-", "b.yaml w2 2-", "a.yaml v1 1-3", "b.yaml w1 1-2"];
    assert_eq!(all(&fake, 3), whole);
    assert_eq!(fake.deepened.get(), 1);
    fake.commits.borrow_mut().remove(&id(1));
    let (entries, reach) = walked(&fake, 3);
    assert_eq!(entries, ["a.yaml v2 3-", "a.yaml v1 ?-3", "b.yaml w2 ?-"]);
    assert_eq!(reach, Extent::Truncated { commit: id(2), time: 2 });
}

#[test]
fn merge_is_followed_to_the_first_parent_that_says_the_same() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("a.yaml", "v1")]);
    fake.commit(2, &[1], &[("a.yaml", "v2")]);
    // a branch removes the tag and puts it back; then it changes something else
    fake.commit(3, &[2], &[("a.yaml", "v1")]);
    fake.commit(4, &[3], &[("a.yaml", "v2")]);
    fake.commit(5, &[4], &[("a.yaml", "v2 ")]);
    fake.commit(6, &[2, 5], &[("a.yaml", "v2 ")]);
    assert_eq!(all(&fake, 6), ["a.yaml v2 2-", "a.yaml v1 1-2"]);
    fake.commit(7, &[5, 2], &[("a.yaml", "v2 ")]);
    assert_eq!(all(&fake, 7)[0], "a.yaml v2 4-");
}

#[test]
fn merge_with_a_parent_that_is_missing_has_written_nothing() {
    let fake = FakeCommits::default();
    fake.commit(2, &[], &[("a.yaml", "v1")]);
    // parent 1 isn't available, and the tag may come from it
    for parents in [[1, 2], [2, 1]] {
        fake.commit(3, &parents, &[("a.yaml", "v2")]);
        let history = history(&fake, 3, 9);
        let by = history[0].written.as_ref();
        assert!(by.is_none_or(|by| !by.has_all_parents), "{parents:?}");
        assert!(matches!(walked(&fake, 3).1, Extent::Truncated { .. }));
    }
    fake.commit(3, &[1, 2], &[("a.yaml", "v1")]);
    assert_eq!(walked(&fake, 3).0, ["a.yaml v1 ?-"]);
}

fn history(fake: &FakeCommits, tip: usize, limit: usize) -> Vec<TagEntry> {
    let (request, paths) = (request(), ["a.yaml"].into());
    let mut history =
        FileHistory::new(HistoryStart { commits: fake, tip: id(tip), prefix: "" }, &request, &paths, limit)
            .unwrap();
    let mut entries = Vec::new();
    while let Some(more) = history.next_commit().unwrap() {
        entries.extend(more);
    }
    entries
}

#[test]
fn entry_has_what_it_replaced_in_the_file() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("a.yaml", "v1 v2 v3")]);
    fake.commit(2, &[1], &[("a.yaml", "v4 v2 v4")]);
    fake.commit(3, &[2], &[("a.yaml", "v4 v2 v4 v5")]);
    let replaced: Vec<_> = history(&fake, 3, 9).into_iter().map(|e| (e.tag, e.replaced.to_vec())).collect();
    let v4 = || (Some("v4".to_owned()), vec!["v1".to_owned(), "v3".to_owned()]);
    let first = |tag: &str| (Some(tag.to_owned()), Vec::new());
    assert_eq!(replaced, [first("v5"), v4(), v4(), first("v1"), first("v2"), first("v3")]);
}

#[test]
fn history_ends_at_its_limit() {
    let fake = FakeCommits::default();
    fake.commit(1, &[], &[("a.yaml", "v1")]);
    fake.commit(2, &[1], &[("a.yaml", "v2")]);
    let (request, paths) = (request(), ["a.yaml"].into());
    for (limit, end, entries) in [(0, WalkEnd::Limit, 0), (1, WalkEnd::Limit, 1), (2, WalkEnd::Beginning, 2)]
    {
        let mut history = FileHistory::new(
            HistoryStart { commits: &fake, tip: id(2), prefix: "" },
            &request,
            &paths,
            limit,
        )
        .unwrap();
        let mut count = 0;
        while let Some(more) = history.next_commit().unwrap() {
            count += more.len();
        }
        assert_eq!((history.end(), count), (end, entries), "{limit}");
    }
}

#[test]
fn thousands_of_references_that_all_change_are_told_soon() {
    let older: Vec<_> = (0..30_000).map(mention).collect();
    let newer: Vec<_> = (1..30_000).rev().map(mention).collect();
    let became = super::align::align(&older, &newer);
    assert_eq!((became[0], became[1], became[29_999]), (None, Some(29_998), Some(0)));
}

fn mention(place: u64) -> crate::plan::CurrentReference {
    crate::plan::CurrentReference {
        target: crate::plan::TargetIndex::new(0),
        file: "a.yaml".into(),
        has_chart: false,
        place,
        line: 1,
        tag: Some(place.to_string()),
        digest: None,
        field: None,
    }
}
