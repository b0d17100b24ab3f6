//! Stored parts as content parts and calls of tools of OpenAI's Chat Completions.

use serde_json::value::RawValue;

use super::openai_part::input_of;
use super::view::{Part, text};
use crate::util::json::{self, Object};

/// A content part.
pub(super) struct Item {
    /// The text, if the part is one.
    pub(super) text: Option<String>,
    /// The part.
    pub(super) json: Box<RawValue>,
}

/// Returns the content part for a part of a message; `None` for parts without a counterpart.
pub(super) fn content_part(part: &Part<'_>) -> Option<Item> {
    match part.kind() {
        "text" if refusal(part).is_none() => text_part(part),
        "file" => file_part(part),
        "data-openai" => {
            let json = part
                .get("data")
                .filter(|data| data.get().starts_with('{'))?;
            let json = json.to_owned();
            Some(Item { text: None, json })
        }
        _ => None,
    }
}

fn text_part(part: &Part<'_>) -> Option<Item> {
    let value = part
        .get("text")
        .filter(|value| value.get().starts_with('"'))?;
    let openai = part.openai();
    let mut object = kept(&openai, &["text", "refusal"]);
    let is_refusal = object
        .get("type")
        .is_some_and(|kind| kind.get() == "\"refusal\"");
    if object.get("type").is_none() {
        object.set("type", json::raw(&"text"));
    }
    object.set(
        if is_refusal { "refusal" } else { "text" },
        value.to_owned(),
    );
    Some(Item {
        text: text(Some(value)).filter(|_| !is_refusal),
        json: json::raw(&object),
    })
}

/// Returns the content part that came in this shape, without the members that the part itself has.
fn kept<'a>(openai: &'a Object<'_>, kinds: &[&str]) -> Object<'a> {
    let object = openai
        .get("part")
        .and_then(|part| Object::parse(part.get()));
    let object = object.filter(|object| {
        text(object.get("type")).is_some_and(|kind| kinds.contains(&kind.as_str()))
    });
    object.unwrap_or_default()
}

fn file_part(part: &Part<'_>) -> Option<Item> {
    let url = part.text("url")?;
    let openai = part.openai();
    let mut object = kept(&openai, &["image_url", "input_audio", "file"]);
    let (kind, inner) = match text(object.get("type")) {
        Some(kind) => {
            let inner = object
                .get(&kind)
                .map(ToOwned::to_owned)
                .unwrap_or_else(json::null);
            let inner = Object::parse(inner.get()).unwrap_or_default();
            let inner = with_file(inner, &kind, &url);
            (kind, inner)
        }
        None => new_file(part, &url),
    };
    object.set("type", json::raw(&kind));
    object.set(kind, inner);
    let json = json::raw(&object);
    Some(Item { text: None, json })
}

/// Returns the object of a file that came in this shape.
fn with_file(mut inner: Object<'_>, kind: &str, url: &str) -> Box<RawValue> {
    let data = url.split_once(',').map_or(url, |(_, data)| data);
    match kind {
        "image_url" => inner.set("url", json::raw(&url)),
        "input_audio" => inner.set("data", json::raw(&data)),
        // `null`: the data is base64 alone.
        _ if inner.get("file_data").is_some() => inner.set("file_data", json::raw(&data)),
        _ if text(inner.get("file_id")).as_deref() == Some(url) => {}
        _ => inner.set("file_data", json::raw(&url)),
    }
    json::raw(&inner)
}

/// Returns the kind and the object of a file of a UIMessage.
fn new_file(part: &Part<'_>, url: &str) -> (String, Box<RawValue>) {
    let media_type = part.text("mediaType").unwrap_or_default();
    let data = url
        .strip_prefix("data:")
        .and_then(|url| url.split_once(";base64,"));
    let format = match media_type.as_str() {
        "audio/wav" | "audio/x-wav" => Some("wav"),
        "audio/mpeg" | "audio/mp3" => Some("mp3"),
        _ => None,
    };
    let mut inner = Object::default();
    let kind = match (format, data) {
        _ if media_type.starts_with("image/") => {
            inner.set("url", json::raw(&url));
            "image_url"
        }
        (Some(format), Some((_, data))) => {
            inner.set("data", json::raw(&data));
            inner.set("format", json::raw(&format));
            "input_audio"
        }
        _ => {
            if let Some(name) = part.get("filename") {
                inner.set("filename", name.to_owned());
            }
            let is_id = url.starts_with("file-");
            inner.set(if is_id { "file_id" } else { "file_data" }, json::raw(&url));
            "file"
        }
    };
    (kind.to_owned(), json::raw(&inner))
}

/// Returns the text of a part that is the refusal of a message.
pub(super) fn refusal(part: &Part<'_>) -> Option<Box<RawValue>> {
    part.openai().get("refusal")?;
    part.get("text").map(ToOwned::to_owned)
}

/// Returns the call in the part of a tool; `None` for another part.
pub(super) fn tool_call(part: &Part<'_>) -> Option<Box<RawValue>> {
    let (name, id) = part.call()?;
    let input = part.get("input").or_else(|| part.get("rawInput"));
    let openai = part.openai();
    if let Some(call) = openai
        .get("call")
        .filter(|call| is_same(call, &name, &id, input))
    {
        return Some(call.to_owned());
    }
    let mut function = Object::default();
    function.set("name", json::raw(&name));
    let arguments = input.map_or("{}", RawValue::get);
    function.set("arguments", json::raw(&arguments));
    let mut call = Object::default();
    call.set("id", json::raw(&id));
    call.set("type", json::raw(&"function"));
    call.set("function", json::raw(&function));
    Some(json::raw(&call))
}

/// Returns whether a call that came in this shape is still that of the part, which a client may have changed.
fn is_same(call: &RawValue, name: &str, id: &str, input: Option<&RawValue>) -> bool {
    let member =
        |value: Option<&RawValue>, name: &str| text(Object::parse(value?.get())?.get(name));
    let Some(object) = Object::parse(call.get()) else {
        return false;
    };
    let is_custom = text(object.get("type")).as_deref() == Some("custom");
    let inner = object.get(if is_custom { "custom" } else { "function" });
    let said = if is_custom {
        member(inner, "input").map(|text| json::raw(&text))
    } else {
        member(inner, "arguments").map(|text| input_of(&text))
    };
    text(object.get("id")).as_deref() == Some(id)
        && member(inner, "name").as_deref() == Some(name)
        && said.is_some_and(|said| {
            input.is_some_and(|input| {
                input.get() == said.get() || json::is_same_value(input.get(), said.get())
            })
        })
}
