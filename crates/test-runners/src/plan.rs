//! The argument array of a runner: its filters, its paths, and where it leaves a report.
//!
//! Nothing that a caller names can become an option: it stands behind `=` or `--`, is glued to its option, or begins
//! with `./`.

use std::fmt;

use crate::detect::Found;
use crate::parse::Format;
use crate::runner::Runner;

/// What a caller wants of a run.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Parts of the names of tests: those with any of them are run.
    pub filters: &'a [String],
    /// Files or folders, relative to where the runner is started.
    pub paths: &'a [String],
    /// The absolute path of an empty folder for reports.
    pub reports: &'a str,
    /// Whether there is a network; without one some runners have to be told.
    pub network: Network,
}

/// Whether a run reaches the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// No.
    Closed,
    /// Yes.
    Open,
}

/// Where a report will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// One file.
    File {
        /// Its path.
        path: String,
        /// How it is written.
        format: Format,
    },
    /// All files below a folder that were written by the run.
    Below {
        /// The folder; relative to where the runner is started.
        folder: String,
        /// The name of the folder that holds them.
        parent: &'static str,
        /// How their names end.
        end: &'static str,
        /// How they are written.
        format: Format,
    },
}

impl Source {
    /// How it is written.
    #[must_use]
    pub fn format(&self) -> Format {
        match self {
            Self::File { format, .. } | Self::Below { format, .. } => *format,
        }
    }
}

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Which runner it is.
    pub runner: Runner,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables that it needs besides.
    pub variables: Vec<(&'static str, String)>,
    /// Files to be written before: path and text.
    pub files: Vec<(String, String)>,
    /// Where it leaves reports. The log is read where there are none.
    pub reports: Vec<Source>,
}

/// A runner does not take what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The argument.
    pub argument: &'static str,
    /// Why, and what to do instead.
    pub why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`: {}", self.argument, self.why)
    }
}

/// Stands for the path of a JUnit report in a command of the user's own.
const JUNIT: &str = "{junit}";

/// Options of Node.js whose value is the next word.
const TAKE_VALUES: &[&str] =
    &["-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions"];

/// The plan for a command that somebody wrote themselves.
///
/// # Errors
/// There are filters or paths: where they would belong is not known.
pub fn plan_of_command(command: &[String], wanted: &Wanted<'_>) -> Result<Plan, Refused> {
    refuse(wanted.filters, "filter", Runner::Command)?;
    refuse(wanted.paths, "paths", Runner::Command)?;
    let path = format!("{}/junit.xml", wanted.reports);
    let writes = command.iter().any(|word| word.contains(JUNIT));
    Ok(Plan {
        runner: Runner::Command,
        command: command.iter().map(|word| word.replace(JUNIT, &path)).collect(),
        variables: Vec::new(),
        files: Vec::new(),
        reports: writes
            .then_some(Source::File { path, format: Format::Junit })
            .into_iter()
            .collect(),
    })
}

/// The plan for a runner that was found.
///
/// # Errors
/// The runner does not take filters or paths.
pub fn plan(found: &Found, wanted: &Wanted<'_>) -> Result<Plan, Refused> {
    let mut draft = Draft::new(found, wanted);
    match found.runner {
        Runner::Cargo => draft.cargo()?,
        Runner::Nextest => draft.nextest()?,
        Runner::Vitest | Runner::Jest => draft.jest(found.runner),
        Runner::Mocha => draft.mocha(),
        Runner::Node => draft.node(),
        Runner::Pytest => draft.pytest()?,
        Runner::Unittest => draft.unittest(),
        Runner::Go => draft.go(),
        Runner::Maven => draft.maven()?,
        Runner::Gradle => draft.gradle()?,
        Runner::Dotnet => draft.dotnet()?,
        Runner::Rspec => draft.rspec(),
        Runner::Phpunit => draft.phpunit()?,
        Runner::Ctest => draft.ctest()?,
        Runner::Prove => draft.prove()?,
        Runner::Script | Runner::Make | Runner::Command => {
            draft.takes_no("filter")?;
            draft.takes_no("paths")?;
        }
    }
    Ok(draft.plan)
}

fn refuse(given: &[String], argument: &'static str, runner: Runner) -> Result<(), Refused> {
    match given {
        [] => Ok(()),
        [_, ..] => {
            let why = format!(
                "runner `{runner}` does not take it; leave it out, or choose another `runner`"
            );
            Err(Refused { argument, why })
        }
    }
}

struct Draft<'a> {
    plan: Plan,
    wanted: &'a Wanted<'a>,
}

impl<'a> Draft<'a> {
    fn new(found: &Found, wanted: &'a Wanted<'a>) -> Self {
        let plan = Plan {
            runner: found.runner,
            command: found.command.clone(),
            variables: Vec::new(),
            files: Vec::new(),
            reports: Vec::new(),
        };
        Self { plan, wanted }
    }

    fn add(&mut self, words: &[&str]) {
        self.plan.command.extend(words.iter().map(|&word| word.to_owned()));
    }

    fn add_paths(&mut self) {
        let safe = |path: &String| match path.starts_with('-') {
            true => format!("./{path}"),
            false => path.clone(),
        };
        self.plan.command.extend(self.wanted.paths.iter().map(safe));
    }

    fn takes_no(&self, argument: &'static str) -> Result<(), Refused> {
        let given = if argument == "filter" { self.wanted.filters } else { self.wanted.paths };
        refuse(given, argument, self.plan.runner)
    }

    /// Names a report file, and gives its path.
    fn report(&mut self, name: &str, format: Format) -> String {
        let path = format!("{}/{name}", self.wanted.reports);
        self.plan.reports.push(Source::File { path: path.clone(), format });
        path
    }

    /// The filters as one regular expression; `None` if there are none.
    fn expression(&self) -> Option<String> {
        let parts: Vec<_> =
            self.wanted.filters.iter().map(|filter| regex::escape(filter)).collect();
        (!parts.is_empty()).then(|| parts.join("|"))
    }

    fn offline(&self) -> bool {
        self.wanted.network == Network::Closed
    }

    fn cargo(&mut self) -> Result<(), Refused> {
        self.takes_no("paths")?;
        self.add(&["--no-fail-fast"]);
        if !self.wanted.filters.is_empty() {
            // The first belongs to cargo, the second ends the options of the test program.
            self.add(&["--", "--"]);
            self.plan.command.extend(self.wanted.filters.iter().cloned());
        }
        self.cargo_offline();
        Ok(())
    }

    fn cargo_offline(&mut self) {
        if self.offline() {
            self.plan.variables.push(("CARGO_NET_OFFLINE", "true".to_owned()));
        }
    }

    fn nextest(&mut self) -> Result<(), Refused> {
        self.takes_no("paths")?;
        // A configuration for tools is weaker than the repository's own, which may name another file.
        let report = self.report("junit.xml", Format::Junit);
        let settings = format!("{}/nextest.toml", self.wanted.reports);
        let table = toml::Table::from_iter([("path".to_owned(), toml::Value::from(report))]);
        self.plan.files.push((settings.clone(), format!("[profile.default.junit]\n{table}")));
        self.add(&["--no-fail-fast", "--tool-config-file", &format!("codex-mcp:{settings}")]);
        if let Some(expression) = self.expression() {
            self.add(&["-E", &format!("test(/{}/)", expression.replace('/', "\\/"))]);
        }
        self.cargo_offline();
        Ok(())
    }

    fn jest(&mut self, runner: Runner) {
        let report = self.report("report.json", Format::Jest);
        if runner == Runner::Vitest {
            let output = format!("--outputFile.json={report}");
            self.add(&["--run", "--reporter=default", "--reporter=json", &output]);
        } else {
            self.add(&[
                "--json",
                &format!("--outputFile={report}"),
                "--ci",
                "--testLocationInResults",
            ]);
            if !self.wanted.paths.is_empty() {
                self.add(&["--runTestsByPath"]);
            }
        }
        if let Some(expression) = self.expression() {
            self.add(&[&format!("--testNamePattern={expression}")]);
        }
        self.add_paths();
    }

    fn mocha(&mut self) {
        let report = self.report("report.json", Format::Mocha);
        self.add(&["--reporter=json", &format!("--reporter-option=output={report}")]);
        if let Some(expression) = self.expression() {
            self.add(&[&format!("--grep={expression}")]);
        }
        self.add_paths();
    }

    fn node(&mut self) {
        let report = self.report("junit.xml", Format::Junit);
        let mut options = vec![
            "--test-reporter=spec".to_owned(),
            "--test-reporter-destination=stdout".to_owned(),
            "--test-reporter=junit".to_owned(),
            format!("--test-reporter-destination={report}"),
        ];
        if let Some(expression) = self.expression() {
            options.push(format!("--test-name-pattern={expression}"));
        }
        // Behind `node --test`, before the files that the script names.
        let rest = self.plan.command.split_off(2);
        self.plan.command.extend(options);
        match self.wanted.paths.is_empty() {
            true => self.plan.command.extend(rest),
            false => {
                // The script's own options stay; its files do not.
                let mut is_value = false;
                for word in rest {
                    if word.starts_with('-') || is_value {
                        is_value = TAKE_VALUES.contains(&word.as_str());
                        self.plan.command.push(word);
                    }
                }
                self.add_paths();
            }
        }
    }

    fn pytest(&mut self) -> Result<(), Refused> {
        // The older family of JUnit is the one that names the file and the line.
        let report = self.report("junit.xml", Format::Junit);
        self.add(&["-o", "junit_family=xunit1", &format!("--junitxml={report}"), "-v"]);
        let is_word =
            |character: char| character.is_alphanumeric() || "_-.:[]/+".contains(character);
        if let Some(bad) = self.wanted.filters.iter().find(|filter| !filter.chars().all(is_word)) {
            let why = format!("pytest takes names without blanks and punctuation, not {bad:?}");
            return Err(Refused { argument: "filter", why });
        }
        if !self.wanted.filters.is_empty() {
            self.add(&[&format!("-k={}", self.wanted.filters.join(" or "))]);
        }
        self.add(&["--"]);
        self.add_paths();
        Ok(())
    }

    fn unittest(&mut self) {
        if !self.wanted.paths.is_empty() {
            // Named files instead of those that would be discovered.
            self.plan.command.truncate(3);
        }
        self.add(&["-v"]);
        for filter in self.wanted.filters {
            self.add(&[&format!("-k={filter}")]);
        }
        self.add_paths();
    }

    fn go(&mut self) {
        self.add(&["-json"]);
        if let Some(expression) = self.expression() {
            self.add(&[&format!("-run={expression}")]);
        }
        if self.offline() {
            self.plan.variables.push(("GOPROXY", "off".to_owned()));
        }
        match self.wanted.paths {
            [] => self.add(&["./..."]),
            paths => {
                let paths = paths.iter().map(|path| format!("./{}", path.trim_start_matches("./")));
                self.plan.command.extend(paths);
            }
        }
    }

    fn maven(&mut self) -> Result<(), Refused> {
        self.takes_no("paths")?;
        self.add(&["-B", "-Dstyle.color=never"]);
        if self.offline() {
            self.add(&["-o"]);
        }
        if !self.wanted.filters.is_empty() {
            let test = format!("-Dtest={}", self.wanted.filters.join(","));
            self.add(&[&test, "-Dsurefire.failIfNoSpecifiedTests=false"]);
        }
        self.add(&["test"]);
        self.below("surefire-reports", ".xml", Format::Junit);
        Ok(())
    }

    fn gradle(&mut self) -> Result<(), Refused> {
        self.takes_no("paths")?;
        self.add(&["--console=plain", "--no-daemon"]);
        if self.offline() {
            self.add(&["--offline"]);
        }
        self.add(&["test"]);
        for filter in self.wanted.filters {
            self.add(&[&format!("--tests=*{filter}*")]);
        }
        self.below("test-results", ".xml", Format::Junit);
        Ok(())
    }

    fn below(&mut self, parent: &'static str, end: &'static str, format: Format) {
        self.plan.reports.push(Source::Below { folder: ".".to_owned(), parent, end, format });
    }

    fn dotnet(&mut self) -> Result<(), Refused> {
        self.takes_no("paths")?;
        let folder = format!("{}/trx", self.wanted.reports);
        self.add(&["--logger=trx", &format!("--results-directory={folder}")]);
        if self.offline() {
            self.add(&["--no-restore"]);
        }
        let escaped = |filter: &String| {
            let escape = |character: char| match r"\()&|=!~".contains(character) {
                true => format!("\\{character}"),
                false => character.to_string(),
            };
            format!("FullyQualifiedName~{}", filter.chars().map(escape).collect::<String>())
        };
        let parts: Vec<_> = self.wanted.filters.iter().map(escaped).collect();
        if !parts.is_empty() {
            self.add(&["--filter", &parts.join("|")]);
        }
        self.plan.reports.push(Source::Below {
            folder,
            parent: "trx",
            end: ".trx",
            format: Format::Trx,
        });
        Ok(())
    }

    fn rspec(&mut self) {
        let report = self.report("report.json", Format::Rspec);
        self.add(&["--format=progress", "--format=json", &format!("--out={report}")]);
        for filter in self.wanted.filters {
            self.add(&[&format!("--example={filter}")]);
        }
        self.add_paths();
    }

    fn phpunit(&mut self) -> Result<(), Refused> {
        if self.wanted.paths.len() > 1 {
            let why = "phpunit takes one file or folder".to_owned();
            return Err(Refused { argument: "paths", why });
        }
        let report = self.report("junit.xml", Format::Junit);
        self.add(&[&format!("--log-junit={report}")]);
        if let Some(expression) = self.expression() {
            self.add(&[&format!("--filter={}", expression.replace('/', "\\/"))]);
        }
        self.add_paths();
        Ok(())
    }

    fn ctest(&mut self) -> Result<(), Refused> {
        self.takes_no("paths")?;
        let report = self.report("junit.xml", Format::Junit);
        self.add(&["--output-on-failure", "--output-junit", &report]);
        if let Some(expression) = self.expression() {
            self.add(&["--tests-regex", &format!("({expression})")]);
        }
        Ok(())
    }

    fn prove(&mut self) -> Result<(), Refused> {
        self.takes_no("filter")?;
        match self.wanted.paths.is_empty() {
            true => self.add(&["-r", "t"]),
            false => self.add_paths(),
        }
        Ok(())
    }
}
