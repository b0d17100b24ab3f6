//! The description of the API (OpenAPI 3.1): what the handlers say of themselves, put together and completed.
//!
//! `make openapi` writes it to `public/openapi.json`, where a test holds it equal to the code. No function has it:
//! nothing that answers requests calls it.

mod complete;
mod examples;
mod headers;

use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::domain::message::{Message, NewMessage};
use crate::domain::session::Session;
use crate::http;

/// What no handler says.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "llmos", description = "The storage behind an LLM application: sessions and their messages in \
        Redis, skills and files in Vercel Blob.\n\nPaths work with and without a slash at the end. Unknown members of a \
        body and unknown parameters are ignored; duplicate members, `NaN`, halves of surrogate pairs and the \
        character NUL are refused. A body has at most 4 MB and 64 levels of nesting, takes at most 20 s to arrive, \
        and every request at most 25 s. `HEAD` is answered like `GET`, without a body. A 2xx on a write means that it \
        is stored."),
    servers((url = "/", description = "Where this description lies.")),
    tags(
        (name = "sessions", description = "Chat sessions, in Redis."),
        (name = "messages", description = "The messages of a session, in Redis."),
        (name = "skills", description = "Markdown documents that an application puts into its prompts, in Blob."),
        (name = "files", description = "Files of a user, a team or the system, in Blob."),
        (name = "health", description = "Whether each part works."),
        (name = "me", description = "Who calls.")
    ),
    components(schemas(crate::http::schema::problem::Problem, Session, Message, NewMessage)),
    security(("bearer" = []))
)]
struct Frame;

/// The description, as JSON whose members are sorted.
///
/// # Panics
/// If the code describes itself in a way that cannot be put together; a test would have found that.
pub fn document() -> Value {
    let mut document: OpenApi = Frame::openapi();
    for part in http::described() {
        document.merge(part);
    }
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "`Authorization: Bearer` with a token (JWT) of the identity provider, or with a key of this service, \
             which begins with `llmos_`.",
        ));
    if let Some(components) = &mut document.components {
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
    }
    let mut document = serde_json::to_value(&document).expect("a description is JSON");
    complete::complete(&mut document);
    document
}

/// The text of `public/openapi.json`.
pub fn text() -> String {
    format!("{:#}\n", document())
}
