//! The scene in which Codex mends the bug: in a copy, seen, tried, applied with a yes, and taken back.

use anyhow::Result;
use serde_json::{Value, json};

use super::cast::Cast;
use super::project;
use super::script::Act;
use super::stage::text;

/// Line 7 of the program, as it should be.
const FIX: &str = r#"*** Begin Patch
*** Update File: split.sh
@@
-    echo "$share"
+    echo $(((cents + friend - 1) / friends))
*** End Patch"#;

/// Plays the scene on a thread that knows the bug.
pub(super) async fn play(cast: &mut Cast, thread: &str, number: usize) -> Result<()> {
    let screen = cast.stage.screen;
    screen.scene(number, "Let it mend the bug, in a copy");
    let patch = propose(cast, thread).await?;
    screen.gap();
    see(cast, &patch).await?;
    screen.gap();
    apply_and_take_back(cast, &patch).await
}

async fn propose(cast: &mut Cast, thread: &str) -> Result<String> {
    let arguments = json!({ "threadId": thread, "prompt": "Mend it.", "changes": "propose" });
    let acts = [
        Act::Thinks("One line, as they wanted it."),
        Act::Edits("split.sh", FIX),
        Act::Runs("sh test.sh"),
        Act::Answers(
            "Line 7 of split.sh gives the odd cents to the last friends; the test passes.",
        ),
    ];
    let data = cast.stage.turn("codex-reply", arguments, &acts).await?;
    let patch = &data["patch"];
    let (files, paths) = (&patch["files"], &patch["paths"]);
    let screen = cast.stage.screen;
    let one = *files == 1 && paths[0] == "split.sh";
    screen.check("it came back as a patch of one file", one)?;
    screen.check("the project is untouched", project::is_untouched(&cast.home))?;
    Ok(text(&patch["patchId"]))
}

/// Looks at the patch, and tries it where it was made.
async fn see(cast: &mut Cast, patch: &str) -> Result<()> {
    let screen = cast.stage.screen;
    let arguments = json!({ "patchId": patch });
    let mut call = cast.stage.call("codex.patch.preview", arguments.clone()).await;
    let preview = cast.stage.end(&mut call).await?["structuredContent"].take();
    let diff = text(&preview["diff"]);
    let changed: Vec<&str> = diff
        .lines()
        .filter(|line| {
            line.starts_with(['-', '+']) && !line.starts_with("---") && !line.starts_with("+++")
        })
        .collect();
    screen.answer("1 file, +1 -1; it applies as it is", &changed.join("\n"));
    screen.check("the diff is real, and fits the files as they are", preview["fit"] == "clean")?;
    cast.stage.pause().await;
    screen.gap();
    let call = cast.stage.call("codex.tests.run", arguments).await;
    let tried = cast.stage.finish(call).await?["structuredContent"].take();
    screen.answer(&text(&tried["status"]), "");
    let here = cast.stage.ask("codex.tests.run", json!({})).await?;
    let differs = tried["status"] == "passed" && here["status"] == "failed";
    screen.check("its tests pass in the copy; in the project they still fail", differs)
}

async fn apply_and_take_back(cast: &mut Cast, patch: &str) -> Result<()> {
    let screen = cast.stage.screen;
    let place = cast.home.workspace().display().to_string();
    let arguments = json!({ "patchId": patch });
    let applied = cast.stage.agree("codex.patch.apply", arguments, &place).await?;
    let here = cast.stage.ask("codex.tests.run", json!({})).await?;
    let works = action(&applied, "applied") && here["status"] == "passed";
    screen.check("with your yes it is in the project, where the tests pass now", works)?;
    cast.stage.pause().await;
    screen.gap();
    let back = json!({ "patchId": patch, "reverse": true });
    let back = cast.stage.agree("codex.patch.apply", back, &place).await?;
    let undone = action(&back, "reversed") && project::is_untouched(&cast.home);
    screen.check("and taken back: the project is as it was, byte for byte", undone)
}

fn action(result: &Value, action: &str) -> bool {
    result["structuredContent"]["action"] == action
}
