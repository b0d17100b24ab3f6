//! Changes of a stored message.

use std::borrow::Cow;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::members::Members;
use super::new::{Content, NewMessage};
use super::parts::Parts;
use super::values::{Feedback, MessageStatus, Model, Timestamp, Usage};
use crate::domain::metadata::Metadata;
use crate::util::json::{self, Text};

/// The changes of a message. Members that are missing stay as they are; `null` removes what can be removed.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MessagePatch {
    /// The text. Without it, it is made of new parts. A new text without parts removes the parts.
    #[schema(value_type = Option<Content>)]
    content: Option<Content>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Parts>)]
    parts: Option<Option<Parts>>,
    status: Option<MessageStatus>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Model>)]
    model: Option<Option<Model>>,
    /// `null` takes the feedback back.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Feedback>)]
    feedback: Option<Option<Feedback>>,
    /// A merge patch (RFC 7396); `null` removes all metadata.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Metadata>)]
    metadata: Option<Option<Metadata>>,
    /// A merge patch (RFC 7396); `null` removes the usage.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Usage>)]
    usage: Option<Option<Usage>>,
}

/// Deserializes a member so that `null` differs from a missing one.
#[expect(clippy::option_option, reason = "`null` differs from a missing member")]
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The name of a member and the rule that a change of it violates.
type Violation = (&'static str, &'static str);

impl MessagePatch {
    /// Returns the members of a message after the changes.
    ///
    /// # Errors
    /// If merged metadata or a merged usage exceeds a limit, or neither text nor parts would remain.
    pub fn applied_to(&self, stored: &Members<'_>) -> Result<Members<'static>, Violation> {
        let mut changed = stored.clone().into_owned();
        if let Some(parts) = &self.parts {
            changed.parts = parts
                .as_ref()
                .map(|parts| Cow::Owned(parts.as_raw().to_owned()));
        }
        match (&self.content, &self.parts) {
            (Some(content), parts) => {
                if parts.is_none() && !stored.has_content(content.as_raw()) {
                    changed.parts = None;
                }
                changed.content = Some(Cow::Owned(content.as_raw().to_owned()));
            }
            (None, Some(Some(parts))) => {
                changed.content = Some(Cow::Owned(json::raw(&parts.text())))
            }
            (None, _) => {}
        }
        if changed.parts.is_none() && is_empty(changed.content.as_deref()) {
            return Err((
                "content",
                "must be 1 byte to 256 KB where there are no parts",
            ));
        }
        if let Some(status) = self.status {
            let status = Some(status).filter(|status| *status != MessageStatus::Completed);
            changed.status = status.map(|status| Cow::Borrowed(status.as_raw()));
        }
        if let Some(model) = &self.model {
            changed.model = model
                .as_ref()
                .map(|model| Cow::Owned(model.as_raw().to_owned()));
        }
        if let Some(feedback) = &self.feedback {
            let feedback = feedback.as_ref().map(|value| value.as_raw().to_owned());
            changed.feedback = feedback.map(Cow::Owned);
        }
        if let Some(metadata) = &self.metadata {
            let merged = metadata
                .as_ref()
                .map(|patch| patch.merged_into(stored.metadata.as_deref()));
            let merged = merged.transpose().map_err(|rule| ("metadata", rule))?;
            changed.metadata = merged.map(|merged| Cow::Owned(merged.into_raw()));
        }
        if let Some(usage) = &self.usage {
            let merged = usage
                .as_ref()
                .map(|patch| patch.merged_into(stored.usage.as_deref()));
            let merged = merged.transpose().map_err(|rule| ("usage", rule))?;
            changed.usage = merged.map(|merged| Cow::Owned(merged.as_raw().to_owned()));
        }
        Ok(changed)
    }
}

fn is_empty(content: Option<&RawValue>) -> bool {
    content.is_none_or(|content| ["\"\"", "null"].contains(&content.get()))
}

impl NewMessage {
    /// Returns the members of a stored message that is replaced by this one. Its place and its parent stay, and its
    /// timestamp unless this message has another one.
    pub fn replacing(&self, stored: &Members<'_>, now: DateTime<Utc>) -> Members<'static> {
        let mut members = self.members(now).into_owned();
        let stored = stored.clone().into_owned();
        members.parent_id = stored.parent_id;
        if !self.has_timestamp() && stored.timestamp.is_some() {
            members.timestamp = stored.timestamp;
        }
        members.id = stored.id;
        members
    }

    /// Returns whether a stored message has the content of this one: all members that a client can set, the timestamp
    /// only where this message has one.
    pub fn has_content_of(&self, stored: &Members<'_>) -> bool {
        let mut new = self.members(DateTime::UNIX_EPOCH);
        if !self.has_timestamp() {
            let time = stored.timestamp.as_deref().map(ToOwned::to_owned);
            new.timestamp = time.map(Cow::Owned);
        }
        has_same_content(&new, stored)
    }
}

/// Returns whether two messages have equal members, ids, parents and times of change aside.
pub fn has_same_content(left: &Members<'_>, right: &Members<'_>) -> bool {
    let core = left.core().into_iter().zip(right.core());
    // The time of the last change is the last one.
    let optional = left.optional().into_iter().zip(right.optional());
    let mut members = core.chain(optional.take(left.optional().len() - 1));
    left.deleted == right.deleted && members.all(|(left, right)| is_same(left, right))
}

/// Returns whether two JSON texts mean the same value; a missing one is `null`.
fn is_same(left: Option<&RawValue>, right: Option<&RawValue>) -> bool {
    let left = left.unwrap_or(RawValue::NULL).get();
    let right = right.unwrap_or(RawValue::NULL).get();
    left == right || json::is_same_value(left, right)
}

/// Sets the time of the last change: `now`, but later than the one before, since it tells two states apart.
pub fn touch(members: &mut Members<'_>, before: &Members<'_>, now: DateTime<Utc>) {
    let before = before.updated_at.as_deref().or(before.timestamp.as_deref());
    let before = before.and_then(|value| serde_json::from_str::<Text<'_>>(value.get()).ok());
    let before = before.and_then(|Text(text)| DateTime::parse_from_rfc3339(&text).ok());
    let next = before.and_then(|before| {
        before
            .to_utc()
            .checked_add_signed(Duration::microseconds(1))
    });
    let time = next.map_or(now, |next| next.max(now));
    members.updated_at = Some(Cow::Owned(json::raw(&Timestamp::from(time))));
}

/// Returns whether a text is the time of a stored message's last change, which is its timestamp if it was never changed.
pub fn is_same_time(text: &str, stored: &Members<'_>) -> bool {
    let time = stored.updated_at.as_deref().or(stored.timestamp.as_deref());
    let time = time.and_then(|time| serde_json::from_str::<Text<'_>>(time.get()).ok());
    time.is_some_and(|Text(time)| time == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = r#"{"id":"a","role":"user","content":"old","timestamp":"2025-12-14T10:00:00Z","traces":null,"artifacts":null,"parts":[{"type":"text","text":"old"}],"metadata":{"a":1,"b":2},"usage":{"input_tokens":1}}"#;

    fn patched(patch: &str) -> Result<String, Violation> {
        let patch: MessagePatch = serde_json::from_str(patch).unwrap();
        let members = patch.applied_to(&Members::parse(STORED).unwrap());
        members.map(|members| members.rest())
    }

    #[test]
    fn new_parts_make_the_content_anew_unless_it_is_given() {
        let text = patched(r#"{"parts":[{"type":"text","text":"new"}]}"#).unwrap();
        assert!(text.contains(r#""content":"new""#), "{text}");
        let text =
            patched(r#"{"parts":[{"type":"text","text":"new"}],"content":"given"}"#).unwrap();
        assert!(text.contains(r#""content":"given""#), "{text}");
        let text = patched(r#"{"parts":null}"#).unwrap();
        assert!(
            text.contains(r#""content":"old""#) && !text.contains("parts"),
            "{text}"
        );
        assert_eq!(
            patched(r#"{"parts":null,"content":""}"#).unwrap_err().0,
            "content"
        );
    }

    #[test]
    fn new_content_without_parts_removes_the_parts() {
        let text = patched(r#"{"content":"new"}"#).unwrap();
        assert!(
            text.contains(r#""content":"new""#) && !text.contains("parts"),
            "{text}"
        );
        let text = patched(r#"{"content":"o\u006cd","model":"m"}"#).unwrap();
        assert!(text.contains(r#""parts":[{"#), "{text}");
        assert_eq!(patched(r#"{"content":""}"#).unwrap_err().0, "content");
        let stored = Members::parse(STORED).unwrap();
        let merged = |text: &str| {
            let new: NewMessage = serde_json::from_str(text).unwrap();
            new.merged_over(&stored).rest()
        };
        let text = merged(r#"{"role":"user","content":"new"}"#);
        assert!(!text.contains("parts"), "{text}");
        let text = merged(r#"{"role":"user","content":"old"}"#);
        assert!(text.contains(r#""parts":[{"#), "{text}");
        let text = merged(r#"{"role":"user","parts":[{"type":"text","text":"new"}]}"#);
        assert!(text.contains(r#""content":"new""#), "{text}");
    }

    #[test]
    fn metadata_and_usage_are_merged_and_null_removes() {
        let text = patched(r#"{"metadata":{"a":null,"c":3},"usage":{"output_tokens":2}}"#).unwrap();
        assert!(text.contains(r#""metadata":{"b":2,"c":3}"#), "{text}");
        assert!(
            text.contains(r#""usage":{"input_tokens":1,"output_tokens":2}"#),
            "{text}"
        );
        let text = patched(r#"{"metadata":null,"usage":null}"#).unwrap();
        assert!(
            !text.contains("metadata") && !text.contains("usage"),
            "{text}"
        );
        let feedback =
            patched(r#"{"feedback":{"type":"negative"},"status":"stopped","model":"m"}"#);
        assert!(feedback.unwrap().ends_with(
            r#""status":"stopped","model":"m","usage":{"input_tokens":1},"feedback":{"type":"negative"}}"#
        ));
    }

    #[test]
    fn equal_content_is_recognised_by_value_and_a_changed_one_is_not() {
        let stored = Members::parse(STORED).unwrap();
        let is_same = |text: &str| {
            serde_json::from_str::<NewMessage>(text)
                .unwrap()
                .has_content_of(&stored)
        };
        let same = r#"{"role":"user","parts":[{"text":"old", "type":"text"}],"metadata":{"b":2,"a":1},"usage":{"input_tokens":1}}"#;
        assert!(is_same(same));
        assert!(!is_same(&same.replace(r#""b":2"#, r#""b":3"#)));
        assert!(!is_same(r#"{"role":"user","content":"old"}"#));
        let timed = |time| same.replacen('{', &format!(r#"{{"timestamp":"{time}","#), 1);
        assert!(is_same(&timed("2025-12-14T10:00:00Z")));
        assert!(!is_same(&timed("2025-12-14T10:00:01Z")));
    }

    #[test]
    fn time_of_a_change_is_later_than_the_one_before() {
        let before = Members::parse(STORED).unwrap();
        let mut after = before.clone();
        touch(&mut after, &before, DateTime::UNIX_EPOCH);
        assert_eq!(
            after.updated_at.unwrap().get(),
            r#""2025-12-14T10:00:00.000001Z""#
        );
    }
}
