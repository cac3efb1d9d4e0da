//! Draws a day: school by school, each whole or not at all.

use std::collections::HashSet;
use std::sync::Arc;

use kit::auth::{Caller, Permission};
use kit::feed::announce;
use kit::org::OrgPath;
use proto::sampling::Draw;
use tokio::sync::mpsc;

use super::App;
use super::compute::{Setting, draw_schools};
use crate::domain::cycle::CycleSeed;
use crate::domain::day::Day;
use crate::domain::plan::{Plan, PlanId};
use crate::domain::roll::GroupKind;
use crate::error::Error;
use crate::grpc::draw_convert;
use crate::store::draws::NewDraw;
use crate::store::policy::Facts;
use crate::store::rolls::{self, GroupRow};
use crate::store::{draws, plans};

/// How many class groups are drawn in one transaction, as far as whole schools allow.
const GROUPS_AT_ONCE: i64 = 2000;

/// How far a draw is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    /// Schools to draw, with those drawn before.
    pub(crate) schools: usize,
    /// Schools that are drawn and durable.
    pub(crate) drawn: usize,
    /// Class groups that this call drew.
    pub(crate) groups: usize,
    /// People that this call picked.
    pub(crate) picks: usize,
    /// All is done.
    pub(crate) finished: bool,
    /// The draw of the one school that was asked for.
    pub(crate) draw: Option<Draw>,
}

/// What a draw needs to know, read once.
#[derive(Debug)]
struct Day0 {
    plan: Plan,
    day: Day,
    cycle: (Day, CycleSeed),
    facts: Arc<Facts>,
}

/// Schools that are drawn together: first and last path, and how many groups.
type Part = Vec<(String, i64)>;

impl App {
    /// Checks whether the day can be drawn, then draws it, telling the progress.
    pub(crate) async fn draw_day(
        &self,
        caller: &Caller,
        plan: &PlanId,
        organization: &str,
        date: Option<chrono::NaiveDate>,
    ) -> Result<mpsc::Receiver<Result<Progress, Error>>, Error> {
        let place = self
            .place(caller, Permission::DrawRun, organization)
            .await?;
        let day0 = self.prepare(plan, &place, date).await?;
        // Below a city-wide plan a school can be drawn, and below the city a district's plan.
        let scope: OrgPath = day0.plan.org_path.parse().unwrap_or_default();
        let place = if place.contains(&scope) { scope } else { place };
        let (sender, receiver) = mpsc::channel(4);
        let app = self.clone();
        tokio::spawn(async move {
            let outcome = app.draw_place(&day0, &place, &sender).await;
            if let Err(err) = outcome {
                // Whoever asked may be gone; what is drawn stays.
                let _ = sender.send(Err(err)).await;
            }
        });
        Ok(receiver)
    }

    async fn prepare(
        &self,
        id: &PlanId,
        place: &OrgPath,
        date: Option<chrono::NaiveDate>,
    ) -> Result<Day0, Error> {
        let today = self.clock.today();
        if let Some(date) = date.filter(|date| *date != today) {
            return Err(Error::NotToday(date));
        }
        let day = Day::from(today);
        let row = plans::get(self.db.read(), id).await?;
        let plan = row.ok_or_else(|| Error::NotFound(id.to_string()))?.plan;
        let scope: OrgPath = plan.org_path.parse().unwrap_or_default();
        if !scope.contains(place) && !place.contains(&scope) {
            return Err(Error::NotFound(id.to_string()));
        }
        let facts = self.facts.get(self.db.read()).await?;
        let policy = facts
            .policy(place.as_str(), day)
            .ok_or_else(|| Error::NoPolicy(place.to_string()))?;
        if !plan.is_active(day) || !policy.enabled {
            return Err(Error::PlanNotActive(id.to_string()));
        }
        if !facts.calendar.is_school_day(day) {
            return Err(Error::NoSchoolDay(today));
        }
        let cycle = self.cycle(&plan, day, &facts).await?;
        Ok(Day0 {
            plan,
            day,
            cycle,
            facts,
        })
    }

    /// The cycle of the day; a new one begins when the last is over.
    async fn cycle(&self, plan: &Plan, day: Day, facts: &Facts) -> Result<(Day, CycleSeed), Error> {
        let is_on =
            |first: Day| facts.calendar.count(first.before(), day) <= u32::from(plan.cycle_days);
        let current = plans::cycle_at(self.db.read(), &plan.id, day).await?;
        if let Some(cycle) = current.filter(|(first, _)| is_on(*first)) {
            return Ok(cycle);
        }
        let tx = self.db.begin().await?;
        plans::lock(&tx, &plan.id).await?;
        let current = plans::cycle_at(&tx, &plan.id, day).await?;
        if let Some(cycle) = current.filter(|(first, _)| is_on(*first)) {
            return Ok(cycle);
        }
        let seed = CycleSeed((self.entropy)());
        plans::begin_cycle(&tx, &plan.id, day, &seed).await?;
        tx.commit().await?;
        Ok((day, seed))
    }

    async fn draw_place(
        &self,
        day0: &Day0,
        place: &OrgPath,
        sender: &mpsc::Sender<Result<Progress, Error>>,
    ) -> Result<(), Error> {
        let Day0 { plan, day, .. } = day0;
        let kinds: Vec<GroupKind> = [GroupKind::Students, GroupKind::Staff]
            .into_iter()
            .filter(|kind| plan.kind.draws(*kind))
            .collect();
        let schools = rolls::schools_below(self.db.read(), place.as_str(), &kinds).await?;
        let drawn = draws::drawn(self.db.read(), &plan.id, place.as_str(), *day).await?;
        let mut progress = Progress {
            schools: schools.len(),
            ..Progress::default()
        };
        let left: Part = schools
            .into_iter()
            .filter(|(path, _)| !drawn.contains(path))
            .collect();
        progress.drawn = progress.schools - left.len();
        let parts = into_parts(left);

        // The next schools are drawn in memory while the last ones are written.
        let mut ahead = None;
        for (index, part) in parts.iter().enumerate() {
            let ready = match ahead.take() {
                Some(ready) => ready,
                None => self.draw_part(day0, part, &kinds).await?,
            };
            let next = parts.get(index + 1);
            let draw_next = async {
                match next {
                    Some(next) => self.draw_part(day0, next, &kinds).await.map(Some),
                    None => Ok(None),
                }
            };
            let (written, next) = tokio::join!(self.write_part(day0, ready), draw_next);
            let (groups, picks) = written?;
            ahead = next?;
            progress.drawn += part.len();
            progress.groups += groups;
            progress.picks += picks;
            if next_is_pointless(sender, &progress).await {
                return Ok(());
            }
        }
        progress.finished = true;
        if progress.schools == 1 {
            let filter = draws::Filter {
                place: place.as_str(),
                day: *day,
                plan: Some(&plan.id),
                limit: 1,
                ..draws::Filter::default()
            };
            let found = draws::list(self.db.read(), &filter).await?;
            progress.draw = found.first().map(draw_convert::draw);
        }
        // Whoever asked may be gone.
        let _ = sender.send(Ok(progress)).await;
        Ok(())
    }

    /// Closes what was left open at these schools, then draws them in memory.
    async fn draw_part(
        &self,
        day0: &Day0,
        part: &Part,
        kinds: &[GroupKind],
    ) -> Result<Vec<NewDraw>, Error> {
        let Day0 {
            plan,
            day,
            cycle,
            facts,
        } = day0;
        let paths: HashSet<&str> = part.iter().map(|(path, _)| path.as_str()).collect();
        let ids: Vec<String> = part
            .iter()
            .filter_map(|(path, _)| path.rsplit('/').next())
            .map(Into::into)
            .collect();
        self.close_earlier(&plan.id, &ids, *day).await?;

        let read = self.db.read();
        let (Some((first, _)), Some((last, _))) = (part.first(), part.last()) else {
            return Ok(Vec::new());
        };
        let mut groups: Vec<GroupRow> = rolls::groups_between(read, first, last).await?;
        groups.retain(|group| kinds.contains(&group.kind) && paths.contains(group.school_path()));
        let earlier = draws::drawn_days(read, &plan.id, &ids).await?;
        let held = self.not_drawn(read, facts, (first, last), *day).await?;
        let (plan, day, cycle, facts) = (plan.clone(), *day, *cycle, facts.clone());
        let (signer, now) = (self.signer.clone(), self.clock.now());
        let computed = tokio::task::spawn_blocking(move || {
            let setting = Setting {
                plan: &plan,
                day,
                cycle: (cycle.0, &cycle.1),
                facts: &facts,
                held: &held,
                earlier: &earlier,
                signer: &signer,
                now,
            };
            draw_schools(&setting, &groups)
        });
        let computed = computed
            .await
            .map_err(|err| sea_orm::DbErr::Custom(err.to_string()))?;
        Ok(computed?)
    }

    async fn close_earlier(&self, plan: &PlanId, ids: &[String], day: Day) -> Result<(), Error> {
        let tx = self.db.begin().await?;
        let open = draws::open_before(&tx, plan, ids, day).await?;
        if !open.is_empty() {
            self.close_in(&tx, open).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Stores schools that are not drawn yet; returns how many groups and picks were new.
    async fn write_part(
        &self,
        day0: &Day0,
        mut ready: Vec<NewDraw>,
    ) -> Result<(usize, usize), Error> {
        let Day0 { plan, day, .. } = day0;
        let tx = self.db.begin().await?;
        // Two calls for the same schools meet here: the second finds them drawn.
        plans::lock(&tx, &plan.id).await?;
        let ids: Vec<String> = ready.iter().map(|draw| draw.row.id.id()).collect();
        let drawn = draws::existing(&tx, &ids).await?;
        ready.retain(|draw| !drawn.contains(&draw.row.id.id()));
        debug_assert!(ready.iter().all(|draw| draw.row.id.day == *day));
        let groups = ready.iter().map(|draw| draw.groups.len()).sum();
        let picks = ready
            .iter()
            .map(|draw| draw.row.picks.unsigned_abs() as usize)
            .sum();
        draws::add(&tx, &mut ready).await?;
        let changes = ready
            .iter()
            .flat_map(|draw| draw_convert::draw_changes(&draw.row))
            .collect();
        announce(&tx, changes).await?;
        tx.commit().await?;
        Ok((groups, picks))
    }
}

/// Tells the progress; whether nobody listens any more, so that the rest can wait for the repeat.
async fn next_is_pointless(
    sender: &mpsc::Sender<Result<Progress, Error>>,
    progress: &Progress,
) -> bool {
    sender.send(Ok(progress.clone())).await.is_err()
}

fn into_parts(schools: Part) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut groups = GROUPS_AT_ONCE;
    for school in schools {
        groups += school.1;
        match parts.last_mut() {
            Some(part) if groups <= GROUPS_AT_ONCE => part.push(school),
            _ => {
                groups = school.1;
                parts.push(vec![school]);
            }
        }
    }
    parts
}
