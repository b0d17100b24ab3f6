//! The filter and the order of a list of sessions: as query parameters, and as members of a body.

use axum::http::Uri;
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{RefOr, Required, Schema};
use utoipa::{IntoParams, PartialSchema};

use crate::domain::session::Status;
use crate::domain::session_filter::{MAX_METADATA_FILTERS, MetadataFilter, SessionFilter};
use crate::domain::tag::{MAX_TAGS, Tag};
use crate::http::error::{Error, Result};
use crate::http::extract::query::{Parameters, malformed, parameter};
use crate::http::extract::volume::selection;
use crate::http::schema::parameters;
use crate::service::sessions::ListedSessions;
use crate::util::json::Object;
use crate::util::schema::schema;

/// The beginning of the names of parameters that compare a member of the metadata.
const METADATA: &str = "metadata.";
/// The name of these parameters in descriptions.
const METADATA_KEY: &str = "metadata.{key}";

/// The parameters of a list that can be repeated, or contain a key of the client.
#[derive(Default)]
pub(super) struct RepeatedParams {
    pub(super) statuses: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) metadata: Vec<MetadataFilter>,
}

impl Parameters for RepeatedParams {
    fn add_names(names: &mut Vec<&'static str>) {
        names.extend(["status", "tag", METADATA_KEY]);
    }

    fn has_key(name: &str) -> bool {
        name.starts_with(METADATA)
    }

    fn parse(uri: &Uri) -> Result<Self> {
        let mut params = Self::default();
        let query = uri.query().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.is_empty() {
                continue;
            }
            match &*name {
                "status" => params.statuses.push(value.into_owned()),
                "tag" => params.tags.push(value.into_owned()),
                name => {
                    if let Some(key) = name.strip_prefix(METADATA) {
                        if params.metadata.iter().any(|filter| filter.key == key) {
                            return Err(malformed(format_args!("duplicate field `{name}`")));
                        }
                        params.metadata.push(MetadataFilter {
                            key: key.to_owned(),
                            value: value.into_owned(),
                        });
                    }
                }
            }
        }
        Ok(params)
    }
}

impl IntoParams for RepeatedParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let several = |items: RefOr<Schema>, max: usize| {
            schema(json!({"type": "array", "maxItems": max, "items": items}))
        };
        let described = |name: &str, schema: RefOr<Schema>, text: &str| {
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(text))
                .schema(Some(schema));
            parameter.build()
        };
        let tag = parameters::or_empty(&json!(Tag::schema()));
        vec![
            described(
                "status",
                several(parameters::status(), MAX_TAGS),
                "Only sessions with this status. Repeated: with one of these.",
            ),
            described(
                "tag",
                several(tag, MAX_TAGS),
                "Only sessions with this tag. Repeated: with all of these.",
            ),
            described(
                METADATA_KEY,
                parameters::text(),
                "Only sessions whose metadata has the member `key` with this value: text, a number or a boolean.",
            ),
        ]
    }
}

/// The texts of the filter and the order.
#[derive(Default)]
pub(super) struct FilterTexts {
    pub(super) volume: Option<String>,
    pub(super) volume_id: Option<String>,
    pub(super) archived: Option<String>,
    pub(super) pinned: Option<String>,
    pub(super) sort: Option<String>,
    pub(super) order: Option<String>,
    pub(super) repeated: RepeatedParams,
}

impl FilterTexts {
    /// Parses the texts.
    ///
    /// # Errors
    /// Names the parameter that is invalid.
    pub(super) fn parse(self) -> Result<ListedSessions> {
        let RepeatedParams {
            statuses,
            tags,
            metadata,
        } = self.repeated;
        check_metadata("metadata", &metadata)?;
        let statuses = all::<Status>("status", statuses)?;
        let tags = all::<Tag>("tag", tags)?;
        Ok(ListedSessions {
            volume: selection(self.volume, self.volume_id)?,
            filter: SessionFilter {
                statuses,
                archived: archived(self.archived.as_deref())?,
                pinned: optional_flag("pinned", self.pinned.as_deref())?,
                tags: tags
                    .try_into()
                    .map_err(|limit| Error::field("tag", limit))?,
                metadata,
            },
            sort: parameter("sort", self.sort)?.unwrap_or_default(),
            order: parameter("order", self.order)?.unwrap_or_default(),
        })
    }
}

/// Parses each value of a repeated parameter.
fn all<T: serde::de::DeserializeOwned>(name: &str, texts: Vec<String>) -> Result<Vec<T>> {
    let parsed = texts.into_iter().map(|text| parameter(name, Some(text)));
    parsed.filter_map(Result::transpose).collect()
}

fn archived(text: Option<&str>) -> Result<Option<bool>> {
    match text.unwrap_or_default() {
        "" | "false" => Ok(Some(false)),
        "true" => Ok(Some(true)),
        "all" => Ok(None),
        _ => Err(Error::field("archived", "must be false, true or all")),
    }
}

fn optional_flag(name: &str, text: Option<&str>) -> Result<Option<bool>> {
    match text.unwrap_or_default() {
        "" => Ok(None),
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(Error::field(name, "must be true or false")),
    }
}

fn check_metadata(field: &str, filters: &[MetadataFilter]) -> Result<()> {
    match filters.len() > MAX_METADATA_FILTERS {
        true => {
            let message = format!("must have at most {MAX_METADATA_FILTERS} members");
            Err(Error::field(field, message))
        }
        false => Ok(()),
    }
}

/// Returns the filters of a JSON object, which has the wanted members of the metadata.
///
/// # Errors
/// If it is not an object, has too many members, or has other values than text, numbers and booleans.
pub(super) fn metadata_filters(
    field: &str,
    members: Option<&RawValue>,
) -> Result<Vec<MetadataFilter>> {
    let Some(members) = members else {
        return Ok(Vec::new());
    };
    let object = Object::parse(members.get());
    let object = object.ok_or_else(|| Error::field(field, "must be an object"))?;
    let filters = object.names().map(|name| {
        let value = object.get(name).and_then(text_of);
        let value = value.ok_or_else(|| {
            let field = format!("{field}.{name}");
            Error::field(field, "must be text, a number or a boolean")
        })?;
        let key = name.to_owned();
        Ok(MetadataFilter { key, value })
    });
    let filters = filters.collect::<Result<Vec<_>>>()?;
    check_metadata(field, &filters)?;
    Ok(filters)
}

/// Returns the text of a string, or the JSON of a number or boolean; `None` for any other value.
fn text_of(value: &RawValue) -> Option<String> {
    let json = value.get();
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(json.to_owned()),
    }
}
