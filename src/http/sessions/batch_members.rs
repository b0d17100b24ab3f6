//! The members `filter` and `set` of a change of many sessions.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use super::filter::metadata_filters;
use crate::domain::session::{SessionPatch, Status};
use crate::domain::session_filter::{SessionFilter, SortKey, SortOrder};
use crate::domain::tag::{MAX_TAGS, Tag, Tags, TagsChange};
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::http::error::{Error, Result};
use crate::service::sessions::ListedSessions;
use crate::service::volume::VolumeSelection;
use crate::util::schema::schema;

/// The parameters of `GET /api/sessions` that select and order sessions. Without members: all that are not archived.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchFilter {
    volume: Option<VolumeKind>,
    /// The user or team; only together with `volume`.
    volume_id: Option<VolumeId>,
    /// One status, or several: sessions with one of them.
    #[serde(default, deserialize_with = "one_or_many")]
    #[schema(schema_with = statuses, required = false)]
    status: Vec<Status>,
    /// `false` (default), `true`, or `all` for both.
    #[serde(default, deserialize_with = "archived")]
    #[schema(schema_with = archived_schema, required = false)]
    archived: Archived,
    pinned: Option<bool>,
    /// One tag, or several: sessions with all of them.
    #[serde(default, deserialize_with = "one_or_many")]
    #[schema(schema_with = tags, required = false)]
    tag: Vec<Tag>,
    /// Members of the metadata with their values: text, numbers or booleans.
    #[schema(schema_with = metadata, required = false)]
    metadata: Option<Box<RawValue>>,
    #[schema(schema_with = sort, required = false)]
    sort: Option<SortKey>,
    #[schema(schema_with = order, required = false)]
    order: Option<SortOrder>,
}

fn several(one: &RefOr<Schema>) -> RefOr<Schema> {
    schema(json!({"anyOf": [one, {"type": "array", "maxItems": MAX_TAGS, "items": one}]}))
}

fn statuses() -> RefOr<Schema> {
    several(&Status::schema())
}

fn tags() -> RefOr<Schema> {
    several(&Tag::schema())
}

fn archived_schema() -> RefOr<Schema> {
    schema(json!({"enum": [false, true, "all"]}))
}

fn metadata() -> RefOr<Schema> {
    schema(
        json!({"type": ["object", "null"], "additionalProperties": {"type": ["string", "number", "boolean"]}}),
    )
}

fn sort() -> RefOr<Schema> {
    schema(json!({"enum": [SortKey::Updated, SortKey::Created, null]}))
}

fn order() -> RefOr<Schema> {
    schema(json!({"enum": [SortOrder::Desc, SortOrder::Asc, null]}))
}

/// The sessions of a filter: archived ones, other ones, or both.
struct Archived(Option<bool>);

impl Default for Archived {
    fn default() -> Self {
        Self(Some(false))
    }
}

fn archived<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Archived, D::Error> {
    match Box::<RawValue>::deserialize(deserializer)?.get() {
        "false" => Ok(Archived(Some(false))),
        "true" => Ok(Archived(Some(true))),
        "\"all\"" => Ok(Archived(None)),
        _ => Err(D::Error::custom("must be false, true or \"all\"")),
    }
}

/// Deserializes a value or an array of values.
fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Box::<RawValue>::deserialize(deserializer)?;
    let values = match value.get().starts_with('[') {
        true => serde_json::from_str(value.get()),
        false => serde_json::from_str(value.get()).map(|value| vec![value]),
    };
    values.map_err(D::Error::custom)
}

/// The change of each session. At least one member is required.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchSet {
    status: Option<Status>,
    archived: Option<bool>,
    pinned: Option<bool>,
    /// Tags that are added to those of the session.
    tags_add: Option<Tags>,
    /// Tags that are removed from those of the session.
    tags_remove: Option<Tags>,
}

impl BatchFilter {
    /// Returns the list that the filter selects.
    pub(super) fn into_list(self) -> Result<ListedSessions> {
        if self.volume.is_none() && self.volume_id.is_some() {
            return Err(Error::field("filter.volume", "is required with volume_id"));
        }
        let metadata = metadata_filters("filter.metadata", self.metadata.as_deref())?;
        let tags = self.tag.try_into();
        Ok(ListedSessions {
            volume: self.volume.map(|kind| VolumeSelection {
                kind,
                id: self.volume_id,
            }),
            filter: SessionFilter {
                statuses: self.status,
                archived: self.archived.0,
                pinned: self.pinned,
                tags: tags.map_err(|limit| Error::field("filter.tag", limit))?,
                metadata,
            },
            sort: self.sort.unwrap_or_default(),
            order: self.order.unwrap_or_default(),
        })
    }
}

impl BatchSet {
    /// Returns the change of each session.
    pub(super) fn into_patch(self) -> Result<SessionPatch> {
        let (add, remove) = (
            self.tags_add.unwrap_or_default(),
            self.tags_remove.unwrap_or_default(),
        );
        if add.iter().any(|tag| remove.contains(tag)) {
            let message = "must not contain tags of tags_add";
            return Err(Error::field("set.tags_remove", message));
        }
        let has_tags = !add.is_empty() || !remove.is_empty();
        let patch = SessionPatch {
            status: self.status,
            archived: self.archived,
            pinned: self.pinned,
            tags: has_tags.then_some(TagsChange::Edit { add, remove }),
            ..SessionPatch::default()
        };
        match patch.is_empty() {
            true => Err(Error::field("set", "must have at least one member")),
            false => Ok(patch),
        }
    }
}
