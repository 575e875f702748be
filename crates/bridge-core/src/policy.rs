//! The rules by which questions of Codex are decided before a person is asked.
//!
//! A question is about one thing or several: each command of a command line, each file of a change. For each of them
//! the first rule that fits decides; where none does, it is asked. The strictest of these verdicts is the question's:
//! what is allowed only in part is not allowed.

use std::path::{Component, Path};

use crate::shell;

/// What is to become of a question, from the most lenient to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is accepted without asking anybody.
    Allow,
    /// A person is asked.
    Ask,
    /// It is declined without asking anybody.
    Deny,
}

/// Which questions a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Commands whose first arguments, the program's name among them, are these.
    Command(Vec<String>),
    /// Files at or below this absolute path.
    Path(String),
    /// Connections to this host; `*.example.com` is every host below one, `*` is every host.
    Network(String),
    /// A tool of one of Codex's own MCP servers; `*` is every tool of the server.
    McpTool {
        /// The server.
        server: String,
        /// The tool.
        tool: String,
    },
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it decides.
    pub verdict: Verdict,
    /// About what.
    pub subject: Subject,
}

/// All rules, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The rules.
    pub rules: Vec<Rule>,
}

/// One thing that a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Matter<'a> {
    /// A command line.
    CommandLine(&'a str),
    /// A file.
    File(&'a str),
    /// A host.
    Host(&'a str),
    /// A tool of an MCP server.
    Tool { server: &'a str, tool: &'a str },
    /// Something that no rule can be about.
    Other,
}

/// A verdict, and the rule that led to it: its place among the rules, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ruling {
    pub(crate) verdict: Verdict,
    pub(crate) rule: Option<usize>,
}

const UNRULED: Ruling = Ruling { verdict: Verdict::Ask, rule: None };

impl Policy {
    /// Decides a question by everything that it is about.
    pub(crate) fn decide(&self, matters: &[Matter<'_>]) -> Ruling {
        let rulings = matters.iter().map(|matter| self.decide_one(matter));
        rulings.max_by_key(|ruling| ruling.verdict).unwrap_or(UNRULED)
    }

    fn decide_one(&self, matter: &Matter<'_>) -> Ruling {
        match matter {
            Matter::CommandLine(line) => self.decide_line(line),
            Matter::File(path) => self.first(|subject| match subject {
                Subject::Path(root) => is_below(path, root),
                Subject::Command(_) | Subject::Network(_) | Subject::McpTool { .. } => false,
            }),
            Matter::Host(host) => self.first(|subject| match subject {
                Subject::Network(pattern) => is_host(host, pattern),
                Subject::Command(_) | Subject::Path(_) | Subject::McpTool { .. } => false,
            }),
            Matter::Tool { server, tool } => self.first(|subject| match subject {
                Subject::McpTool { server: of, tool: name } => {
                    of == server && (name == "*" || name == tool)
                }
                Subject::Command(_) | Subject::Path(_) | Subject::Network(_) => false,
            }),
            Matter::Other => UNRULED,
        }
    }

    /// What is more than plain commands is never allowed by a rule: nobody can tell what it does.
    fn decide_line(&self, line: &str) -> Ruling {
        let script = shell::parse(line);
        let commands = script.commands.iter().map(|words| {
            self.first(|subject| match subject {
                Subject::Command(prefix) => begins_with(words, prefix),
                Subject::Path(_) | Subject::Network(_) | Subject::McpTool { .. } => false,
            })
        });
        let ruling = commands.max_by_key(|ruling| ruling.verdict).unwrap_or(UNRULED);
        match (ruling.verdict, script.is_plain) {
            (Verdict::Allow, false) => UNRULED,
            (Verdict::Allow, true) | (Verdict::Ask | Verdict::Deny, _) => ruling,
        }
    }

    fn first(&self, fits: impl Fn(&Subject) -> bool) -> Ruling {
        let found = self.rules.iter().enumerate().find(|(_, rule)| fits(&rule.subject));
        found.map_or(UNRULED, |(index, rule)| Ruling {
            verdict: rule.verdict,
            rule: Some(index + 1),
        })
    }
}

/// A program that is named by its path is the one of that path: only rules that name the path fit.
fn begins_with(words: &[String], prefix: &[String]) -> bool {
    !prefix.is_empty() && words.starts_with(prefix)
}

/// Whether a path lies at or below another one. What climbs lies nowhere.
fn is_below(path: &str, root: &str) -> bool {
    let climbs = |path: &Path| path.components().any(|part| part == Component::ParentDir);
    let (path, root) = (Path::new(path), Path::new(root));
    path.is_absolute() && !climbs(path) && path.starts_with(root)
}

fn is_host(host: &str, pattern: &str) -> bool {
    let host = host.trim_end_matches('.');
    match pattern.strip_prefix("*.") {
        Some(domain) => host
            .to_ascii_lowercase()
            .strip_suffix(&domain.to_ascii_lowercase())
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => pattern == "*" || host.eq_ignore_ascii_case(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::{Matter, Policy, Rule, Subject, Verdict};

    fn policy() -> Policy {
        let command = |words: &str| Subject::Command(words.split(' ').map(str::to_owned).collect());
        let path = |path: &str| Subject::Path(path.to_owned());
        let host = |host: &str| Subject::Network(host.to_owned());
        let tool = |server: &str, tool: &str| Subject::McpTool {
            server: server.to_owned(),
            tool: tool.to_owned(),
        };
        let rules = [
            (Verdict::Deny, command("git push")),
            (Verdict::Ask, command("git commit")),
            (Verdict::Allow, command("git")),
            (Verdict::Allow, command("ls")),
            (Verdict::Deny, path("/w/.git")),
            (Verdict::Allow, path("/w")),
            (Verdict::Allow, host("*.example.com")),
            (Verdict::Deny, host("*")),
            (Verdict::Allow, tool("docs", "search")),
            (Verdict::Deny, tool("docs", "*")),
        ];
        let rules = rules.map(|(verdict, subject)| Rule { verdict, subject });
        Policy { rules: rules.into() }
    }

    #[test]
    fn the_first_rule_that_fits_decides_and_the_strictest_part_counts() {
        use Matter::{CommandLine, File, Host, Tool};
        for (matters, verdict, rule) in [
            (vec![CommandLine("git status")], Verdict::Allow, Some(3)),
            (vec![CommandLine("git push --force")], Verdict::Deny, Some(1)),
            (vec![CommandLine("git commit -m x")], Verdict::Ask, Some(2)),
            (vec![CommandLine("gitk")], Verdict::Ask, None),
            (vec![CommandLine("ls; git status")], Verdict::Allow, Some(3)),
            (vec![CommandLine("ls && make")], Verdict::Ask, None),
            (vec![CommandLine("ls && git push")], Verdict::Deny, Some(1)),
            (vec![CommandLine("ls > /etc/passwd")], Verdict::Ask, None),
            (vec![CommandLine("ls $(git push)")], Verdict::Deny, Some(1)),
            (vec![CommandLine("X=1 ls")], Verdict::Ask, None),
            (vec![CommandLine("/tmp/ls")], Verdict::Ask, None),
            (vec![CommandLine("/usr/bin/bash -lc ls")], Verdict::Allow, Some(4)),
            (vec![CommandLine("./bash -lc ls")], Verdict::Ask, None),
            (vec![CommandLine("")], Verdict::Ask, None),
            (vec![File("/w/a"), File("/w/b/c")], Verdict::Allow, Some(6)),
            (vec![File("/w/a"), File("/w/.git/config")], Verdict::Deny, Some(5)),
            (vec![File("/w/a"), File("/v/a")], Verdict::Ask, None),
            (vec![File("/w/../etc/passwd")], Verdict::Ask, None),
            (vec![File("/works")], Verdict::Ask, None),
            (vec![File("w/a")], Verdict::Ask, None),
            (vec![Host("api.example.com")], Verdict::Allow, Some(7)),
            (vec![Host("API.example.COM.")], Verdict::Allow, Some(7)),
            (vec![Host("example.com")], Verdict::Deny, Some(8)),
            (vec![Host("evilexample.com")], Verdict::Deny, Some(8)),
            (vec![Tool { server: "docs", tool: "search" }], Verdict::Allow, Some(9)),
            (vec![Tool { server: "docs", tool: "write" }], Verdict::Deny, Some(10)),
            (vec![Tool { server: "other", tool: "search" }], Verdict::Ask, None),
            (vec![Matter::Other], Verdict::Ask, None),
            (vec![], Verdict::Ask, None),
        ] {
            let ruling = policy().decide(&matters);
            assert_eq!((ruling.verdict, ruling.rule), (verdict, rule), "{matters:?}");
        }
    }
}
