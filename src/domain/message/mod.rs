//! Messages of a session, and their limits. No I/O.

mod body;
mod chat;
mod chat_part;
mod format;
mod id;
mod members;
mod new;
mod openai;
mod openai_items;
mod openai_part;
mod parts;
mod patch;
mod response;
mod ui;
mod values;
mod view;

pub use self::format::{Format, Rendered};
pub use self::id::{MAX_MESSAGE_ID_BYTES, MESSAGE_ID_RULE, MessageId, Parent, told_seq};
pub use self::members::Members;
pub use self::new::{Content, InvalidMember, MAX_CONTENT_BYTES, NewMessage, StoredMessage};
pub use self::openai_items::{Annotations, Label, MAX_CHAT_ITEMS, SentContent, ToolCalls};
pub use self::openai_part::MAX_LABEL_CHARS;
pub use self::parts::{MAX_PART_TYPE_CHARS, MAX_PARTS, MAX_PARTS_BYTES, MAX_PARTS_DEPTH, Parts};
pub use self::patch::{MessagePatch, has_same_content, is_same_time, touch};
pub use self::response::Message;
pub use self::values::{
    Attachment, Feedback, MAX_COMMENT_CHARS, MAX_MODEL_CHARS, MessageStatus, Model, Role,
    TOKEN_COUNTS, Timestamp, Usage,
};

pub(crate) use self::view::Part;

/// The maximum number of messages of one append request.
pub const MAX_BATCH: usize = 100;
/// The maximum number of messages on a page.
pub const MAX_MESSAGES_PER_PAGE: usize = 200;
/// The maximum size of a page, in bytes; a page always contains at least one item.
///
/// The response of a Vercel function is limited to 4.5 MB (vercel.com/docs/functions/limitations).
pub const MAX_PAGE_BYTES: usize = 4_000_000;

/// Which branch to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Branch {
    /// The active branch.
    Active,
    /// The messages of all branches.
    All,
    /// The messages up to this one.
    Of(MessageId),
}

/// Which messages of a session to read.
#[derive(Clone, Debug)]
pub struct MessageSelection {
    /// The range.
    pub range: MessageRange,
    /// The maximum number of messages.
    pub limit: usize,
    /// The branch.
    pub branch: Branch,
    /// Whether deleted messages are included.
    pub with_deleted: bool,
}

impl MessageSelection {
    /// Returns the selection of the latest messages of the active branch.
    pub fn latest(limit: usize) -> Self {
        Self {
            range: MessageRange::Latest,
            limit,
            branch: Branch::Active,
            with_deleted: false,
        }
    }
}

/// A range of messages of a session.
#[derive(Clone, Copy, Debug)]
pub enum MessageRange {
    /// The latest messages.
    Latest,
    /// The messages after a `seq`, in ascending order.
    After(u64),
    /// The latest messages before a `seq`.
    Before(u64),
    /// The messages between two `seq`s, in ascending order.
    Between(u64, u64),
}
