//! What a model is asked, independent of a provider's wire.

use serde_json::value::RawValue;

/// A request to a model.
#[derive(Clone, Debug, Default)]
pub struct ModelRequest {
    /// The name of the model, as the provider names it.
    pub model: String,
    /// Instructions, the stable ones first.
    pub system: Vec<SystemText>,
    /// The conversation, oldest first. It begins with a message of the user.
    pub messages: Vec<ModelMessage>,
    /// The tools that the model may call.
    pub tools: Vec<ModelTool>,
    /// The maximum number of output tokens; `None` for the default of the provider.
    pub max_output_tokens: Option<u32>,
}

/// A text of instructions.
#[derive(Clone, Debug)]
pub struct SystemText {
    /// The text.
    pub text: String,
    /// Whether the text is the same in later requests, so that a provider may cache the prompt up to its end.
    pub is_stable: bool,
}

/// The author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelRole {
    /// A person; also the results of tools.
    User,
    /// The model.
    Assistant,
}

/// A message of the conversation.
#[derive(Clone, Debug)]
pub struct ModelMessage {
    /// The author.
    pub role: ModelRole,
    /// The content, in order.
    pub parts: Vec<ModelPart>,
    /// Whether later requests begin with the same messages up to this one, so that a provider may cache the prompt up to it.
    pub is_stable: bool,
}

/// A piece of a message.
#[derive(Clone, Debug)]
pub enum ModelPart {
    /// Text.
    Text(String),
    /// What the model thought; only in messages of the model. Sent back only where the wire requires it.
    Reasoning {
        /// The text.
        text: String,
        /// The provider's signature of the text, or its encrypted form.
        proof: Option<ReasoningProof>,
    },
    /// An image or a PDF document; only in messages of the user.
    File {
        /// The media type, such as `image/png`.
        media_type: String,
        /// The name, if there is one.
        name: Option<String>,
        /// The content.
        data: FileData,
    },
    /// A call of a tool; only in messages of the model.
    ToolCall {
        /// The id of the call.
        id: String,
        /// The name of the tool.
        name: String,
        /// The arguments, as JSON.
        input: Box<RawValue>,
    },
    /// The result of a call; only in messages of the user.
    ToolResult {
        /// The id of the call.
        id: String,
        /// The name of the tool.
        name: String,
        /// The result: text, or JSON as text.
        output: String,
        /// Whether the call failed.
        is_error: bool,
    },
}

/// The content of a file.
#[derive(Clone, Debug)]
pub enum FileData {
    /// Base64 of the content.
    Base64(String),
    /// A public `https` URL that the provider reads.
    Url(String),
}

/// What a provider must get back with the reasoning before the result of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReasoningProof {
    /// The signature of the text.
    Signature(String),
    /// The reasoning in encrypted form, without text.
    Redacted(String),
}

/// A tool that the model may call.
#[derive(Clone, Debug)]
pub struct ModelTool {
    /// The name.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub input_schema: Box<RawValue>,
}
