//! The figures counted anew, from the tables and from what the services say, by another way than the one
//! by which they are kept.

use chrono::{Datelike, Duration};
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_date;
use proto::safety as pb;
use proto::safety::drill_service_client::DrillServiceClient;
use proto::safety::duty_service_client::DutyServiceClient;
use proto::safety::incident_service_client::IncidentServiceClient;
use proto::safety::inspection_plan_service_client::InspectionPlanServiceClient;
use proto::safety::protection_service_client::ProtectionServiceClient;
use proto::safety::safety_figures as parts;
use proto::safety::safety_figures_service_client::SafetyFiguresServiceClient;

use crate::city::tree::CITY_PATH;
use crate::city::world::World;
use crate::follower::number;

/// The organisation at a place.
pub(crate) fn name(path: &str) -> String {
    format!(
        "organizations/{}",
        path.rsplit('/').next().unwrap_or_default()
    )
}

/// The figures of the organisation at a place, as they are kept.
pub(crate) async fn kept(world: &World, path: &str) -> pb::SafetyFigures {
    let mut client = SafetyFiguresServiceClient::new(world.channel.clone());
    let ask = pb::GetSafetyFiguresRequest {
        name: format!("{}/safetyFigures", name(path)),
    };
    let ask = world.as_role(Role::CityOfficer, CITY_PATH, ask);
    let found = client.get_safety_figures(ask).await;
    found.expect("read").into_inner()
}

/// That the figures of the organisation at a place are those that a recount finds.
pub(crate) async fn holds(world: &World, path: &str) {
    let kept = kept(world, path).await;
    let counter = Counter { world, path };
    // When a deadline was moved last is told of hazards that are gone as well.
    let hazards = kept.hazards.map(|hazards| parts::Hazards {
        last_move_time: None,
        ..hazards
    });
    assert_eq!(hazards, Some(counter.hazards().await), "{path}");
    assert_eq!(kept.visitors, Some(counter.visitors().await), "{path}");
    assert_eq!(kept.weather, Some(counter.weather().await), "{path}");
    assert_eq!(kept.incidents, Some(counter.incidents().await), "{path}");
    assert_eq!(kept.drills, Some(counter.drills().await), "{path}");
    assert_eq!(kept.readiness, Some(counter.readiness().await), "{path}");
    assert_eq!(
        kept.inspections,
        Some(counter.inspections().await),
        "{path}"
    );
    counter.duty(&kept).await;
    counter.protection(&kept).await;
    let campuses = counter.count(
        "organizations",
        "open = TRUE AND kind IN (4, 5, 6, 7, 8, 11)",
    );
    assert_eq!(i64::from(kept.campus_count), campuses.await, "{path}");
}

struct Counter<'a> {
    world: &'a World,
    path: &'a str,
}

fn small(count: i64) -> i32 {
    i32::try_from(count).expect("a count")
}

impl Counter<'_> {
    async fn sum(&self, sum: &str, table: &str, wheres: &str) -> i64 {
        let path = self.path;
        let sql = format!(
            "SELECT CAST(COALESCE({sum}, 0) AS BIGINT) FROM {table} WHERE ({wheres}) \
             AND (org_path = '{path}' OR org_path LIKE '{path}/%')"
        );
        number(&self.world.db, &sql).await
    }

    async fn count(&self, table: &str, wheres: &str) -> i64 {
        self.sum("COUNT(*)", table, wheres).await
    }

    fn city<T>(&self, message: T) -> tonic::Request<T> {
        self.world.as_role(Role::CityOfficer, CITY_PATH, message)
    }

    async fn hazards(&self) -> parts::Hazards {
        let today = self.world.clock.today().num_days_from_ce();
        let open = async |grade: i32, wheres: &str| {
            let wheres = format!("state NOT IN (3, 9) AND grade = {grade} AND {wheres}");
            small(self.count("hazards", &wheres).await)
        };
        let overdue = format!("due_on < {today} AND (submitted_on = 0 OR submitted_on > due_on)");
        parts::Hazards {
            ungraded_open_count: open(0, "TRUE").await,
            ungraded_overdue_count: open(0, &overdue).await,
            general_open_count: open(1, "TRUE").await,
            general_overdue_count: open(1, &overdue).await,
            major_open_count: open(2, "TRUE").await,
            major_overdue_count: open(2, &overdue).await,
            moved_count: small(
                self.count(
                    "hazards",
                    "state NOT IN (3, 9) AND course NOT LIKE '%\"extensions\":0%'",
                )
                .await,
            ),
            last_move_time: None,
        }
    }

    async fn visitors(&self) -> parts::Visitors {
        let people = "SUM(1 + companions_inside)";
        let inside = self.sum(people, "visits", "state IN (5, 8, 9)").await;
        let over = self.sum(people, "visits", "state = 8").await;
        parts::Visitors {
            inside_count: small(inside),
            overstaying_count: small(over),
            emergency_count: small(self.count("visits", "state = 9").await),
            after_entry_overdue_count: small(
                self.count(
                    "visits",
                    "crew <> 0 AND after_at = 0 AND after_overdue_at <> 0",
                )
                .await,
            ),
        }
    }

    async fn weather(&self) -> parts::Weather {
        let now = self.world.clock.now().timestamp_millis();
        let mut states = Vec::new();
        for state in 2..=6 {
            let count = self
                .count("weather_states", &format!("state = {state}"))
                .await;
            if count > 0 {
                states.push(parts::weather::Count {
                    state,
                    campus_count: small(count),
                });
            }
        }
        let overdue = format!("state = 1 AND due_at < {now}");
        let late = format!("due_at < {now}");
        parts::Weather {
            states,
            open_task_count: small(self.count("weather_tasks", "state = 1").await),
            overdue_task_count: small(self.count("weather_tasks", &overdue).await),
            post_check_overdue_count: small(self.count("weather_states", &late).await),
        }
    }

    async fn incidents(&self) -> parts::Incidents {
        let open = "state NOT IN (9, 10) AND confidential = 0";
        let level = async |level: i32| {
            let wheres = format!("{open} AND level = {level}");
            small(self.count("incidents", &wheres).await)
        };
        let now = self.world.clock.now().timestamp_millis();
        let late = format!("{open} AND (late = TRUE OR (next_due <> 0 AND next_due < {now}))");
        parts::Incidents {
            level_one_count: level(1).await,
            level_two_count: level(2).await,
            level_three_count: level(3).await,
            level_four_count: level(4).await,
            late_count: small(self.count("incidents", &late).await),
            late_hop_count: self.late_hops().await,
        }
    }

    /// As each incident tells by itself.
    async fn late_hops(&self) -> i32 {
        let mut client = IncidentServiceClient::new(self.world.channel.clone());
        let list = self.city(pb::ListIncidentsRequest {
            parent: name(self.path),
            page_size: 1000,
            ..Default::default()
        });
        let listed = client.list_incidents(list).await.expect("listed");
        let mut late = 0;
        for incident in listed.into_inner().incidents {
            let over = matches!(
                incident.state(),
                pb::incident::State::Closed | pb::incident::State::FalseAlarm
            );
            if over || incident.confidential() != pb::incident::Confidential::Unspecified {
                continue;
            }
            let get = self.city(pb::GetIncidentRequest {
                name: incident.name,
            });
            let read = client.get_incident(get).await.expect("read").into_inner();
            let hops = read.clocks.iter().filter(|clock| {
                let hop = clock.duty() == pb::incident_clock::Duty::Hop;
                hop && clock.late && clock.done_time.is_none()
            });
            late += small(i64::try_from(hops.count()).expect("a count"));
        }
        late
    }

    /// What is owed around today, and what was owed in the month and the quarter before.
    async fn drills(&self) -> parts::Drills {
        let today = self.world.clock.today();
        let mut owed = self.owed(today).await;
        let month = today.with_day(1).expect("a day");
        let quarter = month.with_month0(month.month0() / 3 * 3).expect("a month");
        for (first, months) in [(month, 1), (quarter, 3)] {
            let last = first.pred_opt().expect("a day");
            let begin = first.checked_sub_months(chrono::Months::new(months));
            let begin = begin.map(to_date);
            let before = self.owed(last).await.into_iter();
            owed.extend(
                before.filter(|one| one.start_date == begin && one.end_date == Some(to_date(last))),
            );
        }
        let of = |state| {
            let those = owed.iter().filter(|one| one.state() == state);
            i32::try_from(those.count()).expect("a count")
        };
        parts::Drills {
            due_count: of(pb::drill_obligation::State::Due),
            done_count: of(pb::drill_obligation::State::Done),
            missed_count: of(pb::drill_obligation::State::Missed),
            counted_drill_count: owed.iter().map(|one| one.done_count).sum(),
            slow_drill_count: self.slow_drills().await,
        }
    }

    async fn owed(&self, day: chrono::NaiveDate) -> Vec<pb::DrillObligation> {
        let mut client = DrillServiceClient::new(self.world.channel.clone());
        let list = self.city(pb::ListDrillObligationsRequest {
            parent: name(self.path),
            date: Some(to_date(day)),
            page_size: 1000,
            ..Default::default()
        });
        let listed = client.list_drill_obligations(list).await.expect("listed");
        listed.into_inner().drill_obligations
    }

    async fn slow_drills(&self) -> i32 {
        let mut client = DrillServiceClient::new(self.world.channel.clone());
        let list = self.city(pb::ListDrillsRequest {
            parent: name(self.path),
            page_size: 1000,
            ..Default::default()
        });
        let listed = client.list_drills(list).await.expect("listed").into_inner();
        let slow = listed.drills.iter().filter(|one| {
            let (took, target) = (one.evacuation.as_ref(), one.evacuation_target.as_ref());
            let longer = took.zip(target).is_some_and(|(took, target)| {
                (took.seconds, took.nanos) > (target.seconds, target.nanos)
            });
            longer && one.counts
        });
        i32::try_from(slow.count()).expect("a count")
    }

    async fn readiness(&self) -> parts::Readiness {
        let away = "state NOT IN (10, 11, 12)";
        let count = async |wheres: &str| {
            let wheres = format!("{away} AND {wheres}");
            small(self.count("resumptions", &wheres).await)
        };
        let blocked = count("(score < 0 OR open_items > 0 OR guards <> 0)").await;
        let schools = count("TRUE").await;
        let scored = format!("{away} AND score > 0");
        let scores = self.sum("SUM(score)", "resumptions", &scored).await;
        parts::Readiness {
            school_count: schools,
            silent_count: count("score < 0").await,
            blocked_count: blocked,
            ready_count: schools - blocked,
            mean_score: small(scores).checked_div(schools),
        }
    }

    async fn inspections(&self) -> parts::Inspections {
        let today = self.world.clock.today();
        let mut client = InspectionPlanServiceClient::new(self.world.channel.clone());
        let list = self.city(pb::ListInspectionCoverageRequest {
            parent: name(self.path),
            start_date: Some(to_date(today - Duration::days(6))),
            end_date: Some(to_date(today)),
            ..Default::default()
        });
        let listed = client.list_inspection_coverage(list).await.expect("listed");
        let total = listed.into_inner().total.unwrap_or_default();
        parts::Inspections {
            due_count: total.due_count,
            inspected_count: total.inspected_count,
            missed_count: total.missed_count,
        }
    }

    /// The figures say of everybody what the service says, of those that never published a roster too.
    async fn duty(&self, kept: &pb::SafetyFigures) {
        use pb::duty_standing::State;
        let mut client = DutyServiceClient::new(self.world.channel.clone());
        let list = self.city(pb::ListDutyStandingsRequest {
            parent: name(self.path),
            page_size: 500,
            ..Default::default()
        });
        let listed = client.list_duty_standings(list).await.expect("listed");
        let listed = listed.into_inner().duty_standings;
        let of = |state: State| {
            let those = listed.iter().filter(|one| one.state() == state);
            i32::try_from(those.count()).expect("a count")
        };
        let kept = kept.duty.expect("duty");
        let found = (
            kept.on_duty_count,
            kept.awaited_count,
            kept.unattended_count,
            kept.gap_count,
        );
        let states = [State::OnDuty, State::Awaited, State::Alert, State::Gap];
        let [on, awaited, unattended, gap] = states.map(of);
        let expected = (on, awaited, unattended, gap);
        assert_eq!(found, expected, "{}", self.path);
        let mut missed = 0;
        for one in &listed {
            missed += self.missed_rounds(&mut client, &one.organization).await;
        }
        assert_eq!(kept.missed_round_count, missed, "{}", self.path);
    }

    /// The rounds of today and of the day before during shifts of an organisation that nobody made.
    async fn missed_rounds(
        &self,
        client: &mut DutyServiceClient<tonic::transport::Channel>,
        organization: &str,
    ) -> i32 {
        let list = self.city(pb::ListDutyShiftsRequest {
            parent: organization.to_owned(),
            page_size: 1000,
            ..Default::default()
        });
        let listed = client.list_duty_shifts(list).await.expect("listed");
        let mut shifts = listed.into_inner().duty_shifts;
        // Those below are listed as well.
        let own = format!("{organization}/");
        shifts.retain(|shift| shift.name.starts_with(&own));
        let seconds = |at: Option<prost_types::Timestamp>| at.map_or(0, |at| at.seconds);
        let mut missed = 0;
        let today = self.world.clock.today();
        for day in [today - Duration::days(1), today] {
            let get = self.city(pb::GetPatrolDayRequest {
                name: format!("{organization}/patrolDays/{day}"),
            });
            let read = client.get_patrol_day(get).await.expect("read");
            let during = read.into_inner().missed_rounds.into_iter().filter(|round| {
                let (from, to) = (seconds(round.start_time), seconds(round.end_time));
                shifts.iter().any(|shift| {
                    let replaced = shift.state() == pb::duty_shift::State::Replaced;
                    let before = seconds(shift.end_time) <= from;
                    !replaced && !before && seconds(shift.start_time) < to
                })
            });
            missed += i32::try_from(during.count()).expect("a count");
        }
        missed
    }

    async fn protection(&self, kept: &pb::SafetyFigures) {
        let mut client = ProtectionServiceClient::new(self.world.channel.clone());
        let get = self.city(pb::GetProtectionFiguresRequest {
            name: format!("{}/protectionFigures", name(self.path)),
        });
        let found = client.get_protection_figures(get).await.expect("read");
        let found = found.into_inner().figures;
        assert_eq!(found.len(), kept.demands.len());
        for (found, kept) in found.iter().zip(&kept.demands) {
            let expected = parts::Demand {
                kind: found.kind,
                met_count: small(found.met_count),
                not_met_count: small(found.not_met_count),
                lapsed_count: small(found.lapsed_count),
                not_declared_count: small(found.not_declared_count),
                met_basis_points: found.met_basis_points,
            };
            assert_eq!(*kept, expected, "{}", self.path);
        }
    }
}
