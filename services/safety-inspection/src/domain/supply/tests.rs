//! Laws of the ledger and of what lasts.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;

use super::item::{Catalogue, Heads};
use super::ledger::{Change, Entry, Holding, Lot, MOST, Refusal};
use super::level::{Alert, Level, attention};
use super::transfer::{State, Verb, step};

fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 4, 1).unwrap() + Days::new(number)
}

fn lot(number: &str, expires: NaiveDate) -> Lot {
    Lot {
        expires,
        number: number.to_owned(),
    }
}

#[test]
fn the_catalogue_that_ships_is_the_kit_of_rule_4_5() {
    Catalogue::check().unwrap();
    let items = Catalogue::shipped();
    let heads = Heads {
        classes: 6,
        persons: 210,
    };
    let of = |code| items.item(code).unwrap().minimum(heads, 14);
    assert_eq!(of("infrared-thermometer"), 6);
    assert_eq!(of("mercury-thermometer"), 2 * 6 + 6);
    assert_eq!(of("mask"), 210 * 14);
    assert_eq!((of("surgical-mask"), of("n95"), of("gown")), (20, 20, 10));
    assert_eq!((of("glove"), of("infrared-gate")), (100, 1));
    assert_eq!(items.item("nothing"), None);
}

#[test]
fn a_catalogue_that_demands_nothing_or_repeats_itself_is_refused() {
    let entry = "[[items]]\ncode='a'\ndisplay_name='甲'\nunit='PIECE'\nexpires=false\nsource='s'\neffective_date=2020-02-01\n";
    assert!(Catalogue::read(entry).is_err());
    let kit = format!("{entry}kit=[{{basis='CAMPUS',quantity=1}}]\n");
    assert!(Catalogue::read(&kit).is_ok());
    assert!(Catalogue::read(&format!("{kit}{kit}")).is_err());
    assert!(Catalogue::read(&kit.replace("PIECE", "BARREL")).is_err());
}

#[test]
fn what_expires_first_goes_first_and_what_has_expired_stays() {
    let (old, new, ever) = (lot("a", day(0)), lot("b", day(9)), lot("", NaiveDate::MAX));
    let mut holding: Holding = [(ever.clone(), 5), (new.clone(), 4), (old.clone(), 3)]
        .into_iter()
        .collect();
    let changes = holding.enter(&Entry::Out(6), day(1)).unwrap();
    let change = |lot: &Lot, by| Change {
        lot: lot.clone(),
        by,
    };
    assert_eq!(changes, [change(&new, -4), change(&ever, -2)]);
    assert_eq!(
        holding.enter(&Entry::Out(4), day(1)),
        Err(Refusal::Insufficient(3))
    );
    assert_eq!((holding.quantity(), holding.usable(day(1))), (6, 3));
    assert_eq!(
        holding.enter(&Entry::OutOf(old.clone(), 3), day(1)),
        Err(Refusal::Insufficient(0)),
        "nobody is given what has expired"
    );
    let written = holding
        .enter(&Entry::Removed(old.clone(), 3), day(1))
        .unwrap();
    assert_eq!(written, [change(&old, -3)]);
    assert_eq!(
        holding.enter(&Entry::In(ever, MOST), day(1)),
        Err(Refusal::TooMuch)
    );
}

#[test]
fn days_of_cover_are_usable_stock_by_daily_use() {
    let item = Catalogue::shipped().item("mask").unwrap();
    let heads = Heads {
        classes: 2,
        persons: 100,
    };
    let holding: Holding = [(lot("a", day(0)), 500), (lot("b", day(20)), 1399)]
        .into_iter()
        .collect();
    let level = Level::of(item, &holding, heads, 14, day(1));
    assert_eq!(
        (level.cover(), level.missing(), level.spare()),
        (Some(13), 1, 0)
    );
    let all = [Alert::BelowMinimum, Alert::Expiring, Alert::Expired];
    assert_eq!(level.alerts, all);
    let gate = Catalogue::shipped().item("infrared-gate").unwrap();
    assert_eq!(Level::of(gate, &holding, heads, 14, day(1)).cover(), None);
}

#[test]
fn each_move_of_a_transfer_is_what_the_table_says() {
    assert_eq!(step(State::Sent, Verb::Receive), Ok(State::Received));
    assert_eq!(step(State::Sent, Verb::Cancel), Ok(State::Cancelled));
    for state in [State::Received, State::Cancelled] {
        for verb in [Verb::Receive, Verb::Cancel] {
            assert_eq!(step(state, verb), Err(state));
        }
    }
}

fn entries() -> impl Strategy<Value = Vec<(u8, u64, u64)>> {
    proptest::collection::vec((0u8..5, 0u64..6, 0u64..50), 0..60)
}

proptest! {
    #[test]
    fn stock_is_the_sum_of_its_ledger_and_a_refusal_changes_nothing(entries in entries()) {
        let today = day(3);
        let (mut holding, mut sum) = (Holding::default(), 0i64);
        for (kind, number, quantity) in entries {
            let lot = lot("x", day(number));
            let entry = match kind {
                0 => Entry::In(lot, quantity),
                1 => Entry::Out(quantity),
                2 => Entry::OutOf(lot, quantity),
                3 => Entry::Removed(lot, quantity),
                _ => Entry::Counted(lot, quantity),
            };
            let before = holding.clone();
            match holding.enter(&entry, today) {
                Ok(changes) => sum += changes.iter().map(|change| change.by).sum::<i64>(),
                Err(_) => prop_assert_eq!(&before, &holding),
            }
            prop_assert_eq!(i64::try_from(holding.quantity()).unwrap(), sum);
            prop_assert!(holding.lots().all(|(_, there)| there > 0));
        }
    }

    #[test]
    fn a_transfer_conserves_what_both_have_together(
        given in proptest::collection::vec((0u64..8, 1u64..40), 0..6),
        quantity in 0u64..120,
        received in any::<bool>(),
    ) {
        let today = day(3);
        let lots = given.into_iter().map(|(number, there)| (lot("x", day(number)), there));
        let (mut giver, mut receiver) = (lots.collect::<Holding>(), Holding::default());
        let before = giver.quantity();
        let Ok(sent) = giver.enter(&Entry::Out(quantity), today) else {
            prop_assert!(giver.usable(today) < quantity);
            return Ok(());
        };
        let on_the_way: u64 = sent.iter().map(|change| change.by.unsigned_abs()).sum();
        prop_assert_eq!(giver.quantity() + on_the_way, before);
        let there = if received { &mut receiver } else { &mut giver };
        for change in sent {
            there.enter(&Entry::In(change.lot, change.by.unsigned_abs()), today).unwrap();
        }
        prop_assert_eq!(giver.quantity() + receiver.quantity(), before);
    }

    #[test]
    fn attention_is_asked_for_no_later_than_an_alert(
        lots in proptest::collection::vec((0u64..90, 1u64..400), 0..5),
        after in 0u64..100,
    ) {
        let item = Catalogue::shipped().item("mask").unwrap();
        let heads = Heads { classes: 1, persons: 30 };
        let lots = lots.into_iter().map(|(number, there)| (lot("x", day(number)), there));
        let holding: Holding = lots.collect();
        let since = attention(&holding, item.minimum(heads, 14), day(0));
        let level = Level::of(item, &holding, heads, 14, day(after));
        if !level.alerts.is_empty() {
            prop_assert!(since <= day(after));
        }
    }
}
