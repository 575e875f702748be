//! Makes transcripts comparable: what differs from run to run gets a name that does not.
//!
//! Ids become `[thread-1]`, `[turn-1]`, `[item-1]`, `[patch-1]` or `[uuid-1]`, numbered in order of appearance
//! and the same for one normaliser; times, ports and version numbers become `[time]`, `[port]` and
//! `[version]`. JSON keys are sorted.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;

use crate::home::CodexHome;

/// Gives the same name to the same thing in every text that it is fed.
#[derive(Debug, Default)]
pub struct Normaliser {
    literals: Vec<(String, String)>,
    ids: HashMap<String, String>,
    counts: HashMap<&'static str, usize>,
}

impl Normaliser {
    /// A normaliser that knows no paths.
    pub fn new() -> Self {
        Self::default()
    }

    /// A normaliser that knows the directories of a home as `[workspace]`, `[codex-home]`, `[home]`
    /// and `[root]`.
    pub fn for_home(home: &CodexHome) -> Self {
        let inner = Self::new()
            .with_path(&home.workspace(), "[workspace]")
            .with_path(&home.codex_home(), "[codex-home]");
        inner.with_path(&home.home(), "[home]").with_path(home.root(), "[root]")
    }

    /// Replaces a path wherever it appears. Name inner directories before the ones that contain
    /// them.
    pub fn with_path(mut self, path: &Path, name: &str) -> Self {
        self.literals.push((path.to_string_lossy().into_owned(), name.to_owned()));
        self
    }

    /// Normalises one line: as JSON if it is, else as text.
    pub fn line(&mut self, line: &str) -> String {
        match serde_json::from_str(line) {
            Ok(value) => self.json(&value).to_string(),
            Err(_) => self.text(line),
        }
    }

    /// Normalises a JSON value. Numbers and texts under keys that speak of time become `[time]`.
    pub fn json(&mut self, value: &Value) -> Value {
        self.value("", "", value)
    }

    /// Normalises a text that is not JSON.
    pub fn text(&mut self, text: &str) -> String {
        self.scan("uuid", text)
    }

    fn value(&mut self, parent: &str, key: &str, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let sorted: BTreeMap<_, _> = fields.iter().collect();
                sorted
                    .into_iter()
                    .map(|(name, field)| (name.clone(), self.value(key, name, field)))
                    .collect()
            }
            // The items of `turns` are named as `turn` is: the list's own key is their parent.
            Value::Array(items) => items.iter().map(|item| self.value(parent, key, item)).collect(),
            Value::Number(_) | Value::String(_) if is_time(key) => Value::from("[time]"),
            Value::String(text) => Value::from(self.scan(id_kind(parent, key), text)),
            Value::Number(_) | Value::Bool(_) | Value::Null => value.clone(),
        }
    }

    fn scan(&mut self, kind: &'static str, text: &str) -> String {
        let named = self
            .literals
            .iter()
            .fold(text.to_owned(), |text, (path, name)| text.replace(path, name));
        let mut out = String::with_capacity(named.len());
        let mut rest = named.as_str();
        while let Some(first) = rest.chars().next() {
            let starts_word =
                !out.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '.');
            let found = if starts_word && (first.is_ascii_hexdigit() || first == 'p') {
                recognise(rest)
            } else {
                None
            };
            let length = match found {
                Some((Token::Uuid, length)) => {
                    let name = self.id(kind, &rest[..length]);
                    out.push_str(&name);
                    length
                }
                Some((Token::Patch, length)) => {
                    let name = self.id("patch", &rest[..length]);
                    out.push_str(&name);
                    length
                }
                Some((Token::Fixed(name), length)) => {
                    out.push_str(name);
                    length
                }
                None => {
                    out.push(first);
                    first.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        out
    }

    fn id(&mut self, kind: &'static str, id: &str) -> String {
        if let Some(name) = self.ids.get(id) {
            return name.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let name = format!("[{kind}-{count}]");
        self.ids.insert(id.to_owned(), name.clone());
        name
    }
}

enum Token {
    Uuid,
    /// The name of a patch of the server's own.
    Patch,
    Fixed(&'static str),
}

const UUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

const PATCH: &str = "p-xxxxxxxxxxxxxxxx";

/// What the text begins with, and how many bytes that takes.
fn recognise(text: &str) -> Option<(Token, usize)> {
    let ends_word =
        |length: usize| !text[length..].starts_with(|next: char| next.is_ascii_alphanumeric());
    if fits(text, UUID) && ends_word(UUID.len()) {
        return Some((Token::Uuid, UUID.len()));
    }
    if fits(text, PATCH) && ends_word(PATCH.len()) {
        return Some((Token::Patch, PATCH.len()));
    }
    if fits(text, "dddd-dd-dd") || fits(text, "dddd/dd/dd") {
        return Some((Token::Fixed("[time]"), 10 + time_of_day(&text[10..])));
    }
    if let Some(port) = text.strip_prefix("127.0.0.1:").filter(|port| digits(port) > 0) {
        return Some((Token::Fixed("127.0.0.1:[port]"), text.len() - port.len() + digits(port)));
    }
    version(text).map(|length| (Token::Fixed("[version]"), length))
}

/// The length of `T12:34:56.789Z`, also with dashes as in file names; zero if there is none.
fn time_of_day(text: &str) -> usize {
    if !fits(text, "Tdd:dd:dd") && !fits(text, "Tdd-dd-dd") {
        return 0;
    }
    let fraction = text[9..].strip_prefix('.').map_or(0, |fraction| 1 + digits(fraction));
    let zone = &text[9 + fraction..];
    let zone = match zone.starts_with('Z') {
        true => 1,
        false if fits(zone, "+dd:dd") => 6,
        false => 0,
    };
    9 + fraction + zone
}

/// The length of three numbers with dots between; `None` for four, which is an address.
fn version(text: &str) -> Option<usize> {
    let mut length = digits(text);
    for _ in 0..2 {
        let next = digits(text[length..].strip_prefix('.')?);
        length += 1 + next;
        if next == 0 {
            return None;
        }
    }
    let fourth = text[length..].strip_prefix('.').map_or(0, digits);
    (digits(text) > 0 && fourth == 0).then_some(length)
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Says whether the text begins like the pattern, in which `d` is a digit and `x` a hexadecimal
/// one.
fn fits(text: &str, pattern: &str) -> bool {
    text.len() >= pattern.len()
        && pattern.bytes().zip(text.bytes()).all(|(wanted, byte)| match wanted {
            b'd' => byte.is_ascii_digit(),
            b'x' => byte.is_ascii_hexdigit(),
            literal => byte == literal,
        })
}

fn is_time(key: &str) -> bool {
    ["Ms", "At", "_ms", "_at", "timestamp"].iter().any(|suffix| key.ends_with(suffix))
}

fn id_kind(parent: &str, key: &str) -> &'static str {
    match (parent, key) {
        (_, "threadId" | "thread_id" | "sessionId" | "session_id" | "conversationId") => "thread",
        ("thread" | "threads", "id") => "thread",
        (_, "turnId" | "turn_id" | "rootTurnId" | "expectedTurnId") | ("turn" | "turns", "id") => {
            "turn"
        }
        (_, "itemId" | "item_id") | ("item" | "items", "id") => "item",
        _ => "uuid",
    }
}
