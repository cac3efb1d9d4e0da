//! The safety of one campus, a typhoon over all of them, and closed schools that resume teaching.

mod drill;
mod duty;
mod hazard;
mod resumption;
mod storm;
mod visitor;

use anyhow::Context as _;
use kit::auth::Role;
use kit::field::to_timestamp;
use proto::roster::staff_member::Post;
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::{ListStaffMembersRequest, StaffMember};
use proto::safety::Photo;

use super::Stage;
use super::screening::DISTRICT;
use crate::city::{self, SchoolPlan};
use crate::house::Door;

/// A school with those who work there.
pub(super) struct Campus {
    /// The school's place in the tree.
    path: String,
    /// Its resource name.
    name: String,
    /// What it is called.
    called: String,
    staff: Vec<StaffMember>,
}

impl Campus {
    /// Who holds a post.
    fn holder(&self, post: Post) -> anyhow::Result<&str> {
        let holds = |member: &&StaffMember| member.posts.contains(&post.into());
        let member = self.staff.iter().find(holds);
        let member = member.with_context(|| format!("{} has no {post:?}", self.called))?;
        Ok(&member.name)
    }
}

impl Stage {
    /// What keeps one campus safe, what a typhoon asks of a whole district, and how teaching is resumed.
    pub(super) async fn safety(&mut self) -> anyhow::Result<()> {
        let campus = self.campus().await?;
        self.visitor(&campus).await?;
        self.hazard(&campus).await?;
        self.drill(&campus).await?;
        self.duty(&campus).await?;
        self.typhoon(&campus).await?;
        self.resumption().await
    }

    /// The first school of the district that is no kindergarten.
    async fn campus(&self) -> anyhow::Result<Campus> {
        let school = self.city.plan().schools().iter().find(|school| {
            school.district.division == DISTRICT && school.stage != city::Stage::Kindergarten
        });
        self.staffed(school.context("the district is too small")?)
            .await
    }

    /// A school with those who work there.
    async fn staffed(&self, school: &SchoolPlan) -> anyhow::Result<Campus> {
        let name = format!("organizations/{}", school.code);
        let request = ListStaffMembersRequest {
            parent: name.clone(),
            page_size: 1000,
            ..ListStaffMembersRequest::default()
        };
        let mut client = StaffServiceClient::new(self.officer()?);
        let staff = client.list_staff_members(request).await?.into_inner().staff;
        Ok(Campus {
            path: school.org_path(),
            name,
            called: school.name.clone(),
            staff,
        })
    }

    /// Who holds a post of the campus, with `role` there.
    fn at(&self, campus: &Campus, role: Role, post: Post) -> anyhow::Result<Door> {
        self.person(role, &campus.path, campus.holder(post)?)
    }

    fn deputy(&self, campus: &Campus) -> anyhow::Result<Door> {
        self.at(campus, Role::SafetyOfficer, Post::SafetyDeputy)
    }

    fn principal(&self, campus: &Campus) -> anyhow::Result<Door> {
        self.at(campus, Role::Principal, Post::Principal)
    }

    fn guard(&self, campus: &Campus) -> anyhow::Result<Door> {
        self.at(campus, Role::Guard, Post::Guard)
    }

    /// A picture that was taken just now.
    fn photo(&self, number: u8) -> Photo {
        Photo {
            sha256: vec![number; 32].into(),
            take_time: Some(to_timestamp(self.house.clock().now())),
            ..Photo::default()
        }
    }
}
