//! The machine and the software versions of a run, without host names and paths.

use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result};

/// Returns the processor and the system, such as `2 cores of AMD EPYC, Linux on x86_64`.
pub fn machine() -> Result<String> {
    let cores = available_parallelism()?;
    Ok(format!(
        "{cores} cores of {}, {} on {}",
        processor(),
        system(),
        std::env::consts::ARCH
    ))
}

/// Returns the versions of the servers' software and of the tools.
pub fn versions(redis: &str) -> Result<String> {
    let packages = output(
        "benches/peers/fastapi/.venv/bin/pip",
        &["freeze", "--disable-pip-version-check"],
    )?;
    let python_package = |name: &str| {
        let prefix = format!("{name}==");
        let version = packages.lines().find_map(|line| line.strip_prefix(&prefix));
        version
            .map(|version| format!("{name} {version}"))
            .with_context(|| format!("{name} is not installed"))
    };
    // `wrk --version` exits with a failure status.
    let wrk = output("wrk", &["--version"])?;
    let wrk: String = wrk.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let parts = [
        first_words(&output("rustc", &["--version"])?),
        format!("Redis {redis}"),
        first_words(&output(
            "benches/peers/fastapi/.venv/bin/python",
            &["--version"],
        )?),
        python_package("fastapi")?,
        python_package("uvicorn")?,
        python_package("uvloop")?,
        python_package("httptools")?,
        python_package("redis")?,
        python_package("hiredis")?,
        format!("Node {}", output("node", &["--version"])?.trim()),
        node_package("node", "fastify")?,
        node_package("node", "ioredis")?,
        wrk,
    ];
    Ok(parts.join(", "))
}

/// Returns the versions of the software of chat.
pub fn chat_versions() -> Result<String> {
    let packages = ["ai", "resumable-stream", "fastify", "ioredis"];
    let mut parts = vec![format!("Node {}", output("node", &["--version"])?.trim())];
    for package in packages {
        parts.push(node_package("chat-node", package)?);
    }
    Ok(parts.join(", "))
}

/// Returns the version of a package of a peer.
fn node_package(peer: &str, name: &str) -> Result<String> {
    let path = format!("benches/peers/{peer}/node_modules/{name}/package.json");
    let package: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    Ok(format!(
        "{name} {}",
        package["version"].as_str().unwrap_or_default()
    ))
}

fn processor() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model_name = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let from_cpuinfo = model_name.map(|line| line.trim_start_matches([':', ' ', '\t']).to_owned());
    from_cpuinfo
        .or_else(|| output("sysctl", &["-n", "machdep.cpu.brand_string"]).ok())
        .map_or_else(
            || "an unknown processor".to_owned(),
            |name| name.trim().to_owned(),
        )
}

fn system() -> &'static str {
    match std::env::consts::OS {
        "linux" => "Linux",
        "macos" => "macOS",
        other => other,
    }
}

fn first_words(text: &str) -> String {
    text.split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" ")
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("{program} is not installed"))?;
    Ok(String::from_utf8(output.stdout)?)
}
