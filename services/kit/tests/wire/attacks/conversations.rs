//! Whatever frames come, the server goes on.

use std::cell::Cell;

use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::super::grammar::conversation;
use super::super::stand::Stand;
use super::super::*;

/// How many connections are tried.
const CASES: u32 = 300;
/// After so many of them somebody else calls.
const EACH: u32 = 20;
/// What a server says of a fault of its own.
const FAULT: u32 = 2;

/// What the server says in its frames that ends a stream or the connection, until it closes.
async fn ends(target: &Target, said: &[u8]) -> Vec<u32> {
    let (mut reader, mut writer) = tokio::io::split(target.connect().await);
    let saying = async {
        // The server may close before everything is sent.
        let _ = writer.write_all(said).await;
        let _ = writer.shutdown().await;
    };
    let reading = async {
        let mut codes = Vec::new();
        while let Some(frame) = next(&mut reader).await {
            let at = match frame.kind {
                RST_STREAM => 0,
                GOAWAY => 4,
                _ => continue,
            };
            let code = frame.payload.get(at..at + 4);
            let code = code.and_then(|code| code.try_into().ok());
            codes.extend(code.map(u32::from_be_bytes));
        }
        codes
    };
    let both = async { tokio::join!(saying, reading).1 };
    let codes = timeout(PATIENCE, both).await;
    codes.expect("the server closes after whoever has said everything")
}

/// Calls and frames of every kind, whole and broken.
pub(crate) async fn any(stand: &Stand) {
    let (target, count) = (&stand.target, Cell::new(0));
    fuzz::run(CASES, &conversation(target), |said| {
        fuzz::wait(async {
            let codes = ends(target, &said).await;
            prop_assert!(!codes.contains(&FAULT), "{codes:?}");
            count.set(count.get() + 1);
            if count.get() % EACH == 0 {
                stand.good.call().await;
            }
            prop_assert_eq!(stand.server.panics(), Vec::<String>::new());
            Ok(())
        })
    });
    stand.good.call_anew().await;
}
