//! The Lua scripts by themselves, in a real Redis: syntax of every file, and tables of the rate limit's arithmetic
//! and of the page's limits.

use std::fs;
use std::path::{Path, PathBuf};

use redis::Value;

use crate::support::{Redis, SharedRedis};

/// `charge_rate_limit`, which charges the rate limit of the caller.
const RATE_LIMIT: &str = include_str!("../../src/store/scripts/charge_rate_limit.lua");
/// The part of the list that reads a page.
const PAGE: &str = include_str!("../../src/store/scripts/page.lua");

#[tokio::test]
async fn every_script_file_compiles() {
    let redis = Redis::start().await;
    let files = lua_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/scripts"));
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        // SCRIPT LOAD compiles without running; a function allows a `return` at the end.
        let text = format!("local function check()\n{text}\nend");
        let loaded = redis.try_command::<String>(&["SCRIPT", "LOAD", &text]);
        assert!(loaded.is_ok(), "{}: {loaded:?}", file.display());
    }
}

fn lua_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(lua_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "lua") {
            files.push(path);
        }
    }
    files
}

/// The reply of `charge_rate_limit`.
#[derive(Debug, PartialEq)]
enum Reply {
    Uncounted,
    Allowed { remaining: i64, reset: i64 },
    Limited { wait: i64 },
}

impl Reply {
    fn parse(reply: &Value) -> Self {
        let Value::Array(parts) = reply else {
            assert_eq!(*reply, Value::Nil);
            return Self::Uncounted;
        };
        let numbers: Vec<i64> = parts[1..].iter().map(integer).collect();
        match (&parts[0], &numbers[..]) {
            (Value::BulkString(word), &[remaining, reset]) if word == b"allowed" => {
                Self::Allowed { remaining, reset }
            }
            (Value::BulkString(word), &[wait]) if word == b"limited" => Self::Limited { wait },
            other => panic!("{other:?}"),
        }
    }
}

fn integer(value: &Value) -> i64 {
    redis::from_redis_value(value.clone()).unwrap()
}

/// Calls `charge_rate_limit` at this time (none: Redis forbids `TIME`) with a limit of `burst` requests, one of which
/// refills per `interval` microseconds.
fn count_request(redis: &SharedRedis, key: &str, now: Option<i64>, limit: (i64, i64)) -> Reply {
    count_and_read(redis, key, now, limit).0
}

/// The same, with the stored time, and the expiry in milliseconds that it was stored with (-1: nothing was stored).
fn count_and_read(
    redis: &SharedRedis,
    key: &str,
    now: Option<i64>,
    limit: (i64, i64),
) -> (Reply, Option<String>, i64) {
    let script = format!(
        "local rate_limit_key, interval, burst, repeated = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'\n\
         local function clock() return tonumber(ARGV[1]) end\n\
         local expiry, redis = -1, redis\n\
         local function pcall(name, ...)\n\
           if name == 'SET' then expiry = select(4, ...) end\n\
           return redis.pcall(name, ...)\n\
         end\n\
         local function charge()\n\
           local redis = {{pcall = pcall}}\n{RATE_LIMIT}\n\
           return charge_rate_limit()\n\
         end\n\
         return {{charge(), redis.call('GET', KEYS[1]), expiry}}"
    );
    let now = now.map_or_else(String::new, |now| now.to_string());
    let (interval, burst) = (limit.0.to_string(), limit.1.to_string());
    let call = ["EVAL", &script, "1", key, &now, &interval, &burst];
    let (reply, stored, expiry): (Value, Option<String>, i64) = redis.command(&call);
    (Reply::parse(&reply), stored, expiry)
}

#[tokio::test]
async fn rate_limit_arithmetic_follows_the_table() {
    const NOW: i64 = 1_700_000_000_000_000;
    /// Five requests, one of which refills every 100 ms.
    const LIMIT: (i64, i64) = (100_000, 5);
    let allowed = |remaining, reset| Reply::Allowed { remaining, reset };
    let at = |offset: i64| (NOW + offset).to_string();
    let redis = SharedRedis::get().await;
    for (number, (stored, expected, offset)) in [
        // The stored time, the reply, and the offset of the new time.
        (None, allowed(4, 100_000), 100_000),
        (Some(at(-1)), allowed(4, 100_000), 100_000),
        (Some(at(0)), allowed(4, 100_000), 100_000),
        (Some(at(1)), allowed(3, 100_001), 100_001),
        (Some(at(100_000)), allowed(3, 200_000), 200_000),
        (Some(at(399_999)), allowed(0, 499_999), 499_999),
        (Some(at(400_000)), allowed(0, 500_000), 500_000),
        // One microsecond over the limit, and the most that requests of this limit can store.
        (Some(at(400_001)), Reply::Limited { wait: 1 }, 400_001),
        (Some(at(500_000)), Reply::Limited { wait: 100_000 }, 500_000),
        // A higher limit stored this time; it is reduced to the maximum of this limit.
        (Some(at(500_001)), allowed(0, 500_000), 500_000),
        (Some(at(60_000_000)), allowed(0, 500_000), 500_000),
        // A malformed value is ignored.
        (Some("garbage".to_owned()), allowed(4, 100_000), 100_000),
        (Some("-1".to_owned()), allowed(4, 100_000), 100_000),
        (Some("1.5".to_owned()), allowed(4, 100_000), 100_000),
        (Some(String::new()), allowed(4, 100_000), 100_000),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("test:rate-limit:{number}");
        if let Some(stored) = &stored {
            redis.command::<()>(&["SET", &key, stored]);
        }
        let (reply, next, expiry) = count_and_read(&redis, &key, Some(NOW), LIMIT);
        assert_eq!(reply, expected, "{stored:?}");
        assert_eq!(next, Some(at(offset)), "{stored:?}");
        let expected_expiry = match expected {
            Reply::Allowed { reset, .. } => (reset + 999) / 1000,
            // A rejected request writes nothing.
            _ => -1,
        };
        assert_eq!(expiry, expected_expiry, "{stored:?}");
    }
}

#[tokio::test]
async fn rate_limit_of_one_request_alternates_between_allowed_and_limited() {
    let redis = SharedRedis::get().await;
    let key = "test:rate-limit:one";
    let count = |now| count_request(&redis, key, Some(now), (60_000_000, 1));
    let allowed = || Reply::Allowed {
        remaining: 0,
        reset: 60_000_000,
    };
    assert_eq!(count(1_000_000), allowed());
    assert_eq!(count(1_000_000), Reply::Limited { wait: 60_000_000 });
    assert_eq!(count(60_999_999), Reply::Limited { wait: 1 });
    assert_eq!(count(61_000_000), allowed());
}

#[tokio::test]
async fn request_without_a_key_or_a_clock_is_not_counted() {
    let redis = SharedRedis::get().await;
    let limit = (1000, 1);
    assert_eq!(count_request(&redis, "", Some(1), limit), Reply::Uncounted);
    let key = "test:rate-limit:clock";
    assert_eq!(count_request(&redis, key, None, limit), Reply::Uncounted);
    assert!(!redis.command::<bool>(&["EXISTS", key]));
}

#[tokio::test]
async fn rate_limit_key_of_another_type_is_replaced() {
    let redis = SharedRedis::get().await;
    let key = "test:rate-limit:list";
    redis.command::<()>(&["RPUSH", key, "x"]);
    let (reply, stored, _) = count_and_read(&redis, key, Some(5_000_000), (1_000_000, 2));
    let expected = Reply::Allowed {
        remaining: 1,
        reset: 1_000_000,
    };
    assert_eq!(reply, expected);
    assert_eq!(stored.as_deref(), Some("6000000"));
}

/// Reads a page of the sessions in the sorted set `index`, whose documents are the values of `{index}:{id}`; returns
/// the cursor's id and the ids on the page.
fn read_page(
    redis: &SharedRedis,
    index: &str,
    limit: usize,
    bytes: usize,
) -> (String, Vec<String>) {
    let script = format!(
        "local limit, max_bytes, scopes, with_system = tonumber(ARGV[1]), tonumber(ARGV[2]), {{}}, '0'\n\
         local source_name, with_total = 'recent', false\n\
         local function document_key(id) return KEYS[1] .. ':' .. id end\n\
         local function messages_key(id) return document_key(id) .. ':messages' end\n\
         local function listed_count(_, _, last_seq) return last_seq end\n\
         local function peek_document(key) return redis.call('GET', key) or nil end\n\
         local function candidates_after_cursor()\n\
           local candidates = {{}}\n\
           for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, limit)) do\n\
             candidates[#candidates + 1] = {{id = id, key = KEYS[1], micros = 7}}\n\
           end\n\
           return candidates\n\
         end\n{PAGE}"
    );
    let (limit, bytes) = (limit.to_string(), bytes.to_string());
    type Session = (String, String, i64, i64, i64);
    let (word, _, cursor, sessions): (String, i64, String, Vec<Session>) =
        redis.command(&["EVAL", &script, "1", index, &limit, &bytes]);
    assert_eq!(word, "page");
    (cursor, sessions.into_iter().map(|it| it.0).collect())
}

#[tokio::test]
async fn page_ends_at_its_limits_and_skips_deleted_sessions() {
    let redis = SharedRedis::get().await;
    for (number, (sizes, limit, bytes, cursor, expected)) in [
        // The size of each document, latest first; 0 for one that was deleted.
        (&[][..], 2, 100, "", &[][..]),
        (&[10, 10], 2, 100, "", &["s0", "s1"]),
        (&[10, 10, 10], 2, 100, "s1", &["s0", "s1"]),
        (&[50, 50, 10], 3, 100, "s1", &["s0", "s1"]),
        (&[50, 51, 10], 3, 100, "s0", &["s0"]),
        // The first document is on the page whatever its size.
        (&[500, 10], 2, 100, "s0", &["s0"]),
        (&[500], 2, 100, "", &["s0"]),
        (&[0, 10, 10, 10], 2, 100, "s2", &["s1", "s2"]),
        (&[0, 0, 0], 2, 100, "", &[]),
        (&[10, 0, 0, 0, 10], 2, 100, "", &["s0", "s4"]),
    ]
    .into_iter()
    .enumerate()
    {
        let index = format!("test:page:{number}");
        for (place, size) in sizes.iter().enumerate() {
            let (id, score) = (format!("s{place}"), (100 - place).to_string());
            redis.command::<()>(&["ZADD", &index, &score, &id]);
            if *size > 0 {
                redis.command::<()>(&["SET", &format!("{index}:{id}"), &"x".repeat(*size)]);
            }
        }
        let page = read_page(&redis, &index, limit, bytes);
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(page, (cursor.to_owned(), expected), "{sizes:?}");
        // Deleted sessions leave the index with the page that finds them.
        let indexed: Vec<String> = redis.command(&["ZRANGE", &index, "0", "-1"]);
        let deleted = |id: &String| sizes[id[1..].parse::<usize>().unwrap()] == 0;
        assert!(!indexed.iter().any(deleted), "{indexed:?}");
    }
}
