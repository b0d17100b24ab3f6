//! Upload tokens: an issued token returns its payload, and a forged token is rejected.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llmos::blob::client_token::{self, ClientTokenPayload, PREFIX};

/// The token of the local server, which is public.
const READ_WRITE_TOKEN: &str = "vercel_blob_rw_local_development";

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input) {
        assert_eq!(client_token::verify(text, READ_WRITE_TOKEN), None);
        let with_prefix = format!("{PREFIX}local_{text}");
        assert_eq!(client_token::verify(&with_prefix, READ_WRITE_TOKEN), None);
        let signature = client_token::sign(input, READ_WRITE_TOKEN);
        assert!(client_token::is_signed(input, &signature, READ_WRITE_TOKEN));
        assert!(!client_token::is_signed(input, text, READ_WRITE_TOKEN));
    }
    if let Ok(payload) = serde_json::from_slice::<ClientTokenPayload>(input) {
        let token = client_token::mint(&payload, READ_WRITE_TOKEN).unwrap();
        let read = client_token::verify(&token, READ_WRITE_TOKEN);
        assert_eq!(read.as_ref(), Some(&payload));
        let other = "vercel_blob_rw_local_other";
        assert_eq!(client_token::verify(&token, other), None);
        let _ = payload.has_expired(0);
        let _ = payload.allows_content_type(&payload.pathname);
    }
});
