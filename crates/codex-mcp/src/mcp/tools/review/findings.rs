//! What Codex is asked to answer a review with, and what of its answer is believed.

use std::fmt;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::places::Places;

/// How much a finding matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    Critical,
    High,
    Medium,
    Low,
}

/// What a review comes to. `notGiven`: the summary says it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub(super) enum Verdict {
    NothingToReview,
    // Of Codex's own review: it lists nothing, and its text says what it thinks.
    NotGiven,
    Approve,
    RequestChanges,
}

/// A finding, as Codex gives it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    severity: Severity,
    title: String,
    body: String,
    file: String,
    start_line: u64,
    end_line: u64,
    confidence: f64,
    recommendation: String,
}

/// The answer, as Codex gives it.
#[derive(Debug, Deserialize)]
pub(super) struct Review {
    pub(super) verdict: Verdict,
    pub(super) summary: String,
    findings: Vec<Given>,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) file: String,
    pub(super) start_line: u64,
    pub(super) end_line: u64,
    /// From 0 to 1, where it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confidence: Option<f64>,
    /// Codex's own review has none but `body`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recommendation: Option<String>,
    /// The diff does not show this place: look twice.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) outside_diff: bool,
}

impl Review {
    /// Reads an answer; the error says what is wrong with it.
    pub(super) fn read(answer: &str) -> Result<Self, String> {
        let review: Self =
            serde_json::from_str(without_fence(answer)).map_err(|error| error.to_string())?;
        for finding in &review.findings {
            if !(0.0..=1.0).contains(&finding.confidence) {
                return Err(format!("a confidence of {}", finding.confidence));
            }
            if finding.title.trim().is_empty() {
                return Err("a finding without a title".to_owned());
            }
        }
        Ok(review)
    }

    /// The findings, each checked against the diff.
    pub(super) fn findings(self, places: &Places) -> impl Iterator<Item = Finding> {
        self.findings.into_iter().map(|given| {
            let found = places.find(&given.file, (given.start_line, given.end_line));
            Finding {
                outside_diff: !found.is_some_and(|(_, shows)| shows),
                file: found.map_or(given.file.clone(), |(name, _)| name.to_owned()),
                severity: given.severity,
                title: given.title,
                body: given.body,
                start_line: given.start_line,
                end_line: given.end_line,
                confidence: Some(given.confidence),
                recommendation: Some(given.recommendation),
            }
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, body, file, start_line, end_line, .. } = self;
        let severity = format!("{:?}", self.severity).to_lowercase();
        write!(f, "[{severity}] {title} ({file}:{start_line}-{end_line}")?;
        if self.outside_diff {
            f.write_str(", not shown by the diff")?;
        }
        if let Some(confidence) = self.confidence {
            write!(f, "; confidence {confidence}")?;
        }
        write!(f, ")\n{body}")?;
        match &self.recommendation {
            Some(recommendation) => write!(f, "\nRecommendation: {recommendation}"),
            None => Ok(()),
        }
    }
}

/// Some models put JSON between fences whatever they are asked.
pub(super) fn without_fence(answer: &str) -> &str {
    let answer = answer.trim();
    let inner = answer.strip_prefix("```json").or_else(|| answer.strip_prefix("```"));
    inner.and_then(|inner| inner.strip_suffix("```")).unwrap_or(answer)
}

/// The form of the answer. Providers want every property to be required.
pub(super) fn schema() -> JsonObject {
    let text = json!({ "type": "string" });
    let line = json!({ "type": "integer" });
    let object = |properties: Value| {
        let names: Vec<_> =
            properties.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
    };
    let finding = object(json!({
        "severity": { "type": "string", "enum": ["critical", "high", "medium", "low"] },
        "title": text,
        "body": text,
        "file": text,
        "startLine": line,
        "endLine": line,
        "confidence": { "type": "number" },
        "recommendation": text,
    }));
    let review = object(json!({
        "verdict": { "type": "string", "enum": ["approve", "requestChanges"] },
        "summary": text,
        "findings": { "type": "array", "items": finding },
    }));
    match review {
        Value::Object(schema) => schema,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            JsonObject::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Review;

    #[test]
    fn an_answer_has_to_be_whole() {
        let finding = |confidence: &str| {
            format!(
                r#"{{"severity":"low","title":"t","body":"","file":"f","startLine":1,"endLine":1,"confidence":{confidence},"recommendation":""}}"#
            )
        };
        let review = |findings: &str| {
            format!(r#"{{"verdict":"approve","summary":"s","findings":[{findings}]}}"#)
        };
        for good in ["", &finding("0"), &finding("1.0")] {
            assert!(Review::read(&review(good)).is_ok(), "{good}");
        }
        assert!(Review::read(&format!("```json\n{}\n```", review(""))).is_ok());
        for bad in [&finding("1.1"), &finding("-1"), &finding("\"x\""), "{}", "1"] {
            assert!(Review::read(&review(bad)).is_err(), "{bad}");
        }
        for bad in ["", "Looks good to me.", "{}", "[]", &review("")[..20]] {
            assert!(Review::read(bad).is_err(), "{bad}");
        }
    }
}
