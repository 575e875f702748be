//! JSON schemas of arguments and results, in the plain form that every client understands.
//!
//! The derived schema says of an optional value that it may be null, and repeats Rust's number formats. Clients
//! flatten or reject such unions, so they are taken out: an absent value is simply absent.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Value, json};

use crate::error::ErrorResult;

/// The schema of a tool's arguments.
pub(super) fn of_arguments<T: JsonSchema>() -> Arc<JsonObject> {
    plain::<T>(Contract::Deserialize)
}

/// The schema of a tool's result: what `T` says, or an error. Some clients check errors against it as well.
pub(super) fn of_result<T: JsonSchema>() -> Arc<JsonObject> {
    let mut schema = Arc::unwrap_or_clone(plain::<T>(Contract::Serialize));
    if let Some(required) = schema.remove("required") {
        schema.insert(
            "anyOf".to_owned(),
            json!([{ "required": required }, { "required": ["error"] }]),
        );
    }
    let error = Value::Object(Arc::unwrap_or_clone(plain::<ErrorResult>(Contract::Serialize)));
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.entry("error").or_insert(error);
    }
    Arc::new(schema)
}

fn plain<T: JsonSchema>(contract: Contract) -> Arc<JsonObject> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.contract = contract;
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut value = schema.to_value();
    simplify(&mut value);
    let Value::Object(mut object) = value else {
        return Arc::default();
    };
    object.remove("title");
    object.remove("description");
    // Older names of arguments are accepted and not listed, so a client must not refuse them; the server refuses
    // what it does not know.
    object.remove("additionalProperties");
    object.entry("type").or_insert_with(|| Value::from("object"));
    Arc::new(object)
}

fn simplify(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            if object.get("format").is_some_and(Value::is_string) {
                object.remove("format");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(values)) = object.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            unwrap_nullable(object);
            object.values_mut().for_each(simplify);
        }
        Value::Array(values) => values.iter_mut().for_each(simplify),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Replaces "this or null" by "this".
fn unwrap_nullable(object: &mut JsonObject) {
    let Some(Value::Array(options)) = object.get_mut("anyOf") else {
        return;
    };
    options.retain(|option| option.get("type") != Some(&Value::from("null")));
    if let [Value::Object(only)] = options.as_mut_slice() {
        let only = std::mem::take(only);
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}
