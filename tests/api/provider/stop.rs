//! A stream that is dropped closes the connection to the provider at once.

use std::time::{Duration, Instant};

use super::{WIRES, answer, provider, question};
use crate::support::{ModelAnswer, ModelServer, Script, Step};

const LIMIT: Duration = Duration::from_millis(2500);

#[tokio::test]
async fn dropped_stream_closes_the_connection() {
    for wire in WIRES {
        let server = ModelServer::start().await;
        let body = answer(wire, &ModelAnswer::pieces(&["one", "two"]));
        let body = &body[..body.find("two").unwrap()];
        server.push(Script::events(body).then(Step::Stall));
        let mut stream = provider(&server, wire).stream(&question()).await.unwrap();
        assert!(stream.next().await.unwrap().is_ok());
        let stopped = Instant::now();
        drop(stream);
        let closed = server.wait_for_close(0).await;
        assert!(closed - stopped < LIMIT);
    }
}

#[tokio::test]
async fn dropped_stream_closes_the_connection_while_an_event_is_awaited() {
    for wire in WIRES {
        let server = ModelServer::start().await;
        let body = answer(wire, &ModelAnswer::pieces(&["one", "two"]));
        let body = &body[..body.find("two").unwrap()];
        server.push(Script::events(body).then(Step::Stall));
        let mut stream = provider(&server, wire).stream(&question()).await.unwrap();
        // Each wait for an event is given up and begun again; none is lost.
        let mut events = 0;
        let give_up = Instant::now() + Duration::from_millis(300);
        while Instant::now() < give_up {
            let next = tokio::time::timeout(Duration::from_millis(10), stream.next());
            if let Ok(event) = next.await {
                assert!(event.unwrap().is_ok());
                events += 1;
            }
        }
        assert!(events >= 2, "{events}");
        let stopped = Instant::now();
        drop(stream);
        assert!(server.wait_for_close(0).await - stopped < LIMIT);
    }
}

#[tokio::test]
async fn dropped_request_closes_the_connection_before_the_first_byte() {
    for wire in WIRES {
        for script in [Script::silence(), Script::steps(vec![Step::Stall])] {
            let server = ModelServer::start().await;
            server.push(script);
            let provider = provider(&server, wire);
            let request = question();
            let asked = tokio::spawn(async move { provider.stream(&request).await.map(|_| ()) });
            server.wait_for_calls(1).await;
            let stopped = Instant::now();
            asked.abort();
            assert!(server.wait_for_close(0).await - stopped < LIMIT);
            assert_eq!(server.calls().len(), 1);
        }
    }
}

#[tokio::test]
async fn silence_is_counted_across_waits_that_are_given_up() {
    let server = ModelServer::start().await;
    let wire = WIRES[1];
    let body = answer(wire, &ModelAnswer::pieces(&["one", "two"]));
    let body = &body[..body.find("two").unwrap()];
    server.push(Script::events(body).then(Step::Stall));
    let provider = super::impatient(&server, wire, 5000, 300);
    let mut stream = provider.stream(&question()).await.unwrap();
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < Duration::from_secs(10));
        let next = tokio::time::timeout(Duration::from_millis(20), stream.next());
        if let Ok(Some(Err(error))) = next.await {
            assert_eq!(error.kind, llmos::provider::error::ErrorKind::Timeout);
            break;
        }
    }
}
