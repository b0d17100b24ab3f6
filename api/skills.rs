//! The Vercel function behind `/api/skills`.

use llmos::http::skills;
use llmos::vercel::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), vercel_runtime::Error> {
    serve(skills::router()).await
}
