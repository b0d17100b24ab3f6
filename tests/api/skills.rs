//! `/api/skills`, on a real Redis and a Blob store.

#[path = "skills/documents.rs"]
mod documents;
#[path = "skills/listing.rs"]
mod listing;
#[path = "skills/usage.rs"]
mod usage;
one_redis! {
#[path = "skills/fallback.rs"]
mod fallback;
#[path = "skills/faults.rs"]
mod faults;
#[path = "skills/hostile.rs"]
mod hostile;
}

use serde_json::{Value, json};

/// The Blob prefix of the skills of the default user volume.
const USER: &str = "volumes/user/default/skills/";
/// The Blob prefix of the skills of the system volume.
const SYSTEM: &str = "volumes/system/system/skills/";

/// Returns the body of a request that creates a skill.
fn new_skill(name: &str) -> Value {
    json!({"name": name, "description": "Greets", "code": "print('hi')\n", "language": "python", "tags": ["a", "b"]})
}

/// Returns a skill document in the format of other programs.
fn document(name: &str) -> String {
    format!("---\nname: {name}\ndescription: About {name}\ntags: [t]\n---\n# {name}\n")
}

/// Returns the ids of a list in order.
fn ids(list: &Value) -> Vec<String> {
    let skills = list["skills"].as_array().unwrap().iter();
    let id = |skill: &Value| skill["id"].as_str().unwrap().to_owned();
    skills.map(id).collect()
}

/// Removes the document from a skill.
fn without_content(mut skill: Value) -> Value {
    let content = skill.as_object_mut().unwrap().remove("content");
    assert!(content.is_some_and(|content| content.is_string()));
    skill
}
