//! The OpenAPI 3.1 description of the API: the descriptions of all routes, completed with what they have in common.
//!
//! `make openapi` writes it to `public/openapi.json`; a test compares the file with the code. The functions do not contain
//! the description, because nothing that serves requests calls this module.

mod complete;
mod examples;
mod headers;

use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::http;
use crate::http::schema::problem::Problem;

/// The parts of the description that belong to no route.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "llmos", description = "The storage behind an LLM application: sessions and their messages in Redis, \
        skills and files in Vercel Blob.\n\nA trailing slash in a path is ignored, except in the path of a \
        file. Unknown members of a body and unknown query parameters are rejected; parameters whose names begin with `_` or \
        `x-vercel-` pass. Duplicate members, `NaN`, unpaired surrogates and the character NUL are rejected. A \
        body has at most 4 MB and 64 levels of nesting, and must arrive within 20 s. Every request takes at most 25 s, an answer of a model at most as long as its function. \
        `HEAD` returns the headers of `GET`. A 2xx response to a write means that the data is stored."),
    servers((url = "/", description = "The server of this file.")),
    tags(
        (name = "sessions", description = "Chat sessions, in Redis."),
        (name = "messages", description = "The messages of a session, in Redis."),
        (name = "chat", description = "A model answers, streamed, stored once, and read again from anywhere."),
        (name = "skills", description = "Markdown documents that an application adds to its prompts, in Blob."),
        (name = "files", description = "Files of a user, a team or the system, in Blob."),
        (name = "health", description = "The status of each part of the service."),
        (name = "me", description = "The authenticated caller.")
    ),
    components(schemas(Problem)),
    security(("bearer" = []))
)]
struct ApiInfo;

/// Returns the description as JSON with sorted members.
///
/// # Panics
/// If the description cannot be serialized; a test excludes that.
pub fn document() -> Value {
    let mut document: OpenApi = ApiInfo::openapi();
    document.merge(http::api().into_openapi());
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "`Authorization: Bearer` with a JWT of the identity provider, or with an API key of this service, which begins \
             with `llmos_`.",
        ));
    if let Some(components) = &mut document.components {
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
    }
    let mut document = serde_json::to_value(&document).expect("a description is JSON");
    complete::complete(&mut document);
    document
}

/// Returns the text of `public/openapi.json`.
pub fn text() -> String {
    format!("{:#}\n", document())
}
