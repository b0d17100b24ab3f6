//! `POST /api/files/link`: a signed URL with which anyone can read one file until it expires, for clients that cannot send
//! credentials: an `<img>`, a player, a download.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use chrono::Utc;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::response::CachePolicy;
use crate::app::App;
use crate::blob::{Blobs, paths};
use crate::domain::file_path::StoredPath;
use crate::domain::request_context::RequestContext;
use crate::domain::schema::file_path;
use crate::domain::volume::Volume;
use crate::http::error::{Error, Result};
use crate::http::extract::auth::{RateLimited, Unauthenticated};
use crate::http::extract::body::JsonBody;
use crate::http::extract::path::StoredPathParam;
use crate::http::extract::query::{Parameters as _, QueryParams};
use crate::http::extract::volume::VolumeQuery;
use crate::http::middleware::embedding::Embedding;
use crate::http::schema::parameters;
use crate::http::schema::responses::BadBody;
use crate::service::volume::{VolumeSelection, readable};
use crate::util::percent::encode_path;
use crate::util::schema::schema;
use crate::util::time::format_time;

/// The default lifetime of a link, in seconds.
const DEFAULT_SECONDS: f64 = 300.0;
/// The longest lifetime of a link, in seconds.
const MAX_SECONDS: f64 = 86_400.0;

/// A link to create.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedLink {
    /// The path of the file. Whether a file with a valid path exists is not checked.
    #[schema(value_type = RequestedPath)]
    path: String,
    /// The lifetime of the link, in seconds.
    #[serde(default = "default_seconds")]
    #[schema(minimum = 1, maximum = 86_400, default = 300)]
    seconds: f64,
    /// Whether browsers save the file instead of showing it.
    #[serde(default)]
    download: bool,
}

/// The path of the file, as a member of the body.
enum RequestedPath {}

impl PartialSchema for RequestedPath {
    fn schema() -> RefOr<Schema> {
        schema(file_path())
    }
}

impl ToSchema for RequestedPath {
    fn name() -> Cow<'static, str> {
        "WantedPath".into()
    }
}

fn default_seconds() -> f64 {
    DEFAULT_SECONDS
}

/// A link to a file.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct FileLink {
    /// The URL, from `/api/` on.
    url: String,
    /// When the link expires.
    #[schema(format = DateTime)]
    valid_until: String,
}

/// Creates a link with which anyone can read one file.
///
/// For clients that cannot send credentials: an `<img>`, a player, a download. The link allows `GET` and `HEAD` of the
/// current version of that file, for five minutes or `seconds`, up to a day. A download that has started is not
/// interrupted when the link expires. A file may have the path `link`: the other methods of this path apply to it.
#[utoipa::path(
    post, path = "/api/files/link", tag = "files", params(VolumeQuery), request_body = WantedLink,
    responses((status = 200, description = "The link.", body = FileLink), BadBody)
)]
pub(super) async fn link_file(
    RateLimited(context): RateLimited,
    State(app): State<App>,
    QueryParams(volume): QueryParams<VolumeQuery>,
    body: JsonBody,
) -> Result<Json<FileLink>> {
    let wanted: WantedLink = body.parse()?;
    if !(1.0..=MAX_SECONDS).contains(&wanted.seconds) {
        return Err(Error::field("seconds", "must be 1 to 86400"));
    }
    let caller = &context.caller;
    let volume = readable(caller, volume.selection()?, caller.default_volume())?;
    let path = app
        .files(&context)
        .path_for_link(&volume, &wanted.path)
        .await?;
    let end = Utc::now() + Duration::from_secs_f64(wanted.seconds);
    let pathname = paths::stored_file(&volume, &path);
    let link = Link::new(&pathname, end.timestamp(), &app.blobs_of(&context))?;
    Ok(Json(FileLink {
        url: link.address(&volume, &path, wanted.download),
        valid_until: format_time(end),
    }))
}

/// The query parameters of a link.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LinkQuery {
    /// Of a link: when it expires, in seconds since 1970.
    #[param(schema_with = parameters::text, required = false)]
    valid_until: Option<String>,
    /// Of a link: its signature.
    #[param(schema_with = parameters::text, required = false)]
    signature: Option<String>,
}

impl LinkQuery {
    /// Returns the link, if the query has both parameters.
    fn link(self) -> Option<Link> {
        Some(Link {
            valid_until: self.valid_until?,
            signature: self.signature?,
        })
    }
}

/// A signed permission to read one file.
struct Link {
    valid_until: String,
    signature: String,
}

impl Link {
    fn new(pathname: &str, valid_until: i64, blobs: &Blobs) -> Result<Self> {
        let valid_until = valid_until.to_string();
        let signature = blobs.link_key()?.sign(&signed(pathname, &valid_until));
        Ok(Self {
            valid_until,
            signature,
        })
    }

    fn address(&self, volume: &Volume, path: &StoredPath, is_download: bool) -> String {
        let address = format!("/api/files/{}?", encode_path(path.as_str()));
        let start_of_query = address.len();
        let mut query = form_urlencoded::Serializer::for_suffix(address, start_of_query);
        query
            .append_pair("volume", volume.kind.as_str())
            .append_pair("volume_id", volume.id.as_str());
        if is_download {
            query.append_pair("download", "1");
        }
        query
            .append_pair("valid_until", &self.valid_until)
            .append_pair("signature", &self.signature)
            .finish()
    }

    /// Returns the remaining validity of the link for this pathname, in seconds; `None` if the link is invalid or has
    /// expired.
    fn seconds_left(&self, pathname: &str, blobs: &Blobs) -> Result<Option<i64>> {
        let message = signed(pathname, &self.valid_until);
        let is_ours = blobs.link_key()?.verify(&message, &self.signature);
        let end: Option<i64> = self.valid_until.parse().ok().filter(|_| is_ours);
        let left = end.map(|end| end.saturating_sub(Utc::now().timestamp()));
        Ok(left.filter(|left| *left > 0))
    }
}

/// Returns the message that the signature covers.
fn signed(pathname: &str, valid_until: &str) -> Vec<u8> {
    format!("{valid_until}\n{pathname}").into_bytes()
}

/// A file that the request may read: its caller may, or it has a valid link. Whether the file exists is not checked.
pub(super) struct ReadableFile {
    /// The caller, or, for a link, an unrestricted one.
    pub(super) context: RequestContext,
    pub(super) volume: Option<VolumeSelection>,
    pub(super) path: StoredPath,
    /// The pages that may show the file.
    pub(super) embedding: Embedding,
    pub(super) cache: CachePolicy,
}

impl FromRequestParts<App> for ReadableFile {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        // The handlers check the names of all parameters.
        let link = LinkQuery::parse(&parts.uri).ok().and_then(LinkQuery::link);
        let origins = &app.config.access.cors_allowed_origins;
        let embedding = match link {
            Some(_) => Embedding::of_link(origins),
            None => Embedding::of_page(&parts.headers, origins),
        };
        let context = if link.is_some() {
            Unauthenticated::from_request_parts(parts, app).await?.0
        } else {
            RateLimited::from_request_parts(parts, app).await?.0
        };
        let StoredPathParam(path) = StoredPathParam::from_request_parts(parts, app).await?;
        let selection = VolumeQuery::parse(&parts.uri)?.selection()?;
        let caller = &context.caller;
        let volume = readable(caller, selection.clone(), caller.default_volume())?;
        let mut cache = CachePolicy::Validate;
        if let Some(link) = link {
            let pathname = paths::stored_file(&volume, &path);
            let left = link.seconds_left(&pathname, &app.blobs_of(&context))?;
            let invalid = Error::Forbidden("The link is invalid or has expired.");
            cache = CachePolicy::Seconds(left.ok_or(invalid)?);
        }
        Ok(Self {
            context,
            volume: selection,
            path,
            embedding,
            cache,
        })
    }
}
