//! The typed Redis client: commands with JSON values.

use std::time::Duration;

use llmos::store::Store;
use serde::{Deserialize, Serialize};

use crate::support::Redis;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    text: String,
    numbers: Vec<f64>,
    next: Option<Box<Self>>,
}

fn note(text: &str) -> Note {
    Note {
        text: text.to_owned(),
        numbers: vec![1.0, -2.5],
        next: None,
    }
}

#[tokio::test]
async fn values_round_trip_through_json() {
    let redis = Redis::start().await;
    let store = Store::new(Some(redis.url()), None);
    let client = store.client().unwrap();

    client
        .set("value", &note("ä\n\"").next, None)
        .await
        .unwrap();
    client.set("value", &note("ä\n\""), None).await.unwrap();
    assert_eq!(client.get("value").await.unwrap(), Some(note("ä\n\"")));
    assert!(client.delete("value").await.unwrap());
    assert!(!client.delete("value").await.unwrap());
    assert_eq!(client.get::<Note>("value").await.unwrap(), None);

    assert!(client.sadd("set", &note("a")).await.unwrap());
    assert!(!client.sadd("set", &note("a")).await.unwrap());
    assert_eq!(client.smembers::<Note>("set").await.unwrap(), [note("a")]);
    assert!(client.srem("set", &note("a")).await.unwrap());
    assert!(!client.srem("set", &note("a")).await.unwrap());

    assert_eq!(client.rpush("list", &note("a")).await.unwrap(), 1);
    assert_eq!(client.rpush("list", &note("b")).await.unwrap(), 2);
    assert_eq!(client.llen("list").await.unwrap(), 2);
    assert_eq!(
        client.lrange::<Note>("list", -1, -1).await.unwrap(),
        [note("b")]
    );
    assert_eq!(
        client.lrange::<Note>("list", 0, -1).await.unwrap(),
        [note("a"), note("b")]
    );
}

#[tokio::test]
async fn value_expires_after_its_ttl() {
    let redis = Redis::start().await;
    let store = Store::new(Some(redis.url()), None);
    let client = store.client().unwrap();

    client
        .set("key", &1, Some(Duration::from_secs(100)))
        .await
        .unwrap();
    let left: u64 = redis.command(&["PTTL", "key"]);
    assert!((90_000..=100_000).contains(&left));
    client.set("key", &1, None).await.unwrap();
    assert_eq!(redis.command::<i64>(&["PTTL", "key"]), -1);
}

#[tokio::test]
async fn malformed_json_or_another_type_is_an_error() {
    let redis = Redis::start().await;
    let store = Store::new(Some(redis.url()), None);
    let client = store.client().unwrap();

    redis.command::<()>(&["SET", "text", "not json"]);
    assert!(matches!(
        client.get::<Note>("text").await,
        Err(llmos::store::Error::Unreadable(_))
    ));
    assert!(matches!(
        client.llen("text").await,
        Err(llmos::store::Error::Unreadable(_))
    ));
}
