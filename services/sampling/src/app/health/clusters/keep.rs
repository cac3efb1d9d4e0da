//! Keeps what becomes of clusters: rows, people, trail, deadlines, proposals and announcements.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::db::Tx;
use kit::feed::announce;

use crate::app::App;
use crate::app::health::deadlines::{Deadline, settle, wait};
use crate::app::tube_steps::millis;
use crate::domain::health::cluster::Finding;
use crate::domain::health::cluster_rule::Scope;
use crate::domain::health::cluster_state::ClusterState;
use crate::domain::health::reconcile::Verdict;
use crate::error::Error;
use crate::grpc::health::announced::cluster_change;
use crate::grpc::health::cluster_convert::explanation;
use crate::store::health::clusters::{ClusterEventRow, ClusterPersonRow, ClusterRow, save_people};
use kit::rows::{Lock, Row};

/// The line of the trail with which a cluster that was reported is to be reported again.
pub(super) const REPORT_DUE: &str = "REPORT_DUE";

impl App {
    /// Keeps the verdicts on the clusters of one school, which is locked; `rows` are those known.
    pub(super) async fn keep(
        &self,
        tx: &Tx,
        rows: Vec<ClusterRow>,
        verdicts: Vec<Verdict<'_>>,
        school: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let rows = rows.into_iter().map(|row| (row.id.clone(), row));
        let mut rows: BTreeMap<String, ClusterRow> = rows.collect();
        for verdict in verdicts {
            match verdict {
                Verdict::Fires(finding) => self.fire(tx, &finding, school, now).await?,
                Verdict::Is(id, finding) => {
                    if let Some(row) = rows.remove(&id) {
                        self.grow(tx, row, &finding, now).await?;
                    }
                }
                Verdict::Merges(id, into) => {
                    if let Some(mut row) = rows.remove(&id) {
                        row.state = ClusterState::Merged.code();
                        row.stands = false;
                        row.merged_into.clone_from(&into);
                        let note = format!("clusters/{into}");
                        // What it is part of is reported.
                        settle(tx, Deadline::ClusterReport, &row.id).await?;
                        if let Some(into) = rows.get_mut(&into) {
                            self.take_over(tx, into, &row, now).await?;
                        }
                        self.fell(tx, row, ("MERGED", &note), now).await?;
                    }
                }
                Verdict::Falls(id) => {
                    if let Some(mut row) = rows.remove(&id) {
                        row.stands = false;
                        self.fell(tx, row, ("FELL", ""), now).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A cluster takes over what is to be reported of another one that becomes part of it, if its own
    /// report was received before that one fired: a report says nothing of what comes after it (rule
    /// 1.15).
    async fn take_over(
        &self,
        tx: &Tx,
        row: &mut ClusterRow,
        part: &ClusterRow,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let is_told = row.report_time == 0 || row.report_time >= part.fire_time;
        if part.report_time != 0 || is_told {
            return Ok(());
        }
        (row.report_time, row.report_due) = (0, part.report_due);
        let note = format!("clusters/{}", part.id);
        line(tx, row, (REPORT_DUE, "rule 1.15", &note), now).await?;
        wait(tx, Deadline::ClusterReport, &row.id, row.report_due).await?;
        self.save_cluster(tx, row.clone()).await?;
        row.version += 1;
        Ok(())
    }

    /// A new cluster.
    async fn fire(
        &self,
        tx: &Tx,
        finding: &Finding<'_>,
        school: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let rule = finding.rule;
        let fire_time = now.timestamp_millis();
        let org_path = match rule.scope {
            Scope::ClassGroup => finding.place.clone(),
            Scope::Dormitory | Scope::School | Scope::Meal | Scope::Water => school.to_owned(),
        };
        let mut row = ClusterRow {
            id: self.identifier(now),
            school: school.to_owned(),
            org_path,
            rule: rule.code.clone(),
            criterion: rule.criterion.code(),
            scope: rule.scope.code(),
            place: finding.place.clone(),
            state: ClusterState::Open.code(),
            fire_time,
            report_due: fire_time + millis(rule.report_sla),
            ..ClusterRow::default()
        };
        describe(&mut row, finding);
        let actor = rule_name(finding);
        line(tx, &mut row, ("FIRED", &actor, ""), now).await?;
        wait(tx, Deadline::ClusterReport, &row.id, row.report_due).await?;
        save_people(tx, &row.id, &people(&row.id, finding)).await?;
        if rule.suspend_days != 0 {
            self.propose(tx, &mut row, rule, now).await?;
        }
        self.save_cluster(tx, row).await
    }

    /// A cluster that is known, as it is now.
    async fn grow(
        &self,
        tx: &Tx,
        before: ClusterRow,
        finding: &Finding<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut row = before.clone();
        describe(&mut row, finding);
        let now_people = people(&row.id, finding);
        let keys = vec![row.id.as_str().into()];
        let had = ClusterPersonRow::find(tx, "cluster", keys, Lock::No).await?;
        if row == before && now_people == had {
            return Ok(());
        }
        if now_people != had {
            save_people(tx, &row.id, &now_people).await?;
        }
        let actor = rule_name(finding);
        if before.stands {
            line(tx, &mut row, ("CHANGED", &actor, ""), now).await?;
        } else {
            line(tx, &mut row, ("ROSE", &actor, ""), now).await?;
            if row.report_time == 0 && !row.overdue {
                wait(tx, Deadline::ClusterReport, &row.id, row.report_due).await?;
            }
            self.propose_again(tx, &mut row, now).await?;
        }
        self.propose_anew(tx, &mut row, finding.rule, now).await?;
        self.save_cluster(tx, row).await
    }

    /// A cluster that stands no more: nothing is proposed for it. Whoever corrects what they said does
    /// not take back what is to be reported: the clock of its report runs on until one is received or
    /// somebody above the school closes it (rule 1.15).
    async fn fell(
        &self,
        tx: &Tx,
        mut row: ClusterRow,
        (kind, note): (&str, &str),
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let rule = row.rule.clone();
        line(tx, &mut row, (kind, &rule, note), now).await?;
        self.withdraw(tx, &mut row, now).await?;
        self.save_cluster(tx, row).await
    }

    /// Saves and announces a cluster.
    pub(super) async fn save_cluster(&self, tx: &Tx, mut row: ClusterRow) -> Result<(), Error> {
        row.version += 1;
        ClusterRow::save(tx, std::slice::from_ref(&row)).await?;
        announce(tx, vec![cluster_change(&row)]).await?;
        Ok(())
    }

    /// An opaque identifier that sorts by when it was made.
    pub(in crate::app::health) fn identifier(&self, now: DateTime<Utc>) -> String {
        let mut chance = [0; 10];
        chance.copy_from_slice(&(self.entropy)()[..10]);
        let millis = now.timestamp_millis().unsigned_abs();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &chance);
        id.into_uuid().to_string()
    }
}

/// Adds a line to the trail; the row is saved by the caller.
pub(in crate::app::health) async fn line(
    tx: &Tx,
    row: &mut ClusterRow,
    (kind, actor, note): (&str, &str, &str),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    row.events += 1;
    let event = ClusterEventRow {
        cluster: row.id.clone(),
        sequence: row.events,
        time: now.timestamp_millis(),
        kind: kind.to_owned(),
        actor: actor.to_owned(),
        people: row.people,
        note: note.to_owned(),
    };
    ClusterEventRow::add(tx, std::slice::from_ref(&event)).await?;
    Ok(())
}

/// What a finding says of its cluster.
fn describe(row: &mut ClusterRow, finding: &Finding<'_>) {
    row.stands = true;
    row.explanation = explanation(finding);
    finding.version.clone_into(&mut row.policy_version);
    row.first_day = i32::from(finding.first.number());
    row.last_day = i32::from(finding.last.number());
    row.reached_day = i32::from(finding.reached.number());
    row.people = i32::try_from(finding.people.len()).unwrap_or(i32::MAX);
}

fn people(cluster: &str, finding: &Finding<'_>) -> Vec<ClusterPersonRow> {
    let people = finding
        .people
        .iter()
        .map(|(person, (kind, day))| ClusterPersonRow {
            cluster: cluster.to_owned(),
            person: person.0.to_vec(),
            kind: *kind,
            day: i32::from(day.number()),
        });
    people.collect()
}

/// The rule as an actor of the trail.
fn rule_name(finding: &Finding<'_>) -> String {
    format!("rule {}", finding.rule.numbers.join(", "))
}
