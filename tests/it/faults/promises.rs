//! What was acknowledged stays, and happens once, whatever fails while clients work.

use std::time::Duration;

use crate::workload::{Fault, run};

/// Long enough for a wait of 2 s to end in it.
const TIME: Duration = Duration::from_secs(4);

macro_rules! kept_while {
    ($($name:ident: $fault:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let outcome = run(Fault::$fault, TIME).await;
            println!("{outcome}");
            assert!(outcome.is_good(), "{outcome:#?}");
        }
    )+
        #[test]
        fn every_fault_happens_here() {
            assert_eq!([$(Fault::$fault),+], Fault::ALL);
        }
    };
}

kept_while! {
    redis_is_killed_and_restarted: RedisKilled,
    redis_is_stopped_and_continued: RedisStopped,
    redis_pauses_its_clients: ClientsPaused,
    redis_is_out_of_memory: OutOfMemory,
    redis_fails_over_to_a_replica: FailedOver,
    redis_is_made_read_only: ReadOnly,
    connections_are_cut_in_mid_command: ConnectionsCut,
    answers_are_delayed: AnswersDelayed,
    answers_are_swallowed: AnswersSwallowed,
    commands_and_answers_come_byte_by_byte: AnswersSplit,
    our_process_is_killed: ProcessKilled,
    our_process_is_frozen_and_thawed: ProcessFrozen,
    our_process_has_30_file_descriptors: FewDescriptors,
    the_clock_jumps: ClockJumps,
}
