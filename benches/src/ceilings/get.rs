//! A ceiling: axum with the response of one `GET` on Redis, the cost of a request with one Redis command.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let port: u16 = std::env::var("PORT")?.parse()?;
    let client = redis::Client::open(std::env::var("REDIS_URL")?)?;
    let connection = client.get_multiplexed_async_connection().await?;
    let router = Router::new()
        .route("/{key}", get(read))
        .with_state(connection);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}

async fn read(
    State(mut connection): State<MultiplexedConnection>,
    Path(key): Path<String>,
) -> Result<impl IntoResponse, StatusCode> {
    let value: Option<Vec<u8>> = connection
        .get(key)
        .await
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let value = value.ok_or(StatusCode::NOT_FOUND)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], value))
}
