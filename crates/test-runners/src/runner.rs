//! The runners that are known, by name.

use std::fmt;

macro_rules! runners {
    ($($(#[doc = $meaning:literal])+ $runner:ident = $name:literal;)+) => {
        /// A way to run tests.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Runner {
            $($(#[doc = $meaning])+ $runner,)+
        }

        impl Runner {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$runner),+];

            /// The word for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$runner => $name,)+
                }
            }
        }
    };
}

runners! {
    /// The command of the configuration or of a call.
    Command = "command";
    /// `cargo test`.
    Cargo = "cargo";
    /// `cargo nextest run`.
    Nextest = "nextest";
    /// Vitest.
    Vitest = "vitest";
    /// Jest.
    Jest = "jest";
    /// Mocha.
    Mocha = "mocha";
    /// The runner that is part of Node.js.
    Node = "node";
    /// The `test` script of a `package.json`, whatever it runs.
    Script = "script";
    /// pytest.
    Pytest = "pytest";
    /// The runner that is part of Python.
    Unittest = "unittest";
    /// `go test`.
    Go = "go";
    /// Maven with Surefire.
    Maven = "maven";
    /// Gradle.
    Gradle = "gradle";
    /// `dotnet test`.
    Dotnet = "dotnet";
    /// RSpec.
    Rspec = "rspec";
    /// PHPUnit.
    Phpunit = "phpunit";
    /// CTest.
    Ctest = "ctest";
    /// `prove`, for tests that write TAP.
    Prove = "prove";
    /// A target of a makefile.
    Make = "make";
}

impl fmt::Display for Runner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
