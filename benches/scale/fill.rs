//! Writes data directly into Redis, in the form of the service, because a million requests take too long.

use redis::{Connection, Pipeline};
use serde_json::Value;

use crate::support::{Client, Redis};

/// The number of sessions or messages per pipeline.
const BATCH: usize = 5_000;
const SCOPES: [&str; 2] = ["all", "user:default"];

/// Fills a Redis with copies of a session that the service created.
pub struct Filler {
    connection: Connection,
    document: String,
    message: String,
    id: String,
    micros: i64,
}

impl Filler {
    /// Reads the document and the first message of a session.
    pub fn new(redis: &Redis, id: &str) -> Self {
        let connection = redis::Client::open(redis.url())
            .and_then(|client| client.get_connection())
            .unwrap();
        let key = format!("session:{id}");
        Self {
            connection,
            document: redis.command(&["GET", &key]),
            message: redis.command(&["LINDEX", &format!("{key}:messages"), "0"]),
            id: id.to_owned(),
            micros: redis.command(&["ZSCORE", "llmos:recent:all:active", id]),
        }
    }

    /// Writes copies of the message without its id, as the Python version wrote messages: their ids tell their places.
    pub fn without_ids(mut self) -> Self {
        let (_, rest) = self.message.split_once(',').unwrap();
        self.message = format!("{{{rest}");
        self
    }

    /// Returns the activity time of the copied session; the copies are a millisecond apart before it.
    pub fn micros(&self) -> i64 {
        self.micros
    }

    /// Writes the copies with these numbers, each with its first message.
    pub fn sessions(&mut self, numbers: std::ops::Range<usize>) {
        for from in numbers.clone().step_by(BATCH) {
            let mut pipeline = redis::pipe();
            let to = numbers.end.min(from + BATCH);
            for number in from..to {
                self.session(&mut pipeline, number);
            }
            for scope in SCOPES {
                let indexed = format!("llmos:indexed:{scope}");
                let _ = pipeline.incr(indexed, to - from).ignore();
            }
            pipeline.exec(&mut self.connection).unwrap();
        }
    }

    /// Returns the document of a copy; every tenth copy has a tag.
    fn document_of(&self, id: &str, is_tagged: bool) -> String {
        let document = self.document.replace(&self.id, id);
        match is_tagged {
            true => document.replacen('{', r#"{"tags":["tenth"],"#, 1),
            false => document,
        }
    }

    fn session(&self, pipeline: &mut Pipeline, number: usize) {
        let id = format!("{}_{number:07}", self.id);
        let key = format!("session:{id}");
        let micros = self.micros - 1_000 * i64::try_from(number).unwrap();
        let _ = pipeline
            .set(&key, self.document_of(&id, number.is_multiple_of(10)))
            .ignore()
            .rpush(format!("{key}:messages"), &self.message)
            .ignore();
        for scope in SCOPES {
            let _ = pipeline
                .sadd(format!("{scope}:sessions"), &id)
                .ignore()
                .zadd(format!("llmos:recent:{scope}:active"), &id, micros)
                .ignore();
        }
    }

    /// Appends copies of the first message to the session.
    pub fn messages(&mut self, count: usize) {
        let key = format!("session:{}:messages", self.id);
        for from in (0..count).step_by(BATCH) {
            let copies = vec![&self.message; BATCH.min(count - from)];
            redis::cmd("RPUSH")
                .arg(&key)
                .arg(copies)
                .exec(&mut self.connection)
                .unwrap();
        }
    }

    /// Returns the memory that Redis uses for its data, in bytes.
    pub fn memory(&mut self) -> u64 {
        let info: redis::InfoDict = redis::cmd("INFO")
            .arg("memory")
            .query(&mut self.connection)
            .unwrap();
        info.get("used_memory_dataset").unwrap()
    }
}

/// Creates a session with a first message of 200 characters and returns its id.
pub async fn create(api: &Client) -> String {
    let session = serde_json::json!({
        "name": "measured", "volume": "user", "initial_message": "x".repeat(200)
    });
    let created: Value = api
        .post("/api/sessions", &session)
        .await
        .assert_status(201)
        .json();
    created["id"].as_str().unwrap().to_owned()
}
