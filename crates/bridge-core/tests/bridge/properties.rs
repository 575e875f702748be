//! Whatever happens, in whatever order: every call is answered once, a thread runs one turn at a time, nothing is
//! sent for a thread that is not loaded or to a process that is gone, what a model has begun is never begun again, a turn
//! changes files only in the place that was made for it, and time never stands still.

mod codex;
mod world;

use bridge_core::{CallId, ThreadChange, TurnState};
use proptest::prelude::*;

use world::World;

#[derive(Clone, Debug)]
enum Step {
    Start {
        background: bool,
        proposes: bool,
    },
    Continue {
        thread: u8,
        background: bool,
        proposes: bool,
    },
    Review,
    ReviewBegins(usize),
    Steer(u8),
    TellPlan(u8),
    Wait(u8),
    Cancel(u8),
    Stop {
        thread: u8,
        turn: u64,
    },
    Change {
        thread: u8,
        change: ThreadChange,
    },
    Health,
    GiveUp(u64),
    CloseConnection,
    AppServer(AppServerStep),
    /// Answers one of the requests that wait, well or badly.
    Respond {
        which: usize,
        well: bool,
        hung: bool,
    },
    /// Ends a running turn.
    EndTurn {
        which: usize,
        state: TurnState,
    },
    Retry(usize),
    /// The model of a running turn says something.
    Work(usize),
    /// A run of `codex exec` goes on.
    Exec {
        which: usize,
        step: ExecStep,
    },
    /// One of the places that are wanted is made, or cannot be.
    Prepared {
        which: usize,
        well: bool,
    },
    /// What one of the turns changed is gathered, or cannot be.
    Collected {
        which: usize,
        well: bool,
    },
    Ask(u8),
    /// A person answers one of the questions, again perhaps.
    Answer {
        which: usize,
        stop: bool,
    },
    /// A call that was answered with questions comes again.
    ComeAgain(usize),
    Unload(u8),
    Measure(u64),
    WantRoom,
    Pass(u64),
}

#[derive(Clone, Copy, Debug)]
enum AppServerStep {
    Ready,
    Fail,
    Exit,
}

#[derive(Clone, Copy, Debug)]
enum ExecStep {
    Start,
    Work,
    End { well: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let app_server = prop_oneof![
        4 => Just(AppServerStep::Ready),
        2 => Just(AppServerStep::Fail),
        1 => Just(AppServerStep::Exit),
    ];
    let exec = prop_oneof![
        3 => Just(ExecStep::Start),
        1 => Just(ExecStep::Work),
        2 => any::<bool>().prop_map(|well| ExecStep::End { well }),
    ];
    let change = prop_oneof![
        Just(ThreadChange::Archive),
        Just(ThreadChange::Unarchive),
        Just(ThreadChange::Delete)
    ];
    let state = prop_oneof![
        Just(TurnState::Completed),
        Just(TurnState::Interrupted),
        Just(TurnState::Failed)
    ];
    prop_oneof![
        4 => any::<(bool, bool)>()
            .prop_map(|(background, proposes)| Step::Start { background, proposes }),
        4 => (0..8u8, any::<bool>(), any::<bool>()).prop_map(|(thread, background, proposes)| {
            Step::Continue { thread, background, proposes }
        }),
        2 => Just(Step::Review),
        2 => any::<usize>().prop_map(Step::ReviewBegins),
        2 => (0..8u8).prop_map(Step::Steer),
        3 => (0..8u8).prop_map(Step::TellPlan),
        2 => (0..8u8).prop_map(Step::Wait),
        2 => (0..8u8).prop_map(Step::Cancel),
        2 => (0..8u8, 0..30u64).prop_map(|(thread, turn)| Step::Stop { thread, turn }),
        2 => (0..8u8, change).prop_map(|(thread, change)| Step::Change { thread, change }),
        1 => Just(Step::Health),
        3 => (0..40u64).prop_map(Step::GiveUp),
        1 => Just(Step::CloseConnection),
        4 => app_server.prop_map(Step::AppServer),
        12 => (any::<usize>(), prop::bool::weighted(0.8), prop::bool::weighted(0.1))
            .prop_map(|(which, well, hung)| Step::Respond { which, well, hung }),
        6 => (any::<usize>(), state).prop_map(|(which, state)| Step::EndTurn { which, state }),
        1 => any::<usize>().prop_map(Step::Retry),
        3 => any::<usize>().prop_map(Step::Work),
        4 => (any::<usize>(), exec).prop_map(|(which, step)| Step::Exec { which, step }),
        5 => (any::<usize>(), prop::bool::weighted(0.8))
            .prop_map(|(which, well)| Step::Prepared { which, well }),
        4 => (any::<usize>(), prop::bool::weighted(0.8))
            .prop_map(|(which, well)| Step::Collected { which, well }),
        4 => (0..8u8).prop_map(Step::Ask),
        2 => (any::<usize>(), prop::bool::weighted(0.2))
            .prop_map(|(which, stop)| Step::Answer { which, stop }),
        2 => any::<usize>().prop_map(Step::ComeAgain),
        1 => (0..8u8).prop_map(Step::Unload),
        1 => (500..1500u64).prop_map(Step::Measure),
        1 => Just(Step::WantRoom),
        3 => (1..400u64).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn every_call_is_answered_exactly_once(steps in prop::collection::vec(step(), 0..80)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.shut_down();
        // What the shell says from here on comes too late.
        world.finish_places();
        for call in 0..world.calls {
            prop_assert_eq!(world.answers.get(&CallId(call)), Some(&1), "call {}", call);
        }
        prop_assert_eq!(world.unfinished_records(), 0);
        prop_assert_eq!(world.places_left(), 0);
    }

    /// Without a shutdown: an app-server that ends, and never comes back, leaves nobody waiting.
    #[test]
    fn nothing_waits_for_a_process_that_is_gone(steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        for _ in 0..40 {
            world.app_server(AppServerStep::Exit);
            world.app_server(AppServerStep::Fail);
            world.end_execs();
            world.finish_places();
            world.step(Step::Pass(60));
        }
        for call in 0..world.calls {
            prop_assert_eq!(world.answers.get(&CallId(call)), Some(&1), "call {}", call);
        }
        prop_assert_eq!(world.places_left(), 0);
    }
}
