//! What a model server responds.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

/// A step of a response. After the last one, the body ends as HTTP requires it.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends bytes, in one write.
    Send(Bytes),
    /// Waits.
    Wait(Duration),
    /// Waits until the client closes the connection.
    Stall,
    /// Closes the connection in the middle of the body.
    Close,
    /// Resets the connection.
    Reset,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Script {
    /// The status. 0: no head is sent, and the steps follow the request at once.
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub steps: Vec<Step>,
}

impl Script {
    /// A response with status 200 that sends these events in one write.
    pub fn events(events: impl Into<String>) -> Self {
        Self::steps(vec![Step::Send(events.into().into())])
    }

    /// A response with status 200 that does these steps.
    pub fn steps(steps: Vec<Step>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "text/event-stream".to_owned())],
            steps,
        }
    }

    /// A response that never begins.
    pub fn silence() -> Self {
        Self {
            status: 0,
            ..Self::steps(vec![Step::Stall])
        }
    }

    /// An error response with a JSON body.
    pub fn error(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            steps: vec![Step::Send(body.to_string().into())],
        }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Adds a step.
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The same response with one write for each of the parts into which its bytes are split at `at`.
    pub fn split_at(mut self, at: usize) -> Self {
        let mut steps = Vec::new();
        for step in self.steps {
            match step {
                Step::Send(bytes) => {
                    let at = at.min(bytes.len());
                    let (left, right) = (bytes.slice(..at), bytes.slice(at..));
                    steps.extend([Step::Send(left), Step::Send(right)]);
                }
                step => steps.push(step),
            }
        }
        self.steps = steps;
        self
    }
}
