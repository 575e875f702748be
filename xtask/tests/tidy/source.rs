//! Reads Rust source just well enough to find functions and test modules.
//!
//! It is no parser: it blanks comments and literals, and then counts braces. Code that a macro generates is not seen.

/// The source with comments and the content of literals replaced by spaces; lines stay where they are.
pub(crate) fn code(source: &str) -> String {
    let mut scanner = Scanner { rest: source, code: String::with_capacity(source.len()) };
    while let Some(next) = scanner.rest.chars().next() {
        let length = scanner.blank_length();
        if length == 0 {
            scanner.code.push(next);
            scanner.rest = &scanner.rest[next.len_utf8()..];
        } else {
            scanner.blank(length);
        }
    }
    scanner.code
}

struct Scanner<'a> {
    rest: &'a str,
    code: String,
}

impl Scanner<'_> {
    fn blank(&mut self, length: usize) {
        let (blanked, rest) = self.rest.split_at(length);
        self.code.extend(blanked.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        self.rest = rest;
    }

    /// How many bytes from here are a comment or a literal; 0 when code is next.
    fn blank_length(&self) -> usize {
        let rest = self.rest;
        if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment_length(rest)
        } else if rest.starts_with('"') {
            quoted_length(rest, '"')
        } else if rest.starts_with('\'') {
            char_length(rest)
        } else if rest.starts_with('r') && !self.code.ends_with(is_raw_prefix_blocker) {
            raw_string_length(rest)
        } else {
            0
        }
    }
}

/// A letter before an `r` makes it part of a name, except in the prefixes `br` and `cr`.
fn is_raw_prefix_blocker(c: char) -> bool {
    is_name(c) && c != 'b' && c != 'c'
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a literal that begins and ends with `quote`.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    rest.len()
}

/// `'a'` and `'\n'` are literals; `'a` is a lifetime or a label, and code.
fn char_length(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    let first = chars.next();
    let is_literal = first == Some('\\') || chars.next() == Some('\'');
    if is_literal { quoted_length(rest, '\'') } else { 0 }
}

/// The length of `r"…"`, `r#"…"#` and so on; 0 for anything else, such as `r#fn`.
fn raw_string_length(rest: &str) -> usize {
    let after = rest[1..].trim_start_matches('#');
    let hashes = rest.len() - 1 - after.len();
    let Some(content) = after.strip_prefix('"') else {
        return 0;
    };
    let end = format!("\"{}", "#".repeat(hashes));
    let opening = rest.len() - content.len();
    content.find(&end).map_or(rest.len(), |at| opening + at + end.len())
}

/// A function with a body.
#[derive(Debug, PartialEq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of its `fn`, counted from 1.
    pub(crate) line: usize,
    /// From the line of `fn` to that of the closing brace.
    pub(crate) lines: usize,
}

/// Every function that stands outside `#[cfg(test)]`, nested ones also on their own.
pub(crate) fn functions(source: &str) -> Vec<Function> {
    let code = without_test_modules(code(source));
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let name: String =
            code[at + 3..].trim_start().chars().take_while(|c| is_name(*c)).collect();
        // `fn ` may end a longer name, and a function without a body ends before a brace opens.
        if name.is_empty() || code[..at].ends_with(is_name) {
            continue;
        }
        let Some(end) = item_end(&code, at) else {
            continue;
        };
        found.push(Function {
            name,
            line: code[..at].matches('\n').count() + 1,
            lines: code[at..end].matches('\n').count() + 1,
        });
    }
    found
}

fn without_test_modules(mut code: String) -> String {
    const MARK: &str = "#[cfg(test)]";
    while let Some(start) = code.find(MARK) {
        let end = item_end(&code, start + MARK.len()).unwrap_or(start + MARK.len());
        let blank: String =
            code[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        code.replace_range(start..end, &blank);
    }
    code
}

/// Where the braces of the item that begins at `start` close; none when it ends with a semicolon.
fn item_end(code: &str, start: usize) -> Option<usize> {
    let mut nested = 0;
    let mut braces = 0;
    for (at, c) in code[start..].char_indices() {
        match c {
            '(' | '[' => nested += 1,
            ')' | ']' => nested -= 1,
            ';' if nested == 0 && braces == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                if braces == 0 {
                    return Some(start + at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn comments_and_literals_are_blanked() {
    let pairs = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("}\"{", x)"#, r"f(      , x)"),
        ("f(r#\"}\"{\"#, x)", "f(        , x)"),
        ("f(br\"}\", x)", "f(b    , x)"),
        ("f('{', '\\'', b'}')", "f(   ,     , b   )"),
        ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ("for r#fn in var {}", "for r#fn in var {}"),
    ];
    for (source, expected) in pairs {
        assert_eq!(code(source), expected, "of {source}");
    }
}

#[test]
fn functions_are_found_with_their_length() {
    let source = "/// fn doc() {\nfn first(a: [u8; 2]) -> u8 {\n    let text = \"}\";\n    '}'\n}\n\
        trait T {\n    fn declared();\n    async fn second()\n    {\n    }\n}\n\
        type Pointer = fn (u8) -> u8;\n\
        #[cfg(test)]\nmod tests {\n    fn hidden() {\n    }\n}\nfn last() {}\n";
    let found: Vec<_> = functions(source).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
    let expected = [("first", 2, 4), ("second", 8, 3), ("last", 18, 1)];
    assert_eq!(found, expected.map(|(name, line, lines)| (name.to_owned(), line, lines)));
}
