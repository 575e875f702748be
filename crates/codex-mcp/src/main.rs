//! The program: reads the command line and the configuration, and does what they say.

use std::io::{self, Write as _};
use std::process::ExitCode;

use codex_mcp::cli::{self, Exit, Subcommand};
use codex_mcp::config::Environment;
use codex_mcp::logging;

fn main() -> ExitCode {
    let invocation = match cli::parse(std::env::args_os()) {
        Ok(invocation) => invocation,
        Err(error) => error.exit(),
    };
    let environment = Environment::of_process();
    let exit = match invocation.command {
        Subcommand::Serve => {
            let arguments = std::env::args_os().skip(1).collect();
            cli::serve::run(&environment, &invocation.flags, arguments)
        }
        Subcommand::Daemon(command) => {
            let run =
                cli::daemon::run(&command, &environment, &invocation.flags, &mut io::stdout());
            run.unwrap_or_else(|error| say(&error))
        }
        Subcommand::Doctor(command) => {
            let run = cli::doctor::run(command, &environment, &invocation.flags, &mut io::stdout());
            run.unwrap_or_else(|error| say(&error))
        }
        Subcommand::Monitor => cli::monitor::run(&environment, &invocation.flags),
        Subcommand::Setup(command) => {
            let run = std::env::current_exe().map_err(anyhow::Error::from).and_then(|program| {
                cli::setup::run(&command, &environment, &program, &mut io::stdout())
            });
            run.unwrap_or_else(|error| say(&error))
        }
        Subcommand::Store(command) => {
            let mut out = io::BufWriter::new(io::stdout());
            let run = cli::store::run(&command, &environment, &invocation.flags, &mut out);
            let written = run.and_then(|exit| out.flush().map(|()| exit).map_err(Into::into));
            written.unwrap_or_else(|error| say(&error))
        }
        Subcommand::Limited(command) => say(&anyhow::Error::msg(cli::limited::run(&command))),
        Subcommand::Config(command) => {
            let run =
                cli::config::run(&command, &environment, &invocation.flags, &mut io::stdout());
            // Whoever closed our output wants to read nothing more.
            run.unwrap_or(Exit::Failure)
        }
    };
    exit.into()
}

fn say(error: &anyhow::Error) -> Exit {
    logging::say_redacted(&format!("codex-mcp: {error:#}"), &mut io::stderr());
    Exit::Failure
}
