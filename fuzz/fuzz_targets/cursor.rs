//! Cursors: of sessions, those that decode are read, and lead on to the end; of other lists, none is more than
//! refused.

#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use llmos::digest::hex_hash;
use llmos::session::MAX_SESSION_ID_BYTES;
use llmos_fuzz::api::Api;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// The lists whose cursors go through JSON, and the names that their cursors are marked with.
const LISTS: [(&str, &str); 2] = [
    ("/api/skills?", "volumes/system/system/skills/"),
    ("/api/files?", "volumes/user/default/files/"),
];

thread_local! {
    static API: Api = Api::open();
}

fuzz_target!(|input: &[u8]| {
    API.with(|api| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        check_sessions(api, text, is_cursor(text));
        let encoded = URL_SAFE_NO_PAD.encode(text);
        check_sessions(api, &encoded, is_cursor(&encoded));
        for (list, name) in LISTS {
            let mark = hex_hash::<4>(&[name.as_bytes()]);
            let marked = URL_SAFE_NO_PAD.encode(format!("[\"{mark}\",{text}]"));
            for cursor in [text, &encoded, &marked] {
                let answer = api.get(&format!("{list}cursor={}", escape(cursor)));
                assert!([200, 400, 503].contains(&answer.status.as_u16()));
            }
        }
    });
});

/// Goes through the sample sessions from a cursor on, which is one or not.
fn check_sessions(api: &Api, cursor: &str, is_cursor: bool) {
    let mut uri = format!("/api/sessions?limit=1&cursor={}", escape(cursor));
    for _ in 0..4 {
        let answer = api.get(&uri);
        let expected = if is_cursor { 200 } else { 400 };
        assert_eq!(answer.status, expected, "{uri}: {answer:?}");
        if !is_cursor {
            return;
        }
        match &answer.json()["next_cursor"] {
            Value::String(next) => uri = format!("/api/sessions?limit=1&cursor={next}"),
            next => return assert!(next.is_null(), "{answer:?}"),
        }
    }
    panic!("{uri} has no end");
}

/// Base64 of microseconds, a colon, and an id. An empty one counts as not given.
fn is_cursor(text: &str) -> bool {
    let Some((micros, id)) = URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|plain| {
            let (micros, id) = plain.split_once(':')?;
            Some((micros.to_owned(), id.to_owned()))
        })
    else {
        return text.is_empty();
    };
    micros.parse::<i64>().is_ok() && (1..=MAX_SESSION_ID_BYTES).contains(&id.len())
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
