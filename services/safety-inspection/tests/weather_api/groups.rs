//! Mutual-aid groups (rule 5.26).

use kit::auth::Role;
use proto::safety as pb;
use tonic::Code;

use crate::city::tree::{BUREAU, CITY, KINDERGARTEN, SISTER, TRAINING};
use crate::city::world::told;
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::storm::{Answer, Storm, storms};

storms!(
    a_group_has_as_many_members_as_the_policy_says,
    a_group_is_changed_and_dissolved
);

fn group(members: &[&str]) -> pb::MutualAidGroup {
    pb::MutualAidGroup {
        display_name: "鼓山互助组".to_owned(),
        members: members.iter().map(|one| (*one).to_owned()).collect(),
        ..Default::default()
    }
}

async fn form(storm: &mut Storm, members: &[&str]) -> Answer<pb::MutualAidGroup> {
    let request = storm.district(pb::CreateMutualAidGroupRequest {
        parent: BUREAU.to_owned(),
        mutual_aid_group: Some(group(members)),
        request_id: String::new(),
    });
    Ok(storm
        .client
        .create_mutual_aid_group(request)
        .await?
        .into_inner())
}

async fn a_group_has_as_many_members_as_the_policy_says(mut storm: Storm) {
    let two = form(&mut storm, &[SCHOOL, SISTER]).await.expect_err("two");
    let (code, reason, zh) = told(&two);
    assert_eq!(
        (code, &*reason),
        (Code::FailedPrecondition, "MUTUAL_AID_SIZE")
    );
    assert_eq!(zh, "互助组应有 3 至 5 所学校");
    for stranger in [CITY, "organizations/2135010002", "organizations/nowhere"] {
        let refused = form(&mut storm, &[SCHOOL, SISTER, stranger]).await;
        let (_, reason, zh) = told(&refused.expect_err(stranger));
        assert_eq!(reason, "MUTUAL_AID_MEMBER");
        assert!(zh.starts_with(stranger), "{zh}");
    }
    let twice = form(&mut storm, &[SCHOOL, SISTER, SISTER])
        .await
        .expect_err("twice");
    assert_eq!(told(&twice).1, "INVALID_FIELD");
    let formed = form(&mut storm, &[SCHOOL, SISTER, KINDERGARTEN])
        .await
        .expect("formed");
    assert_eq!(
        formed.members,
        [SCHOOL, SISTER, KINDERGARTEN],
        "the first leads"
    );
    let taken = form(&mut storm, &[KINDERGARTEN, TRAINING, SISTER]).await;
    assert_eq!(told(&taken.expect_err("taken")).1, "MUTUAL_AID_MEMBER");
    let list = storm.city(pb::ListMutualAidGroupsRequest {
        parent: CITY.to_owned(),
        ..Default::default()
    });
    let list = storm
        .client
        .list_mutual_aid_groups(list)
        .await
        .expect("a list");
    assert_eq!(
        list.into_inner().mutual_aid_groups,
        [formed],
        "the refused one is not kept"
    );
}

async fn a_group_is_changed_and_dissolved(mut storm: Storm) {
    let formed = form(&mut storm, &[SCHOOL, SISTER, KINDERGARTEN])
        .await
        .expect("formed");
    let update = |members: &[&str], etag: &str| pb::UpdateMutualAidGroupRequest {
        mutual_aid_group: Some(pb::MutualAidGroup {
            name: formed.name.clone(),
            members: members.iter().map(|one| (*one).to_owned()).collect(),
            etag: etag.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let members = [TRAINING, SCHOOL, SISTER, KINDERGARTEN];
    let request = storm.district(update(&members, &formed.etag));
    let changed = storm
        .client
        .update_mutual_aid_group(request)
        .await
        .expect("changed");
    let changed = changed.into_inner();
    assert_eq!(
        (&*changed.members, &changed.display_name),
        (&members.map(str::to_owned)[..], &formed.display_name)
    );
    let request = storm.district(update(&members, &formed.etag));
    let lost = storm
        .client
        .update_mutual_aid_group(request)
        .await
        .expect_err("lost");
    assert_eq!(told(&lost).1, "ETAG_MISMATCH");
    let read = pb::GetMutualAidGroupRequest {
        name: formed.name.clone(),
    };
    let request = storm
        .world
        .by("guard", Role::Guard, SCHOOL_PATH, read.clone());
    let read_back = storm
        .client
        .get_mutual_aid_group(request)
        .await
        .expect("a member reads it");
    assert_eq!(read_back.into_inner(), changed);
    let delete = pb::DeleteMutualAidGroupRequest {
        name: formed.name.clone(),
        request_id: String::new(),
    };
    let request = storm.principal(SCHOOL_PATH, delete.clone());
    let refused = storm
        .client
        .delete_mutual_aid_group(request)
        .await
        .expect_err("a school");
    assert_eq!(told(&refused).1, "SCOPE_DENIED");
    let request = storm.district(delete);
    storm
        .client
        .delete_mutual_aid_group(request)
        .await
        .expect("dissolved");
    let request = storm.district(read);
    let gone = storm
        .client
        .get_mutual_aid_group(request)
        .await
        .expect_err("gone");
    assert_eq!(told(&gone).1, "NOT_FOUND");
    form(&mut storm, &[SCHOOL, SISTER, TRAINING])
        .await
        .expect("members are free again");
}
