//! Exported skills in third-party readers: the validator of the Agent Skills specification
//! (`skills-ref`) and its YAML reader.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use llmos::skill::{NewSkill, Skill, SkillId, SkillPatch, export};
use serde_json::{Value, json};

/// Texts that would break out of a field without quoting.
const HOSTILE: [&str; 22] = [
    "a: b",
    "# a",
    "a # b",
    "---",
    "a --- b",
    "-----",
    "...",
    "\"",
    "'",
    "\\",
    "{{a}}",
    "[a",
    "&a *a",
    "!!binary",
    "%YAML 1.1",
    "true",
    "1.10",
    "2020-01-01",
    "x\u{2028}\u{202e}\u{feff}\u{e0041}",
    "日本 😀 👩‍💻",
    "`````",
    "e\u{301}",
];

const KNOWLEDGE: &str = "---\nname: Tax rules\ncategory: finance\ndescription: What is taxed\nkeywords: [tax, 'VAT', 19%]\n---\n# Tax\n\n---\n";
const NODE: &str = "---\nskill_id: fetch-url\nname: Fetch URL\ndescription: |\n  Fetches\n  a page\ntype: executable\nexecution_mode: async\ncategory: net\ntags:\n- http\nversion: 1.10\nauthor: Jo\nestimated_time_ms: 100\nmemory_mb: 64\ninputs:\n- {name: url, type: string, description: 'a: b', default: ~, required: true}\noutputs:\n- name: body\n  type: string\n---\n\n## Code\n\n```python\n1\n```\n";

#[test]
fn exported_skills_pass_the_official_validator() {
    let documents = [
        ("tax-rules", KNOWLEDGE.to_owned()),
        ("fetch-url", NODE.to_owned()),
        ("hello-world", document("Hello World", "Says hello", &["a", "b c"])),
        ("Old_Id größe", "no front matter --- at all".to_owned()),
        ("broken", "---\nname: [\n---\ntext".to_owned()),
        ("crlf", KNOWLEDGE.replace('\n', "\r\n")),
        ("long", document("Long", &"é\n".repeat(2000), &[])),
        ("blank", document("x", " \n\u{a0}\u{2003}", &[])),
        ("odd-keys", format!("---\n'': a\n'a: b': c\n[x, y]: z\n? {}\n: 1\n---: 2\ntrue: 3\nmetadata: [1]\nlicense: {{a: b}}\ncompatibility: {}\n---\n", "k".repeat(900), "c".repeat(501))),
        ("known-keys", "---\nname: A\ndescription: d\nlicense: 'MIT: yes'\ncompatibility: 3.11\nallowed-tools: Bash(git:*) Read\nmetadata: {a: 1, b: {c: d}}\na: 2\n---\n".to_owned()),
    ];
    let hostile = HOSTILE.iter().enumerate().map(|(index, text)| {
        let extras = json!({"category": text, "author": text, "inputs": [{text.to_owned(): text}]});
        let change: SkillPatch = serde_json::from_value(extras).unwrap();
        let document = change.apply(&document(text, text, &[text])).unwrap();
        (format!("hostile-{index}"), document)
    });
    let documents: Vec<(SkillId, String)> = documents
        .map(|(id, document)| (id.to_owned(), document))
        .into_iter()
        .chain(hostile)
        .map(|(id, document)| (SkillId::parse(&id).unwrap(), document))
        .collect();

    let exported: BTreeMap<String, String> = documents
        .iter()
        .map(|(id, document)| (folder(id), export(document, id)))
        .collect();
    let answer = validate(&json!({"skills": exported, "yaml": []}));

    for (id, document) in &documents {
        let result = &answer["skills"][&folder(id)];
        assert_eq!(
            result["errors"],
            json!([]),
            "{id}:\n{}",
            exported[&folder(id)]
        );
        let properties = &result["properties"];
        assert_eq!(properties["name"], folder(id));
        check_kept(&Skill::read(document, id), properties);
        // The exported front matter never contains three hyphens.
        let body = exported[&folder(id)].splitn(3, "---\n").nth(2).unwrap();
        let is_empty = document.ends_with("---\n") && !document.contains("# Tax");
        assert!(
            document.ends_with(body) && body.is_empty() == is_empty,
            "{id}"
        );
    }
    let known = &answer["skills"]["known-keys"]["properties"];
    assert_eq!(known["license"], "MIT: yes");
    assert_eq!(known["compatibility"], "3.11");
    assert_eq!(known["allowed-tools"], "Bash(git:*) Read");
    assert_eq!(
        known["metadata"],
        json!({"name": "A", "a": "1", "b": "{\"c\":\"d\"}", "a_": "2"})
    );
}

/// Checks that the exported properties match the skill.
fn check_kept(skill: &Skill, properties: &Value) {
    let metadata = &properties["metadata"];
    if !skill.description.trim().is_empty() {
        let given = metadata["description"]
            .as_str()
            .or(properties["description"].as_str());
        // The validator trims the description but not the metadata.
        assert_eq!(given.map(str::trim), Some(skill.description.trim()));
    }
    let texts = [
        ("category", &skill.category),
        ("version", &skill.version),
        ("author", &skill.author),
    ];
    for (key, text) in texts {
        assert_eq!(metadata[key].as_str(), text.as_deref(), "{key}");
    }
    if !skill.tags.is_empty() {
        assert_eq!(
            metadata["tags"],
            serde_json::to_string(&skill.tags).unwrap()
        );
    }
    if skill.inputs.get() != "[]" {
        assert_eq!(metadata["inputs"], skill.inputs.get());
    }
}

#[test]
fn written_yaml_is_the_same_in_yaml_1_1_and_1_2() {
    let front_matters: Vec<String> = HOSTILE
        .iter()
        .map(|text| {
            let document = document(text, text, &[text, "x"]);
            let front_matter = document.split("---").nth(1).unwrap();
            front_matter.to_owned()
        })
        .collect();

    let answer = validate(&json!({"skills": {}, "yaml": front_matters}));

    for (text, values) in HOSTILE.iter().zip(answer["yaml"].as_array().unwrap()) {
        let expected =
            json!({"name": text, "description": text, "language": "1.10", "tags": [text, "x"]});
        assert_eq!(values["1.1"], expected);
        assert_eq!(values["1.2"], expected);
    }
}

#[test]
fn scalars_are_read_like_strictyaml_reads_them() {
    let scalars = [
        "5",
        "007",
        "+5",
        "-0",
        "0x1F",
        "0o17",
        "1.50",
        ".5",
        "5.",
        "-.5e+3",
        "1e5",
        "1E-2",
        "true",
        "True",
        "FALSE",
        "yes",
        "off",
        "~",
        "null",
        "NULL",
        "nil",
        "",
        "12:30:45",
        "a b",
        "a\n    b",
        "'5'",
        "\"\\u00e9\\n\"",
        "!!str 5",
        "'it''s'",
        "|-\n    a\n    b",
        ">-\n    a\n    b\n\n    c",
        "[a, [b], {c: d}]",
        "{a: 1, b: [true, ~]}",
        "x#y",
        "a:b",
        "1.2.3",
        "1e",
        "'a\n\n    b'",
        "\"a\\\n    b\"",
        "\u{e9}\u{1f600}",
        "[]",
        "{}",
        "[a, ]",
        "{a: }",
        "18446744073709551616",
    ];
    let inputs: Vec<String> = scalars
        .iter()
        .map(|scalar| format!("inputs:\n- v: {scalar}\n"))
        .collect();

    let answer = validate(&json!({"skills": {}, "yaml": inputs}));

    for (input, values) in inputs.iter().zip(answer["yaml"].as_array().unwrap()) {
        let id = SkillId::parse("x").unwrap();
        let skill = Skill::read(&format!("---\nname: x\ndescription: y\n{input}---\n"), &id);
        assert_eq!(skill.warnings, [""; 0], "{input}");
        let ours: Value = serde_json::from_str(skill.inputs.get()).unwrap();
        assert_eq!(ours, values["1.2"]["inputs"], "{input}");
    }
}

fn document(name: &str, description: &str, tags: &[&str]) -> String {
    let skill = json!({"name": name, "description": description, "code": "---\n```", "language": "1.10", "tags": tags});
    let skill: NewSkill = serde_json::from_value(skill).unwrap();
    skill.into_document().unwrap()
}

/// Returns the folder name of an exported skill.
fn folder(id: &SkillId) -> String {
    if id.is_strict() {
        id.to_string()
    } else {
        SkillId::from_name(id.as_str()).to_string()
    }
}

fn validate(request: &Value) -> Value {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let python = tests.join(".venv/bin/python");
    assert!(
        python.exists(),
        "the validator of Agent Skills is not installed: run `make setup`"
    );
    let mut process = Command::new(python)
        .args(["-X", "utf8"])
        .arg(tests.join("e2e/agent_skills/validate.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(request.to_string().as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "the validator failed: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}
