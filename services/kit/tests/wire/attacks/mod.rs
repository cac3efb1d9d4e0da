//! Attacks on a port, each of which is refused with bounded memory while others are served as before.

pub(crate) mod bodies;
pub(crate) mod connections;
pub(crate) mod conversations;
pub(crate) mod streams;

use std::time::{Duration, Instant};

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use super::Closed;
use super::good::{Calling, Way, p99};
use super::stand::Stand;

/// How many good calls are looked at before an attack, and beside it at least: it goes on as long.
const CALLS: usize = 100;
/// What comes beside it is answered in this time, or no slower than so many times as before: attackers and
/// callers share their processors with the server.
const KEPT: Duration = Duration::from_secs(2);
const TIMES: u32 = 5;
/// How long an attack may be made again and again before enough others were served.
const LONGEST: Duration = Duration::from_secs(120);
/// Memory that no attack of one connection makes a server take besides, in bytes.
pub(crate) const FLAT: usize = 16 << 20;
/// The same where every stream of a connection is used.
pub(crate) const STREAMS: usize = 72 << 20;
/// The same where a hundred connections are.
pub(crate) const MANY: usize = 64 << 20;
/// What a server says to whoever it sends away for a flood.
pub(crate) const CALM: u32 = 11;
/// How much time of processors that costs it at most.
const PROCESSOR: Duration = Duration::from_millis(250);

/// One attack after the other: what one costs must not be taken for the cost of another.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Waits until nobody else attacks.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// What becomes of `attack`, made again and again while others call over one connection and are served as
/// before; the server takes no more memory than `most` besides.
pub(crate) async fn beside<T>(stand: &Stand, most: usize, attack: impl AsyncFn() -> T) -> Vec<T> {
    beside_calls(stand, most, Way::One, attack).await
}

/// The same where others call over a `way` of theirs.
pub(crate) async fn beside_calls<T>(
    stand: &Stand,
    most: usize,
    way: Way,
    attack: impl AsyncFn() -> T,
) -> Vec<T> {
    let quiet = Calling::begin(&stand.good, way);
    quiet.see(CALLS).await;
    let before = p99(quiet.end());
    let had = stand.server.memory();
    stand.server.forget_peak();
    let (calling, begun) = (Calling::begin(&stand.good, way), Instant::now());
    let mut outcomes = vec![attack().await];
    while !calling.has_seen(CALLS) && begun.elapsed() < LONGEST {
        outcomes.push(attack().await);
    }
    let during = p99(calling.end());
    let grown = stand.server.peak().saturating_sub(had);
    assert!(
        during <= (before * TIMES).max(KEPT),
        "99 of 100 calls took {before:?} at most before, {during:?} beside {} attacks",
        outcomes.len()
    );
    assert!(
        grown <= most,
        "{} KiB more than {} beside {} attacks",
        grown >> 10,
        had >> 10,
        outcomes.len()
    );
    assert_eq!(stand.server.panics(), Vec::<String>::new());
    let served = timeout(super::PATIENCE, stand.good.call_anew()).await;
    served.expect("others are served afterwards");
    outcomes
}

/// Makes an attack that the server ends with a farewell which says `words`, soon and without much work.
async fn sent_away(stand: &Stand, most: usize, words: &str, bytes: Vec<u8>) -> Vec<Closed> {
    let attack = async || stand.target.attack(bytes.clone()).await;
    let all = beside(stand, most, &attack).await;
    let expected = Some((CALM, words.to_owned()));
    for closed in &all {
        assert_eq!(closed.farewell, expected, "of {} attacks", all.len());
    }
    let had = stand.server.processor();
    attack().await;
    let took = stand.server.processor().saturating_sub(had);
    assert!(took <= PROCESSOR, "{took:?} of the processor");
    all
}

/// Makes a test of each attack on what `$stand` starts.
macro_rules! attacks {
    ($stand:path: $($module:ident::$attack:ident($how:ident) => $name:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let _alone = wire::attacks::alone().await;
                let stand = $stand(wire::stand::$how).await;
                wire::attacks::$module::$attack(&stand).await;
            }
        )*
    };
    ($stand:path) => {
        wire::attacks::attacks! { $stand:
            streams::settings(PLAIN) => what_a_connection_may_ask_for_is_told_at_once,
            streams::rapid_reset(PLAIN) => streams_that_are_opened_and_reset_end_the_connection,
            streams::rapid_reset(ENCRYPTED) => encrypted_streams_that_are_opened_and_reset_end_the_connection,
            streams::made_resets(PLAIN) => streams_that_the_server_is_made_to_reset_end_the_connection,
            streams::made_resets(ENCRYPTED) => encrypted_streams_that_the_server_is_made_to_reset_end_the_connection,
            streams::stream_flood(PLAIN) => streams_that_are_opened_and_left_are_bounded,
            streams::stream_flood(ENCRYPTED) => encrypted_streams_that_are_opened_and_left_are_bounded,
            streams::continuations(PLAIN) => headers_without_an_end_end_the_connection,
            streams::continuations(ENCRYPTED) => encrypted_headers_without_an_end_end_the_connection,
            streams::header_bomb(PLAIN) => headers_that_mean_more_than_they_say_end_the_connection,
            streams::header_bomb(ENCRYPTED) => encrypted_headers_that_mean_more_than_they_say_end_the_connection,
            streams::huge_metadata(PLAIN) => headers_that_are_too_many_are_refused,
            streams::huge_metadata(ENCRYPTED) => encrypted_headers_that_are_too_many_are_refused,
            streams::asks_for_answers(PLAIN) => answers_to_a_flood_do_not_pile_up,
            streams::empty_frames(PLAIN) => frames_without_bytes_end_the_connection,
            streams::empty_frames(ENCRYPTED) => encrypted_frames_without_bytes_end_the_connection,
            bodies::malformed(PLAIN) => what_is_no_message_is_refused_with_a_status,
            bodies::malformed(ENCRYPTED) => what_is_encrypted_and_no_message_is_refused_with_a_status,
            bodies::compressed(PLAIN) => a_compressed_bomb_is_refused_as_it_is,
            bodies::compressed(ENCRYPTED) => an_encrypted_compressed_bomb_is_refused_as_it_is,
            bodies::amplifying(PLAIN) => a_hundred_lists_of_nothing_take_up_no_more_than_they_may,
            bodies::amplifying(ENCRYPTED) => a_hundred_encrypted_lists_of_nothing_take_up_no_more_than_they_may,
            bodies::nested(PLAIN) => groups_in_groups_without_end_are_refused,
            bodies::silent(PLAIN) => a_body_that_never_comes_is_given_up,
            bodies::silent(ENCRYPTED) => an_encrypted_body_that_never_comes_is_given_up,
            bodies::announced(PLAIN) => thousands_of_bodies_that_are_announced_and_never_come_are_given_up,
            connections::silent(PLAIN) => a_connection_that_says_nothing_is_closed,
            connections::silent(ENCRYPTED) => an_encrypted_connection_that_says_nothing_is_closed,
            connections::silent_head(IMPATIENT) => a_head_that_never_ends_is_given_up,
            connections::dead_peer(IMPATIENT) => whoever_gives_no_sign_of_life_is_gone,
            connections::dead_peer(ENCRYPTED_IMPATIENT) => whoever_gives_no_encrypted_sign_of_life_is_gone,
            connections::idle(BUSY) => whoever_only_gives_signs_of_life_is_sent_away,
            connections::idle(ENCRYPTED_BUSY) => whoever_only_gives_encrypted_signs_of_life_is_sent_away,
            connections::exhausted(POOR) => a_server_without_file_descriptors_serves_on,
            conversations::any(PLAIN) => whatever_frames_come_a_connection_ends_and_nothing_else,
            connections::handshakes(ENCRYPTED) => handshakes_from_one_address_hold_up_no_other,
        }
    };
}
pub(crate) use attacks;
