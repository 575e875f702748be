//! Takes long logs and images out of what Codex tells, keeps them whole, and leaves the turn their names.
//!
//! An image is taken on by its content. A file is read only inside the folder in which the turn works, or, where Codex
//! itself made it, in Codex's own: a model that names any other path gets nothing but a warning.

use std::path::{Path, PathBuf};

use bridge_core::{Artifact, ArtifactKind, Command, Item, ItemId, ThreadId, TurnEvent};
use codex_client::protocol as wire;
use codex_client::protocol::Notification;
use data_encoding::BASE64;
use serde_json::Value;

use super::failing;
use crate::image::ImageFormat;
use crate::ledger::Ledger;
use crate::mcp::outputs;
use crate::workspace::Roots;

/// Images of one item that are taken on.
const MAX_IMAGES: usize = 8;
/// Where Codex keeps the images that it made, in its own folder.
const MADE: &str = "generated_images";
/// Characters of a name.
const MAX_NAME: usize = 200;

/// Where artifacts are kept, and where they may come from.
pub(crate) struct Keeper<'a> {
    pub(crate) ledger: &'a Ledger,
    /// The longest content that is kept, in bytes as it is kept.
    pub(crate) max_bytes: usize,
    /// How much of a command's output the turn itself has.
    pub(crate) output_chars: usize,
    pub(crate) thread: Option<&'a ThreadId>,
    /// The folder in which the turn works.
    pub(crate) folder: Option<&'a str>,
    /// Codex's own folder.
    pub(crate) codex_home: &'a Path,
}

/// What became of an artifact: it is kept, or there is a reason why not.
pub(crate) type Kept = Result<Artifact, String>;

/// An image in what Codex tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Image {
    item: ItemId,
    name: String,
    source: Source,
}

/// Where an image is.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    /// Here, in base64.
    Inline(String),
    /// In a file that the model named.
    Viewed(String),
    /// In a file that Codex wrote.
    Written(String),
}

/// The images that a notification has or names.
pub(crate) fn images(notification: &Notification) -> Vec<Image> {
    let Notification::ItemCompleted(of) = notification else { return Vec::new() };
    let image = |id: &str, name: String, source: Source| Image {
        item: ItemId(id.to_owned()),
        name,
        source,
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other item has an image")]
    let mut found: Vec<Image> = match &of.item {
        wire::ThreadItem::McpToolCall(call) => {
            let content = call.result.as_ref().and_then(|result| result["content"].as_array());
            let name = || format!("{}.{}", call.server, call.tool);
            let inline = content.into_iter().flatten().filter_map(inline);
            inline.map(|data| image(&call.id, name(), Source::Inline(data))).collect()
        }
        wire::ThreadItem::DynamicToolCall(call) => {
            let outputs = call.content_items.iter().flatten();
            let urls = outputs.filter_map(|output| data_url(output.image_url.as_deref()?));
            urls.map(|data| image(&call.id, call.tool.clone(), Source::Inline(data))).collect()
        }
        wire::ThreadItem::ImageView(view) => {
            vec![image(&view.id, file_name(&view.path), Source::Viewed(view.path.clone()))]
        }
        wire::ThreadItem::ImageGeneration(generation) => generated(generation)
            .map(|(name, source)| image(&generation.id, name, source))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    };
    found.truncate(MAX_IMAGES);
    found
}

/// The image in a part of what an MCP tool gave.
fn inline(part: &Value) -> Option<String> {
    let text = match part["type"].as_str()? {
        "image" => part["data"].as_str(),
        "resource" => {
            let mime = part["resource"]["mimeType"].as_str()?;
            part["resource"]["blob"].as_str().filter(|_| mime.starts_with("image/"))
        }
        _ => None,
    };
    text.map(str::to_owned)
}

fn data_url(url: &str) -> Option<String> {
    let (kind, data) = url.strip_prefix("data:")?.split_once(',')?;
    kind.ends_with(";base64").then(|| data.to_owned())
}

fn generated(generation: &wire::ImageGenerationItem) -> Option<(String, Source)> {
    let name = generation.saved_path.as_deref().map_or("generated image".to_owned(), file_name);
    match (&generation.result, &generation.saved_path) {
        (Some(data), _) if !data.is_empty() => Some((name, Source::Inline(data.clone()))),
        (_, Some(path)) => Some((name, Source::Written(path.clone()))),
        (_, None) => None,
    }
}

pub(super) fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name();
    name.map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

impl Keeper<'_> {
    /// Keeps the whole output of a command that is too long for its turn.
    pub(crate) fn log(&self, event: &TurnEvent) -> Option<Kept> {
        let TurnEvent::ItemCompleted(Item::Command(command)) = event else { return None };
        let is_long = command.output_chars > self.output_chars;
        is_long.then(|| self.keep_log(command))
    }

    fn keep_log(&self, command: &Command) -> Kept {
        let bytes = command.output.len();
        if bytes > self.max_bytes {
            let limit = self.max_bytes;
            return Err(format!(
                "the output of a command has {bytes} bytes and is not kept whole: no more than {limit} are \
                 (`max_output_megabytes`)"
            ));
        }
        let (output, text) = outputs::queue_log(self.ledger, self.thread, &command.output);
        let start = command.output.len() - self.shown(command);
        let mut failing = failing::lines(&text);
        failing.retain(|line| line.offset < start as u64);
        Ok(Artifact {
            item: command.item.clone(),
            output: output.to_string(),
            kind: ArtifactKind::Log,
            name: command.command.chars().take(MAX_NAME).collect(),
            mime: "text/plain".to_owned(),
            bytes: bytes as u64,
            failing,
        })
    }

    /// How many bytes of a command's output the turn has.
    fn shown(&self, command: &Command) -> usize {
        command.output.chars().rev().take(self.output_chars).map(char::len_utf8).sum()
    }

    /// Keeps an image.
    pub(crate) fn image(&self, image: Image) -> Kept {
        let Image { item, name, source } = image;
        let name: String = name.chars().take(MAX_NAME).collect();
        let refused = |reason: String| format!("the image `{name}` is not kept: {reason}");
        let content = self.content(source).map_err(refused)?;
        let format = ImageFormat::of(&content);
        let format = format.ok_or_else(|| refused("it is no PNG, JPEG, GIF or WebP".to_owned()))?;
        let output = outputs::queue_image(self.ledger, self.thread, format, &content);
        Ok(Artifact {
            item,
            output: output.to_string(),
            kind: ArtifactKind::Image,
            mime: format.mime().to_owned(),
            bytes: content.len() as u64,
            failing: Vec::new(),
            name,
        })
    }

    fn content(&self, source: Source) -> Result<Vec<u8>, String> {
        // It is kept in base64, which has a third more.
        let limit = self.max_bytes / 4 * 3;
        let (path, folder) = match source {
            Source::Inline(data) if data.len() > self.max_bytes => {
                return Err(format!("it has more than {limit} bytes (`max_output_megabytes`)"));
            }
            Source::Inline(data) => {
                let decoded = BASE64.decode(data.as_bytes());
                return decoded.map_err(|_invalid| "it is no base64".to_owned());
            }
            Source::Viewed(path) => (path, self.folder.map(PathBuf::from)),
            Source::Written(path) => (path, Some(self.codex_home.join(MADE))),
        };
        let roots = folder.and_then(|folder| Roots::new(&[folder]).ok());
        let roots = roots.ok_or("the folder of its turn is not known")?;
        let file = roots.open(roots.first(), &path).map_err(|error| error.to_string())?;
        if file.bytes > limit as u64 {
            return Err(format!("it has more than {limit} bytes"));
        }
        file.read(limit as u64).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use expect_test::{Expect, expect};
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

    /// What becomes of images that a turn in one of two folders names.
    fn check(sources: impl Fn(&Path) -> Vec<Source>, expected: Expect) {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let (folder, codex_home) = (home.join("work"), home.join("codex"));
        for place in [&folder, &codex_home, &codex_home.join(MADE)] {
            fs::create_dir(place).unwrap();
            fs::write(place.join("a.png"), PNG).unwrap();
        }
        fs::write(folder.join("text.png"), "no image").unwrap();
        fs::write(folder.join("long.png"), [PNG, &[0; 100]].concat()).unwrap();
        fs::create_dir(folder.join("folder.png")).unwrap();
        symlink("a.png", folder.join("link.png")).unwrap();
        symlink(codex_home.join("a.png"), folder.join("out.png")).unwrap();
        mknodat(CWD, folder.join("pipe.png"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let keeper = Keeper {
            ledger: &Ledger::without_store(),
            max_bytes: 100,
            output_chars: 0,
            thread: None,
            folder: folder.to_str(),
            codex_home: &codex_home,
        };
        let mut shown = String::new();
        for source in sources(&home) {
            let image = Image { item: ItemId("i".to_owned()), name: "x".to_owned(), source };
            shown += &match keeper.image(image) {
                Ok(artifact) => format!("{}, {} bytes\n", artifact.mime, artifact.bytes),
                Err(reason) => reason.replace(home.to_str().unwrap(), "[home]") + "\n",
            };
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_file_is_read_where_its_turn_works_and_nowhere_else() {
        let names = ["a", "link", "out", "text", "long", "folder", "pipe", "none", "../codex/a"];
        let viewed = |home: &Path| {
            let path = |name| home.join(format!("work/{name}.png")).display().to_string();
            let mut sources: Vec<_> = names.iter().map(|name| Source::Viewed(path(name))).collect();
            sources.push(Source::Viewed("/etc/passwd".to_owned()));
            sources
        };
        check(
            viewed,
            expect![[r#"
                image/png, 18 bytes
                image/png, 18 bytes
                the image `x` is not kept: it is [home]/codex/a.png, outside the workspace roots [home]/work
                the image `x` is not kept: it is no PNG, JPEG, GIF or WebP
                the image `x` is not kept: it has more than 75 bytes
                the image `x` is not kept: it is a folder
                the image `x` is not kept: it is a named pipe
                the image `x` is not kept: it does not exist (looked for [home]/work/none.png)
                the image `x` is not kept: it is [home]/codex/a.png, outside the workspace roots [home]/work
                the image `x` is not kept: it is /etc/passwd, outside the workspace roots [home]/work
            "#]],
        );
    }

    #[test]
    fn what_codex_wrote_is_read_in_its_own_folder() {
        let written = |home: &Path| {
            let path = |path| Source::Written(home.join(path).display().to_string());
            vec![path("codex/generated_images/a.png"), path("codex/a.png"), path("work/a.png")]
        };
        check(
            written,
            expect![[r#"
                image/png, 18 bytes
                the image `x` is not kept: it is [home]/codex/a.png, outside the workspace roots [home]/codex/generated_images
                the image `x` is not kept: it is [home]/work/a.png, outside the workspace roots [home]/codex/generated_images
            "#]],
        );
    }

    #[test]
    fn what_is_in_place_is_an_image_in_base64_of_a_limited_length() {
        let inline = |_: &Path| {
            let texts =
                [BASE64.encode(PNG), BASE64.encode(b"text"), "%".to_owned(), "A".repeat(101)];
            texts.into_iter().map(Source::Inline).collect()
        };
        check(
            inline,
            expect![[r#"
            image/png, 18 bytes
            the image `x` is not kept: it is no PNG, JPEG, GIF or WebP
            the image `x` is not kept: it is no base64
            the image `x` is not kept: it has more than 75 bytes (`max_output_megabytes`)
        "#]],
        );
    }

    #[test]
    fn images_are_found_in_every_item_that_can_have_one() {
        let find = |item: serde_json::Value| {
            let params = serde_json::json!({ "threadId": "t", "turnId": "u", "item": item });
            let params = serde_json::value::to_raw_value(&params).unwrap();
            let images = images(&Notification::decode("item/completed", &params));
            let show =
                |image: &Image| format!("{} {} {:?}\n", image.item, image.name, image.source);
            images.iter().map(show).collect::<String>()
        };
        let mcp = |content: serde_json::Value| {
            serde_json::json!({
                "type": "mcpToolCall", "id": "m", "server": "s", "tool": "t", "status": "completed", "arguments": {},
                "result": { "content": content },
            })
        };
        let items = [
            mcp(serde_json::json!([
                { "type": "text", "text": "x" },
                { "type": "image", "data": "AA", "mimeType": "image/png" },
                { "type": "resource", "resource": { "uri": "x:y", "mimeType": "image/gif", "blob": "BB" } },
                { "type": "resource", "resource": { "uri": "x:y", "mimeType": "audio/wav", "blob": "CC" } },
                { "type": "image", "data": 7 }, 7,
            ])),
            serde_json::json!({
                "type": "dynamicToolCall", "id": "d", "tool": "t", "arguments": {}, "status": "completed",
                "contentItems": [
                    { "type": "inputImage", "imageUrl": "data:image/png;base64,DD" },
                    { "type": "inputImage", "imageUrl": "https://example.com/a.png" },
                    { "type": "inputText", "text": "x" },
                ],
            }),
            serde_json::json!({ "type": "imageView", "id": "v", "path": "/w/a.png" }),
            serde_json::json!({ "type": "imageGeneration", "id": "g", "status": "completed", "result": "EE" }),
            serde_json::json!({
                "type": "imageGeneration", "id": "g", "status": "completed", "result": "", "savedPath": "/c/b.png",
            }),
            serde_json::json!({ "type": "imageGeneration", "id": "g", "status": "failed", "fileId": "f" }),
        ];
        let found: String = items.into_iter().map(find).collect();
        expect![[r#"
            m s.t Inline("AA")
            m s.t Inline("BB")
            d t Inline("DD")
            v a.png Viewed("/w/a.png")
            g generated image Inline("EE")
            g b.png Written("/c/b.png")
        "#]]
        .assert_eq(&found);
    }
}
