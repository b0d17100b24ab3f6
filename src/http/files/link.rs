//! `POST /api/files/link`: an address at which whoever has it gets one file for a while. Pictures, players and downloads
//! of a browser send no credentials; this stands in for them.

use std::time::Duration;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::{MethodRouter, post};
use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::blob::{self, Blobs, client_token, paths};
use crate::domain::caller::Caller;
use crate::domain::file_path::FilePath;
use crate::domain::volume::VolumeRef;
use crate::http::error::{Error, Result};
use crate::http::extract::auth::{Admitted, Visitor};
use crate::http::extract::blobs::RequestBlobs;
use crate::http::extract::body::JsonBody;
use crate::http::extract::path::FileAt;
use crate::http::extract::query::Parameters;
use crate::http::extract::volume::VolumeQuery;
use crate::http::schema::parameters::Text;
use crate::http::schema::responses::{BadBody, WantedPath};
use crate::util::time::format_time;

/// How long a link holds where nothing is said, in seconds.
const DEFAULT_SECONDS: f64 = 300.0;
/// How long a link holds at most, in seconds.
const MAX_SECONDS: f64 = 86_400.0;

/// The route's one method.
pub(super) fn router() -> MethodRouter<App> {
    post(link_file)
}

/// What this route says of itself.
#[derive(utoipa::OpenApi)]
#[openapi(paths(link_file))]
pub(in crate::http) struct Described;

/// What a link is wanted for.
#[derive(Deserialize, utoipa::ToSchema)]
struct WantedLink {
    /// The file's path. Whether it is there is not looked at.
    #[schema(value_type = WantedPath)]
    path: String,
    /// How long the link holds, in seconds.
    #[serde(default = "default_seconds")]
    #[schema(minimum = 1, maximum = 86_400, default = 300)]
    seconds: f64,
    /// Whether a browser is to save the file.
    #[serde(default)]
    download: bool,
}

fn default_seconds() -> f64 {
    DEFAULT_SECONDS
}

/// An address that stands in for credentials.
#[derive(Serialize, utoipa::ToSchema)]
struct FileLink {
    /// The address, from `/api/` on.
    url: String,
    /// Until when it holds.
    #[schema(format = DateTime)]
    valid_until: String,
}

/// Makes a link to a file, for whoever has it.
///
/// For what sends no credentials: pictures, players and downloads of a browser. It gets that file alone, as it is at the
/// time, by `GET` and `HEAD`, for five minutes or as long as `seconds` says, up to a day; what it began to get goes on to
/// its end. A file may be called `link`, too: the other methods of `/api/files/{path}` are for that one.
#[utoipa::path(
    post, path = "/api/files/link", tag = "files", params(VolumeQuery), request_body = WantedLink,
    responses((status = 200, description = "The link.", body = FileLink), BadBody)
)]
async fn link_file(
    Admitted(by): Admitted,
    RequestBlobs(blobs): RequestBlobs,
    Parameters(volume): Parameters<VolumeQuery>,
    body: JsonBody,
) -> Result<Json<FileLink>> {
    let wanted: WantedLink = body.parse()?;
    let path = FilePath::parse(&wanted.path).map_err(|message| Error::field("path", message))?;
    if !(1.0..=MAX_SECONDS).contains(&wanted.seconds) {
        return Err(Error::field("seconds", "must be 1 to 86400"));
    }
    let volume = volume.readable(&by, by.own())?;
    let end = Utc::now() + Duration::from_secs_f64(wanted.seconds);
    let link = Link::new(&paths::file(&volume, &path), end.timestamp(), &blobs)?;
    Ok(Json(FileLink {
        url: link.address(&volume, &path, wanted.download),
        valid_until: format_time(end),
    }))
}

/// What the query of a link holds.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Link {
    /// Of a link: until when it holds, in seconds since 1970.
    #[param(value_type = Text, inline, required = false)]
    valid_until: String,
    /// Of a link: what stands in for credentials.
    #[param(value_type = Text, inline, required = false)]
    signature: String,
}

impl Link {
    fn new(pathname: &str, valid_until: i64, blobs: &Blobs) -> Result<Self> {
        let valid_until = valid_until.to_string();
        let signature = client_token::sign(&signed(pathname, &valid_until), key(blobs)?);
        Ok(Self {
            valid_until,
            signature,
        })
    }

    fn address(&self, volume: &VolumeRef, path: &FilePath, is_download: bool) -> String {
        let address = format!("/api/files/{}?", paths::encoded(path.as_str()));
        let start_of_query = address.len();
        let mut query = form_urlencoded::Serializer::for_suffix(address, start_of_query);
        query
            .append_pair("volume", volume.volume.as_str())
            .append_pair("volume_id", volume.id.as_str());
        if is_download {
            query.append_pair("download", "1");
        }
        query
            .append_pair("valid_until", &self.valid_until)
            .append_pair("signature", &self.signature)
            .finish()
    }

    fn holds_for(&self, pathname: &str, blobs: &Blobs) -> Result<bool> {
        let message = signed(pathname, &self.valid_until);
        let is_ours = client_token::is_signed(&message, &self.signature, key(blobs)?);
        let end: Option<i64> = self.valid_until.parse().ok();
        Ok(is_ours && end.is_some_and(|end| Utc::now().timestamp() < end))
    }
}

fn key(blobs: &Blobs) -> Result<&str> {
    Ok(blobs.link_key().ok_or(blob::Error::NotConfigured)?)
}

/// What is signed: nothing else that is signed with this key begins so.
fn signed(pathname: &str, valid_until: &str) -> Vec<u8> {
    format!("llmos file link\n{valid_until}\n{pathname}").into_bytes()
}

/// A file that whoever asks may read: a caller who may, or who has a link to it. Whether it is there is not known.
pub(super) struct ReadableFile {
    pub(super) volume: VolumeRef,
    pub(super) path: FilePath,
    pub(super) blobs: Blobs,
}

impl FromRequestParts<App> for ReadableFile {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let link = Parameters::<Link>::from_request_parts(parts, app)
            .await
            .ok();
        let by = if link.is_some() {
            Visitor::from_request_parts(parts, app).await?;
            Caller::anybody()
        } else {
            Admitted::from_request_parts(parts, app).await?.0
        };
        let Ok(RequestBlobs(blobs)) = RequestBlobs::from_request_parts(parts, app).await;
        let FileAt(path) = FileAt::from_request_parts(parts, app).await?;
        let Parameters(query) = Parameters::<VolumeQuery>::from_request_parts(parts, app).await?;
        let volume = query.readable(&by, by.own())?;
        if let Some(Parameters(link)) = link
            && !link.holds_for(&paths::file(&volume, &path), &blobs)?
        {
            return Err(Error::Forbidden("This link does not hold, or no longer."));
        }
        Ok(Self {
            volume,
            path,
            blobs,
        })
    }
}
