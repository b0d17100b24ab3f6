//! The Vercel function behind `/api/health`.

use llmos::{http::health, serve::serve};

#[tokio::main]
async fn main() -> Result<(), vercel_runtime::Error> {
    serve(health::router()).await
}
