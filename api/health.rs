//! The Vercel function behind `/api/health`.

use llmos::http::health;
use llmos::vercel::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), vercel_runtime::Error> {
    serve(health::router()).await
}
