//! Whole requests in HTTP/1 syntax: every request gets a valid response other than 500, and requests without
//! credentials get no stored data.
//!
//! The target reaches every parser of paths, queries, headers (conditions, ranges, keys, tokens) and bodies.

#![no_main]

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use libfuzzer_sys::{Corpus, fuzz_target};
use llmos_fuzz::api::Api;

thread_local! {
    static OPEN: Api = Api::open();
    static CLOSED: Api = Api::closed();
}

/// Parses a request: the head ends at the first empty line, the rest is the body.
fn parse(input: &[u8]) -> Option<Request<Body>> {
    let end = input.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&input[..end], &input[end + 2..]),
        None => (input, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut first = lines.next()?.splitn(2, |byte| *byte == b' ');
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = Method::from_bytes(first.next()?).ok()?;
    *request.uri_mut() = Uri::try_from(first.next()?).ok()?;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        request.headers_mut().append(name, value);
    }
    Some(request)
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some(request) = parse(input) else {
        return Corpus::Reject;
    };
    let path = request.uri().path().trim_start_matches('/');
    let is_public = path.starts_with("api/health");
    OPEN.with(|api| api.call(request));
    let again = parse(input).expect("the same input parsed before");
    let answer = CLOSED.with(|api| api.call(again));
    assert!(is_public || !answer.status.is_success(), "{answer:?}");
    Corpus::Keep
});
