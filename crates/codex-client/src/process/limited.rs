//! Becomes another program, with limits that the system itself holds. For the process that stands between Codex's
//! sandbox and a command.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the system limits for each process by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessLimits {
    /// Seconds on a processor.
    pub cpu_seconds: u64,
    /// The largest file that is written, in bytes.
    pub file_bytes: u64,
}

/// Sets the limits on this process and turns it into `program`, looked up on `PATH`. Returns only if that fails.
#[must_use]
pub fn become_program(
    limits: ProcessLimits,
    program: &OsString,
    arguments: &[OsString],
) -> io::Error {
    let limited = [
        (Resource::Cpu, limits.cpu_seconds),
        (Resource::Fsize, limits.file_bytes),
        // Nobody reads the memory of a program that crashed.
        (Resource::Core, 0),
    ];
    for (resource, most) in limited {
        let most = getrlimit(resource).maximum.map_or(most, |allowed| allowed.min(most));
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        if let Err(error) = setrlimit(resource, limit) {
            return error.into();
        }
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing is spawned: this process becomes the program"
    )]
    std::process::Command::new(program).args(arguments).exec()
}
