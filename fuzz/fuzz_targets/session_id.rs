//! Ids of sessions: what is one leads to one key, and not to the key of something else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llmos::domain::session::{MAX_SESSION_ID_BYTES, SessionId};

fuzz_target!(|text: &str| {
    let Some(id) = SessionId::parse(text) else {
        let is_refused = text.is_empty()
            || text.len() > MAX_SESSION_ID_BYTES
            || text.contains('\0')
            || text.ends_with(":messages");
        assert!(is_refused, "{text:?}");
        return;
    };
    assert_eq!(id.as_str(), text);
    assert_eq!(id.to_string(), text);
    assert!(!text.is_empty() && text.len() <= MAX_SESSION_ID_BYTES);
    assert!(!text.contains('\0'));
    // `session:{id}:messages` is the list of a session's messages.
    let others_messages = text.strip_suffix(":messages");
    assert_eq!(others_messages, None, "{text:?}");
});
