//! Content parts and calls of tools of OpenAI's Chat Completions, as they become parts.

use serde_json::value::RawValue;

use super::parts::MAX_PART_TYPE_CHARS;
use super::view::text;
use crate::util::json::{self, Object};
use crate::util::media_type;

/// The maximum length of the id of a call, of the name of a tool and of the name of an author, in characters.
pub const MAX_LABEL_CHARS: usize = 256;
/// The maximum nesting depth of the arguments of a call that become its `input`; deeper ones stay a text.
const MAX_ARGUMENTS_DEPTH: usize = 24;

/// A conversion; its error is the rest of a sentence about the item.
pub(super) type Convert = fn(&RawValue) -> Result<NewPart, String>;

/// A part to store.
#[derive(Clone, Debug)]
pub(super) struct NewPart {
    members: Vec<(&'static str, Box<RawValue>)>,
    /// Members of `openai` in the metadata of the part.
    openai: Vec<(&'static str, Box<RawValue>)>,
}

impl NewPart {
    /// Returns a part of this type.
    pub(super) fn new(kind: &str) -> Self {
        Self {
            members: vec![("type", json::raw(&kind))],
            openai: Vec::new(),
        }
    }

    /// Returns a text.
    pub(super) fn text(text: &RawValue) -> Self {
        let mut part = Self::new("text");
        part.set("text", text.to_owned());
        part
    }

    /// Adds a member.
    pub(super) fn set(&mut self, name: &'static str, value: Box<RawValue>) {
        self.members.push((name, value));
    }

    /// Adds a member that has no place in the part.
    pub(super) fn with_openai(mut self, name: &'static str, value: Box<RawValue>) -> Self {
        self.openai.push((name, value));
        self
    }

    /// Returns the part as JSON.
    pub(super) fn to_raw(&self) -> Box<RawValue> {
        let mut part = object(&self.members);
        if !self.openai.is_empty() {
            let metadata = object(&[("openai", json::raw(&object(&self.openai)))]);
            let is_call = part.get("state").is_some();
            let name = if is_call {
                "callProviderMetadata"
            } else {
                "providerMetadata"
            };
            part.set(name, json::raw(&metadata));
        }
        json::raw(&part)
    }
}

fn object(members: &[(&'static str, Box<RawValue>)]) -> Object<'static> {
    let mut object = Object::default();
    for (name, value) in members {
        object.set(*name, value.clone());
    }
    object
}

/// Returns whether a text can be the id of a call or a name.
pub(super) fn is_label(text: &str) -> bool {
    let length = text.chars().take(MAX_LABEL_CHARS + 1).count();
    (1..=MAX_LABEL_CHARS).contains(&length) && !text.chars().any(char::is_control)
}

/// Returns a member that must be a string.
fn required<'a>(object: &'a Object<'_>, name: &str) -> Result<&'a RawValue, String> {
    let value = object
        .get(name)
        .filter(|value| value.get().starts_with('"'));
    value.ok_or_else(|| format!("needs the member `{name}`, a string"))
}

/// Returns a member that must be the id of a call or a name.
fn required_label(object: &Object<'_>, name: &str) -> Result<String, String> {
    let label = text(object.get(name)).filter(|label| is_label(label));
    label.ok_or_else(|| {
        format!("needs the member `{name}`, a string of 1 to {MAX_LABEL_CHARS} characters without control characters")
    })
}

/// Returns a member that must be an object.
fn required_object<'a>(object: &'a Object<'_>, name: &str) -> Result<Object<'a>, String> {
    let inner = object
        .get(name)
        .and_then(|value| Object::parse(value.get()));
    inner.ok_or_else(|| format!("needs the member `{name}`, an object"))
}

/// Converts a content part. One of an unknown type is kept as data.
pub(super) fn content_part(item: &RawValue) -> Result<NewPart, String> {
    let mut object = Object::parse(item.get()).ok_or("must be an object")?;
    let kind = text(object.get("type")).unwrap_or_default();
    match kind.as_str() {
        "text" | "refusal" => {
            let part = NewPart::text(required(&object, &kind)?);
            object.remove(&kind);
            let is_plain = kind == "text" && object.names().count() == 1;
            Ok(if is_plain {
                part
            } else {
                part.with_openai("part", json::raw(&object))
            })
        }
        "image_url" | "input_audio" | "file" => file_part(object, &kind),
        _ if (1..=MAX_PART_TYPE_CHARS).contains(&kind.chars().count()) => {
            let mut part = NewPart::new("data-openai");
            part.set("data", item.to_owned());
            Ok(part)
        }
        _ => Err(format!(
            "needs a `type` of 1 to {MAX_PART_TYPE_CHARS} characters"
        )),
    }
}

/// Converts a content part with a file, which is in its member `kind`.
fn file_part(mut object: Object<'_>, kind: &str) -> Result<NewPart, String> {
    let named = |rule: String| format!("{rule}, in `{kind}`");
    let inner = object.get(kind).map(ToOwned::to_owned);
    required_object(&object, kind)?;
    let inner = inner.unwrap_or_else(json::null);
    let mut inner = Object::parse(inner.get()).unwrap_or_default();
    let mut part = NewPart::new("file");
    let (url, media_type) = match kind {
        "image_url" => {
            let url = text(Some(required(&inner, "url").map_err(named)?)).unwrap_or_default();
            inner.remove("url");
            let media_type = media_type_of(&url).unwrap_or("image/*").to_owned();
            (url, media_type)
        }
        "input_audio" => {
            let data = text(Some(required(&inner, "data").map_err(named)?)).unwrap_or_default();
            let format = required_label(&inner, "format").map_err(named)?;
            inner.remove("data");
            if !format.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(named("needs a `format` such as wav or mp3".to_owned()));
            }
            let media_type = format!("audio/{}", if format == "mp3" { "mpeg" } else { &format });
            (format!("data:{media_type};base64,{data}"), media_type)
        }
        _ => file_of(&mut inner, &mut part).map_err(named)?,
    };
    part.set("mediaType", json::raw(&media_type));
    part.set("url", json::raw(&url));
    object.set(kind.to_owned(), json::raw(&inner));
    Ok(part.with_openai("part", json::raw(&object)))
}

/// Reads a `file`: its content, or its id at the provider. Returns the URL and the media type.
fn file_of(file: &mut Object<'_>, part: &mut NewPart) -> Result<(String, String), String> {
    if file.get("filename").is_some() {
        part.set("filename", required(file, "filename")?.to_owned());
    }
    let unknown = "application/octet-stream";
    if file.get("file_data").is_none() {
        let id = required_label(file, "file_id")
            .map_err(|_| "needs the member `file_data` or `file_id`, a string".to_owned())?;
        let mut reference = Object::default();
        reference.set("openai", json::raw(&id));
        part.set("providerReference", json::raw(&reference));
        return Ok((id, unknown.to_owned()));
    }
    let data = text(Some(required(file, "file_data")?)).unwrap_or_default();
    if text(file.get("file_id")).as_ref() == Some(&data) {
        return Err("needs a `file_data` other than the `file_id`".to_owned());
    }
    file.remove("file_data");
    let media_type = media_type_of(&data).unwrap_or(unknown).to_owned();
    if data.contains(':') {
        return Ok((data, media_type));
    }
    // Base64 alone.
    file.set("file_data", json::null());
    Ok((format!("data:{media_type};base64,{data}"), media_type))
}

/// Returns the media type of a `data:` URL.
fn media_type_of(url: &str) -> Option<&str> {
    let media_type = media_type::essence(url.strip_prefix("data:")?.split(',').next()?);
    media_type::is_media_type(media_type).then_some(media_type)
}

/// Converts the call of a tool.
pub(super) fn tool_call(item: &RawValue) -> Result<NewPart, String> {
    let call = Object::parse(item.get()).ok_or("must be an object")?;
    let id = required_label(&call, "id")?;
    let (name, input) = match text(call.get("type")).as_deref() {
        Some("function") | None => {
            let function = required_object(&call, "function")?;
            let arguments = text(Some(required(&function, "arguments")?));
            let input = input_of(&arguments.unwrap_or_default());
            (required_label(&function, "name")?, input)
        }
        Some("custom") => {
            let custom = required_object(&call, "custom")?;
            let input = required(&custom, "input")?.to_owned();
            (required_label(&custom, "name")?, input)
        }
        Some(_) => return Err("needs the `type` function or custom".to_owned()),
    };
    let kind = format!("tool-{name}");
    let fits = kind.chars().count() <= MAX_PART_TYPE_CHARS;
    let mut part = NewPart::new(if fits { &kind } else { "dynamic-tool" });
    if !fits {
        part.set("toolName", json::raw(&name));
    }
    part.set("toolCallId", json::raw(&id));
    part.set("state", json::raw(&"input-available"));
    part.set("input", input);
    Ok(part.with_openai("call", item.to_owned()))
}

/// Returns the arguments of a call as the input of a tool: their JSON, or their text if they are not JSON that can be stored.
pub(super) fn input_of(arguments: &str) -> Box<RawValue> {
    let is_json = json::check(arguments.as_bytes(), MAX_ARGUMENTS_DEPTH).is_ok();
    let input = RawValue::from_string(arguments.trim().to_owned()).ok();
    let input = input.filter(|input| is_json && !json::has_nul(input));
    input.unwrap_or_else(|| json::raw(&arguments))
}
