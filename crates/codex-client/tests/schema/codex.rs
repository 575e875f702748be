//! The schema of the pinned Codex.

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::process::Launch;
use testkit::tools;

/// The whole schema: `definitions`, and those of the current protocol under `definitions.v2`.
pub(crate) fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(generate())
    })
}

async fn generate() -> Value {
    let home = CodexHome::new("http://127.0.0.1:9/v1");
    let out = home.root().join("schema");
    let arguments = ["app-server", "generate-json-schema", "--experimental", "--out"];
    Launch::new(tools::codex(), home.workspace())
        .arguments(arguments)
        .arguments([&out])
        .environment(home.environment())
        .run(Duration::from_secs(30))
        .await
        .success();
    let text = fs::read_to_string(out.join("codex_app_server_protocol.schemas.json"));
    serde_json::from_str(&text.expect("Codex wrote its schema")).expect("a schema is JSON")
}

/// Where a definition is, in the current protocol if it is there.
pub(crate) fn reference(name: &str) -> String {
    let definitions = &schema()["definitions"];
    if definitions["v2"].get(name).is_some() {
        return format!("#/definitions/v2/{name}");
    }
    assert!(definitions.get(name).is_some(), "Codex has no {name} any more");
    format!("#/definitions/{name}")
}

/// What a reference leads to.
pub(crate) fn resolve(reference: &str) -> &'static Value {
    let pointer = reference.strip_prefix('#').expect("references are local");
    schema().pointer(pointer).unwrap_or_else(|| panic!("nothing at {reference}"))
}

/// Which definition holds the params of a method, by the union that lists it.
pub(crate) fn params_of(union: &str, method: &str) -> &'static Value {
    let variants = resolve(&reference(union))["oneOf"].as_array().expect("a union of methods");
    let variant = variants
        .iter()
        .find(|variant| variant["properties"]["method"]["enum"][0] == method)
        .unwrap_or_else(|| panic!("{union} has no {method} any more"));
    &variant["properties"]["params"]
}

/// Fails unless `value` is valid by `part`, and has no field that the schema does not name.
pub(crate) fn validate(part: &Value, value: &Value) {
    static STRICT: OnceLock<Value> = OnceLock::new();
    let definitions = STRICT.get_or_init(|| {
        let mut definitions = schema()["definitions"].clone();
        forbid_unknown_fields(&mut definitions);
        definitions
    });
    let mut root = json!({ "definitions": definitions });
    root["allOf"] = json!([part]);
    let validator = jsonschema::draft7::new(&root).expect("a valid schema");
    let errors: Vec<_> = validator
        .iter_errors(value)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{value} is not {part}: {errors:#?}");
}

fn forbid_unknown_fields(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let has_properties = fields.get("properties").is_some_and(Value::is_object);
            let unions = ["oneOf", "anyOf", "allOf"];
            // Where an object is put together from several parts, no part knows all fields.
            let composed = has_properties && unions.iter().any(|key| fields.contains_key(*key));
            if has_properties && !composed {
                fields.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            for (name, part) in fields.iter_mut() {
                if !(composed && unions.contains(&name.as_str())) {
                    forbid_unknown_fields(part);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(forbid_unknown_fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}
