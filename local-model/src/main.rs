//! Serves SmolLM2-135M-Instruct on loopback, with the wire of OpenAI's Chat Completions.

mod engine;
mod error;
mod llama;
mod request;
mod response;
mod sampler;
mod server;
mod stop;
mod vocabulary;

use std::fs::File;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use candle_core::quantized::gguf_file::Content;
use clap::Parser;
use tokio::net::TcpListener;

use crate::engine::Engine;
use crate::llama::Llama;
use crate::vocabulary::Vocabulary;

/// The name of the model in requests and responses.
const MODEL: &str = "smollm2-135m-instruct";

/// Serves a small language model on 127.0.0.1, with the wire of OpenAI's Chat Completions.
#[derive(Parser)]
#[command(name = "llmos-local-model")]
struct Arguments {
    /// The model's GGUF file. `make local-model` downloads it.
    #[arg(long, value_name = "PATH")]
    model: PathBuf,
    /// The port on 127.0.0.1. 0 chooses a free one.
    #[arg(long, default_value_t = 11435)]
    port: u16,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // Before the model is loaded: a port in use is reported at once.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port))
        .await
        .with_context(|| {
            format!(
                "listening on 127.0.0.1:{}: choose another port with --port",
                arguments.port
            )
        })?;
    let engine = load(&arguments.model).with_context(|| {
        format!(
            "loading {}: run `make local-model`, which downloads it",
            arguments.model.display()
        )
    })?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    axum::serve(listener, server::router(engine)).await?;
    Ok(())
}

fn load(path: &std::path::Path) -> Result<Engine> {
    let content = Content::read(&mut File::open(path)?)?;
    Ok(Engine::start(
        Llama::load(&content, path)?,
        Vocabulary::load(&content)?,
    ))
}
