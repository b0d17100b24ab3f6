//! Bodies of messages: a message that is accepted is stored and read back in every format, and a repeated one has the same
//! content; a patch that is accepted changes what it names, and a repeated one changes nothing.
//!
//! An input is a message and a patch in JSON, separated by a NUL.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use llmos::domain::message::{
    Format, MAX_PARTS_BYTES, Members, Message, MessagePatch, NewMessage, has_same_content,
};
use llmos::util::json::{self, Object};
use llmos_fuzz::halves;
use serde_json::value::RawValue;

/// The maximum depth of a request body.
const MAX_DEPTH: usize = 64;

fuzz_target!(|input: &[u8]| -> Corpus {
    let (sent, patch) = halves(input).unwrap_or((input, b""));
    let Some(new) = accepted::<NewMessage>(sent).filter(|new| new.check().is_ok()) else {
        return Corpus::Reject;
    };
    let stored = new.to_stored(llmos::util::time::now()).with_seq(1);
    check_formats(&stored);
    let members = Members::parse(stored.text()).unwrap();
    assert!(new.has_content_of(&members));
    check_members(&members);
    // A message with the same members replaces nothing.
    let now = llmos::util::time::now();
    assert!(has_same_content(&new.replacing(&members, now), &members));
    assert!(has_same_content(&new.merged_over(&members), &members));
    if let Some(patch) = accepted::<MessagePatch>(patch) {
        check_patch(&patch, &members);
    }
    Corpus::Keep
});

/// Parses a body as the routes do: without duplicate keys, and not too deep.
fn accepted<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<T> {
    json::check(body, MAX_DEPTH).ok()?;
    serde_json::from_slice(body).ok()
}

fn check_formats(message: &Message) {
    let mut native = Vec::new();
    message.write_response(&mut native);
    let native = Object::parse(std::str::from_utf8(&native).unwrap()).unwrap();
    assert!(native.get("unreadable").is_none());
    for format in [Format::Ui, Format::OpenAi] {
        let rendered = format.render(std::slice::from_ref(message)).unwrap();
        assert!(rendered.unreadable.is_empty() && !rendered.messages.is_empty());
        for message in &rendered.messages {
            let _: &RawValue = serde_json::from_str(message).unwrap();
        }
    }
}

/// Checks the limits that stored members keep.
fn check_members(members: &Members<'_>) {
    let content = members.content.as_deref().unwrap().get();
    assert!(content.starts_with('"'), "{content}");
    match &members.parts {
        None => assert_ne!(content, "\"\""),
        Some(parts) => assert!(parts.get().len() <= MAX_PARTS_BYTES),
    }
}

fn check_patch(patch: &MessagePatch, members: &Members<'_>) {
    let Ok(changed) = patch.applied_to(members) else {
        return;
    };
    check_members(&changed);
    let text = changed.to_text("a");
    let message = Message::from_stored(text.clone().into_bytes(), 1);
    check_formats(&message);
    let read_back = Members::parse(&text).unwrap();
    assert!(has_same_content(&read_back, &changed));
    let again = patch.applied_to(&read_back).unwrap();
    assert!(has_same_content(&again, &changed));
}
