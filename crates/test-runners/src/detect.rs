//! Which runners a project has, from the names of its files and the text of a few.

mod script;

use std::collections::{BTreeMap, BTreeSet};

use crate::runner::Runner;

/// What is looked for, in words, for who finds nothing.
pub const LOOKED_FOR: &str = "Cargo.toml; package.json with a `test` script, vitest, jest or mocha; pytest in \
    pyproject.toml, pytest.ini, setup.cfg, tox.ini or conftest.py; test*.py; go.mod; pom.xml; build.gradle; *.sln or \
    *.csproj; .rspec or spec/; phpunit.xml; build/CTestTestfile.cmake; t/*.t; a makefile with `test` or `check`";

/// What is known of a folder: names in it and in a few folders below, the text of a few files, and which programs there
/// are.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The names in each of [`Facts::FOLDERS`] that is there.
    pub names: BTreeMap<String, BTreeSet<String>>,
    /// The text of each of [`Facts::TEXTS`] that is there.
    pub texts: BTreeMap<String, String>,
    /// Those of [`Facts::PROGRAMS`] that are on `PATH`.
    pub programs: BTreeSet<String>,
}

impl Facts {
    /// The folders whose names matter.
    pub const FOLDERS: &'static [&'static str] = &[
        "",
        "tests",
        "test",
        "t",
        "spec",
        "build",
        ".config",
        "node_modules/.bin",
        "vendor/bin",
        ".venv/bin",
        "venv/bin",
    ];
    /// The files whose text matters.
    pub const TEXTS: &'static [&'static str] = &[
        "package.json",
        "pyproject.toml",
        "setup.cfg",
        "tox.ini",
        "Makefile",
        "makefile",
        "GNUmakefile",
    ];
    /// The programs whose being there matters.
    pub const PROGRAMS: &'static [&'static str] = &["cargo-nextest", "pytest", "prove", "bundle"];

    fn has(&self, folder: &str, name: &str) -> bool {
        self.names.get(folder).is_some_and(|names| names.contains(name))
    }

    fn any(&self, folder: &str, is_one: impl Fn(&str) -> bool) -> bool {
        self.names.get(folder).is_some_and(|names| names.iter().any(|name| is_one(name)))
    }

    fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    fn has_program(&self, name: &str) -> bool {
        self.programs.contains(name)
    }

    /// The first of these names that is in the folder itself.
    fn first_of(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.has("", name))
    }
}

/// A runner that a project has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub runner: Runner,
    /// By what it was recognised.
    pub reason: String,
    /// The beginning of its argument array.
    pub command: Vec<String>,
}

impl Found {
    fn new(runner: Runner, reason: impl Into<String>, command: &[&str]) -> Self {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        Self { runner, reason: reason.into(), command }
    }
}

/// All runners of a project, the one to run first. A makefile comes last: it often calls one of the others.
#[must_use]
pub fn detect(facts: &Facts) -> Vec<Found> {
    let mut found = rust(facts);
    found.extend(script::javascript(facts));
    found.extend(python(facts));
    found.extend(others(facts));
    found.extend(make(facts));
    found
}

fn rust(facts: &Facts) -> Vec<Found> {
    if !facts.has("", "Cargo.toml") {
        return Vec::new();
    }
    let cargo = Found::new(Runner::Cargo, "Cargo.toml", &["cargo", "test"]);
    if !facts.has_program("cargo-nextest") {
        return vec![cargo];
    }
    let nextest = |reason: &str| Found::new(Runner::Nextest, reason, &["cargo", "nextest", "run"]);
    match facts.has(".config", "nextest.toml") {
        true => vec![nextest(".config/nextest.toml"), cargo],
        false => vec![cargo, nextest("Cargo.toml, and cargo-nextest is installed")],
    }
}

fn python(facts: &Facts) -> Vec<Found> {
    let environment =
        [".venv", "venv"].into_iter().find(|folder| facts.has(&format!("{folder}/bin"), "python"));
    let python = environment.map_or("python3".to_owned(), |folder| format!("{folder}/bin/python"));
    let has_pytest = facts.has_program("pytest")
        || environment.is_some_and(|folder| facts.has(&format!("{folder}/bin"), "pytest"));
    let is_test = |name: &str| name.starts_with("test") && name.ends_with(".py");
    let folder = ["", "tests", "test"].into_iter().find(|folder| facts.any(folder, is_test));
    let configured = [
        ("pytest.ini", facts.has("", "pytest.ini")),
        ("pyproject.toml", facts.text("pyproject.toml").contains("[tool.pytest")),
        ("setup.cfg", facts.text("setup.cfg").contains("[tool:pytest]")),
        ("tox.ini", facts.text("tox.ini").contains("[pytest]")),
        ("conftest.py", facts.has("", "conftest.py")),
        ("tests/conftest.py", facts.has("tests", "conftest.py")),
    ];
    let configured = configured.into_iter().find(|(_, is_there)| *is_there).map(|(name, _)| name);
    let pytest = |reason: String| Found::new(Runner::Pytest, reason, &[&python, "-m", "pytest"]);
    let unittest = folder.map(|folder| {
        let mut command = vec![python.as_str(), "-m", "unittest"];
        if !folder.is_empty() {
            command.extend(["discover", "-s", folder]);
        }
        let reason = format!("test*.py in {}", if folder.is_empty() { "." } else { folder });
        Found::new(Runner::Unittest, reason, &command)
    });
    let first = match (configured, folder) {
        (Some(name), _) => Some(pytest(name.to_owned())),
        (None, Some(_)) if has_pytest => {
            Some(pytest("test*.py, and pytest is installed".to_owned()))
        }
        (None, Some(_) | None) => None,
    };
    first.into_iter().chain(unittest).collect()
}

fn others(facts: &Facts) -> Vec<Found> {
    let mut found = Vec::new();
    let mut add = |runner, reason: Option<&str>, command: &[&str]| {
        found.extend(reason.map(|reason| Found::new(runner, reason, command)));
    };
    add(Runner::Go, facts.first_of(&["go.mod", "go.work"]), &["go", "test"]);
    let maven = if facts.has("", "mvnw") { "./mvnw" } else { "mvn" };
    add(Runner::Maven, facts.first_of(&["pom.xml"]), &[maven]);
    let gradle = if facts.has("", "gradlew") { "./gradlew" } else { "gradle" };
    let build = ["build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"];
    add(Runner::Gradle, facts.first_of(&build), &[gradle]);
    let is_dotnet = |name: &str| {
        [".sln", ".slnx", ".csproj", ".fsproj", ".vbproj"].iter().any(|end| name.ends_with(end))
    };
    add(Runner::Dotnet, facts.any("", is_dotnet).then_some("a .NET project"), &["dotnet", "test"]);
    let has_specs =
        facts.any("spec", |name| name.ends_with("_spec.rb") || name == "spec_helper.rb");
    let rspec = if facts.has("", ".rspec") { Some(".rspec") } else { has_specs.then_some("spec/") };
    let bundled = facts.has("", "Gemfile") && facts.has_program("bundle");
    let command: &[&str] = if bundled { &["bundle", "exec", "rspec"] } else { &["rspec"] };
    add(Runner::Rspec, rspec, command);
    let phpunit = facts.first_of(&["phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"]);
    let own = facts.has("vendor/bin", "phpunit");
    let program = if own { "vendor/bin/phpunit" } else { "phpunit" };
    add(Runner::Phpunit, phpunit.or(own.then_some("vendor/bin/phpunit")), &[program]);
    let tests = "CTestTestfile.cmake";
    let ctest =
        [("build", "build"), ("", ".")].into_iter().find(|(folder, _)| facts.has(folder, tests));
    if let Some((_, folder)) = ctest {
        add(Runner::Ctest, Some(tests), &["ctest", "--test-dir", folder]);
    }
    let has_tap = facts.any("t", |name| name.ends_with(".t")) && facts.has_program("prove");
    add(Runner::Prove, has_tap.then_some("t/*.t"), &["prove", "-v"]);
    found
}

fn make(facts: &Facts) -> Option<Found> {
    let makefile = facts.first_of(&["GNUmakefile", "makefile", "Makefile"])?;
    let is_target = |target: &str| {
        let mut lines = facts.text(makefile).lines();
        lines.any(|line| {
            let rule = line.split_once(':').filter(|(_, rest)| !rest.starts_with('='));
            rule.is_some_and(|(targets, _)| {
                !line.starts_with(['\t', '#'])
                    && targets.split_whitespace().any(|word| word == target)
            })
        })
    };
    let target = ["test", "check", "tests"].into_iter().find(|target| is_target(target))?;
    Some(Found::new(Runner::Make, format!("`{target}` in {makefile}"), &["make", target]))
}
