//! Waiting for something that gives no event, with a deadline and a reason.
//!
//! Prefer a gate or a message; this is for files, processes and other outside state.

use std::fmt::Debug;
use std::time::Duration;

const STEP: Duration = Duration::from_millis(5);

/// Probes every 5 ms until `probe` gives `Ok`, and returns that value.
///
/// The error of a probe is its status: what there is instead of what is awaited.
///
/// # Panics
/// After `limit`, with the last status.
pub async fn until<T, Status: Debug>(
    limit: Duration,
    mut probe: impl FnMut() -> Result<T, Status>,
) -> T {
    let mut waited = Duration::ZERO;
    loop {
        match probe() {
            Ok(value) => return value,
            Err(status) if waited >= limit => panic!("not so after {limit:?}: {status:?}"),
            Err(_) => {}
        }
        tokio::time::sleep(STEP).await;
        waited += STEP;
    }
}
