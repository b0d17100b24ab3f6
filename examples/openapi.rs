//! Writes the OpenAPI description, `public/openapi.json`: `make openapi`.

use std::io;

fn main() -> io::Result<()> {
    std::fs::write("public/openapi.json", llmos::openapi::text())
}
