//! Filters and orders of lists of sessions. No I/O.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::session::{Session, Status};
use super::tag::{Tag, Tags};
use crate::util::json::Object;

/// The maximum number of members of the metadata that one filter compares.
pub const MAX_METADATA_FILTERS: usize = 16;

/// Which sessions a list contains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionFilter {
    /// Only sessions with one of these statuses; an empty list means every status.
    pub statuses: Vec<Status>,
    /// Only archived sessions, or only those that are not archived.
    pub archived: Option<bool>,
    /// Only pinned sessions, or only those that are not pinned.
    pub pinned: Option<bool>,
    /// Only sessions with all of these tags.
    pub tags: Tags,
    /// Only sessions whose metadata has all of these members.
    pub metadata: Vec<MetadataFilter>,
}

/// All sessions that are not archived.
impl Default for SessionFilter {
    fn default() -> Self {
        Self {
            statuses: Vec::new(),
            archived: Some(false),
            pinned: None,
            tags: Tags::default(),
            metadata: Vec::new(),
        }
    }
}

impl SessionFilter {
    /// Returns whether the status of a session and whether it is archived match.
    pub fn matches_state(&self, session: &Session) -> bool {
        let has_status = |status: &Status| status.as_str() == session.status;
        (self.statuses.is_empty() || self.statuses.iter().any(has_status))
            && self
                .archived
                .is_none_or(|archived| archived == session.archived)
    }

    /// Returns whether a session matches.
    pub fn matches(&self, session: &Session) -> bool {
        self.matches_state(session)
            && self.pinned.is_none_or(|pinned| pinned == session.pinned)
            && self.tags.iter().all(|tag| session.tags.contains(tag))
            && self.matches_metadata(&session.metadata)
    }

    /// Returns whether only the status and whether it is archived decide on a session.
    pub fn is_by_state(&self) -> bool {
        self.pinned.is_none() && self.tags.is_empty() && self.metadata.is_empty()
    }

    fn matches_metadata(&self, metadata: &RawValue) -> bool {
        if self.metadata.is_empty() {
            return true;
        }
        let metadata = Object::parse(metadata.get()).unwrap_or_default();
        self.metadata.iter().all(|wanted| {
            let member = metadata.get(&wanted.key);
            member.is_some_and(|member| wanted.matches(member))
        })
    }

    /// Returns the filter in the one form that all equal filters have, for the name of its list.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let mut statuses = self.statuses.clone();
        statuses.sort_unstable_by_key(|status| status.as_str());
        statuses.dedup();
        let mut tags: Vec<Tag> = self.tags.iter().cloned().collect();
        tags.sort_unstable();
        let mut metadata = self.metadata.clone();
        metadata.sort_unstable();
        Self {
            statuses,
            tags: Tags::try_from(tags).unwrap_or_default(),
            metadata,
            ..self.clone()
        }
    }
}

/// A member that the metadata of a session must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MetadataFilter {
    /// The name of the member.
    pub key: String,
    /// Its value, if it is text; otherwise the JSON of its value.
    pub value: String,
}

impl MetadataFilter {
    /// Returns whether a value is the wanted text, number or boolean.
    fn matches(&self, member: &RawValue) -> bool {
        let json = member.get();
        match json.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(json).is_ok_and(|text| text == self.value),
            Some(b't' | b'f') => json == self.value,
            Some(b'-' | b'0'..=b'9') => is_same_number(json, &self.value),
            _ => false,
        }
    }
}

/// Returns whether two texts are the same number. Integers are compared exactly.
fn is_same_number(json: &str, other: &str) -> bool {
    if let (Ok(left), Ok(right)) = (json.parse::<i128>(), other.parse::<i128>()) {
        return left == right;
    }
    let parse = |text: &str| serde_json::from_str::<f64>(text).ok();
    let is_number = parse(json).is_some() && !other.contains(char::is_whitespace);
    json == other || is_number && parse(json) == parse(other)
}

/// The time by which a list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum SortKey {
    /// The last activity.
    #[default]
    Updated,
    /// The creation.
    Created,
}

impl TryFrom<String> for SortKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "updated" => Ok(Self::Updated),
            "created" => Ok(Self::Created),
            _ => Err("must be updated or created"),
        }
    }
}

/// The direction of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum SortOrder {
    /// The latest first.
    #[default]
    Desc,
    /// The earliest first.
    Asc,
}

impl TryFrom<String> for SortOrder {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "desc" => Ok(Self::Desc),
            "asc" => Ok(Self::Asc),
            _ => Err("must be desc or asc"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_compared_as_text_number_or_boolean() {
        for (json, value, expected) in [
            (r#""a""#, "a", true),
            (r#""\u00e4""#, "ä", true),
            (r#""4""#, "4", true),
            (r#""4""#, "4.0", false),
            ("4", "4", true),
            ("4.0", "4", true),
            ("4e0", "4.00", true),
            ("-0.0", "0", true),
            ("9007199254740993", "9007199254740993", true),
            ("9007199254740993", "9007199254740992", false),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
                true,
            ),
            ("4", "four", false),
            ("4", "", false),
            ("1", "+1", true),
            ("1", "1 ", false),
            ("true", "true", true),
            ("true", "1", false),
            ("false", "true", false),
            ("null", "null", false),
            ("[4]", "4", false),
            (r#"{"a":4}"#, "4", false),
        ] {
            let filter = MetadataFilter {
                key: "k".to_owned(),
                value: value.to_owned(),
            };
            let json = RawValue::from_string(json.to_owned()).unwrap();
            assert_eq!(filter.matches(&json), expected, "{json} {value}");
        }
    }

    #[test]
    fn equal_filters_have_one_canonical_form() {
        let filter = |statuses: &[Status], tags: &[&str]| SessionFilter {
            statuses: statuses.to_vec(),
            tags: serde_json::from_value(serde_json::json!(tags)).unwrap(),
            ..SessionFilter::default()
        };
        let one = filter(
            &[Status::Paused, Status::Active, Status::Paused],
            &["b", "a"],
        );
        let other = filter(&[Status::Active, Status::Paused], &["a", "b"]);
        assert_ne!(one, other);
        assert_eq!(one.canonical(), other.canonical());
        assert_ne!(one.canonical(), filter(&[], &["a", "b"]).canonical());
    }
}
