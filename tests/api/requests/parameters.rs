//! Query parameters that a route does not have.

use axum::http::Method;
use serde_json::json;

use super::{fields, operations, without_storage};
use crate::support::{SkillsApp, TestApp};

#[tokio::test]
async fn unknown_parameter_of_any_route_is_rejected_by_name() {
    let api = without_storage().with_header("content-type", "application/json");
    for operation in operations() {
        let path = format!("{}?limt=1&_vercel_share=x&Limit=2&limt=3", operation.path);
        let method = operation.method.clone();
        let response = api.send(method, &path, b"{}".to_vec()).await;
        if operation.method == Method::HEAD {
            assert_eq!(response.status, 400, "{path}");
            continue;
        }
        let problem = response.assert_error(400, "invalid_request");
        assert_eq!(fields(&problem), ["limt", "Limit"], "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("`limt`, `Limit`"), "{detail}");
    }
}

#[tokio::test]
async fn described_parameters_and_those_of_the_platform_pass() {
    let api = without_storage().with_header("content-type", "application/json");
    for operation in operations() {
        let parameters = operation.description["parameters"].as_array().cloned();
        let parameters = parameters.unwrap_or_default().into_iter();
        let names = parameters.filter(|parameter| parameter["in"] == "query");
        let mut query: Vec<String> = names
            .map(|parameter| format!("{}=", parameter["name"].as_str().unwrap()))
            .collect();
        query.push("_vercel_share=x&_=1&x-vercel-protection-bypass=y&X-Vercel-Set=z".to_owned());
        let path = format!("{}?{}", operation.path, query.join("&"));
        let method = operation.method.clone();
        let response = api.send(method, &path, b"{}".to_vec()).await;
        let body = String::from_utf8_lossy(&response.body);
        assert!(!body.contains("unknown parameters"), "{path}: {body}");
    }
}

#[tokio::test]
async fn detail_lists_the_supported_parameters() {
    let app = TestApp::shared().await;
    let refused = app.api.get("/api/sessions?volumes=user").await;
    let problem = refused.assert_error(400, "invalid_request");
    assert_eq!(
        problem["detail"],
        "The query has unknown parameters: `volumes`. Remove them or correct their names; supported are `volume`, \
         `volume_id`, `archived`, `pinned`, `sort`, `order`, `fields`, `include`, `limit`, `cursor`, `status`, `tag`, \
         `metadata.{key}`."
    );
    let refused = app.api.get("/api/me?x").await;
    let problem = refused.assert_error(400, "invalid_request");
    assert_eq!(
        problem["detail"],
        "The query has unknown parameters: `x`. Remove them; none are supported here."
    );
}

#[tokio::test]
async fn link_with_an_added_parameter_is_rejected() {
    let app = SkillsApp::start().await;
    let put = app
        .api
        .send(Method::PUT, "/api/files/x", b"1".to_vec())
        .await;
    put.assert_status(200);
    let link = app.api.post("/api/files/link", &json!({"path": "x"})).await;
    let url = link.assert_status(200).json()["url"]
        .as_str()
        .unwrap()
        .to_owned();

    let platform = app.api.get(&format!("{url}&_vercel_share=x")).await;
    platform.assert_status(200);
    let refused = app.api.get(&format!("{url}&width=100")).await;
    let problem = refused.assert_error(400, "invalid_request");
    assert_eq!(fields(&problem), ["width"]);
}

#[tokio::test]
async fn parameter_without_effect_is_rejected_by_name() {
    let app = SkillsApp::start().await;
    let put = app
        .api
        .send(Method::PUT, "/api/files/x", b"1".to_vec())
        .await;
    put.assert_status(200);
    for (path, field) in [
        ("/api/skills?user_id=anna", "user_id"),
        ("/api/skills?volume=user&team_id=acme", "team_id"),
        ("/api/skills?effective=false&user_id=anna", "user_id"),
        ("/api/skills?effective=true&volume=system", "volume"),
        ("/api/files/x?download=yes", "download"),
    ] {
        app.api.get(path).await.assert_invalid(field);
    }
    for (value, kind) in [
        ("1", "attachment"),
        ("true", "attachment"),
        ("0", "inline"),
        ("", "inline"),
    ] {
        let put = app.api.with_header("content-type", "text/plain");
        put.send(Method::PUT, "/api/files/x", b"1".to_vec())
            .await
            .assert_status(200);
        let path = format!("/api/files/x?download={value}");
        let found = app.api.get(&path).await.assert_status(200);
        assert!(
            found
                .header("content-disposition")
                .unwrap()
                .starts_with(kind),
            "{value}"
        );
    }
}
