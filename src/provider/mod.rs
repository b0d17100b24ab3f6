//! Language models: what they are asked, and their answers as one kind of events for every wire.
//!
//! [`Settings::select`] chooses a [`Provider`], whose [`Provider::stream`] asks a model.
//!
//! # Limits
//! | what | limit |
//! |---|---|
//! | connecting; first byte; silence | 10 s; 60 s; 45 s ([`Timeouts`]) |
//! | attempts | 2, the second within 20 s and before any content |
//! | an event | [`sse::MAX_EVENT_BYTES`] |
//! | an answer | [`MAX_ANSWER_BYTES`], [`MAX_BLOCKS`] |
//! | calls of tools | [`MAX_TOOL_CALLS`], each with [`MAX_TOOL_INPUT_BYTES`] |

pub mod error;
pub mod event;
pub mod request;
pub mod sse;

mod anthropic;
mod chat_completions;
mod client;
mod diagnosis;
mod failure;
mod files;
mod headers;
mod http;
mod local;
mod models;
mod name;
mod output;
mod prices;
mod settings;
mod split_characters;
mod stream;
mod wire;

pub use self::client::{Provider, Timeouts};
pub use self::diagnosis::diagnose;
pub use self::local::{LOCAL_MODEL_URL, LocalModel};
pub use self::models::{AllowedModel, ModelChoice, NotAllowed};
pub(crate) use self::name::is_model_name;
pub use self::output::{
    MAX_ANSWER_BYTES, MAX_BLOCKS, MAX_NAME_BYTES, MAX_TOOL_CALLS, MAX_TOOL_INPUT_BYTES,
};
pub use self::prices::Prices;
pub use self::settings::{AnthropicSettings, Settings};
pub use self::stream::ModelStream;
pub use self::wire::Wire;

/// Returns an id for a call that has none.
fn new_call_id() -> String {
    format!("call_{}", uuid::Uuid::now_v7().simple())
}
