//! The shapes in which messages are answered.

use serde::{Deserialize, Serialize};

use super::response::Message;
use super::view::View;
use super::{chat, ui};

/// The shape of messages in a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Format {
    /// The shape of this service.
    #[default]
    Native,
    /// UIMessages of the AI SDK.
    Ui,
    /// Messages of OpenAI's Chat Completions.
    OpenAi,
}

impl Format {
    /// All formats.
    pub const ALL: &'static [Self] = &[Self::Native, Self::Ui, Self::OpenAi];

    /// Returns the name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Ui => "ui",
            Self::OpenAi => "openai",
        }
    }
}

impl TryFrom<String> for Format {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let format = Self::ALL.iter().find(|format| format.as_str() == text);
        format.copied().ok_or("must be native, ui or openai")
    }
}

impl Serialize for Format {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Messages in the shape of a [`Format`].
#[derive(Debug, Default)]
pub struct Rendered {
    /// The messages as JSON. A stored message can become several or none.
    pub messages: Vec<String>,
    /// The ids of messages that cannot be parsed; they have no place in shapes other than the native one.
    pub unreadable: Vec<String>,
}

impl Format {
    /// Renders messages in this shape; `None` for the native one, which [`Message::write_response`] writes.
    ///
    /// Other shapes have no deleted and no unreadable messages.
    pub fn render(self, messages: &[Message]) -> Option<Rendered> {
        let render = match self {
            Self::Native => return None,
            Self::Ui => ui::render,
            Self::OpenAi => chat::render,
        };
        let mut unreadable = Vec::new();
        let mut views = Vec::with_capacity(messages.len());
        for message in messages {
            match View::of(message) {
                Some(view) => views.extend(view),
                None => unreadable.push(message.id().into_owned()),
            }
        }
        Some(Rendered {
            messages: render(&views),
            unreadable,
        })
    }
}
