//! The types of llmos.js, with the TypeScript compiler.

use std::path::Path;

use crate::support::run_script;

#[tokio::test]
async fn program_that_uses_the_types_of_the_client_compiles() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/types");
    let arguments = ["--project", project.to_str().unwrap()];
    // The compiler prints its errors and fails.
    run_script("node_modules/typescript/bin/tsc", &arguments, &[]).await;
}
