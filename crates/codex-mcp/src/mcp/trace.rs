//! How `verbose` shows what goes over the client's pipe. The log takes secrets out of it.

/// How much of a line is traced. The log shows less: secrets are taken out first, whole ones.
const MAX_BYTES: usize = 64 << 10;

/// The beginning of a line, as far as anybody wants to read.
pub(super) fn traced(line: &[u8]) -> String {
    String::from_utf8_lossy(codex_client::beginning(line, MAX_BYTES)).trim_end().to_owned()
}
