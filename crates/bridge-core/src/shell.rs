//! Reads the command line of a question: which commands it consists of, as arrays of arguments.
//!
//! It is no shell. What it does not read with certainty (substitutions, redirections, assignments, and so on) makes the
//! line more than plain, and the commands then are a best guess.

/// What a command line consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    /// The commands, each with its arguments.
    pub(crate) commands: Vec<Vec<String>>,
    /// Whether these are all, and exactly what would run.
    pub(crate) is_plain: bool,
}

/// Shells that Codex wraps commands in, where they are the system's, and the flags with which it does. A program elsewhere
/// may be called `bash` and be anything.
const SHELLS: [&str; 3] = ["bash", "sh", "zsh"];
const SHELL_FOLDERS: [&str; 5] =
    ["/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/run/current-system/sw/bin"];
const SHELL_FLAGS: [&str; 2] = ["-c", "-lc"];

/// Reads a line. The shell that Codex puts around a command is taken off.
pub(crate) fn parse(line: &str) -> Script {
    read(&unwrapped(line))
}

/// The line without the shell that Codex puts around it.
pub(crate) fn unwrapped(line: &str) -> String {
    let script = read(line);
    match script.commands.as_slice() {
        [words] if script.is_plain => inner(words).unwrap_or(line).to_owned(),
        _ => line.to_owned(),
    }
}

fn inner(words: &[String]) -> Option<&str> {
    let [shell, flag, inner] = words else {
        return None;
    };
    let name = match shell.rsplit_once('/') {
        Some((folder, name)) if SHELL_FOLDERS.contains(&folder) => name,
        Some(_) => return None,
        // It is looked for where Codex looks for its own.
        None => shell,
    };
    (SHELLS.contains(&name) && SHELL_FLAGS.contains(&flag.as_str())).then_some(inner)
}

fn read(line: &str) -> Script {
    let mut reader = Reader { is_plain: true, ..Reader::default() };
    let mut rest = line.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '\'' => {
                reader.begin_word();
                let mut closed = false;
                for quoted in rest.by_ref() {
                    if quoted == '\'' {
                        closed = true;
                        break;
                    }
                    reader.word.push(quoted);
                }
                reader.is_plain &= closed;
            }
            '"' => {
                reader.begin_word();
                reader.double_quoted(&mut rest);
            }
            '\\' => match rest.next() {
                Some('\n') => {}
                Some(escaped) => {
                    reader.begin_word();
                    reader.word.push(escaped);
                }
                None => reader.is_plain = false,
            },
            ' ' | '\t' => reader.end_word(),
            ';' | '|' | '&' | '\n' => reader.end_command(),
            '$' | '`' | '(' | ')' | '{' | '}' | '<' | '>' | '\r' => {
                reader.is_plain = false;
                reader.end_command();
            }
            '#' | '!' | '~' if !reader.in_word => {
                reader.is_plain = false;
                reader.begin_word();
                reader.word.push(next);
            }
            other => {
                reader.begin_word();
                reader.word.push(other);
            }
        }
    }
    reader.end_command();
    Script { commands: reader.commands, is_plain: reader.is_plain }
}

#[derive(Default)]
struct Reader {
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    word: String,
    in_word: bool,
    is_plain: bool,
}

impl Reader {
    fn begin_word(&mut self) {
        self.in_word = true;
    }

    fn double_quoted(&mut self, rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
        while let Some(next) = rest.next() {
            match next {
                '"' => return,
                '$' | '`' => {
                    self.is_plain = false;
                    self.word.push(next);
                }
                '\\' => match rest.peek() {
                    Some('"' | '\\' | '$' | '`') => self.word.extend(rest.next()),
                    Some('\n') => drop(rest.next()),
                    Some(_) | None => self.word.push('\\'),
                },
                other => self.word.push(other),
            }
        }
        self.is_plain = false; // It was never closed.
    }

    fn end_word(&mut self) {
        if !std::mem::take(&mut self.in_word) {
            return;
        }
        let word = std::mem::take(&mut self.word);
        if self.words.is_empty() && is_assignment(&word) {
            // It changes what the command does.
            self.is_plain = false;
            return;
        }
        self.words.push(word);
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.words.is_empty() {
            self.commands.push(std::mem::take(&mut self.words));
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let is_name = |part: char| part.is_ascii_alphanumeric() || part == '_';
        !name.is_empty() && name.chars().all(is_name)
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_line_is_read_as_the_shell_would_or_is_more_than_plain() {
        for (line, plain, expected) in [
            ("cargo test --all", true, "cargo|test|--all"),
            ("/bin/bash -lc 'cargo test'", true, "cargo|test"),
            ("bash -lc \"echo 'a b' && ls\"", true, "echo|a b; ls"),
            ("/opt/homebrew/bin/zsh -lc ls", true, "ls"),
            ("./bash -lc ls", true, "./bash|-lc|ls"),
            ("/tmp/bash -lc ls", true, "/tmp/bash|-lc|ls"),
            ("/bin/../tmp/bash -lc ls", true, "/bin/../tmp/bash|-lc|ls"),
            ("/bash -lc ls", true, "/bash|-lc|ls"),
            ("sh -c ls extra", true, "sh|-c|ls|extra"),
            ("a; b | c & d\ne", true, "a; b; c; d; e"),
            ("echo a\\ b 'c d'\"e\"", true, "echo|a b|c de"),
            ("echo \"\\$HOME\"", true, "echo|$HOME"),
            ("echo ''", true, "echo|"),
            ("", true, ""),
            ("echo $HOME", false, "echo; HOME"),
            ("echo \"$(rm x)\"", false, "echo|$(rm x)"),
            ("echo $(rm x)", false, "echo; rm|x"),
            ("ls > /etc/passwd", false, "ls; /etc/passwd"),
            ("PATH=/tmp ls", false, "ls"),
            ("bash -lc 'ls", false, "bash|-lc|ls"),
            ("ls # rm", false, "ls|#|rm"),
            ("echo \\", false, "echo"),
        ] {
            let script = parse(line);
            let commands: Vec<_> = script.commands.iter().map(|words| words.join("|")).collect();
            assert_eq!(
                (script.is_plain, commands.join("; ").as_str()),
                (plain, expected),
                "{line}"
            );
        }
    }
}
