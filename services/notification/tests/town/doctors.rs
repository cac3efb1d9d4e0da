//! What a school does with its alerts.

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use tonic::Status;
use uuid::Uuid;

use super::world::{World, by};
use super::{SCHOOL, SCHOOL_PATH, placed, sampling};

impl World {
    pub(crate) async fn list(
        &mut self,
        role: Role,
        scope: &str,
        parent: &str,
    ) -> Result<Vec<pb::Alert>, Status> {
        let ask = pb::ListAlertsRequest {
            parent: parent.to_owned(),
            ..Default::default()
        };
        let listed = self
            .alerts
            .list_alerts(by("reader-1", role, scope, ask))
            .await?;
        Ok(listed.into_inner().alerts)
    }

    pub(crate) async fn the_alert(&mut self) -> pb::Alert {
        let alerts = self.list(Role::Principal, SCHOOL_PATH, SCHOOL).await;
        let [alert] = &alerts.expect("listed")[..] else {
            panic!("one alert")
        };
        alert.clone()
    }

    pub(crate) async fn act(
        &mut self,
        act: Act,
        name: &str,
        scope: &str,
    ) -> Result<pb::Alert, Status> {
        self.act_once(act, name, scope, &Uuid::new_v4().to_string())
            .await
    }

    pub(crate) async fn act_once(
        &mut self,
        act: Act,
        name: &str,
        scope: &str,
        request_id: &str,
    ) -> Result<pb::Alert, Status> {
        let (name, comment) = (name.to_owned(), "已安排复检".to_owned());
        let request_id = request_id.to_owned();
        let who = ("doctor-1", Role::SchoolDoctor, scope);
        let alerts = &mut self.alerts;
        let answer = match act {
            Act::Acknowledge => {
                let ask = pb::AcknowledgeAlertRequest {
                    name,
                    comment,
                    request_id,
                };
                alerts
                    .acknowledge_alert(by(who.0, who.1, who.2, ask))
                    .await?
            }
            Act::Take => {
                let ask = pb::TakeAlertRequest {
                    name,
                    comment,
                    request_id,
                };
                alerts.take_alert(by(who.0, who.1, who.2, ask)).await?
            }
            Act::Resolve => {
                let ask = pb::ResolveAlertRequest {
                    name,
                    comment,
                    request_id,
                };
                alerts.resolve_alert(by(who.0, who.1, who.2, ask)).await?
            }
        };
        Ok(answer.into_inner())
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Acknowledge,
    Take,
    Resolve,
}

/// A world with one hold at the school.
pub(crate) async fn held(scratch: Scratch) -> World {
    let world = World::new(scratch).await;
    sampling(&world.db, &world.clock, &[placed(SCHOOL_PATH, "T1", 1)], 1).await;
    world
}
