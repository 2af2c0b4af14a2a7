//! The walk from a tip back, by time, over the commits that matter to some files.

use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

use super::align::{align, say_the_same};
use super::{Commits, Entry, Id, Links, Reach, Written};
use crate::error::Result;
use crate::plan::{Found, Look, Mention, Request, Shelf, SourceFile, mentions};
use crate::select::{Selection, Standing, folder};

/// Hands every tag that the references in `now` have had to `take`, the newest first, until it wants no more.
/// `now` is what the request means at the tip; `prefix` stands before its paths, below the repository's top.
///
/// # Errors
/// Where commits can't be read.
pub fn tell(
    commits: &dyn Commits,
    tip: Id,
    (request, now): (&Request, &[Mention]),
    prefix: &str,
    take: &mut dyn FnMut(Entry) -> bool,
) -> Result<Reach> {
    let mut walk = Walk::new(commits, request, files(request, now)?);
    walk.begin(tip, prefix)?;
    while let Some((commit, stop)) = walk.next() {
        let mut entries = walk.step(commit, stop)?;
        entries.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        // containers of one file that go together are told once
        entries.dedup_by(is_told_with);
        if !entries.into_iter().all(&mut *take) {
            return Ok(Reach::Enough);
        }
    }
    Ok(walk.reach)
}

/// A file whose history is told.
struct File {
    /// As it is called at the tip, below the root.
    path: String,
    has_chart: bool,
    standing: Standing,
}

fn files(request: &Request, now: &[Mention]) -> Result<Vec<File>> {
    let selection = request.selection()?;
    let standing = |path: &str| selection.standing(path).unwrap_or(Standing::Found);
    let files: BTreeMap<&str, bool> = now.iter().map(|m| (m.file.as_str(), m.has_chart)).collect();
    let files = files.into_iter();
    Ok(files
        .map(|(path, has_chart)| File { path: path.to_owned(), has_chart, standing: standing(path) })
        .collect())
}

/// One file on its way back.
#[derive(Clone)]
struct Track {
    file: usize,
    /// What it is called here, below the repository's top.
    name: Rc<str>,
    blob: Id,
    /// What it says, once it was read.
    says: Option<Rc<[Mention]>>,
    /// For each of what it says the number that it is known by.
    numbers: Rc<[usize]>,
}

/// A commit to look at.
struct Stop {
    links: Links,
    tracks: Vec<Track>,
}

/// A commit, and those of its parents that are here.
#[derive(Clone, Copy)]
struct Here<'a> {
    commit: Id,
    links: &'a Links,
    parents: &'a [(Id, Links)],
}

struct Walk<'a> {
    commits: &'a dyn Commits,
    request: &'a Request,
    files: Vec<File>,
    /// By time, the newest first.
    queue: BinaryHeap<(i64, Id)>,
    waiting: HashMap<Id, Stop>,
    /// A clock that was wrong can lead to a commit twice.
    done: HashSet<(Id, usize)>,
    /// When a reference got another tag, by its number.
    until: HashMap<usize, i64>,
    numbers: usize,
    reach: Reach,
}

impl<'a> Walk<'a> {
    fn new(commits: &'a dyn Commits, request: &'a Request, files: Vec<File>) -> Self {
        Walk {
            commits,
            request,
            files,
            queue: BinaryHeap::new(),
            waiting: HashMap::new(),
            done: HashSet::new(),
            until: HashMap::new(),
            numbers: 0,
            reach: Reach::Enough,
        }
    }

    fn begin(&mut self, tip: Id, prefix: &str) -> Result<()> {
        let Some(links) = self.commits.links(tip)? else { return Ok(()) };
        for file in 0..self.files.len() {
            let path = &self.files[file].path;
            let name: Rc<str> =
                if prefix.is_empty() { path.as_str().into() } else { format!("{prefix}/{path}").into() };
            let Some(blob) = self.commits.file(links.tree, &name)? else { continue };
            let says = self.read(file, blob)?.unwrap_or_default();
            let numbers = says.iter().map(|_| self.number()).collect();
            self.follow((tip, &links), Track { file, name, blob, says: Some(says), numbers });
        }
        Ok(())
    }

    fn next(&mut self) -> Option<(Id, Stop)> {
        let (_, commit) = self.queue.pop()?;
        Some((commit, self.waiting.remove(&commit)?))
    }

    fn follow(&mut self, (commit, links): (Id, &Links), track: Track) {
        let stop = self.waiting.entry(commit).or_insert_with(|| {
            self.queue.push((links.time, commit));
            Stop { links: links.clone(), tracks: Vec::new() }
        });
        if stop.tracks.iter().all(|other| other.file != track.file) {
            stop.tracks.push(track);
        }
    }

    /// What a commit brought. The files are followed further back.
    fn step(&mut self, commit: Id, stop: Stop) -> Result<Vec<Entry>> {
        let Stop { links, tracks } = stop;
        let parents = self.parents(&links)?;
        let mut entries = Vec::new();
        for track in tracks {
            if self.done.insert((commit, track.file)) {
                self.trace(Here { commit, links: &links, parents: &parents }, track, &mut entries)?;
            }
        }
        Ok(entries)
    }

    /// Those that are here, deepened where there is one that is not.
    fn parents(&self, links: &Links) -> Result<Vec<(Id, Links)>> {
        loop {
            let mut here = Vec::with_capacity(links.parents.len());
            for &parent in &links.parents {
                here.extend(self.commits.links(parent)?.map(|links| (parent, links)));
            }
            if here.len() == links.parents.len() || !self.commits.deepen() {
                return Ok(here);
            }
        }
    }

    fn trace(&mut self, here: Here<'_>, mut track: Track, entries: &mut Vec<Entry>) -> Result<()> {
        let Here { commit, links, parents } = here;
        for (parent, its) in parents {
            if self.commits.file(its.tree, &track.name)? == Some(track.blob) {
                self.follow((*parent, its), track);
                return Ok(());
            }
        }
        let says = match track.says.take() {
            Some(says) => says,
            None => self.read(track.file, track.blob)?.unwrap_or_default(),
        };
        let mut before = Vec::new();
        for (parent, its) in parents {
            let old = self.before((links.tree, its.tree), &track, &says)?;
            before.extend(old.map(|old| ((*parent, its), old)));
        }
        if let Some(at) = before.iter().position(|(_, old)| is_same(old, &says, &track.numbers)) {
            let (parent, old) = before.swap_remove(at);
            self.follow(parent, old);
            return Ok(());
        }
        let olds: Vec<ByNumber<'_>> = before.iter().map(|(_, old)| old.by_number()).collect();
        if olds.is_empty() && parents.len() < links.parents.len() {
            self.reach = Reach::Cut { commit, time: links.time };
            entries.extend(self.entries(&track, &says, &olds, None));
            return Ok(());
        }
        let words = Rc::new(self.commits.words(commit)?);
        let written = Written { commit, time: links.time, words };
        entries.extend(self.entries(&track, &says, &olds, Some(&written)));
        self.note_ends(&olds, &says, &track.numbers, links.time);
        for (parent, old) in before {
            self.follow(parent, old);
        }
        Ok(())
    }

    /// The file in a parent, maybe under another name; nothing where it is not there.
    fn before(&mut self, (tree, older): (Id, Id), track: &Track, says: &[Mention]) -> Result<Option<Track>> {
        let mut name = Rc::clone(&track.name);
        let mut blob = self.commits.file(older, &name)?;
        if blob.is_none()
            && let Some(old) = self.commits.old_name(tree, older, &name)?
        {
            blob = self.commits.file(older, &old)?;
            name = old.into();
        }
        let Some(blob) = blob else { return Ok(None) };
        let Some(said) = self.read(track.file, blob)? else {
            // what can't be read changes nothing: neither it nor who mends it has written a tag
            let (says, numbers) = (Some(says.into()), Rc::clone(&track.numbers));
            return Ok(Some(Track { file: track.file, name, blob, says, numbers }));
        };
        let became = align(&said, says);
        let numbers =
            became.into_iter().map(|n| n.map_or_else(|| self.number(), |n| track.numbers[n])).collect();
        Ok(Some(Track { file: track.file, name, blob, says: Some(said), numbers }))
    }

    /// Those of a version's tags that none of the versions before it has.
    fn entries(
        &self,
        track: &Track,
        says: &[Mention],
        before: &[ByNumber<'_>],
        written: Option<&Written>,
    ) -> Vec<Entry> {
        let said = says.iter().zip(track.numbers.iter());
        let new = said.filter(|(mention, number)| !was_there(before, **number, mention));
        let entry = |(mention, number): (&Mention, &usize)| Entry {
            want: mention.want,
            file: self.files[track.file].path.clone(),
            line: mention.line,
            tag: mention.tag.clone(),
            digest: mention.digest.clone(),
            written: written.cloned(),
            until: self.until.get(number).copied(),
            references: vec![*number],
        };
        new.map(entry).collect()
    }

    /// What is no more, or says another thing than any version before, ended with this commit.
    fn note_ends(&mut self, before: &[ByNumber<'_>], says: &[Mention], numbers: &[usize], time: i64) {
        let by_number: ByNumber<'_> = numbers.iter().copied().zip(says).collect();
        for &number in before.iter().flat_map(HashMap::keys) {
            let now = by_number.get(&number);
            if !now.is_some_and(|now| was_there(before, number, now)) {
                self.until.insert(number, time);
            }
        }
    }

    fn number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }

    /// What a version says; nothing where it was no YAML then.
    fn read(&self, file: usize, blob: Id) -> Result<Option<Rc<[Mention]>>> {
        let bytes = self.commits.read(blob)?;
        let shelf = Version { file: &self.files[file], bytes: &bytes };
        Ok(mentions(&shelf, self.request)?.map(Into::into))
    }
}

/// What references say, by their numbers.
type ByNumber<'a> = HashMap<usize, &'a Mention>;

impl Track {
    fn by_number(&self) -> ByNumber<'_> {
        self.pairs().map(|(mention, number)| (number, mention)).collect()
    }

    fn pairs(&self) -> impl Iterator<Item = (&Mention, usize)> {
        self.says.iter().flat_map(|says| says.iter()).zip(self.numbers.iter().copied())
    }
}

/// Whether one of some versions says the same.
fn was_there(before: &[ByNumber<'_>], number: usize, mention: &Mention) -> bool {
    before.iter().any(|old| old.get(&number).is_some_and(|said| say_the_same(said, mention)))
}

/// Whether a version says what the one behind it says.
fn is_same(old: &Track, says: &[Mention], numbers: &[usize]) -> bool {
    let new = says.iter().zip(numbers.iter().copied());
    old.pairs().count() == says.len()
        && old.pairs().zip(new).all(|((o, n), (s, m))| n == m && say_the_same(o, s))
}

/// Whether an entry says nothing but what another one says, which takes it in.
fn is_told_with(entry: &mut Entry, other: &mut Entry) -> bool {
    // one commit wrote both, or both were written before all that is known
    let (one, two) = (&*entry, &*other);
    let same = (one.want, &one.file, &one.tag, &one.digest, one.until)
        == (two.want, &two.file, &two.tag, &two.digest, two.until);
    if same {
        other.references.append(&mut entry.references);
    }
    same
}

/// A file as it once was, under the name that it has now.
struct Version<'a> {
    file: &'a File,
    bytes: &'a [u8],
}

impl Shelf for Version<'_> {
    fn each(&self, _: &Selection, _: bool, look: Look<'_>) -> Result<Found> {
        let File { path, has_chart, standing } = self.file;
        let mut found = Found::default();
        found.take(path, *standing);
        if *has_chart {
            found.charts.insert(folder(path).to_owned());
        }
        // there is no other file to look at
        let _ = look(SourceFile { path, bytes: self.bytes, standing: *standing });
        Ok(found)
    }

    fn one(&self, _: &str, _: usize) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }
}
