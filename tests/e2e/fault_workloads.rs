//! Every acknowledged write is stored exactly once, and every turn of chat ends once, under each fault while clients are
//! working.

use std::time::Duration;

use crate::workload::{Fault, TURN_FAULTS, run, run_on_cluster, run_on_one_session, run_turns};

const TIME: Duration = Duration::from_secs(2);
/// Longer than the service's timeout of 2 s.
const LONG: Duration = Duration::from_secs(3);
const MINUTE: Duration = Duration::from_secs(60);
/// The cluster shares the machine with other tests; `make soak` runs it for longer.
const CLUSTER_TIME: Duration = Duration::from_secs(15);

macro_rules! kept_while {
    ($($name:ident: $fault:ident for $time:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let outcome = run(Fault::$fault, $time).await;
            println!("{outcome}");
            assert!(outcome.is_good(), "{outcome:#?}");
        }
    )+
        #[test]
        fn every_fault_is_in_a_test_of_this_module() {
            assert_eq!([$(Fault::$fault),+], Fault::ALL);
        }
    };
}

kept_while! {
    redis_is_killed_and_restarted: RedisKilled for TIME,
    redis_is_stopped_and_continued: RedisStopped for LONG,
    redis_pauses_its_clients: ClientsPaused for LONG,
    redis_is_out_of_memory: OutOfMemory for TIME,
    redis_fails_over_to_a_replica: FailedOver for LONG,
    redis_is_made_read_only: ReadOnly for TIME,
    connections_are_cut_in_mid_command: ConnectionsCut for TIME,
    answers_are_delayed: AnswersDelayed for TIME,
    answers_are_swallowed: AnswersSwallowed for LONG,
    commands_and_answers_come_byte_by_byte: AnswersSplit for TIME,
    our_process_is_killed: ProcessKilled for TIME,
    our_process_is_frozen_and_thawed: ProcessFrozen for LONG,
    our_process_has_30_file_descriptors: FewDescriptors for TIME,
    the_clock_jumps: ClockJumps for LONG,
    message_index_loses_keys: IndexLost for TIME,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_change_the_messages_of_one_session_while_connections_are_cut() {
    let outcome = run_on_one_session(Fault::ConnectionsCut, MINUTE).await;
    assert!(outcome.is_good(), "{outcome:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_change_the_messages_of_one_session_on_a_cluster_that_closes_connections() {
    let outcome = run_on_cluster(CLUSTER_TIME).await;
    assert!(outcome.is_good(), "{outcome:#?}");
}

/// `make soak` runs them for longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_end_once_and_lose_nothing_under_each_fault() {
    for fault in TURN_FAULTS {
        let outcome = run_turns(fault, LONG).await;
        assert!(outcome.is_good(), "{outcome:#?}");
    }
}
