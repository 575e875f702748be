//! The engines of one host: clients whose Codex would be started in the same way share one.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Config;
use crate::engine::{self, Engine, Isolation, Services};

/// What differs between terminals of one user and means nothing to Codex.
const IGNORED: [&str; 5] = ["TERM", "XDG_SESSION_ID", "XDG_SESSION_TYPE", "XDG_SEAT", "XDG_VTNR"];

/// What makes app-servers differ.
#[derive(PartialEq, Eq)]
struct Launch {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
    isolation: Isolation,
    /// How many app-servers stand above: those below are told.
    depth: u32,
}

impl Launch {
    fn of(config: &Config) -> Self {
        let mut environment = config.codex_environment();
        environment.retain(|(name, _)| !IGNORED.iter().any(|ignored| name == ignored));
        environment.sort();
        // A program that is not found is told when it is needed.
        let program = config.find_codex_bin().unwrap_or_else(|_| config.codex_bin.clone());
        Self { program, environment, isolation: config.isolation, depth: config.depth() }
    }
}

/// All engines, each for one way to start Codex.
pub(super) struct Launches {
    services: Services,
    engines: Vec<(Launch, Engine)>,
}

impl Launches {
    pub(super) fn new(services: Services) -> Self {
        Self { services, engines: Vec::new() }
    }

    /// The engine for a client's configuration, started if it is the first of its kind. Engines that nobody uses go, so
    /// that their number is bounded by what is in use, and the next client's settings hold.
    pub(super) fn engine(&mut self, config: &Arc<Config>) -> Engine {
        self.engines.retain(|(_, engine)| !engine.is_unused());
        let launch = Launch::of(config);
        if let Some((_, engine)) = self.engines.iter().find(|(known, _)| *known == launch) {
            return engine.clone();
        }
        let engine = engine::start(config.clone(), self.services.clone());
        self.engines.push((launch, engine.clone()));
        engine
    }

    pub(super) async fn shut_down(&self) {
        for (_, engine) in &self.engines {
            engine.shut_down().await;
        }
    }
}
