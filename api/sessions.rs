//! The Vercel function behind `/api/sessions`.

use llmos::http::sessions;
use llmos::vercel::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), vercel_runtime::Error> {
    serve(sessions::router()).await
}
