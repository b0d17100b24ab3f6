//! Data in the format of the Python version.

use super::Redis;

/// Writes a session as the Python version did: blanks after `:` and `,`, and no keys of this service.
pub fn write_python_session(redis: &Redis, id: &str, minute: usize) {
    let time = format!("2025-12-14T10:{minute:02}:00.123456Z");
    let document = format!(
        r#"{{"id": "{id}", "name": "My Name", "volume": "user", "volume_id": "default", "status": "active", "messages": [{{"role": "user", "content": "stale"}}], "traces_count": 2, "created_at": "2025-12-14T10:00:00.123456Z", "updated_at": "{time}", "metadata": {{"z": 1.0, "a": 9007199254740993}}, "custom": {{"kept": [1.50, null]}}}}"#
    );
    redis.command::<()>(&["SET", &format!("session:{id}"), &document]);
    redis.command::<()>(&["SADD", "all:sessions", id]);
    redis.command::<()>(&["SADD", "user:default:sessions", id]);
    for content in ["first", "second"] {
        let message = format!(
            r#"{{"role": "user", "content": "{content}", "timestamp": "2025-12-14T10:00:00Z", "traces": null, "artifacts": null}}"#
        );
        redis.command::<()>(&["RPUSH", &format!("session:{id}:messages"), &message]);
    }
}
