//! `OPTIONS`: answered on routes if origins are allowed, and then listed in `Allow`.

use axum::http::Method;
use llmos::config::Config;

use super::{EVIL, OURS, allowing, from, list};
use crate::support::{Client, in_process};

const ROUTES: [&str; 6] = [
    "/api/sessions",
    "/api/sessions/x/messages",
    "/api/skills/validate",
    "/api/files/a/b.txt",
    "/api/health",
    "/api/me",
];
const UNKNOWN: [&str; 4] = ["/", "/api", "/api/nothing", "/api/sessions/a/b"];

/// Returns a client that sends preflights of this origin.
fn preflights(api: &Client, origin: &str) -> Client {
    from(api, origin).with_header("access-control-request-method", "DELETE")
}

#[tokio::test]
async fn allow_lists_options_exactly_if_preflights_are_answered() {
    let open = in_process(allowing(Config::default(), &[OURS]));
    let closed = in_process(Config::default());
    for path in ROUTES {
        let refused = open.send(Method::TRACE, path, Vec::new()).await;
        assert!(
            list(&refused, "allow").contains(&"options".to_owned()),
            "{path}"
        );
        let others = list(&refused, "allow").len() - 1;
        refused.assert_error(405, "method_not_allowed");
        for api in [&open, &from(&open, EVIL), &preflights(&open, OURS)] {
            let answer = api.send(Method::OPTIONS, path, Vec::new()).await;
            assert_eq!(answer.status, 200, "{path}");
        }

        let refused = closed.send(Method::OPTIONS, path, Vec::new()).await;
        assert!(
            !list(&refused, "allow").contains(&"options".to_owned()),
            "{path}"
        );
        assert_eq!(list(&refused, "allow").len(), others);
        refused.assert_error(405, "method_not_allowed");
    }
}

#[tokio::test]
async fn options_of_an_unknown_route_is_404() {
    let open = in_process(allowing(Config::default(), &[OURS]));
    let closed = in_process(Config::default());
    for path in UNKNOWN {
        for api in [
            &closed,
            &open,
            &preflights(&open, OURS),
            &preflights(&open, EVIL),
        ] {
            let answer = api.send(Method::OPTIONS, path, Vec::new()).await;
            answer.assert_error(404, "not_found");
        }
        let read = from(&open, OURS).get(path).await;
        assert_eq!(read.header("access-control-allow-origin"), Some(OURS));
        read.assert_error(404, "not_found");
    }
}
