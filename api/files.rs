//! The Vercel function behind `/api/files`.

use llmos::{http::files, serve::serve};

#[tokio::main]
async fn main() -> Result<(), vercel_runtime::Error> {
    serve(files::router()).await
}
