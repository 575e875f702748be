//! Makes values of a schema: one for each variant of its outermost union.

use serde_json::{Map, Value, json};

use crate::codex::resolve;

/// Which fields a sample has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fields {
    All,
    Required,
}

/// One value for each variant of a definition, or one if it has no variants.
pub(crate) fn samples(schema: &'static Value, fields: Fields) -> Vec<Value> {
    let schema = follow(schema);
    let mut open = Vec::new();
    match union(schema) {
        Some(variants) => variants
            .iter()
            .map(|variant| merge(schema, build(variant, fields, &mut open), fields, &mut open))
            .collect(),
        None => vec![build(schema, fields, &mut open)],
    }
}

/// The strings that a definition allows.
pub(crate) fn strings(schema: &'static Value) -> Vec<&'static str> {
    let schema = follow(schema);
    let parts = union(schema).map_or(std::slice::from_ref(schema), Vec::as_slice);
    let values = parts.iter().filter_map(|part| part["enum"].as_array());
    values.flatten().filter_map(Value::as_str).collect()
}

fn follow(schema: &'static Value) -> &'static Value {
    match (schema["$ref"].as_str(), schema["allOf"].as_array()) {
        (Some(reference), _) => follow(resolve(reference)),
        (None, Some(parts)) if parts.len() == 1 => follow(&parts[0]),
        (None, _) => schema,
    }
}

fn union(schema: &'static Value) -> Option<&'static Vec<Value>> {
    ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array())
}

/// `open` holds the definitions that are being built: a schema may contain itself.
fn build(schema: &'static Value, fields: Fields, open: &mut Vec<*const Value>) -> Value {
    let schema = follow(schema);
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    let address: *const Value = schema;
    if open.contains(&address) {
        return Value::Null;
    }
    open.push(address);
    let value = match union(schema) {
        Some(variants) => {
            let first = variants.iter().find(|variant| variant["type"] != "null");
            let variant = build(first.unwrap_or(&variants[0]), fields, open);
            merge(schema, variant, fields, open)
        }
        None => by_type(schema, fields, open),
    };
    open.pop();
    value
}

/// Adds the fields that all variants of a union have.
fn merge(
    schema: &'static Value,
    variant: Value,
    fields: Fields,
    open: &mut Vec<*const Value>,
) -> Value {
    match variant {
        Value::Object(mut variant) => {
            variant.extend(object(schema, fields, open));
            Value::Object(variant)
        }
        plain @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => plain,
    }
}

fn by_type(schema: &'static Value, fields: Fields, open: &mut Vec<*const Value>) -> Value {
    let kind = match &schema["type"] {
        Value::Array(kinds) => &kinds[0],
        kind => kind,
    };
    match kind.as_str() {
        Some("string") => json!("text"),
        Some("integer") => json!(7),
        Some("number") => json!(0.5),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") => match build(&schema["items"], fields, open) {
            Value::Null => json!([]),
            item => json!([item]),
        },
        Some(_) | None => Value::Object(object(schema, fields, open)),
    }
}

fn object(
    schema: &'static Value,
    fields: Fields,
    open: &mut Vec<*const Value>,
) -> Map<String, Value> {
    let required = |name: &str| {
        let names = schema["required"].as_array();
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    let mut value = Map::new();
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        if fields == Fields::All || required(name) {
            value.insert(name.clone(), build(part, fields, open));
        }
    }
    if let (Fields::All, rest @ Value::Object(_)) = (fields, &schema["additionalProperties"]) {
        value.insert("key".to_owned(), build(rest, fields, open));
    }
    value
}
