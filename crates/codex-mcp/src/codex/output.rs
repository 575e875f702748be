//! How much of a command's output is taken on: its end, as much as is kept anyway, and no half of a secret at its cut.
//!
//! The core bounds it as well, without knowing what a secret is; what comes from here fits.

use bridge_core::{Item, TurnEvent};

use crate::redact;

/// Leaves the end of the output of a command that an event tells of, of at most so many characters.
pub(crate) fn keep_end(event: &mut TurnEvent, chars: usize) {
    if let TurnEvent::ItemStarted(Item::Command(command))
    | TurnEvent::ItemCompleted(Item::Command(command)) = event
        && let Some(from) = command.output_chars.checked_sub(chars).filter(|more| *more > 0)
    {
        let (from, _) =
            command.output.char_indices().nth(from).unwrap_or((command.output.len(), ' '));
        let from = redact::after_secrets(&command.output, from);
        command.output.drain(..from);
    }
}

#[cfg(test)]
mod tests {
    use bridge_core::{Command, CommandStatus, ItemId};

    use super::*;

    fn check(output: &str, chars: usize, kept: &str) {
        let command = Command {
            item: ItemId("i".to_owned()),
            command: "x".to_owned(),
            working_directory: "/".to_owned(),
            status: CommandStatus::Completed,
            exit_code: None,
            output: output.to_owned(),
            output_chars: output.chars().count(),
            duration: None,
        };
        let mut event = TurnEvent::ItemCompleted(Item::Command(command));
        keep_end(&mut event, chars);
        let TurnEvent::ItemCompleted(Item::Command(command)) = event else { unreachable!() };
        assert_eq!((command.output.as_str(), command.output_chars), (kept, output.chars().count()));
    }

    #[test]
    fn the_end_is_kept_and_no_half_of_a_secret() {
        check("short", 5, "short");
        check("too long", 4, "long");
        check("tøø løng", 3, "øng");
        check("x", 0, "");
        check("DB_PASSWORD=correct-horse and more", 24, " and more");
        check("DB_PASSWORD=correct-horse and more", 33, " and more");
        check("DB_PASSWORD=correct-horse and more", 34, "DB_PASSWORD=correct-horse and more");
    }
}
