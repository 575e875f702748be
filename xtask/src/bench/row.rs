//! A line of the result: what was measured, for us and for what we are compared with, and whether the target is met.

use serde_json::{Value, json};

use super::samples::Samples;

/// A comparison with its target.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) unit: &'static str,
    pub(super) ours: Samples,
    /// The other side and its values.
    pub(super) other: Option<(&'static str, Samples)>,
    pub(super) outcome: Outcome,
    pub(super) target: Option<Target>,
}

/// Which number counts.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    /// Our median.
    Median,
    /// What 99 of 100 of ours do not exceed.
    P99,
    /// The median of what we take more than the other, pair by pair.
    More,
    /// Our median by the other's.
    Ratio,
    /// How much less our median is than the other's, in per cent of the other's.
    Saved,
}

/// What the outcome should be.
#[derive(Clone, Copy)]
pub(super) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

impl Row {
    /// The number that counts.
    pub(super) fn value(&self) -> f64 {
        let other = self.other.as_ref().map(|(_, samples)| samples);
        match (self.outcome, other) {
            (Outcome::P99, _) => self.ours.p99(),
            (Outcome::More, Some(other)) => self.ours.minus(other).median(),
            (Outcome::Ratio, Some(other)) => self.ours.median() / other.median(),
            (Outcome::Saved, Some(other)) => saved(&self.ours, other),
            (Outcome::Median | Outcome::More | Outcome::Ratio | Outcome::Saved, _) => {
                self.ours.median()
            }
        }
    }

    fn unit_of_value(&self) -> &'static str {
        match self.outcome {
            Outcome::Median | Outcome::P99 | Outcome::More => self.unit,
            Outcome::Ratio => "×",
            Outcome::Saved => "%",
        }
    }

    fn met(&self) -> Option<bool> {
        self.target.map(|target| target.is_met_by(self.value()))
    }

    /// The row for programs.
    pub(super) fn json(&self) -> Value {
        let side = |samples: &Samples| {
            json!({
                "median": samples.median(), "min": samples.min(), "max": samples.max(),
                "p99": samples.p99(), "samples": samples.count(),
            })
        };
        let target = self.target.map(|target| match target {
            Target::AtMost(limit) => json!({ "atMost": limit }),
            Target::AtLeast(limit) => json!({ "atLeast": limit }),
        });
        let other = self.other.as_ref();
        json!({
            "what": self.what, "unit": self.unit, "ours": side(&self.ours),
            "other": other.map(|(name, samples)| json!({ "name": name, "values": side(samples) })),
            "result": { "value": self.value(), "unit": self.unit_of_value(), "name": self.outcome.name() },
            "target": target, "met": self.met(),
        })
    }

    fn cells(&self) -> [String; 7] {
        let other = match &self.other {
            Some((name, samples)) => format!("{} {name}", spread(samples)),
            None => String::new(),
        };
        let value = match self.outcome {
            Outcome::Saved => format!("{:.1} % {}", self.value(), self.outcome.name()),
            Outcome::Ratio => format!("{:.2} ×", self.value()),
            Outcome::Median | Outcome::P99 | Outcome::More => {
                format!("{:.2} {} {}", self.value(), self.unit, self.outcome.name())
            }
        };
        let target = match self.target {
            Some(Target::AtMost(limit)) => format!("≤ {} {}", round(limit), self.unit_of_value()),
            Some(Target::AtLeast(limit)) => format!("≥ {} {}", round(limit), self.unit_of_value()),
            None => String::new(),
        };
        let met = match self.met() {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        [
            format!("{}, {}", self.what, self.unit),
            spread(&self.ours),
            other,
            value.trim_end().to_owned(),
            target,
            met.to_owned(),
            self.ours.count().to_string(),
        ]
    }
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Median => "",
            Self::P99 => "at p99",
            Self::More => "more",
            Self::Ratio => "ratio",
            Self::Saved => "saved",
        }
    }
}

/// How much less the median of `ours` is, in per cent of the other's.
pub(super) fn saved(ours: &Samples, other: &Samples) -> f64 {
    100.0 * (1.0 - ours.median() / other.median())
}

/// All rows, in columns.
pub(super) fn table(rows: &[Row]) -> String {
    let head =
        ["what", "ours: median (min–max)", "other: median (min–max)", "result", "target", "", "n"];
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows.iter().map(Row::cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: [usize; 7] = std::array::from_fn(|column| width(column).unwrap_or_default());
    let mut out = String::new();
    for line in &lines {
        let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        out.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn spread(samples: &Samples) -> String {
    let [median, min, max] = [samples.median(), samples.min(), samples.max()].map(round);
    if samples.count() == 1 { median } else { format!("{median} ({min}–{max})") }
}

/// Three digits that count.
fn round(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
