//! What somebody has who takes the databases away and not the keys.

use tests::city::City;
use tests::process::SERVICES;

use super::{everybody, morning};

/// No number of anybody in the register, and nothing that was said in confidence on that morning, stands in the
/// database of any service, whose processes have ended: neither as a text nor in hexadecimal. How people are
/// called is shown to staff and is there to be read.
pub(super) async fn tell_nothing(city: &City) {
    let is_number = |text: &String| text.starts_with(|first: char| first.is_ascii_digit());
    let numbers = everybody(&city.town).into_iter().filter(is_number);
    let planted: Vec<String> = numbers.chain(morning::sealed()).collect();
    let mut held = 0;
    for service in &SERVICES[..4] {
        let dump = city.dump(service).await;
        let text = String::from_utf8_lossy(&dump);
        held += text.len();
        if *service == "roster" {
            let called = tests::town::student_called(1, 1, 1);
            assert!(text.contains(&called), "the dump can be read");
        }
        for one in &planted {
            let bytes: String = one.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(!text.contains(one), "{service}: {one}");
            assert!(!text.contains(&bytes), "{service}: {one} in hexadecimal");
        }
    }
    assert!(held > 100_000, "{held} bytes of all of them");
}
