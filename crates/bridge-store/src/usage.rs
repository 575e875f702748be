//! The table `usage`: the tokens of each turn.

use bridge_core::{ThreadId, Tokens, TurnNumber, Usage};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::row::{signed, unsigned};
use crate::{StoreError, Timestamp};

/// The tokens of many turns together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageSum {
    /// How many turns.
    pub turns: u64,
    /// Their tokens.
    pub tokens: Tokens,
}

pub(crate) fn put(
    connection: &Connection,
    number: TurnNumber,
    model: Option<&str>,
    usage: &Usage,
    at: Timestamp,
) -> Result<(), StoreError> {
    let tokens = &usage.turn;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO usage VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            signed(number.0),
            model,
            at.0,
            signed(tokens.input),
            signed(tokens.cached_input),
            signed(tokens.output),
            signed(tokens.reasoning_output),
            signed(tokens.total),
            signed(usage.thread_total),
            usage.context_window.map(signed)
        ])?;
    Ok(())
}

pub(crate) fn of_turn(
    connection: &Connection,
    number: TurnNumber,
) -> Result<Option<Usage>, StoreError> {
    let sql =
        "SELECT input, cached_input, output, reasoning_output, total, thread_total, context_window
               FROM usage WHERE turn = ?1";
    let usage = connection
        .prepare_cached(sql)?
        .query_row([signed(number.0)], |row| {
            let count = |index| row.get::<_, i64>(index).map(unsigned);
            Ok(Usage {
                turn: Tokens {
                    input: count(0)?,
                    cached_input: count(1)?,
                    output: count(2)?,
                    reasoning_output: count(3)?,
                    total: count(4)?,
                },
                thread_total: count(5)?,
                context_window: row.get::<_, Option<i64>>(6)?.map(unsigned),
            })
        })
        .optional()?;
    Ok(usage)
}

pub(crate) fn of_thread(
    connection: &Connection,
    thread: &ThreadId,
) -> Result<UsageSum, StoreError> {
    let sql = "SELECT count(*), coalesce(sum(input), 0), coalesce(sum(cached_input), 0), coalesce(sum(output), 0),
                      coalesce(sum(reasoning_output), 0), coalesce(sum(total), 0)
               FROM usage WHERE turn IN (SELECT number FROM turns WHERE thread_id = ?1)";
    let sum = connection.prepare_cached(sql)?.query_row([thread.as_str()], |row| {
        let count = |index| row.get::<_, i64>(index).map(unsigned);
        Ok(UsageSum {
            turns: count(0)?,
            tokens: Tokens {
                input: count(1)?,
                cached_input: count(2)?,
                output: count(3)?,
                reasoning_output: count(4)?,
                total: count(5)?,
            },
        })
    })?;
    Ok(sum)
}
