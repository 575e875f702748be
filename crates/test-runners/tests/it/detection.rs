//! Which runners are found in which project.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use test_runners::{Facts, Runner, detect};

/// A project: a file a line, with its text behind `=`; programs begin with `$`.
fn check(project: &[&str], expected: Expect) {
    let found = detect(&facts(project));
    let shown: String = found
        .iter()
        .map(|found| format!("{}: {} ({})\n", found.runner, found.command.join(" "), found.reason))
        .collect();
    expected.assert_eq(&shown);
}

pub(crate) fn facts(project: &[&str]) -> Facts {
    let mut facts = Facts::default();
    for line in project {
        if let Some(program) = line.strip_prefix('$') {
            facts.programs.insert(program.to_owned());
            continue;
        }
        let (path, text) =
            line.split_once('=').map_or((*line, None), |(path, text)| (path, Some(text)));
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        facts.names.entry(folder.to_owned()).or_default().insert(name.to_owned());
        if let Some(text) = text {
            facts.texts.insert(path.to_owned(), text.to_owned());
        }
    }
    facts
}

fn script(script: &str) -> String {
    format!("package.json={}", serde_json::json!({ "scripts": { "test": script } }))
}

#[test]
fn nothing_is_found_in_an_empty_folder() {
    check(&[], expect![""]);
    check(&["README.md", "package.json=not JSON", "Makefile=all:\n\techo"], expect![""]);
}

#[test]
fn rust() {
    check(
        &["Cargo.toml"],
        expect![[r#"
        cargo: cargo test (Cargo.toml)
    "#]],
    );
    check(
        &["Cargo.toml", "$cargo-nextest"],
        expect![[r#"
        cargo: cargo test (Cargo.toml)
        nextest: cargo nextest run (Cargo.toml, and cargo-nextest is installed)
    "#]],
    );
    check(
        &["Cargo.toml", ".config/nextest.toml", "$cargo-nextest"],
        expect![[r#"
        nextest: cargo nextest run (.config/nextest.toml)
        cargo: cargo test (Cargo.toml)
    "#]],
    );
    check(
        &["Cargo.toml", ".config/nextest.toml"],
        expect![[r#"
        cargo: cargo test (Cargo.toml)
    "#]],
    );
}

#[test]
fn javascript() {
    for (text, expected) in [
        ("vitest", "vitest: npm test --"),
        ("vitest run --coverage", "vitest: npm test --"),
        ("tsc && NODE_ENV=test npx vitest", "vitest: npm test --"),
        ("cross-env CI=1 ./node_modules/.bin/jest --ci", "jest: npm test --"),
        ("mocha 'test/**/*.js'", "mocha: npm test --"),
        ("node --test", "node: node --test"),
        ("node --import tsx --test src", "node: node --test --import tsx src"),
        ("node --test && echo done", "script: npm test"),
        ("jest | tee log", "script: npm test"),
        ("jest &", "script: npm test"),
        ("make check", "script: npm test"),
    ] {
        let found = detect(&facts(&[&script(text)]));
        let shown: Vec<_> = found
            .iter()
            .map(|found| format!("{}: {}", found.runner, found.command.join(" ")))
            .collect();
        assert_eq!(shown, [expected], "{text}");
    }
    check(&[&script("echo \"Error: no test specified\" && exit 1")], expect![""]);
    check(
        &[&script("jest"), "pnpm-lock.yaml"],
        expect![[r#"
        jest: pnpm test (the `test` script of package.json: jest)
    "#]],
    );
    check(
        &[&script("build-and-test"), "yarn.lock"],
        expect![[r#"
        script: yarn test (the `test` script of package.json: build-and-test)
    "#]],
    );
    let package = r#"package.json={"packageManager":"bun@1","scripts":{"test":"jest"},"devDependencies":{"vitest":"5","jest":"1"}}"#;
    check(
        &[package, "node_modules/.bin/vitest"],
        expect![[r#"
        jest: bun run test (the `test` script of package.json: jest)
        vitest: node_modules/.bin/vitest (vitest among the dependencies)
    "#]],
    );
    check(
        &[r#"package.json={"devDependencies":{"mocha":"1"}}"#],
        expect![[r#"
        mocha: npx --no-install mocha (mocha among the dependencies)
    "#]],
    );
}

#[test]
fn python() {
    check(
        &["pyproject.toml=[tool.pytest.ini_options]", "tests/test_a.py"],
        expect![[r#"
        pytest: python3 -m pytest (pyproject.toml)
        unittest: python3 -m unittest discover -s tests (test*.py in tests)
    "#]],
    );
    check(
        &["tests/test_a.py", "$pytest"],
        expect![[r#"
        pytest: python3 -m pytest (test*.py, and pytest is installed)
        unittest: python3 -m unittest discover -s tests (test*.py in tests)
    "#]],
    );
    check(
        &["test_a.py"],
        expect![[r#"
        unittest: python3 -m unittest (test*.py in .)
    "#]],
    );
    check(
        &["conftest.py", ".venv/bin/python", ".venv/bin/pytest"],
        expect![[r#"
        pytest: .venv/bin/python -m pytest (conftest.py)
    "#]],
    );
    check(
        &["setup.cfg=[tool:pytest]"],
        expect![[r#"
        pytest: python3 -m pytest (setup.cfg)
    "#]],
    );
    check(&["setup.cfg=[metadata]", "tox.ini=[testenv]"], expect![""]);
}

#[test]
fn the_others() {
    check(
        &[
            "go.mod",
            "pom.xml",
            "mvnw",
            "build.gradle.kts",
            "A.sln",
            ".rspec",
            "Gemfile",
            "$bundle",
            "phpunit.xml",
            "vendor/bin/phpunit",
            "build/CTestTestfile.cmake",
            "t/a.t",
            "$prove",
            "Makefile=.PHONY: test\nCC := gcc\nall: a\n\ttest\nbuild test: all\n\tx\n",
        ],
        expect![[r#"
            go: go test (go.mod)
            maven: ./mvnw (pom.xml)
            gradle: gradle (build.gradle.kts)
            dotnet: dotnet test (a .NET project)
            rspec: bundle exec rspec (.rspec)
            phpunit: vendor/bin/phpunit (phpunit.xml)
            ctest: ctest --test-dir build (CTestTestfile.cmake)
            prove: prove -v (t/*.t)
            make: make test (`test` in Makefile)
        "#]],
    );
    check(
        &["spec/a_spec.rb", "gradlew", "settings.gradle", "makefile=check:\n"],
        expect![[r#"
        gradle: ./gradlew (settings.gradle)
        rspec: rspec (spec/)
        make: make check (`check` in makefile)
    "#]],
    );
}

#[test]
fn every_runner_has_a_name_of_its_own() {
    let names: BTreeSet<_> = Runner::ALL.iter().map(|runner| runner.name()).collect();
    assert_eq!(names.len(), Runner::ALL.len());
}
