//! Access configuration: open and closed services, and invalid values.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::process::Command;
use std::time::Duration;

use llmos::config::Config;
use serde_json::json;
use tempfile::TempDir;

use super::super::support::{
    Claims, Client, Process, Redis, Runtime, clear_configuration, config, in_process,
};
use super::{assert_rejected, call, create, hash_of, issuer, secret, with};

const LLMOS: &str = env!("CARGO_BIN_EXE_llmos");
const SESSIONS: &str = env!("CARGO_BIN_EXE_sessions");
const SKILLS: &str = env!("CARGO_BIN_EXE_skills");
const FILES: &str = env!("CARGO_BIN_EXE_files");
const HEALTH: &str = env!("CARGO_BIN_EXE_health");

/// Checks that every request gets a 503 that names the variables to set.
async fn assert_closed(api: &Client, path: &str) {
    let guess = with(api, "x");
    for api in [api, &guess] {
        let detail = assert_rejected(api.get(path).await, false);
        for name in [
            "AUTH_JWKS_URL",
            "AUTH_JWT_SECRET",
            "API_KEYS",
            "ALLOW_ANONYMOUS=true",
        ] {
            assert!(detail.contains(name), "{detail}");
        }
    }
}

/// Checks that anonymous callers can write and read.
async fn assert_open(api: &Client) {
    let id = create(api, "system", "system").await;
    let path = format!("/api/sessions/{id}");
    api.get(&path).await.assert_status(200);
}

#[tokio::test]
async fn process_outside_vercel_is_open_by_default() {
    let redis = Redis::start().await;
    assert_open(&in_process(Config {
        vercel_env: None,
        ..config(&redis.url())
    }))
    .await;
    let (_process, api) = Process::function(SESSIONS, &[("REDIS_URL", &redis.url())]).await;
    assert_open(&api).await;
}

#[tokio::test]
async fn deployment_without_access_configuration_is_closed() {
    let redis = Redis::start().await;
    let url = redis.url();
    let environment = [("VERCEL", "1"), ("REDIS_URL", &*url)];
    for (program, path) in [
        (SESSIONS, "/api/sessions"),
        (SKILLS, "/api/skills"),
        (FILES, "/api/files"),
    ] {
        let (_process, api) = Process::function(program, &environment).await;
        assert_closed(&api, path).await;
        // Vercel's log channel exists even if a project hides the system variables from its functions.
        let runtime = Runtime::start(program, &[("ALLOW_ANONYMOUS", ""), environment[1]]).await;
        assert_closed(&runtime.client(), path).await;
    }
    let (_process, api) = Process::function(HEALTH, &environment).await;
    api.get("/api/health").await.assert_status(200);
    let runtime = Runtime::start(HEALTH, &[("ALLOW_ANONYMOUS", ""), environment[1]]).await;
    let health = runtime.client().get("/api/health").await;
    assert_eq!(health.assert_status(200).json()["redis"]["status"], "ok");
}

#[tokio::test]
async fn only_development_variables_open_a_vercel_process() {
    let redis = Redis::start().await;
    let url = redis.url();
    for (environment, is_open) in [
        (&[("VERCEL", "1"), ("VERCEL_ENV", "production")][..], false),
        (&[("VERCEL", "1"), ("VERCEL_ENV", "preview")], false),
        (&[("VERCEL", "1"), ("VERCEL_ENV", "Development")], false),
        (&[("VERCEL", "1"), ("VERCEL_DEV", "")], false),
        (&[("VERCEL", "1"), ("VERCEL_ENV", "development")], true),
        (&[("VERCEL", "1"), ("VERCEL_DEV", "1")], true),
        (&[("VERCEL_ENV", "development")], true),
        (&[("VERCEL_DEV", "1")], true),
    ] {
        let environment = [environment, &[("REDIS_URL", &*url)]].concat();
        let (_process, api) = Process::function(SESSIONS, &environment).await;
        match is_open {
            true => assert_open(&api).await,
            false => assert_closed(&api, "/api/sessions").await,
        }
    }
    // Only the variable of `vercel dev` marks a process as local; no other can.
    for (variable, is_open) in [
        (("VERCEL_ENV", "development"), false),
        (("VERCEL_DEV", "1"), true),
    ] {
        let environment = [("ALLOW_ANONYMOUS", ""), ("REDIS_URL", &*url), variable];
        let runtime = Runtime::start(SESSIONS, &environment).await;
        match is_open {
            true => assert_open(&runtime.client()).await,
            false => assert_closed(&runtime.client(), "/api/sessions").await,
        }
    }
}

#[tokio::test]
async fn allow_anonymous_opens_a_deployment_without_credentials() {
    let redis = Redis::start().await;
    let (url, secret) = (redis.url(), secret());
    let key = "llmos_a-key-of-this-test";
    let entry = format!("script:{}:admin", hash_of(key));
    let start = async |more| {
        let given = [("VERCEL", "1"), ("ALLOW_ANONYMOUS", "true")];
        let environment = [&given[..], &[("REDIS_URL", &*url), more]].concat();
        Process::function(SESSIONS, &environment).await
    };

    let (_process, api) = start(("VERCEL_ENV", "production")).await;
    assert_open(&api).await;
    // Credentials are not checked.
    assert_open(&with(&api, "x")).await;

    let (_process, api) = start(("ALLOW_ANONYMOUS", "false")).await;
    assert_closed(&api, "/api/sessions").await;

    let token = issuer().token(&Claims::of("alice").without("iss").without("aud"));
    for (variable, credential) in [
        (("API_KEYS", &*entry), key),
        (("AUTH_JWT_SECRET", &*secret), &*token),
    ] {
        let (_process, api) = start(variable).await;
        assert_rejected(call(&api).await, false);
        let new = json!({"name": "x", "volume": "system"});
        assert_rejected(api.post("/api/sessions", &new).await, false);
        assert_rejected(call(&with(&api, "x")).await, true);
        call(&with(&api, credential)).await.assert_status(200);
    }
}

/// Returns what the local server prints when it does not start because of a variable.
async fn start_error(name: &str, value: &OsStr, named: &str) -> String {
    let directory = TempDir::new().unwrap();
    let mut command = Command::new(LLMOS);
    clear_configuration(&mut command);
    command
        .current_dir(directory.path())
        .env("PORT", "0")
        .env(name, value);
    let mut process = Process::spawn(&mut command);
    let code = process.exit_code(Duration::from_secs(10)).await;
    assert_eq!(code, Some(1), "{name}={value:?}: {}", process.output());
    let is_named = process.wait_for(named, Duration::from_secs(1)).await;
    assert!(is_named, "{name}={value:?}: {}", process.output());
    process.output()
}

/// Returns what a function prints and answers that rejects every request because of a variable.
async fn misconfigured_function(name: &str, value: &OsStr, named: &str) -> String {
    let (mut process, api) = Process::function_with(SESSIONS, |command| {
        command.env(name, value);
    })
    .await;
    let health = api.get("/api/health").await.assert_status(503).json();
    let reason = health["configuration"]["reason"].as_str().unwrap();
    assert!(reason.contains(named), "{name}={value:?}: {health}");
    let problem = call(&api).await.assert_error(503, "misconfigured");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(named), "{name}={value:?}: {problem}");
    assert!(process.wait_for(named, Duration::from_secs(1)).await);
    format!("{}\n{health}\n{problem}", process.output())
}

#[tokio::test]
async fn invalid_value_rejects_all_requests_and_is_not_printed() {
    let hash = hash_of("hidden");
    let entry = |scope: &str| format!("hidden:{hash}:{scope}");
    let twice = format!("{},{}", entry("admin"), entry("team/red"));
    let half = "AUTH_JWKS_URL";
    for (name, value, named) in [
        ("AUTH_JWKS_URL", "hidden", half),
        ("AUTH_JWKS_URL", "https://", half),
        ("AUTH_JWKS_URL", "http://hidden.example/jwks.json", half),
        ("AUTH_JWKS_URL", "http://127.0.0.1.hidden.example/", half),
        ("AUTH_JWKS_URL", "ftp://hidden.example/jwks.json", half),
        ("AUTH_JWT_SECRET", "hidden", "AUTH_JWT_SECRET"),
        ("AUTH_ISSUER", "hidden", half),
        ("AUTH_AUDIENCE", "hidden", half),
        ("AUTH_AUDIENCE", ",", "AUTH_AUDIENCE"),
        ("AUTH_TEAMS_CLAIM", "hidden", half),
        ("AUTH_ROLE_CLAIM", "hidden", half),
        ("API_KEYS", "hidden", "API_KEYS"),
        ("API_KEYS", ",", "API_KEYS"),
        ("API_KEYS", "hidden:00:admin", "API_KEYS"),
        ("API_KEYS", &entry("root"), "API_KEYS"),
        ("API_KEYS", &entry("user/"), "API_KEYS"),
        ("API_KEYS", &entry("admin:write"), "API_KEYS"),
        ("API_KEYS", &twice, "API_KEYS"),
        ("ALLOW_ANONYMOUS", "hidden", "ALLOW_ANONYMOUS"),
        ("ALLOW_ANONYMOUS", "True", "ALLOW_ANONYMOUS"),
        ("RATE_LIMIT", "hidden", "RATE_LIMIT"),
        ("RATE_LIMIT", "0", "RATE_LIMIT"),
        ("CORS_ALLOWED_ORIGINS", "*", "CORS_ALLOWED_ORIGINS"),
        ("CORS_ALLOWED_ORIGINS", "hidden", "CORS_ALLOWED_ORIGINS"),
    ] {
        for printed in [
            start_error(name, value.as_ref(), named).await,
            misconfigured_function(name, value.as_ref(), named).await,
        ] {
            for secret in ["hidden", &hash] {
                assert!(!printed.contains(secret), "{name}={value}: {printed}");
            }
        }
    }
}

#[tokio::test]
async fn non_unicode_value_is_not_treated_as_missing() {
    for name in ["AUTH_JWKS_URL", "AUTH_JWT_SECRET", "API_KEYS"] {
        let value = OsString::from_vec([&[0xff][..], &[b'x'; 40]].concat());
        start_error(name, &value, name).await;
        misconfigured_function(name, &value, name).await;
    }
}
