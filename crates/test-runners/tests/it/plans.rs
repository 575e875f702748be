//! The command lines: with filters and paths, and with what wants to be an option.

use expect_test::{Expect, expect, expect_file};
use test_runners::{Found, Network, Runner, Wanted, plan, plan_of_command};

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// How the command of each runner begins.
fn found(runner: Runner) -> Found {
    let command: &[&str] = match runner {
        Runner::Command => &["run"],
        Runner::Cargo => &["cargo", "test"],
        Runner::Nextest => &["cargo", "nextest", "run"],
        Runner::Vitest => &["npm", "test", "--"],
        Runner::Jest => &["pnpm", "test"],
        Runner::Mocha => &["node_modules/.bin/mocha"],
        Runner::Node => &["node", "--test", "--import", "tsx", "src"],
        Runner::Script => &["npm", "test"],
        Runner::Pytest => &["python3", "-m", "pytest"],
        Runner::Unittest => &["python3", "-m", "unittest", "discover", "-s", "tests"],
        Runner::Go => &["go", "test"],
        Runner::Maven => &["./mvnw"],
        Runner::Gradle => &["./gradlew"],
        Runner::Dotnet => &["dotnet", "test"],
        Runner::Rspec => &["rspec"],
        Runner::Phpunit => &["vendor/bin/phpunit"],
        Runner::Ctest => &["ctest", "--test-dir", "build"],
        Runner::Prove => &["prove", "-v"],
        Runner::Make => &["make", "check"],
    };
    Found { runner, reason: String::new(), command: strings(command) }
}

fn shown(runner: Runner, filters: &[&str], paths: &[&str], network: Network) -> String {
    let (filters, paths) = (strings(filters), strings(paths));
    let wanted = Wanted { filters: &filters, paths: &paths, reports: "/run", network };
    let plan = match plan(&found(runner), &wanted) {
        Ok(plan) => plan,
        Err(refused) => return format!("  refused: {refused}\n"),
    };
    let mut text = format!("  {:?}\n", plan.command);
    for (name, value) in &plan.variables {
        text += &format!("  {name}={value}\n");
    }
    for (path, content) in &plan.files {
        text += &format!("  writes {path}: {content:?}\n");
    }
    text
}

#[test]
fn every_runner_and_what_it_is_asked_for() {
    let mut text = String::new();
    for runner in Runner::ALL {
        text += &format!("{runner}\n");
        text += &shown(*runner, &[], &[], Network::Open);
        text += " one filter, no network\n";
        text += &shown(*runner, &["adds"], &[], Network::Closed);
        text += " filters that want to be more\n";
        text += &shown(*runner, &["--help", "a|b(c)/"], &[], Network::Open);
        text += " paths that want to be more\n";
        text += &shown(*runner, &[], &["--version", "a b.js"], Network::Open);
    }
    expect_file!["plans.txt"].assert_eq(&text);
}

fn check_command(command: &[&str], expected: Expect) {
    let command = strings(command);
    let wanted = Wanted { filters: &[], paths: &[], reports: "/run", network: Network::Closed };
    let plan = plan_of_command(&command, &wanted).expect("neither filters nor paths");
    expected.assert_eq(&format!("{:?}\n{:?}\n", plan.command, plan.reports));
}

#[test]
fn a_command_of_ones_own() {
    check_command(
        &["./run tests", "-x"],
        expect![[r#"
        ["./run tests", "-x"]
        []
    "#]],
    );
    check_command(
        &["pytest", "--junitxml={junit}"],
        expect![[r#"
        ["pytest", "--junitxml=/run/junit.xml"]
        [File { path: "/run/junit.xml", format: Junit }]
    "#]],
    );
}
