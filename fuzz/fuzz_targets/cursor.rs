//! Cursors: malformed cursors are rejected, and accepted cursors lead to the last page.

#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use llmos::util::hash::sha256_hex;
use llmos_fuzz::api::Api;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// The lists other than sessions, and the names that mark their cursors.
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
        let encoded = URL_SAFE_NO_PAD.encode(text);
        let marked = marked(&mark_of_sessions(api), text);
        for cursor in [text, &encoded, &marked] {
            check_sessions(api, cursor);
        }
        for (list, name) in LISTS {
            let marked = self::marked(&sha256_hex::<4>(&[name.as_bytes()]), text);
            for cursor in [text, &encoded, &marked] {
                let answer = api.get(&format!("{list}cursor={}", escape(cursor)));
                assert!([200, 400, 503].contains(&answer.status.as_u16()));
            }
        }
    });
});

fn marked(mark: &str, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("[\"{mark}\",{text}]"))
}

/// Returns the mark of the cursors of the session list, taken from one of them.
fn mark_of_sessions(api: &Api) -> String {
    let page = api.get("/api/sessions?limit=1").json();
    let cursor = URL_SAFE_NO_PAD.decode(page["next_cursor"].as_str().unwrap());
    let (mark, _): (String, Value) = serde_json::from_slice(&cursor.unwrap()).unwrap();
    mark
}

/// Reads the sample sessions from a cursor on; an invalid cursor is rejected.
fn check_sessions(api: &Api, cursor: &str) {
    let mut uri = format!("/api/sessions?limit=1&cursor={}", escape(cursor));
    for step in 0..4 {
        let answer = api.get(&uri);
        if step == 0 && answer.status == 400 {
            return;
        }
        assert_eq!(answer.status, 200, "{uri}: {answer:?}");
        match &answer.json()["next_cursor"] {
            Value::String(next) => uri = format!("/api/sessions?limit=1&cursor={next}"),
            next => return assert!(next.is_null(), "{answer:?}"),
        }
    }
    panic!("{uri}: more pages than samples");
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
