//! Session ids: a valid id results in a key of its own.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llmos::domain::session::{MAX_SESSION_ID_BYTES, SessionId};

fuzz_target!(|text: &str| {
    let Some(id) = SessionId::parse(text) else {
        let is_invalid = text.is_empty()
            || text.len() > MAX_SESSION_ID_BYTES
            || text.contains('\0')
            || text.ends_with(":messages");
        assert!(is_invalid, "{text:?}");
        return;
    };
    assert_eq!(id.as_str(), text);
    assert_eq!(id.to_string(), text);
    assert!(!text.is_empty() && text.len() <= MAX_SESSION_ID_BYTES);
    assert!(!text.contains('\0'));
    // `session:{id}:messages` is the key of the session's messages.
    assert!(!text.ends_with(":messages"), "{text:?}");
});
