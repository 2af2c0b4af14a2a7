//! Why a reference can't be edited safely.

use crate::location::Location;
use crate::yaml::{EditBlocker, NodeId};

/// A reference that can't be edited safely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The node to point at.
    pub at: NodeId,
    pub reason: RefusalReason,
    /// The value is written there and only used here: fine if it is edited there.
    pub written_at: Option<NodeId>,
}

/// What stands in the way of an edit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    #[error("{part} {blocker}")]
    Blocked {
        /// Of the reference, such as "the tag".
        part: &'static str,
        blocker: EditBlocker,
    },
    #[error("stands beside other parts of an image; a chart joins them")]
    PartOfBlock,
    #[error("names the image on line {line}, in YAML that is text here; {reason}")]
    InText { line: usize, reason: Box<RefusalReason> },
    #[error("the entry has a tagSuffix and no newTag, so the tag is the workload's")]
    TagSuffix,
    #[error("there is no tag to append the digest to, and no digest key")]
    DigestWithoutTag,
    #[error("the new name {name} is in another registry than the block")]
    OtherRegistry { name: String },
    #[error("the entry has two digests: without this one, the other would count")]
    TwoDigests,
    #[error("is shared with {with}, {user}")]
    SharedValue {
        with: Location,
        user: SharedUser,
        /// The same command gives that image the same tag.
        is_bumped: bool,
    },
    #[error("there is already an entry for {image}, which runs another image")]
    OtherEntry { image: String },
    #[error("also sets the tag of {others}")]
    SetsOthers {
        others: String,
        /// Some container runs the image under the name that was bumped.
        runs_itself: bool,
    },
    #[error("{by} tests whether it is what it is now, so the build would fail")]
    Tested { by: Location },
    /// The place is written with quotes, and read again without them.
    #[error("{reader} would read {tag} as something other than text here")]
    Misread { reader: &'static str, tag: String },
    #[error("the tag gets {around} where it is used, so a new tag must have that too")]
    AroundVariable { around: String },
    #[error("the tag is a variable, and the digest after it decides what runs")]
    DigestBehindVariable,
    /// A chart's values set it, and the bump leaves that file as it is.
    #[error("the digest in {at} decides what runs{}", because(.why.as_deref()))]
    DigestElsewhere {
        at: Location,
        /// Why it can't be changed, if the bump may change its file.
        why: Option<Box<RefusalReason>>,
    },
    #[error("a generator or a variable sets its digest, which decides what runs")]
    DigestUnplaced,
    #[error("its digest, in {at}, is also that of {others}")]
    SharedDigest { at: Location, others: String },
    /// The place decides what runs, but its value isn't one that can be set here.
    #[error("{reason}")]
    Fixed { reason: String },
    #[error("images is not a list, so no entry can be added")]
    ImagesNotList,
    #[error("the file doesn't say which image this tag belongs to")]
    NoImage,
    #[error("is encrypted by sops")]
    Encrypted,
    #[error("is in a file with a sops MAC, which an edit by any other tool breaks")]
    HasMac,
}

impl Refusal {
    pub fn new(at: NodeId, reason: RefusalReason) -> Self {
        Refusal { at, reason, written_at: None }
    }

    /// The refusal of an edit of YAML that a scalar holds as text. The line is one of the file.
    pub fn in_text(at: NodeId, line: usize, blocker: EditBlocker) -> Self {
        let reason = Box::new(RefusalReason::Blocked { part: "it", blocker });
        Refusal::new(at, RefusalReason::InText { line, reason })
    }

    pub fn blocked(at: NodeId, part: &'static str, blocker: EditBlocker) -> Self {
        Refusal::new(at, RefusalReason::Blocked { part, blocker })
    }
}

/// A reason as a part of a sentence.
fn because(why: Option<&RefusalReason>) -> String {
    why.map(|why| format!(", and {why}")).unwrap_or_default()
}

/// What else uses a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharedUser {
    #[error("which belongs to {0}")]
    Image(String),
    #[error("which belongs to another image")]
    ImageWithoutName,
    #[error("where no image was found")]
    Unknown,
}

impl RefusalReason {
    /// How to change the file, so that the reference can be edited.
    pub fn advice(&self) -> String {
        match self {
            RefusalReason::Blocked { blocker, .. } => blocker.hint().to_owned(),
            RefusalReason::PartOfBlock => "bump the joined name, or set its tag or digest by its field".to_owned(),
            RefusalReason::InText { reason, .. } => reason.advice(),
            RefusalReason::TagSuffix => "give the entry a newTag, or bump the workload's image".to_owned(),
            RefusalReason::DigestWithoutTag => "give a tag too: IMAGE:TAG@DIGEST".to_owned(),
            RefusalReason::OtherRegistry { .. } => "change the registry by hand, then bump".to_owned(),
            RefusalReason::TwoDigests => "remove one of them".to_owned(),
            RefusalReason::SharedValue { user: SharedUser::Image(_), is_bumped: false, .. } => {
                "bump both to the same tag in the same command, or write both values out, without an alias or merge key"
                    .to_owned()
            }
            RefusalReason::SharedValue { .. } => {
                "write both values out, without an alias or merge key".to_owned()
            }
            RefusalReason::OtherEntry { image } => {
                format!("bump that image, or name both: {image}=NEWNAME:TAG")
            }
            RefusalReason::SetsOthers { runs_itself: false, .. } => {
                "nothing runs under the name that you gave; bump what runs there instead".to_owned()
            }
            RefusalReason::SetsOthers { runs_itself: true, .. } => {
                "bump those to the same tag in the same command, or set their tag in a place of their own"
                    .to_owned()
            }
            RefusalReason::Tested { .. } => {
                "change what the patch tests for by hand, with the tag, or remove the test".to_owned()
            }
            RefusalReason::Misread { .. } => {
                "bump to a tag that can't be read as a number, such as one with a prefix, or write the tag without a \
                 variable"
                    .to_owned()
            }
            RefusalReason::AroundVariable { .. } => {
                "bump to such a tag, or write the whole tag as one value".to_owned()
            }
            RefusalReason::DigestBehindVariable => "remove the digest, then bump".to_owned(),
            RefusalReason::DigestElsewhere { why: Some(why), .. } => why.advice(),
            RefusalReason::DigestElsewhere { why: None, .. } => {
                "bump that file too, or empty the digest first".to_owned()
            }
            RefusalReason::DigestUnplaced => "remove the digest where it is set, then bump".to_owned(),
            RefusalReason::SharedDigest { .. } => {
                "give each image a digest of its own, or bump them to the same tag in the same command".to_owned()
            }
            RefusalReason::Fixed { .. } => "change it by hand".to_owned(),
            RefusalReason::ImagesNotList => "make images a list, or remove the key".to_owned(),
            RefusalReason::NoImage => "set the tag by its field".to_owned(),
            RefusalReason::Encrypted | RefusalReason::HasMac => {
                r#"change it with sops: sops set FILE PATH '"TAG"'"#.to_owned()
            }
        }
    }
}
