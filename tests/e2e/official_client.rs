//! The official clients against the local Blob store: `@vercel/blob`, in its current and in older versions, and the Python
//! SDK.

use serde_json::json;

use crate::support::{BlobServer, in_process, run_python, run_script};

/// Runs a section of `tests/blob/official_client.mjs` against a private store.
async fn check(section: &str) {
    run(&BlobServer::start().await, &[section]).await;
}

/// Runs a section with its arguments and returns its output.
async fn run(server: &BlobServer, arguments: &[&str]) -> String {
    let api_url = server.api_url();
    run_script(
        "blob/official_client.mjs",
        arguments,
        &environment(&api_url),
    )
    .await
}

fn environment(api_url: &str) -> [(&'static str, &str); 3] {
    [
        ("VERCEL_BLOB_API_URL", api_url),
        ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN),
        // Without retries a wrong answer fails at once.
        ("VERCEL_BLOB_RETRIES", "0"),
    ]
}

/// Runs `tests/blob/older_client.mjs` with a package of `tests/package.json` against a private store.
async fn check_older(arguments: &[&str]) {
    let server = BlobServer::start().await;
    let api_url = server.api_url();
    run_script("blob/older_client.mjs", arguments, &environment(&api_url)).await;
}

#[tokio::test]
async fn client_0_27_puts_finds_copies_uploads_in_parts_and_deletes() {
    check_older(&["vercel-blob-0.27.3", "suffixed"]).await;
}

#[tokio::test]
async fn client_1_1_puts_finds_copies_uploads_in_parts_and_deletes() {
    check_older(&["vercel-blob-1.1.1"]).await;
}

#[tokio::test]
async fn python_sdk_finds_reads_copies_and_deletes_by_url() {
    let server = BlobServer::start().await;
    let api_url = server.api_url();
    run_python("blob/python_sdk.py", &environment(&api_url)).await;
}

#[tokio::test]
async fn official_client_puts_finds_reads_and_deletes() {
    check("put_and_read").await;
}

#[tokio::test]
async fn official_client_lists_pages_folded_and_expanded() {
    check("list").await;
}

#[tokio::test]
async fn official_client_overwrites_copies_renames_and_deletes_conditionally() {
    check("conditions_and_copies").await;
}

#[tokio::test]
async fn official_client_uploads_in_parts() {
    check("multipart").await;
}

#[tokio::test]
async fn client_tokens_of_the_official_client_are_enforced() {
    check("client_tokens").await;
}

#[tokio::test]
async fn upload_callback_of_a_client_token_is_called() {
    check("completed_uploads_are_reported").await;
}

#[tokio::test]
async fn official_client_maps_each_rejection_to_its_documented_error() {
    check("rejections").await;
}

#[tokio::test]
async fn official_client_reads_skills_written_by_the_api() {
    let server = BlobServer::start().await;
    let api = in_process(server.config());
    let new = json!({
        "name": "Hello World", "description": "Greets: \"you\".", "code": "```\nprint('é')\n```",
        "language": "python",
    });
    api.post("/api/skills", &new).await.assert_status(201);

    let read = run(&server, &["reads_our_skill"]).await;

    let path = "/api/skills/hello-world?volume=user";
    let skill = api.get(path).await.assert_status(200).json();
    assert_eq!(skill["content"], read);
    assert_eq!(skill["code"], new["code"]);
}

#[tokio::test]
async fn api_lists_and_reads_skills_written_by_the_official_client() {
    let server = BlobServer::start().await;
    let api = in_process(server.config());
    let document =
        "---\r\nname: From elsewhere\r\ncategory: tests\r\nextra: {kept: yes}\r\n---\r\nText.\r\n";

    let etag = run(&server, &["writes_a_skill", document]).await;

    let list = api.get("/api/skills?volume=user").await.assert_status(200);
    assert_eq!(list.json()["skills"][0]["id"], "from-elsewhere");
    let path = "/api/skills/from-elsewhere?volume=user";
    let skill = api.get(path).await.assert_status(200).json();
    assert_eq!(skill["name"], "From elsewhere");
    assert_eq!(skill["category"], "tests");
    assert_eq!(skill["content"], document);
    assert_eq!(format!("\"{}\"", skill["etag"].as_str().unwrap()), etag);
    let markdown = api.with_header("accept", "text/markdown").get(path).await;
    assert_eq!(markdown.assert_status(200).body, document.as_bytes());
}
