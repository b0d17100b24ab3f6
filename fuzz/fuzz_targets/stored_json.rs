//! Stored sessions and messages: responses are JSON in every format for any stored text, a message in OpenAI's shape is
//! returned in that shape, and an update keeps all members that it does not change.
//!
//! An input is a document, which is also used as a message, and a patch in JSON, separated by a NUL.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llmos::domain::caller::Caller;
use llmos::domain::message::{Format, Members, Message, MessageSelection, NewMessage};
use llmos::domain::metadata::Metadata;
use llmos::domain::name::Name;
use llmos::domain::request_context::RequestContext;
use llmos::domain::session::{SessionId, SessionPatch, Status};
use llmos::store::{Error, Updated};
use llmos::util::json::{self, Object};
use llmos::util::python_json;
use llmos_fuzz::halves;
use llmos_fuzz::redis::{Redis, Stored};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static REDIS: Redis = Redis::default();
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().unwrap();
}

#[derive(Default, Deserialize)]
struct Change {
    #[serde(default)]
    activity: i64,
    name: Option<Name>,
    status: Option<Status>,
    metadata: Option<Metadata>,
}

fuzz_target!(|input: &[u8]| {
    let (text, json) = halves(input).unwrap_or((input, b""));
    check_message(text);
    if let Ok(text) = std::str::from_utf8(text) {
        check_without_nan(text);
    }
    let change: Change = serde_json::from_slice(json).unwrap_or_default();
    let (activity, change) = (
        change.activity,
        SessionPatch {
            name: change.name,
            status: change.status,
            metadata: change.metadata,
            ..SessionPatch::default()
        },
    );
    let stored = Stored {
        document: text.to_vec(),
        message: text.to_vec(),
        activity,
    };
    REDIS.with(|redis| {
        RUNTIME.with(|runtime| runtime.block_on(check_session(redis, stored, &change)))
    });
});

fn answer(message: &Message) -> String {
    let mut text = Vec::new();
    message.write_response(&mut text);
    String::from_utf8(text).unwrap()
}

fn check_message(text: &[u8]) {
    let message = Message::from_stored(text.to_vec(), 7);
    assert_eq!(message.seq(), 7);
    let answered = answer(&message);
    check_json(&answered);
    let answered = object(&answered);
    assert_eq!(answered.get("seq").unwrap().get(), "7");
    assert!(answered.get("id").unwrap().get().starts_with('"'));
    check_formats(&message);
    if let Ok(new) = serde_json::from_slice::<NewMessage>(text) {
        check_new_message(text, &new);
    }
}

/// Checks that other shapes of a message are JSON.
fn check_formats(message: &Message) {
    for format in [Format::Ui, Format::OpenAi] {
        let rendered = format.render(std::slice::from_ref(message)).unwrap();
        assert!(rendered.messages.len() + rendered.unreadable.len() > 0 || is_deleted(message));
        for message in &rendered.messages {
            check_json(message);
        }
    }
}

fn is_deleted(message: &Message) -> bool {
    let members = Members::parse_owned(message.text());
    members.is_some_and(|members| members.deleted)
}

/// Checks that a new message is stored and read back.
fn check_new_message(sent: &[u8], new: &NewMessage) {
    if new.check().is_err() || json::check(sent, 64).is_err() {
        return;
    }
    let stored = new.to_stored(llmos::util::time::now()).with_seq(1);
    check_formats(&stored);
    let text = stored.text().to_owned();
    let answered = answer(&stored);
    let read_back = Message::from_stored(text.clone().into_bytes(), 1);
    assert_eq!(answer(&read_back), answered);
    let (stored_object, answered) = (object(&text), object(&answered));
    for key in ["id", "role", "content", "timestamp", "traces", "artifacts"] {
        let (stored, answered) = (stored_object.get(key).unwrap(), answered.get(key).unwrap());
        assert_eq!(answered.get(), stored.get());
    }
    assert!(answered.get("unreadable").is_none());
    // Parts that are not given come from OpenAI's shape, which is returned as it was sent.
    let sent: Value = serde_json::from_slice(sent).unwrap();
    if sent.get("parts").is_none_or(Value::is_null) && stored_object.get("parts").is_some() {
        let rendered = Format::OpenAi.render(std::slice::from_ref(&stored)).unwrap();
        let found: Value = serde_json::from_str(&rendered.messages[0]).unwrap();
        for name in ["role", "content", "tool_calls", "tool_call_id", "refusal", "name"] {
            let (found, sent) = (found.get(name), sent.get(name));
            let is_null = ["tool_call_id", "name"].contains(&name) && sent == Some(&Value::Null);
            assert!(found == sent || is_null, "{name}: {found:?} {sent:?}");
        }
    }
}

/// Checks that the text is JSON. It can contain unpaired surrogates, which Python writes and JSON allows.
fn check_json(text: &str) {
    let _: &RawValue = serde_json::from_str(text).unwrap();
}

fn object(text: &str) -> Object<'_> {
    Object::parse(text).unwrap()
}

/// Checks that valid JSON is unchanged, since it contains no `NaN` outside of strings.
fn check_without_nan(text: &str) {
    let repaired = python_json::without_nan(text);
    if serde_json::from_str::<&RawValue>(text).is_ok() {
        assert_eq!(repaired, text);
    }
    assert_eq!(python_json::without_nan(&repaired), repaired);
}

async fn check_session(redis: &Redis, stored: Stored, change: &SessionPatch) {
    let old = stored.document.clone();
    *redis.stored.lock().unwrap() = stored;
    let id = SessionId::parse("sess_x").unwrap();
    let context = RequestContext::unlimited(Caller::unrestricted());
    let found = redis
        .store
        .find_messages(&context, &id, &MessageSelection::latest(50))
        .await;
    let version = match found {
        Ok(found) => {
            let found = found.unwrap().unwrap();
            let session = json::text(&found.current.session);
            check_json(&session);
            let id = object(&session).get("id").unwrap().get().to_owned();
            assert_eq!(id, r#""sess_x""#);
            assert_eq!(found.messages.len(), 1);
            Some(found.current.version)
        }
        Err(error) => {
            assert!(matches!(error, Error::Unreadable(_)), "{error:?}");
            None
        }
    };
    let updated = redis.store.update_session(&context, &id, change, None, false);
    match updated.await {
        Ok(updated) => match updated.unwrap() {
            Updated::Done(session) => {
                let new = redis.stored.lock().unwrap().document.clone();
                check_update(&old, &new, change);
                let is_same = version.as_ref() == Some(&session.version);
                assert_eq!(is_same, old == new);
                json::text(&session.session);
            }
            Updated::Invalid(_) => assert_eq!(redis.stored.lock().unwrap().document, old),
            other => panic!("{other:?}"),
        },
        Err(error) => assert!(matches!(error, Error::Unreadable(_)), "{error:?}"),
    }
}

/// Checks that all unchanged members keep their text.
fn check_update(old: &[u8], new: &[u8], change: &SessionPatch) {
    if change.is_empty() {
        return assert_eq!(old, new);
    }
    let (old, new) = (as_text(old), as_text(new));
    let new_object = object(new);
    let repaired = python_json::without_nan(old);
    // Parsers return different values for a duplicate key.
    if json::check(repaired.as_bytes(), 100).is_err() {
        return;
    }
    let members: serde_json::Map<String, Value> = serde_json::from_str(&repaired).unwrap();
    let old_object = object(&repaired);
    for key in members.keys() {
        let is_changed = match key.as_str() {
            "name" => change.name.is_some(),
            "status" => change.status.is_some(),
            "metadata" => change.metadata.is_some(),
            "updated_at" => true,
            _ => false,
        };
        if !is_changed {
            let (old, new) = (old_object.get(key).unwrap(), new_object.get(key).unwrap());
            assert_eq!(new.get(), old.get(), "{key:?}");
        }
    }
    if let Some(name) = &change.name {
        assert_eq!(new_object.get("name").unwrap().get(), json::text(name));
    }
}

fn as_text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
