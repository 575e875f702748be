//! The program: reads the command line and the configuration, and does what they say.

use std::io;
use std::process::ExitCode;

use codex_mcp::cli::{self, Exit, Subcommand};
use codex_mcp::config::Environment;

fn main() -> ExitCode {
    let invocation = match cli::parse(std::env::args_os()) {
        Ok(invocation) => invocation,
        Err(error) => error.exit(),
    };
    let environment = Environment::of_process();
    let exit = match invocation.command {
        Subcommand::Serve => cli::serve::run(&environment, &invocation.flags),
        Subcommand::Config(command) => {
            let run =
                cli::config::run(&command, &environment, &invocation.flags, &mut io::stdout());
            // Whoever closed our output wants to read nothing more.
            run.unwrap_or(Exit::Failure)
        }
    };
    exit.into()
}
