//! Everything as JSON lines, for other programs.

use std::io::Write;
use std::path::Path;

use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};

use crate::maintenance::TABLES;
use crate::{StoreError, connection, output, patch};

/// Writes each record as a line `{"table": …, "record": {…}}`, threads first. Compressed columns are written as text.
///
/// # Errors
/// The database cannot be read, or the lines not written.
pub fn export(directory: &Path, writer: &mut impl Write) -> Result<(), StoreError> {
    let mut connection = connection::open_read_only(directory)?;
    // In one transaction, so that what an engine writes meanwhile is in all tables or in none.
    let connection = connection.transaction()?;
    for table in TABLES {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut record = Map::new();
            for (index, name) in names.iter().enumerate() {
                let value = match row.get_ref(index)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => json!(number),
                    ValueRef::Real(number) => json!(number),
                    ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
                    ValueRef::Blob(blob) => json!(patch::expand(blob)?),
                };
                record.insert(name.clone(), value);
            }
            if *table == "outputs" {
                let id = record.get("output_id").and_then(Value::as_str).unwrap_or_default();
                let text = output::slice(&connection, id, 0, usize::MAX)?;
                record.insert("text".to_owned(), json!(text));
            }
            serde_json::to_writer(&mut *writer, &json!({ "table": table, "record": record }))?;
            writeln!(writer)?;
        }
    }
    Ok(writer.flush()?)
}
