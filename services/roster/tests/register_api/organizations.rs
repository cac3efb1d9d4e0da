//! The tree of organisations as a client sees it.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use crate::desk::desk_suite;
use crate::desk::{CITY, Desk, FUQING, GULOU, GULOU_PRIMARY, fields, reason};
use kit::auth::Role;
use proto::roster::organization::{Kind, State};
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::{
    CloseOrganizationRequest, CreateOrganizationRequest, GetOrganizationRequest,
    ListOrganizationsRequest, Organization, UpdateOrganizationRequest,
};
use tonic::Code;

fn get(id: &str) -> GetOrganizationRequest {
    GetOrganizationRequest {
        name: format!("organizations/{id}"),
    }
}

fn school(id: &str, parent: &str) -> CreateOrganizationRequest {
    CreateOrganizationRequest {
        organization: Some(Organization {
            kind: Kind::School.into(),
            display_name: "第一小学".to_owned(),
            parent: format!("organizations/{parent}"),
            ..Organization::default()
        }),
        organization_id: id.to_owned(),
        request_id: String::new(),
    }
}

async fn the_tree_is_listed_by_path_and_page(desk: Desk) {
    desk.plant().await;
    let mut client = OrganizationServiceClient::new(desk.officer());
    let mut paths = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListOrganizationsRequest {
            page_size: 2,
            page_token,
            ..Default::default()
        };
        let page = client
            .list_organizations(request)
            .await
            .unwrap()
            .into_inner();
        assert!(page.organizations.len() <= 2);
        paths.extend(page.organizations.into_iter().map(|one| one.org_path));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let expected = [
        "fz",
        "fz/350102",
        "fz/350102/2135010001",
        "fz/350102/3435010002",
        "fz/350181",
        "fz/350181/2135010003",
    ];
    assert_eq!(paths, expected);
}

async fn a_retired_division_is_stored_as_its_replacement(desk: Desk) {
    desk.plant().await;
    let mut client = OrganizationServiceClient::new(desk.officer());
    let mut request = school("2135010009", FUQING);
    request.organization.as_mut().unwrap().division_code = "350182".to_owned();
    let made = client
        .create_organization(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(made.division_code, "350112");
    let request = ListOrganizationsRequest {
        division_code: "350182".to_owned(),
        ..ListOrganizationsRequest::default()
    };
    let found = client
        .list_organizations(request)
        .await
        .unwrap()
        .into_inner()
        .organizations;
    assert_eq!(found, [made]);
}

async fn a_district_sees_and_changes_only_its_own_part(desk: Desk) {
    desk.plant().await;
    let mut client =
        OrganizationServiceClient::new(desk.caller(Role::DistrictOfficer, "fz/350102"));
    assert_eq!(
        client
            .get_organization(get(GULOU_PRIMARY))
            .await
            .unwrap()
            .into_inner()
            .name,
        format!("organizations/{GULOU_PRIMARY}")
    );
    for hidden in [CITY, FUQING, "2135010003", "no-such-school"] {
        let denied = client.get_organization(get(hidden)).await.unwrap_err();
        assert_eq!(
            (denied.code(), reason(&denied)),
            (Code::PermissionDenied, "SCOPE_DENIED".to_owned()),
            "{hidden}"
        );
    }
    let denied = client
        .create_organization(school("a", FUQING))
        .await
        .unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    let listed = client
        .list_organizations(ListOrganizationsRequest::default())
        .await
        .unwrap();
    let listed = listed.into_inner().organizations;
    assert!(
        listed
            .iter()
            .all(|one| one.org_path.starts_with("fz/350102"))
    );
    assert_eq!(listed.len(), 3);
}

async fn the_same_request_makes_one_organization(desk: Desk) {
    desk.plant().await;
    let mut client = OrganizationServiceClient::new(desk.officer());
    let mut request = school("a", GULOU);
    request.request_id = "5f1e2c1a-6d1f-4a3b-9a58-0d2f5a1b7c11".to_owned();
    let first = client
        .create_organization(request.clone())
        .await
        .unwrap()
        .into_inner();
    let again = client
        .create_organization(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, again);
    request.organization_id = "b".to_owned();
    let refused = client.create_organization(request).await.unwrap_err();
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    let refused = client
        .create_organization(school("a", GULOU))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::AlreadyExists, "ALREADY_EXISTS".to_owned())
    );
}

async fn wrong_fields_are_named_together(desk: Desk) {
    desk.plant().await;
    let mut client = OrganizationServiceClient::new(desk.officer());
    let organization = Organization {
        parent: format!("organizations/{GULOU}"),
        school_code: "2235".to_owned(),
        uscc: "9144030071526726XX".to_owned(),
        division_code: "999999".to_owned(),
        stages: vec![2, 2],
        ..Organization::default()
    };
    let request = CreateOrganizationRequest {
        organization: Some(organization),
        organization_id: "Not An Id".to_owned(),
        request_id: String::new(),
    };
    let refused = client.create_organization(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let expected = [
        "organization_id",
        "organization.kind",
        "organization.display_name",
        "organization.school_code",
        "organization.uscc",
        "organization.division_code",
        "organization.stages[1]",
    ];
    assert_eq!(fields(&refused), expected);
}

async fn codes_are_unique(desk: Desk) {
    desk.plant().await;
    let mut client = OrganizationServiceClient::new(desk.officer());
    let with_code = |id: &str| {
        let mut request = school(id, GULOU);
        request.organization.as_mut().unwrap().school_code = "2135010077".to_owned();
        request
    };
    client.create_organization(with_code("a")).await.unwrap();
    let refused = client
        .create_organization(with_code("b"))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "ALREADY_EXISTS");
}

async fn a_kind_stands_only_where_it_may(desk: Desk) {
    desk.plant().await;
    let mut client = OrganizationServiceClient::new(desk.officer());
    let mut request = school("lab-1", GULOU_PRIMARY);
    request.organization.as_mut().unwrap().kind = Kind::Laboratory.into();
    let refused = client.create_organization(request).await.unwrap_err();
    assert_eq!(reason(&refused), "ORGANIZATION_KIND");
}

async fn an_update_with_an_old_etag_is_refused(desk: Desk) {
    desk.plant().await;
    let mut client = OrganizationServiceClient::new(desk.officer());
    let before = client
        .get_organization(get(GULOU_PRIMARY))
        .await
        .unwrap()
        .into_inner();
    let renamed = Organization {
        name: before.name.clone(),
        display_name: "实验小学".to_owned(),
        etag: before.etag.clone(),
        ..Organization::default()
    };
    let request = UpdateOrganizationRequest {
        organization: Some(renamed),
        update_mask: None,
        request_id: String::new(),
    };
    let after = client
        .update_organization(request.clone())
        .await
        .unwrap()
        .into_inner();
    let expected = Organization {
        display_name: "实验小学".to_owned(),
        version: 2,
        etag: "\"2\"".to_owned(),
        ..before
    };
    assert_eq!(after, expected);
    let refused = client.update_organization(request).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
}

async fn only_what_is_empty_closes_and_stays_closed(desk: Desk) {
    desk.plant().await;
    let mut client = OrganizationServiceClient::new(desk.officer());
    let close = |id: &str| CloseOrganizationRequest {
        name: format!("organizations/{id}"),
        valid_to_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: 7,
        }),
        replaced_by: String::new(),
        request_id: String::new(),
    };
    let refused = client.close_organization(close(GULOU)).await.unwrap_err();
    assert_eq!(reason(&refused), "ORGANIZATION_NOT_EMPTY");
    let closed = client
        .close_organization(close(GULOU_PRIMARY))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(closed.state(), State::Closed);
    let refused = client
        .close_organization(close(GULOU_PRIMARY))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "ORGANIZATION_CLOSED");
    let refused = client
        .create_organization(school("a", GULOU_PRIMARY))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "ORGANIZATION_CLOSED");
}

desk_suite!(
    the_tree_is_listed_by_path_and_page,
    a_retired_division_is_stored_as_its_replacement,
    a_district_sees_and_changes_only_its_own_part,
    the_same_request_makes_one_organization,
    wrong_fields_are_named_together,
    codes_are_unique,
    a_kind_stands_only_where_it_may,
    an_update_with_an_old_etag_is_refused,
    only_what_is_empty_closes_and_stays_closed,
);
