//! A whole bump of one file in memory: the only place where the property tests and the fuzz targets know the
//! planner.

use tagbump::file_selection::{MatchLevel, Selection};
use tagbump::image::{Field, Tag};
use tagbump::plan::{
    FileContent, FileSource, FoundFiles, PlanError, Request, Scope, SourceError, SourceFile, UpdateTarget,
    VisitScope, Visitor, plan,
};

/// The file after a bump of an image to a tag; as it was where there is nothing to do.
///
/// # Errors
/// What the planner refuses.
pub fn bump(path: &str, text: &str, image: &str, tag: &str) -> Result<String, PlanError> {
    let request = request(image, tag)?;
    let plan = plan(&OneFile { path, text }, &request).plan?;
    assert!(plan.edits.len() <= 1, "there is one file");
    let after = plan.edits.into_iter().next().map(|edit| String::from_utf8(edit.after).expect("UTF-8"));
    Ok(after.unwrap_or_else(|| text.to_owned()))
}

/// What a bump of an image to a tag asks of the planner.
///
/// # Errors
/// What the planner refuses.
pub fn request(image: &str, tag: &str) -> Result<Request, PlanError> {
    let target = UpdateTarget {
        name: image.to_owned(),
        new_name: Field::Unspecified,
        tag: Some(Tag::parse(tag).expect("a tag")),
        digest: Field::Unspecified,
        new_digest: tagbump::plan::NewDigest::default(),
        service: None,
        scope: Scope::of_files(&Selection::new(&[])?),
    };
    Ok(Request { targets: vec![target], all: true, ..Request::default() })
}

/// All that the planner sees.
pub struct OneFile<'a> {
    pub path: &'a str,
    pub text: &'a str,
}

impl FileSource for OneFile<'_> {
    fn visit(&self, _: &Selection, _: VisitScope, look: Visitor<'_>) -> Result<FoundFiles, SourceError> {
        // there is no other file to look at
        let _ = look(SourceFile {
            path: self.path,
            bytes: self.text.as_bytes(),
            match_level: MatchLevel::Discovered,
        });
        let mut found = FoundFiles::default();
        found.take(self.path, MatchLevel::Discovered);
        Ok(found)
    }

    fn read(&self, path: &str, _: usize) -> Result<Option<FileContent>, SourceError> {
        Ok((path == self.path).then(|| FileContent::Bytes(self.text.as_bytes().to_vec())))
    }
}
