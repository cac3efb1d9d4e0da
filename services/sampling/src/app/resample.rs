//! Tells the rotation who was swabbed, and takes it back when a tube came to nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::Value;

use super::App;
use crate::domain::day::Day;
use crate::domain::roll::{PersonId, person};
use crate::domain::tube::Verb;
use crate::error::Error;
use crate::store::rotation;
use crate::store::swabs::{self, MakeUpRow, SwabRow};
use crate::store::tubes::TubeRow;
use kit::rows::{Lock, Row};

impl App {
    /// Tells the rotation that the people of sealed tubes were swabbed, or takes it back.
    pub(crate) async fn rotate(
        &self,
        tx: &Tx,
        tubes: &[TubeRow],
        swabbed: bool,
    ) -> Result<(), Error> {
        let mut groups = BTreeMap::<(String, i32), Vec<PersonId>>::new();
        for swab in SwabRow::find(tx, "tube", codes(tubes), Lock::No).await? {
            let group = groups.entry((swab.org_path, swab.day)).or_default();
            group.push(person(&swab.person));
        }
        for ((path, day), people) in groups {
            let day = Day::from_number(u16::try_from(day).unwrap_or_default());
            if swabbed {
                rotation::sampled(tx, &path, &people, day).await?;
            } else {
                rotation::put_back(tx, &path, &people, day).await?;
            }
        }
        Ok(())
    }

    /// Gives everybody of lost, rejected or invalid tubes a make-up task, and no hold
    /// (rule 2.22). A point is due again by itself.
    pub(crate) async fn resample(
        &self,
        tx: &Tx,
        tubes: &mut [TubeRow],
        cause: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let of_people: Vec<TubeRow> = tubes
            .iter()
            .filter(|tube| tube.point.is_empty())
            .cloned()
            .collect();
        let swabbed = SwabRow::find(tx, "tube", codes(&of_people), Lock::No).await?;
        let task = |swab: SwabRow| MakeUpRow {
            tube: swab.tube,
            person: swab.person,
            kind: swab.kind,
            org_path: swab.org_path,
            cause: cause.to_owned(),
            create_time: now.timestamp_millis(),
        };
        let tasks: Vec<MakeUpRow> = swabbed.into_iter().map(task).collect();
        MakeUpRow::save(tx, &tasks).await?;
        let regular: Vec<TubeRow> = of_people.into_iter().filter(TubeRow::is_regular).collect();
        self.rotate(tx, &regular, false).await?;
        swabs::discount(tx, codes(tubes)).await?;
        for tube in tubes {
            tube.apply(Verb::Resample)?;
        }
        Ok(())
    }

    /// Takes back what [`App::resample`] did to tubes whose result was invalid and is not any more.
    pub(crate) async fn valid_again(&self, tx: &Tx, tubes: Vec<TubeRow>) -> Result<(), Error> {
        swabs::count_again(tx, codes(&tubes)).await?;
        let regular: Vec<TubeRow> = tubes.into_iter().filter(TubeRow::is_regular).collect();
        self.rotate(tx, &regular, true).await
    }
}

fn codes(tubes: &[TubeRow]) -> Vec<Value> {
    tubes.iter().map(|tube| tube.code.as_str().into()).collect()
}
