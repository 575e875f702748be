//! How long to wait, read out of what Codex says: it gives the end of a usage limit as words only, in local time.

use std::time::Duration;

use bridge_store::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::{ToSpan as _, Zoned};

use crate::clock;

/// After these words comes a point in time (`at 3:52 PM`) or a length of time (`in 11.054s`).
const WORDS: &str = "try again ";

/// How long to wait before trying again; `None` if the message does not say.
pub(super) fn pause(message: &str, now: &Zoned) -> Option<Duration> {
    let lower = message.to_lowercase();
    let rest = lower.rsplit_once(WORDS)?.1;
    match rest.split_once(' ')? {
        ("in", length) => length_of(length),
        ("at", point) => until(point, now),
        _ => None,
    }
}

/// A time in seconds since 1970 that is still to come: for people, and how long it is until then.
pub(super) fn at(seconds: i64, now: Timestamp) -> Option<(String, Duration)> {
    let at = Timestamp(seconds.checked_mul(1000)?);
    let pause = u64::try_from(at.0.checked_sub(now.0)?).ok()?;
    let time = clock::show(at);
    // Whole seconds, of which the last has to be over.
    (!time.is_empty()).then(|| (time, Duration::from_secs(pause.div_ceil(1000))))
}

/// `3 days 4 hours 5 minutes`, `1h2m`, `11.054s`.
fn length_of(words: &str) -> Option<Duration> {
    let mut total = None;
    let mut rest = words.trim_start();
    loop {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.');
        let (number, behind) = rest.split_at(digits.unwrap_or(rest.len()));
        let Ok(number) = number.parse::<f64>() else {
            return total;
        };
        let behind = behind.trim_start();
        let letters = behind.find(|character: char| !character.is_ascii_alphabetic());
        let (unit, behind) = behind.split_at(letters.unwrap_or(behind.len()));
        let seconds = number * seconds_of(unit)?;
        let length = Duration::try_from_secs_f64(seconds).ok()?;
        total = Some(total.unwrap_or(Duration::ZERO).saturating_add(length));
        rest = behind.trim_start_matches([' ', ',']);
    }
}

fn seconds_of(unit: &str) -> Option<f64> {
    match unit {
        "ms" => Some(0.001),
        "s" | "sec" | "second" | "seconds" => Some(1.0),
        "m" | "min" | "minute" | "minutes" => Some(60.0),
        "h" | "hour" | "hours" => Some(3_600.0),
        "d" | "day" | "days" => Some(86_400.0),
        _ => None,
    }
}

/// `3:52 pm.` today, or `feb 23rd, 2026 3:52 pm.`
fn until(words: &str, now: &Zoned) -> Option<Duration> {
    let words = words.replace(['.', ','], " ");
    let words: Vec<_> = words.split_whitespace().collect();
    let at = match *words.as_slice() {
        [hour, half, ..] if hour.contains(':') => {
            DateTime::from_parts(now.date(), time(hour, half)?)
        }
        [month, day, year, hour, half, ..] => {
            DateTime::from_parts(date(month, day, year)?, time(hour, half)?)
        }
        _ => return None,
    };
    // Codex gives the minute without its seconds, so that it is over only with the next one.
    let at = at.checked_add(1.minute()).ok()?.to_zoned(now.time_zone().clone()).ok()?;
    Some(Duration::try_from(now.until(&at).ok()?.to_duration(now).ok()?).unwrap_or(Duration::ZERO))
}

fn time(hour: &str, half: &str) -> Option<Time> {
    let (hour, minute) = hour.split_once(':')?;
    let hour = hour.parse::<i8>().ok().filter(|hour| (1..=12).contains(hour))? % 12;
    let afternoon = match half {
        "am" => 0,
        "pm" => 12,
        _ => return None,
    };
    Time::new(hour + afternoon, minute.parse().ok()?, 0, 0).ok()
}

fn date(month: &str, day: &str, year: &str) -> Option<Date> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let month = MONTHS.iter().zip(1_i8..).find(|(name, _)| **name == month)?.1;
    let day = day.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    Date::new(year.parse().ok()?, month, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bridge_store::Timestamp;

    use super::{at, pause};

    #[test]
    fn a_time_that_is_still_to_come_is_told_and_no_other() {
        let now = Timestamp(1_000_500);
        let told = ("1970-01-01T00:16:42Z".to_owned(), Duration::from_secs(2));
        assert_eq!(at(1_002, now), Some(told));
        for seconds in [1_000, 0, -1, i64::MAX, i64::MIN, i64::MAX / 1000] {
            assert_eq!(at(seconds, now), None, "{seconds}");
        }
    }

    #[test]
    fn what_codex_says_of_the_time_to_wait_is_read() {
        let now = "2026-02-22T14:00:30[UTC]".parse().unwrap();
        let cases = [
            ("You've hit your usage limit. Try again later.", None),
            ("Try again at noon.", None),
            ("Try again at 13:75 PM.", None),
            ("Try again in a while.", None),
            ("Try again", None),
            ("You've hit your usage limit. Try again at 3:52 PM.", Some(6_750)),
            (
                "visit https://x/settings/usage to purchase more credits or try again at 2:00 PM.",
                Some(30),
            ),
            ("Try again at 12:30 AM.", Some(0)),
            ("Try again at Feb 23rd, 2026 12:05 AM.", Some(36_330)),
            ("Try again at Mar 1st, 2026 2:00 PM.", Some(604_830)),
            ("Rate limit reached. Please try again in 11.054s.", Some(11)),
            ("Try again in 3 days 4 hours 5 minutes.", Some(273_900)),
            ("Please try again in 1h2m3s.", Some(3_723)),
            ("Please try again in 28 seconds.", Some(28)),
        ];
        for (message, expected) in cases {
            let pause = pause(message, &now).map(|pause| pause.as_secs());
            assert_eq!(pause, expected, "{message}");
        }
    }
}
