//! Listed supervision of major hazards (挂牌督办): put up, watched, lifted (rule 5.8).

use super::course::Supervision;
use super::entry::{Actor, Hazard, Moment};
use super::moves::{NONE, Refused};
use super::state::Bureau;
use crate::domain::organization::Level;

impl Hazard {
    pub(super) fn supervise(
        mut self,
        demand: String,
        actor: &Actor,
        now: Moment,
    ) -> Result<Self, Refused> {
        if !self.is_major() {
            return Err(Refused::NotMajor);
        }
        let bureau = Bureau::of(actor.level).ok_or(Refused::LevelTooLow(Level::District))?;
        if let Some(stands) = self.supervised()
            && stands.bureau >= bureau
        {
            return Err(Refused::SupervisionState(stands.bureau.word()));
        }
        self.course.supervision = Some(Supervision {
            bureau,
            demand,
            supervisor: actor.name.clone(),
            start: now.at,
            watched: None,
            lifted: None,
        });
        Ok(self)
    }

    /// The supervision that stands, for somebody who is as high as its list.
    fn supervision_by(&mut self, actor: &Actor) -> Result<&mut Supervision, Refused> {
        let stands = self.course.supervision.as_mut();
        let stands = stands.filter(|supervision| supervision.lifted.is_none());
        let supervision = stands.ok_or(Refused::SupervisionState(NONE))?;
        let level = supervision.bureau.level();
        if actor.level < level {
            return Err(Refused::LevelTooLow(level));
        }
        Ok(supervision)
    }

    pub(super) fn watch(
        mut self,
        finding: String,
        actor: &Actor,
        now: Moment,
    ) -> Result<Self, Refused> {
        self.supervision_by(actor)?.watched = Some((finding, now.at));
        Ok(self)
    }

    pub(super) fn lift(mut self, actor: &Actor, now: Moment) -> Result<Self, Refused> {
        self.supervision_by(actor)?.lifted = Some(now.at);
        Ok(self)
    }
}
