//! The story of the demo: Codex finds a bug, is steered, stopped, asked again, mends it, and is killed.
//!
//! Each scene checks what it shows.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::model::says;

use super::cast::{Cast, Presence};
use super::fix;
use super::project::{self, SYMPTOM};
use super::screen::Screen;
use super::script::Act;
use super::stage::text;

const PROMPT: &str = "`sh test.sh` fails. Find out why. Change nothing.";
const PLAN: &[&str] = &["reproduce the failure", "find the line"];
const CAUSE: &str = "split.sh, line 5: the shell divides whole cents and drops the remainder, so \
    1000 cents between 3 friends become 3 × 333 = 999. Somebody has to pay the odd cent.";
const STEER: &str = "Keep it in shell, and change one line.";
const TRY: &str = "for friend in 1 2 3; do echo $(((1000 + friend - 1) / 3)); done";
const SOAK: &str = "sleep 600";

/// The longest time in which a cancelled turn may be gone.
const CANCEL_LIMIT: Duration = Duration::from_millis(500);
/// How many turns the summary measures.
const WARM_TURNS: usize = 9;

/// Plays all scenes with a server of this program.
pub(super) async fn play(screen: Screen, server: &Path, pace: Duration) -> Result<()> {
    screen.title("codex-mcp: an MCP client works with Codex");
    let mut cast = Cast::gather(screen, server, pace).await?;
    screen.gap();
    screen.fact("client", "this demo; it speaks MCP over stdio, as Claude Code does");
    screen.fact("server", &format!("codex-mcp {}", cast.stage.version));
    screen.fact("Codex", "the real CLI, in its own sandbox; only its model is scripted");
    screen.fact("project", project::ABOUT);

    let thread = find_the_bug(&mut cast).await?;
    steer(&mut cast, &thread).await?;
    cancel(&mut cast, &thread).await?;
    remember(&mut cast, &thread).await?;
    fix::play(&mut cast, &thread, 5).await?;
    crash(&mut cast, &thread).await?;
    sum_up(cast, &thread).await
}

async fn find_the_bug(cast: &mut Cast) -> Result<String> {
    let screen = cast.stage.screen;
    screen.scene(1, "Ask Codex");
    let acts = [
        Act::Thinks("The test says which bill goes wrong, so I run it first."),
        Act::Plans(1, PLAN),
        Act::RunsInVain("sh test.sh"),
        Act::Plans(2, PLAN),
        Act::Runs("grep -n share split.sh"),
        Act::Thinks("1000 / 3 is 333, and 3 × 333 is 999: the remainder gets lost."),
        Act::Answers(CAUSE),
    ];
    let prompt = json!({ "prompt": PROMPT });
    let data = cast.stage.turn("codex", prompt, &acts).await?;
    let printed = text(&data["commands"][0]["output"]);
    let claim = format!("Codex ran the test itself; it printed “{SYMPTOM}”");
    screen.check(&claim, printed.contains(SYMPTOM))?;
    let untouched = project::is_untouched(&cast.home);
    screen.check("the project is untouched (git status is empty)", untouched)?;
    Ok(text(&data["threadId"]))
}

async fn steer(cast: &mut Cast, thread: &str) -> Result<()> {
    let screen = cast.stage.screen;
    screen.scene(2, "Steer the running turn");
    let arguments = json!({ "threadId": thread, "prompt": "How would you fix it?" });
    let begin = [Act::Begins("I would rewrite it in Python, with a Money class and")];
    let mut call = cast.stage.begin("codex-reply", arguments, &begin).await?;

    let acts = [
        Act::Thinks("One line, then: the last friends pay the odd cents. I try the sum."),
        Act::Runs(TRY),
        Act::Answers(
            "Let line 7 be `echo $(((cents + friend - 1) / friends))`: 333 + 333 + 334 = 1000.",
        ),
    ];
    cast.stage.pause().await;
    let cues = cast.stage.prepare(&acts);
    let arguments = json!({ "threadId": thread, "prompt": STEER });
    let mut steer = cast.stage.call("codex.steer", arguments).await;
    let steered = cast.stage.end(&mut steer).await?["structuredContent"].take();
    screen.answer("taken up by the running turn", "");
    cast.stage.play(&mut call, cues).await?;
    let data = cast.stage.answer(&mut call).await?;

    let same = steered["turnId"].is_string() && steered["turnId"] == data["turnId"];
    screen.check("it was one turn, which changed its mind", same)?;
    let output = text(&data["commands"][0]["output"]);
    let claim = "its sum was done by a real shell: 333, 333, 334";
    screen.check(claim, output.lines().eq(["333", "333", "334"]))
}

async fn cancel(cast: &mut Cast, thread: &str) -> Result<()> {
    let screen = cast.stage.screen;
    screen.scene(3, "Cancel a turn, and what it started");
    let arguments = json!({ "threadId": thread, "prompt": "Run the soak test." });
    let start = [Act::Starts(SOAK)];
    let call = cast.stage.begin("codex-reply", arguments, &start).await?;
    cast.wait_for(SOAK, Presence::Running).await;

    cast.stage.pause().await;
    let arguments = json!({ "threadId": thread, "reason": "it takes too long" });
    let mut cancel = cast.stage.call("codex.cancel", arguments).await;
    let begun = Instant::now();
    let cancelled = cast.stage.end(&mut cancel).await?;
    let answered = begun.elapsed();
    cast.wait_for(SOAK, Presence::Gone).await;
    let gone = begun.elapsed();
    let status = text(&cancelled["structuredContent"]["turn"]["status"]);
    screen.answer(&format!("{status}, answered in {} ms", answered.as_millis()), "");
    let claim = format!("`{SOAK}` was gone {} ms after the cancel", gone.as_millis());
    screen.check(&claim, gone < CANCEL_LIMIT)?;
    let first = cast.stage.finish(call).await?;
    let both = status == "interrupted" && first["structuredContent"]["status"] == "interrupted";
    screen.check("the call that had started it was answered as well", both)
}

async fn remember(cast: &mut Cast, thread: &str) -> Result<()> {
    cast.stage.screen.scene(4, "Go on with the thread");
    let arguments = json!({ "threadId": thread, "prompt": "Remind me: where was the bug?" });
    let acts =
        [Act::Answers("In split.sh, line 5, where the remainder of the division is dropped.")];
    cast.stage.turn("codex-reply", arguments, &acts).await?;
    check_memory(cast, "the model was sent the whole thread, from the first question on")
}

async fn crash(cast: &mut Cast, thread: &str) -> Result<()> {
    let screen = cast.stage.screen;
    screen.scene(6, "Lose Codex in the middle of a turn");
    let before = cast.stage.app_server().await?;
    let arguments = json!({ "threadId": thread, "prompt": "What does the test miss?" });
    let begin = [Act::Begins("It does not check that the shares are fair, so")];
    let call = cast.stage.begin("codex-reply", arguments.clone(), &begin).await?;

    cast.stage.pause().await;
    screen.blow(&format!("kill -9 {before}: the app-server dies"));
    let pid = Pid::from_raw(before).context("codex.health named process 0")?;
    kill_process(pid, Signal::KILL).context("cannot kill the app-server")?;
    let failed = cast.stage.finish(call).await?;
    let error = &failed["structuredContent"]["error"];
    screen.error(&text(&error["code"]), &text(&error["message"]));
    screen.fact("next", &text(&error["remedy"]));
    let answered = failed["isError"] == true && error["remedy"].is_string();
    screen.check("the call was answered with an error that says what to do", answered)?;

    screen.gap();
    let acts = [Act::Answers(
        "Whether the shares are fair: nobody should pay two cents more than another.",
    )];
    cast.stage.turn("codex-reply", arguments, &acts).await?;
    let after = cast.stage.app_server().await?;
    screen.check("a new app-server took the thread up", after != before)?;
    check_memory(cast, "nothing of the thread was lost")
}

/// Checks that the newest request to the model carries the first question and its answer.
fn check_memory(cast: &Cast, claim: &str) -> Result<()> {
    let captured = cast.stage.model.captured();
    let newest = captured.last().context("the model was not asked")?;
    let has = |role: &str, part: &str| newest.texts(role).iter().any(|text| text == part);
    cast.stage.screen.check(claim, has("user", PROMPT) && has("assistant", CAUSE))
}

async fn sum_up(mut cast: Cast, thread: &str) -> Result<()> {
    let screen = cast.stage.screen;
    screen.scene(7, "In short");
    let warm = warm_turn(&mut cast, thread).await?;
    let health = cast.stage.ask("codex.health", json!({})).await?;
    let greeted = cast.stage.greeted_in.as_millis();
    let (server, codex) = (&health["versions"]["server"], &health["versions"]["codex"]);
    let versions = format!("codex-mcp {}, Codex {}", text(server), text(codex));
    cast.leave().await?;
    screen.gap();
    screen.fact("versions", &versions);
    screen
        .fact("start", &format!("`initialize` was answered {greeted} ms after the server's start"));
    let all = "client, server, Codex, its model and back";
    screen.fact("warm turn", &format!("{} ms from end to end: {all}", warm.as_millis()));
    screen.fact("more", "`cargo xtask bench` measures an optimised build beside what it replaces");
    screen.gap();
    screen.fact("add it", "cargo install --path crates/codex-mcp");
    screen.fact("", "codex-mcp setup claude");
    screen.gap();
    Ok(())
}

/// The median time of a turn on a loaded thread, with a model that answers at once.
async fn warm_turn(cast: &mut Cast, thread: &str) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..WARM_TURNS {
        cast.stage.model.add([says("Yes.")]);
        let begun = Instant::now();
        let arguments: Value = json!({ "threadId": thread, "prompt": "Ready?" });
        cast.stage.ask("codex-reply", arguments).await?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times[WARM_TURNS / 2])
}
