//! How much of each attachment Codex is shown, within a budget.
//!
//! In their order, each goes whole if there is room for it, else its beginning up to a place where a reader would stop, else
//! its name alone. What is left out is named to Codex and to the client.

use bridge_core::Material;

use crate::codex::attachments::{self, Shown};
use crate::mcp::paging::{Budget, Kind, cost, split};
use crate::mcp::render::{AttachmentResult, Sent};

/// What an image costs, in the unit of [`Budget`]: about 1,500 tokens.
const IMAGE_UNITS: usize = 6_000;
/// What all images of a turn may have together, as URLs: Codex reads a turn as one line.
const IMAGES_BYTES: usize = 8 << 20;
/// A content that would get less than this is not begun.
const MIN_PART: usize = 400;
/// What the note of a part may cost, with its lines.
const NOTE_UNITS: usize = 300;
/// The longest name in a result, in characters.
const MAX_NAME: usize = 200;
/// The longest note, in characters.
const MAX_NOTE: usize = 200;
/// What stands around all attachments.
const AROUND_UNITS: usize = 400;
/// How many names a warning or a note tells.
const MAX_NAMES: usize = 10;

/// An attachment that was read, or the beginning of it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// What it is called in the result.
    pub(super) name: String,
    /// What Codex is told of it.
    pub(super) attributes: Vec<(&'static str, String)>,
    /// What Codex is to know besides.
    pub(super) note: Option<String>,
    pub(super) content: Content,
}

/// What was read.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Text(Text),
    /// A `data:` URL.
    Image(String),
    /// Nothing that can be shown.
    Named,
}

/// A text, or the beginning of it.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Whether there is more of it.
    pub(super) is_cut: bool,
    /// Where it stands in its file.
    pub(super) place: Option<Lines>,
    /// How one gets at what is not shown.
    pub(super) hint: Option<&'static str>,
}

/// Some lines of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    pub(super) first: u64,
    /// The last one that is wanted.
    pub(super) last: u64,
    /// How many the file has.
    pub(super) total: u64,
}

/// What has been shown so far, and what room is left.
#[derive(Debug)]
pub(super) struct Fitting {
    left: usize,
    shown: Vec<Shown>,
    unnamed: usize,
    images: Vec<String>,
    results: Vec<AttachmentResult>,
}

impl Fitting {
    pub(super) fn new(units: usize) -> Self {
        let left = units.saturating_sub(AROUND_UNITS);
        Self { left, shown: Vec::new(), unnamed: 0, images: Vec::new(), results: Vec::new() }
    }

    /// What the next one may cost, if those that follow are at least to be named.
    pub(super) fn room(&self, following: &[String]) -> usize {
        let names: usize = following.iter().map(|name| cost(name) + NOTE_UNITS / 2).sum();
        self.left - names.min(self.left / 4)
    }

    /// Shows as much of an attachment as there is room for.
    pub(super) fn add(&mut self, piece: Piece, room: usize) {
        let Piece { name, attributes, note, content } = piece;
        let name = name.chars().take(MAX_NAME).collect();
        let of = Entry { name, attributes, note: None };
        let of = note.into_iter().fold(of, Entry::noting);
        match content {
            Content::Text(text) => self.add_text(of, text, room),
            Content::Image(url) if self.takes_image(&url) && IMAGE_UNITS + of.frame() <= room => {
                self.images.push(url);
                let number = self.images.len();
                self.left -= IMAGE_UNITS.min(self.left);
                self.push(of.with("image", format!("{number}, below")), None, Sent::Whole, None);
            }
            Content::Image(_) => self.name(of.noting("an image, which did not fit".to_owned())),
            Content::Named => self.name(of),
        }
    }

    fn takes_image(&self, url: &str) -> bool {
        self.images.iter().map(String::len).sum::<usize>() + url.len() <= IMAGES_BYTES
    }

    fn add_text(&mut self, of: Entry, text: Text, room: usize) {
        let lines = text.place.filter(|place| place.last - place.first + 1 < place.total);
        let whole = match lines {
            Some(place) => of.clone().of_lines(place, place.last),
            None => of.clone(),
        };
        if !text.is_cut && whole.frame() + cost(&text.text) <= room {
            let shown = lines.map(|place| shown_lines(place, place.last));
            return self.push(whole, Some(text.text), Sent::Whole, shown);
        }
        let room = room.saturating_sub(of.frame() + NOTE_UNITS);
        if room < MIN_PART {
            return self.name(of.noting(not_shown(None, text.hint)));
        }
        let end = split(&text.text, Budget::new(room), text.kind);
        let (part, rest) = text.text.split_at(end);
        let left_out = left_out(&text, part, rest);
        let last = text.place.map(|place| (place, last_line(place, part)));
        let of = match last {
            Some((place, last)) => of.of_lines(place, last),
            None => of,
        };
        let shown = last.map(|(place, last)| shown_lines(place, last));
        self.push(of.noting(left_out), Some(part.to_owned()), Sent::Part, shown);
    }

    /// Names it alone, if there is room even for that.
    fn name(&mut self, of: Entry) {
        if of.frame() <= self.left {
            return self.push(of, None, Sent::Reference, None);
        }
        self.unnamed += 1;
        let (name, sent) = (of.name, Sent::LeftOut);
        self.results.push(AttachmentResult { name, sent, lines: None, note: None });
    }

    fn push(&mut self, of: Entry, body: Option<String>, sent: Sent, lines: Option<String>) {
        let Entry { name, note, .. } = of.clone();
        let shown = Shown { body, ..of.shown() };
        let body = shown.body.as_deref().map_or(0, cost);
        self.left -= (cost(&attachments::frame(&shown)) + body).min(self.left);
        self.shown.push(shown);
        self.results.push(AttachmentResult { name, sent, lines, note });
    }

    /// What the turn gets, and what the client is told.
    pub(super) fn finish(self, tokens: usize) -> (Material, Vec<AttachmentResult>) {
        let Self { shown, unnamed, images, results, .. } = self;
        let text = (!results.is_empty()).then(|| attachments::write(&shown, unnamed));
        let warnings = warning(&results, tokens).into_iter().collect();
        (Material { text, images, warnings }, results)
    }
}

/// What is said of an attachment.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    attributes: Vec<(&'static str, String)>,
    note: Option<String>,
}

impl Entry {
    fn with(mut self, name: &'static str, value: String) -> Self {
        self.attributes.push((name, value));
        self
    }

    fn of_lines(self, place: Lines, last: u64) -> Self {
        self.with("lines", range(place.first, last)).with("of", place.total.to_string())
    }

    fn noting(mut self, what: String) -> Self {
        let note = match self.note {
            Some(note) => format!("{what}; {note}"),
            None => what,
        };
        self.note = Some(note.chars().take(MAX_NOTE).collect());
        self
    }

    fn shown(self) -> Shown {
        let note = self.note.map(|note| ("note", note));
        Shown { attributes: self.attributes.into_iter().chain(note).collect(), body: None }
    }

    /// What stands around its content.
    fn frame(&self) -> usize {
        let shown = Shown { body: Some(String::new()), ..self.clone().shown() };
        cost(&attachments::frame(&shown))
    }
}

fn shown_lines(place: Lines, last: u64) -> String {
    format!("{} of {}", range(place.first, last), place.total)
}

/// Lines in short.
pub(super) fn range(first: u64, last: u64) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    }
}

/// The last line of a part, which may end inside it.
fn last_line(place: Lines, part: &str) -> u64 {
    place.first + lines(part).saturating_sub(1)
}

/// Lines of a text; one without an end counts.
fn lines(text: &str) -> u64 {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64;
    ends + u64::from(!text.is_empty() && !text.ends_with('\n'))
}

/// Says what of a text is not shown.
fn left_out(text: &Text, part: &str, rest: &str) -> String {
    let inside = if part.ends_with('\n') { "" } else { "the rest of the last line and " };
    let what = match (text.place, text.kind) {
        (Some(place), _) => match last_line(place, part) + 1 {
            next if next > place.last => "the rest of the last line".to_owned(),
            next => format!("{inside}lines {}", range(next, place.last)),
        },
        (None, _) if text.is_cut => "the rest".to_owned(),
        (None, Kind::Diff) => files_of(rest),
        (None, Kind::Markdown | Kind::Log | Kind::Json | Kind::Code | Kind::Image(_)) => {
            match lines(rest) {
                1 => "the last line".to_owned(),
                lines => format!("the last {lines} lines"),
            }
        }
    };
    not_shown(Some(&what), text.hint)
}

/// Says that something is not shown, or all of it, and how one gets at it.
fn not_shown(what: Option<&str>, hint: Option<&str>) -> String {
    let what = what.map(|what| format!(": {what}")).unwrap_or_default();
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("not shown{what}{hint}")
}

/// The files of the rest of a diff.
fn files_of(rest: &str) -> String {
    let begun = !rest.starts_with("diff --git ");
    let names =
        rest.lines().filter_map(|line| line.strip_prefix("diff --git ")?.rsplit_once(" b/"));
    let names: Vec<_> = names.map(|(_, name)| name).collect();
    let told = names.iter().take(MAX_NAMES / 2).copied().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(MAX_NAMES / 2);
    let more = if more > 0 { format!(" and {more} more files") } else { String::new() };
    match (begun, names.is_empty()) {
        (true, true) => "the rest of this file".to_owned(),
        (true, false) => format!("the rest of this file, {told}{more}"),
        (false, _) => format!("{told}{more}"),
    }
}

/// A warning of what Codex is not shown whole.
fn warning(results: &[AttachmentResult], tokens: usize) -> Option<String> {
    let cut: Vec<_> = results.iter().filter(|result| result.sent != Sent::Whole).collect();
    if cut.is_empty() {
        return None;
    }
    let short = |result: &&AttachmentResult| {
        let AttachmentResult { name, lines, .. } = *result;
        AttachmentResult { name: name.clone(), lines: lines.clone(), note: None, ..**result }
            .to_string()
    };
    let told = cut.iter().take(MAX_NAMES).map(short).collect::<Vec<_>>().join(", ");
    let more = cut.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    Some(format!("Codex was not shown all that was attached, within {tokens} tokens: {told}{more}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Content, Fitting, Lines, Piece, Text};
    use crate::mcp::paging::{Kind, cost};
    use crate::mcp::render::Sent;

    fn piece(number: usize, lines: u64, note: bool) -> Piece {
        let name = format!("{}\"{number}", "é".repeat(number));
        let text: String = (0..lines).map(|line| format!("let a_{line} = \"中\";\n")).collect();
        let place = Some(Lines { first: 1, last: lines, total: lines }).filter(|_| lines > 0);
        let text = Text { text, kind: Kind::Code, is_cut: false, place, hint: Some("read it") };
        let attributes = vec![("path", name.clone())];
        let note = note.then(|| "a note".to_owned());
        Piece { name, attributes, note, content: Content::Text(text) }
    }

    proptest! {
        #[test]
        fn a_budget_is_kept_and_each_attachment_is_told_of(
            units in 400_usize..20_000,
            pieces in proptest::collection::vec((0_u64..400, any::<bool>()), 1..40),
        ) {
            let pieces: Vec<_> = pieces.into_iter().enumerate()
                .map(|(number, (lines, note))| piece(number, lines, note)).collect();
            let names: Vec<_> = pieces.iter().map(|piece| piece.name.clone()).collect();
            let mut fitting = Fitting::new(units);
            for (index, piece) in pieces.into_iter().enumerate() {
                let room = fitting.room(&names[index + 1..]);
                fitting.add(piece, room);
            }
            let (material, results) = fitting.finish(units / 4);
            let text = material.text.expect("something was attached");
            prop_assert!(cost(&text) <= units, "{} of {units}: {text}", cost(&text));
            let told: Vec<_> = results.iter().map(|result| result.name.clone()).collect();
            prop_assert_eq!(told, names);
            let is_whole = results.iter().all(|result| result.sent == Sent::Whole);
            prop_assert_eq!(material.warnings.is_empty(), is_whole);
        }
    }
}
