//! The Vercel function behind `/api/files`.

use llmos::http::files;
use llmos::vercel::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), vercel_runtime::Error> {
    serve(files::router()).await
}
