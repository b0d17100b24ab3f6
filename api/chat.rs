//! The Vercel function behind `/api/chat`.

use llmos::http::chat;
use llmos::vercel::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), vercel_runtime::Error> {
    serve(chat::router()).await
}
