//! Log lines as JSON: a `tracing` subscriber, and the request that a line belongs to.
//!
//! The crate writes events with the macros of `tracing`. The subscriber writes those of the levels `error`, `warn`
//! and `info`; events of dependencies are off, because their fields may contain credentials. Spans are off: a
//! task-local [`RequestScope`] adds the request's ids to each line, which needs no registry of spans.
//! The subscriber implements `tracing`'s trait directly, because the size of a function is limited.

use std::fmt;
use std::future::Future;
use std::io::Write as _;
use std::sync::Arc;

use serde::ser::{SerializeMap, Serializer as _};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::trace_parent::TraceParent;

tokio::task_local! {
    static REQUEST: RequestScope;
}

type WriteLine = dyn Fn(Level, &str) + Send + Sync;

/// The destination of the log lines of one request, such as the log channel of a platform.
#[derive(Clone)]
pub struct LogSink(Arc<WriteLine>);

impl LogSink {
    /// Creates a sink that passes each line, without a line break, to `write`.
    pub fn new(write: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LogSink")
    }
}

/// The request that log lines belong to. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub struct RequestScope(Arc<Scope>);

#[derive(Debug)]
struct Scope {
    request_id: String,
    trace: Option<TraceParent>,
    sink: Option<LogSink>,
}

impl RequestScope {
    /// Creates the scope of a request. Without a sink its lines go to standard output.
    pub fn new(request_id: String, trace: Option<TraceParent>, sink: Option<LogSink>) -> Self {
        Self(Arc::new(Scope {
            request_id,
            trace,
            sink,
        }))
    }

    /// Returns the id of the request.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// Runs a future whose log lines belong to the request.
    pub async fn run<F: Future>(self, future: F) -> F::Output {
        REQUEST.scope(self, future).await
    }

    /// Calls a function whose log lines belong to the request.
    pub fn enter<T>(&self, function: impl FnOnce() -> T) -> T {
        REQUEST.sync_scope(self.clone(), function)
    }
}

/// Returns the id of the current request, or an empty text outside of requests.
pub(crate) fn current_request_id() -> String {
    let id = REQUEST.try_with(|scope| scope.request_id().to_owned());
    id.unwrap_or_default()
}

/// Runs a future in the scope of the current request. A spawned task needs this, because it does not inherit
/// task-locals.
pub(crate) fn in_current_request<F: Future>(future: F) -> impl Future<Output = F::Output> + use<F> {
    let scope = REQUEST.try_with(RequestScope::clone);
    async move {
        match scope {
            Ok(scope) => scope.run(future).await,
            Err(_) => future.await,
        }
    }
}

/// Installs the subscriber. Later calls have no effect.
pub fn install() {
    // An error means that a subscriber is installed already.
    let _ = tracing::subscriber::set_global_default(JsonLines);
}

/// The subscriber: each event is one line, written to the sink of its request or to standard output.
struct JsonLines;

impl Subscriber for JsonLines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let root = metadata.target().split("::").next();
        metadata.is_event()
            && *metadata.level() <= Level::INFO
            && root == Some(env!("CARGO_CRATE_NAME"))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn event(&self, event: &Event<'_>) {
        let level = *event.metadata().level();
        let write = |scope: Option<&Scope>| {
            let line = line(event, scope);
            match scope.and_then(|scope| scope.sink.as_ref()) {
                Some(LogSink(write)) => write(level, &line),
                // A closed standard output must not fail the request.
                None => drop(writeln!(std::io::stdout(), "{line}")),
            }
        };
        if REQUEST.try_with(|scope| write(Some(&scope.0))).is_err() {
            write(None);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        // No span is enabled; the trait requires an id.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Returns the line of an event: its level, its fields, and the ids of its request.
fn line(event: &Event<'_>, scope: Option<&Scope>) -> String {
    let mut text = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::new(&mut text);
    if let Ok(mut map) = serializer.serialize_map(None) {
        let mut fields = Fields(&mut map);
        fields.add("level", level_name(*event.metadata().level()));
        event.record(&mut fields);
        if let Some(scope) = scope {
            fields.add("request.id", &scope.request_id);
            if let Some(trace) = &scope.trace {
                fields.add("trace_id", &trace.trace_id);
                fields.add("span_id", &trace.span_id);
            }
        }
        // Writing to memory does not fail.
        let _ = map.end();
    }
    String::from_utf8(text).unwrap_or_default()
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        // No event of a lower level is enabled.
        _ => "info",
    }
}

/// The members of a line.
struct Fields<'a, M>(&'a mut M);

impl<M: SerializeMap> Fields<'_, M> {
    fn add(&mut self, name: &str, value: &(impl serde::Serialize + ?Sized)) {
        // Texts and numbers are always JSON.
        let _ = self.0.serialize_entry(name, value);
    }
}

impl<M: SerializeMap> Visit for Fields<'_, M> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), &value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};

    use super::*;

    type Written = Arc<Mutex<Vec<(Level, Value)>>>;

    fn scope(trace: Option<TraceParent>) -> (RequestScope, Written) {
        let written = Written::default();
        let lines = written.clone();
        let sink = LogSink::new(move |level, line| {
            let line = serde_json::from_str(line).unwrap();
            lines.lock().unwrap().push((level, line));
        });
        let scope = RequestScope::new("req_1".to_owned(), trace, Some(sink));
        (scope, written)
    }

    #[test]
    fn event_is_one_line_with_the_ids_of_its_request() {
        let trace = TraceParent {
            trace_id: "a".repeat(32),
            span_id: "b".repeat(16),
        };
        let (scope, written) = scope(Some(trace));
        tracing::subscriber::with_default(JsonLines, || {
            scope.enter(|| {
                let text = "two\nlines, \"quoted\"";
                tracing::warn!(
                    cache.size = 3,
                    error = text,
                    ratio = 0.5,
                    "not cached: {text}"
                );
            });
        });
        let expected = json!({
            "level": "warn",
            "message": "not cached: two\nlines, \"quoted\"",
            "cache.size": 3,
            "error": "two\nlines, \"quoted\"",
            "ratio": 0.5,
            "request.id": "req_1",
            "trace_id": "a".repeat(32),
            "span_id": "b".repeat(16),
        });
        assert_eq!(*written.lock().unwrap(), [(Level::WARN, expected)]);
    }

    #[test]
    fn debug_events_and_events_of_dependencies_are_not_written() {
        let (scope, written) = scope(None);
        tracing::subscriber::with_default(JsonLines, || {
            scope.enter(|| {
                tracing::debug!("detail");
                tracing::error!(target: "hyper::proto", "of a dependency");
                tracing::error!(target: "llmos_other", "of another crate");
                tracing::error!("ours");
            });
        });
        let written = written.lock().unwrap();
        let messages: Vec<&Value> = written.iter().map(|(_, line)| &line["message"]).collect();
        assert_eq!(messages, ["ours"]);
    }

    #[tokio::test]
    async fn spawned_task_logs_for_the_request_that_spawned_it() {
        let (scope, written) = scope(None);
        let _subscriber = tracing::subscriber::set_default(JsonLines);
        let spawn =
            async { tokio::spawn(in_current_request(async { tracing::info!("spawned") })).await };
        scope.run(spawn).await.unwrap();
        assert_eq!(written.lock().unwrap()[0].1["request.id"], "req_1");
    }
}
