//! The official JavaScript client, which does not know that it speaks to us.

use crate::support::{BlobServer, run_script};

/// Runs a section of `tests/blob/official_client.mjs` against a store of its own.
async fn check(section: &str) {
    let server = BlobServer::start().await;
    let environment = [
        ("VERCEL_BLOB_API_URL", &*server.api_url()),
        ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN),
        // What is answered wrongly fails at once, and not after many tries.
        ("VERCEL_BLOB_RETRIES", "0"),
    ];
    run_script("official_client.mjs", &[section], &environment).await;
}

#[tokio::test]
async fn it_puts_finds_reads_and_deletes() {
    check("put_and_read").await;
}

#[tokio::test]
async fn it_lists_in_pages_folded_and_not() {
    check("list").await;
}

#[tokio::test]
async fn it_overwrites_copies_renames_and_deletes_under_conditions() {
    check("conditions_and_copies").await;
}

#[tokio::test]
async fn it_uploads_in_parts() {
    check("multipart").await;
}

#[tokio::test]
async fn its_client_tokens_allow_what_they_say_and_no_more() {
    check("client_tokens").await;
}

#[tokio::test]
async fn whom_a_client_token_names_is_told_of_the_upload() {
    check("completed_uploads_are_told").await;
}

#[tokio::test]
async fn it_makes_of_every_refusal_the_error_that_is_documented() {
    check("refusals").await;
}
