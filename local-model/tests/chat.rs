//! The server with the real model. Each test starts its own process, one test at a time.

#![allow(clippy::unwrap_used)] // a panic is a failed test, also in the functions that tests share

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// `make local-model` downloads it.
const MODEL_FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../target/local-model/SmolLM2-135M-Instruct.Q4_1.gguf"
);
const MODEL: &str = "smollm2-135m-instruct";
const CAPITAL: &str = "What is the capital of France? Answer in one word.";

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Server {
    child: Child,
    address: String,
    log: BufReader<std::process::ChildStderr>,
    _guard: MutexGuard<'static, ()>,
}

impl Server {
    fn start() -> Self {
        let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = Command::new(env!("CARGO_BIN_EXE_llmos-local-model"))
            .args(["--model", MODEL_FILE, "--port", "0"])
            .env("RAYON_NUM_THREADS", "1") // threads wait for each other, which is slow on a busy machine
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let address = line
            .trim()
            .strip_prefix("http://")
            .expect("run `make local-model`")
            .to_owned();
        Self {
            child,
            address,
            log,
            _guard: guard,
        }
    }

    fn send(&self, method: &str, path: &str, body: &str) -> (u16, Option<String>, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .body(body)
            .unwrap();
        let mut response = agent.run(request).unwrap();
        let retry = response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().to_owned());
        let body = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), retry, body)
    }

    fn post(&self, body: &Value) -> (u16, Value) {
        let (status, _, text) = self.send("POST", "/v1/chat/completions", &body.to_string());
        (status, serde_json::from_str(&text).unwrap())
    }

    fn complete(&self, body: &Value) -> Answer {
        let (status, answer) = self.post(body);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["object"], "chat.completion");
        let choice = &answer["choices"][0];
        assert_eq!(choice["message"]["role"], "assistant");
        Answer {
            text: choice["message"]["content"].as_str().unwrap().to_owned(),
            finish: choice["finish_reason"].as_str().unwrap().to_owned(),
            usage: answer["usage"].clone(),
        }
    }

    /// Checks the form of each event, and returns the answer.
    fn stream(&self, body: &Value) -> Answer {
        let mut body = body.clone();
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
        let (status, _, text) = self.send("POST", "/v1/chat/completions", &body.to_string());
        assert_eq!(status, 200, "{text}");
        let mut events: Vec<&str> = text
            .split_terminator("\n\n")
            .map(|event| event.strip_prefix("data: ").unwrap())
            .collect();
        assert_eq!(events.pop(), Some("[DONE]"));
        let mut chunks: Vec<Value> = events
            .iter()
            .map(|event| serde_json::from_str(event).unwrap())
            .collect();
        for chunk in &chunks {
            assert_eq!(chunk["object"], "chat.completion.chunk");
            assert_eq!(chunk["id"], chunks[0]["id"]);
            assert_eq!(chunk["model"], MODEL);
            assert!(chunk["created"].is_u64());
        }
        let usage = chunks.pop().unwrap();
        assert_eq!(usage["choices"], json!([]));
        let last = chunks.pop().unwrap();
        assert_eq!(last["choices"][0]["delta"], json!({}));
        assert_eq!(
            chunks[0]["choices"][0]["delta"],
            json!({"role": "assistant", "content": ""})
        );
        let mut answer = Answer {
            text: String::new(),
            finish: last["choices"][0]["finish_reason"]
                .as_str()
                .unwrap()
                .to_owned(),
            usage: usage["usage"].clone(),
        };
        for chunk in &chunks {
            assert_eq!(chunk["choices"][0]["finish_reason"], Value::Null);
            answer
                .text
                .push_str(chunk["choices"][0]["delta"]["content"].as_str().unwrap());
        }
        answer
    }

    /// Opens a connection and sends a request, without waiting for the response.
    fn open(&self, body: &Value) -> BufReader<TcpStream> {
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        BufReader::new(stream)
    }

    /// Returns the next line of the log, which describes one generation.
    fn next_log(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Answer {
    text: String,
    finish: String,
    usage: Value,
}

fn ask(question: &str) -> Value {
    json!({"model": MODEL, "temperature": 0, "messages": [{"role": "user", "content": question}]})
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn long() -> Value {
    with(
        ask("Write a long story about a sailor and the sea."),
        "max_tokens",
        json!(1500),
    )
}

/// Reads until an event with text was received.
fn wait_for_text(connection: &mut BufReader<TcpStream>) {
    for _ in 0..2 {
        let mut line = String::new();
        while !line.contains("\"content\"") {
            line.clear();
            assert_ne!(
                connection.read_line(&mut line).unwrap(),
                0,
                "the response ended"
            );
        }
    }
}

#[test]
fn question_is_answered() {
    let server = Server::start();
    let answer = server.complete(&ask(CAPITAL));
    assert!(answer.text.contains("Paris"), "{}", answer.text);
    assert_eq!(answer.finish, "stop");
}

#[test]
fn streamed_and_complete_answers_are_equal() {
    let server = Server::start();
    let requests = [
        ask("Tell me about the moon in three sentences."),
        json!({"temperature": 1.8, "top_p": 1, "seed": 5, "max_tokens": 60,
            "messages": [{"role": "user", "content": "Write in Chinese, Greek and emoji: 東京 αβγ 😀"}]}),
        json!({"max_tokens": 40, "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}),
    ];
    for request in requests {
        let complete = server.complete(&request);
        let streamed = server.stream(&request);
        assert_eq!(complete.text, streamed.text);
        assert_eq!(complete.finish, streamed.finish);
        assert_eq!(
            complete.usage["completion_tokens"],
            streamed.usage["completion_tokens"]
        );
        assert!(!complete.text.is_empty());
    }
}

#[test]
fn answer_is_independent_of_the_cached_prompt() {
    let server = Server::start();
    let mut conversation = ask("Tell me about the moon in three sentences.");
    let first = server.complete(&conversation);
    assert_eq!(first.usage["prompt_tokens_details"]["cached_tokens"], 0);
    let messages = conversation["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": first.text}));
    messages.push(json!({"role": "user", "content": "And about the sun?"}));
    let warm = server.complete(&conversation);
    assert!(
        warm.usage["prompt_tokens_details"]["cached_tokens"]
            .as_u64()
            .unwrap()
            > 0
    );
    drop(server);
    let cold = Server::start().complete(&conversation);
    assert_eq!(cold.usage["prompt_tokens_details"]["cached_tokens"], 0);
    assert_eq!(cold.text, warm.text);
}

#[test]
fn stop_sequence_ends_the_answer() {
    let server = Server::start();
    let question = ask("Count from one to ten in words.");
    let whole = server.complete(&question).text;
    let at = whole.len() / 2;
    let at = (at..).find(|at| whole.is_char_boundary(*at)).unwrap();
    let stop: String = whole[at..].chars().take(6).collect();
    let answer = server.stream(&with(question, "stop", json!(["never there", stop])));
    assert_eq!(answer.text, whole[..whole.find(&stop).unwrap()]);
    assert_eq!(answer.finish, "stop");
}

#[test]
fn max_tokens_ends_the_answer() {
    let server = Server::start();
    for name in ["max_tokens", "max_completion_tokens"] {
        let answer = server.stream(&with(long(), name, json!(3)));
        assert_eq!(answer.finish, "length");
        assert_eq!(answer.usage["completion_tokens"], 3);
        let (prompt, total) = (
            &answer.usage["prompt_tokens"],
            &answer.usage["total_tokens"],
        );
        assert_eq!(prompt.as_u64().unwrap() + 3, total.as_u64().unwrap());
    }
}

#[test]
fn closed_connection_ends_the_generation() {
    let mut server = Server::start();
    let mut streamed = server.open(&with(long(), "stream", json!(true)));
    wait_for_text(&mut streamed);
    drop(streamed);
    assert!(server.next_log().contains("finish=closed"));

    let complete = server.open(&long());
    std::thread::sleep(Duration::from_millis(300));
    drop(complete);
    assert!(server.next_log().contains("finish=closed"));

    // While the prompt is read.
    let words = "word ".repeat(1_900);
    let long_prompt = server.open(&ask(&words));
    std::thread::sleep(Duration::from_millis(300));
    drop(long_prompt);
    let log = server.next_log();
    assert!(
        log.contains("finish=closed") && log.contains("completion_tokens=0"),
        "{log}"
    );
    assert_eq!(server.complete(&ask(CAPITAL)).finish, "stop");
}

#[test]
fn full_queue_rejects_requests() {
    let server = Server::start();
    let body = with(long(), "stream", json!(true));
    let mut running = server.open(&body);
    wait_for_text(&mut running);
    let mut waiting: Vec<_> = (0..4).map(|_| server.open(&body)).collect();
    for connection in &mut waiting {
        let mut start = [0; 12];
        connection.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
    }
    let (status, retry, text) = server.send("POST", "/v1/chat/completions", &ask("Hi").to_string());
    assert_eq!((status, retry.as_deref()), (503, Some("5")), "{text}");
    assert!(text.contains("\"overloaded\""));
    // Requests whose clients are gone free their places.
    drop((running, waiting));
    let started = Instant::now();
    while server.post(&with(ask("Hi"), "max_tokens", json!(1))).0 == 503 {
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn invalid_requests_have_errors() {
    let server = Server::start();
    let chat = "/v1/chat/completions";
    let large = " ".repeat(1024 * 1024 + 1);
    let too_long = ask(&"word ".repeat(2_100)).to_string();
    for (method, path, body, status, code) in [
        ("POST", chat, "{", 400, "invalid_json"),
        ("POST", chat, r#"{"messages": []}"#, 422, "invalid_value"),
        (
            "POST",
            chat,
            r#"{"model": "other", "messages": []}"#,
            404,
            "model_not_found",
        ),
        ("POST", chat, &too_long, 400, "context_length_exceeded"),
        ("POST", chat, &large, 413, "request_too_large"),
        ("GET", chat, "", 405, "method_not_allowed"),
        ("GET", "/v1/embeddings", "", 404, "not_found"),
    ] {
        let (found, _, text) = server.send(method, path, body);
        assert_eq!(found, status, "{method} {path}: {text}");
        let error: Value = serde_json::from_str(&text).unwrap();
        let error = error["error"].as_object().unwrap();
        assert_eq!(error["code"], code);
        assert!(
            error["message"].is_string()
                && error["type"].is_string()
                && error.contains_key("param")
        );
    }
}

#[test]
fn health_and_models_name_the_model() {
    let server = Server::start();
    let (status, _, text) = server.send("GET", "/health", "");
    let health: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, health),
        (200, json!({"status": "ok", "model": MODEL}))
    );
    let (status, _, text) = server.send("GET", "/v1/models", "");
    let models: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &models["data"][0]["id"]), (200, &json!(MODEL)));
}
