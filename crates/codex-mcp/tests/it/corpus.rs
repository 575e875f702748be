//! The kept corpus of the fuzzer, replayed: what it began with, and what it found. A target is a function that asserts, so
//! there is nothing to compare here.

use std::fs;
use std::path::{Path, PathBuf};

use codex_mcp::fuzzing::TARGETS;

fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(folder)
}

fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(fuzz(folder)).unwrap();
    let name = |entry: PathBuf| entry.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap().path())).collect();
    names.sort();
    names
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let targets: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}

#[test]
fn what_the_fuzzer_found_stays_found() {
    for (target, run) in TARGETS {
        let entries = fs::read_dir(fuzz("corpus").join(target)).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{target} has no corpus");
        for file in files {
            // Its name, for a panic that does not tell it.
            println!("{target}: {}", file.display());
            run(&fs::read(file).unwrap());
        }
    }
}
