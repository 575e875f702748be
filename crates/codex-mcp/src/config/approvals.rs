//! The rules by which questions of Codex are decided without asking anybody, as they stand in a file.

use std::path::Path;

use bridge_core::{Policy, Rule, Subject, Verdict};

use super::environment::Environment;
use super::kind::{Describe, FlagShape, Kind, Raw};
use super::problem::Origin;

/// The rules; none unless set.
pub(super) struct ApprovalRules;

const VERDICTS: [(&str, Verdict); 3] =
    [("allow", Verdict::Allow), ("ask", Verdict::Ask), ("deny", Verdict::Deny)];

impl Describe for ApprovalRules {
    fn type_name(&self) -> &'static str {
        "list of strings"
    }

    fn allowed(&self) -> String {
        "rules: `allow`, `ask` or `deny`, then one of `command [\"NAME\", \"ARGUMENT\", …]`, `path /ABSOLUTE/PATH`, \
         `network HOST`, `mcp_tool SERVER/TOOL`"
            .to_owned()
    }

    fn default_text(&self) -> String {
        "none".to_owned()
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Repeatable("RULE")
    }
}

impl Kind for ApprovalRules {
    type Value = Policy;

    fn default(&self, _environment: &Environment) -> Result<(Policy, Origin), String> {
        Ok((Policy::default(), Origin::Default))
    }

    fn parse(&self, raw: &Raw, _environment: &Environment) -> Result<Policy, String> {
        let texts: Option<Vec<&str>> = match raw {
            Raw::Toml(value) => {
                value.as_array().and_then(|rules| rules.iter().map(toml::Value::as_str).collect())
            }
            Raw::Variable(text) => text.to_str().map(|text| {
                text.split(';').map(str::trim).filter(|rule| !rule.is_empty()).collect()
            }),
            Raw::Flag(texts) => texts.iter().map(|text| text.to_str()).collect(),
        };
        let texts = texts.ok_or_else(|| self.expected(raw))?;
        let rule = |text: &str| {
            rule(text).ok_or_else(|| format!("`{text}` is no rule; expected {}", self.allowed()))
        };
        let rules = texts.into_iter().map(rule).collect::<Result<_, _>>()?;
        Ok(Policy { rules })
    }

    fn to_toml(&self, value: &Policy) -> toml::Value {
        value.rules.iter().map(write).collect::<Vec<_>>().into()
    }
}

fn rule(text: &str) -> Option<Rule> {
    let (verdict, rest) = text.trim().split_once(char::is_whitespace)?;
    let verdict = VERDICTS.iter().find(|(word, _)| *word == verdict)?.1;
    let (kind, value) = rest.trim_start().split_once(char::is_whitespace)?;
    Some(Rule { verdict, subject: subject(kind, value.trim())? })
}

fn subject(kind: &str, value: &str) -> Option<Subject> {
    let is_word = !value.is_empty() && !value.contains(char::is_whitespace);
    match kind {
        "command" => {
            let words: Vec<String> = serde_json::from_str(value).ok()?;
            (!words.is_empty()).then_some(Subject::Command(words))
        }
        "path" => Path::new(value).is_absolute().then(|| Subject::Path(value.to_owned())),
        "network" => is_word.then(|| Subject::Network(value.to_owned())),
        "mcp_tool" => {
            let (server, tool) = value.split_once('/')?;
            let is_whole = is_word && !server.is_empty() && !tool.is_empty();
            is_whole.then(|| Subject::McpTool { server: server.to_owned(), tool: tool.to_owned() })
        }
        _ => None,
    }
}

fn write(rule: &Rule) -> String {
    let verdict = match rule.verdict {
        Verdict::Allow => "allow",
        Verdict::Ask => "ask",
        Verdict::Deny => "deny",
    };
    match &rule.subject {
        Subject::Command(words) => format!("{verdict} command {}", serde_json::json!(words)),
        Subject::Path(path) => format!("{verdict} path {path}"),
        Subject::Network(host) => format!("{verdict} network {host}"),
        Subject::McpTool { server, tool } => format!("{verdict} mcp_tool {server}/{tool}"),
    }
}
