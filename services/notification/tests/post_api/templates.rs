//! Templates as those who write messages see them.

use crate::town;
use crate::town::on_both;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::template_text::Variant;
use proto::notification::template_variable::Type;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::town::world::{World, by, reason, told};
use crate::town::{BUREAU_PATH, SCHOOL, SCHOOL_PATH};

on_both!(
    the_shipped_templates_are_there_once,
    a_template_is_saved_in_versions_that_never_change,
    of_two_who_save_at_once_one_is_told,
    a_template_that_cannot_be_filled_is_refused_with_every_fault,
    texts_are_previewed_as_they_will_read,
    only_the_city_changes_templates,
    lists_are_paged,
);

fn variable(name: &str, of: Type, example: &str) -> pb::TemplateVariable {
    pb::TemplateVariable {
        name: name.to_owned(),
        r#type: of.into(),
        example: example.to_owned(),
    }
}

fn text(language: &str, variant: Variant, title: &str, body: &str) -> pb::TemplateText {
    pb::TemplateText {
        language: language.to_owned(),
        variant: variant.into(),
        title: title.to_owned(),
        body: body.to_owned(),
    }
}

fn reminder() -> pb::Template {
    pb::Template {
        name: "templates/reminder".to_owned(),
        description: "值班提醒".to_owned(),
        variables: vec![
            variable("school", Type::Organization, SCHOOL),
            variable("day", Type::Day, "2022-04-06"),
            variable("hours", Type::Count, "1"),
        ],
        texts: vec![
            text(
                "zh-CN",
                Variant::Standard,
                "{ $school }值班",
                "{ $day }起值班 { $hours } 小时。\r\n请准时到岗。",
            ),
            text(
                "en",
                Variant::Standard,
                "On duty at { $school }",
                "{ $hours ->\n [one] One hour\n *[other] { $hours } hours\n} from { $day }.",
            ),
        ],
        ..Default::default()
    }
}

impl World {
    async fn save(
        &mut self,
        template: pb::Template,
        after_version: i32,
        request_id: &str,
    ) -> Result<pb::Template, Status> {
        let ask = pb::SaveTemplateRequest {
            template: Some(template),
            after_version,
            request_id: request_id.to_owned(),
        };
        let ask = by("editor-1", Role::CityOfficer, "fz", ask);
        Ok(self.templates.save_template(ask).await?.into_inner())
    }

    async fn template(&mut self, name: &str, version: i32) -> Result<pb::Template, Status> {
        let ask = pb::GetTemplateRequest {
            name: name.to_owned(),
            version,
        };
        let ask = by("reader-1", Role::Principal, SCHOOL_PATH, ask);
        Ok(self.templates.get_template(ask).await?.into_inner())
    }

    async fn templates(&mut self, page_size: i32, page_token: &str) -> (Vec<String>, String) {
        let ask = pb::ListTemplatesRequest {
            page_size,
            page_token: page_token.to_owned(),
        };
        let ask = by("reader-1", Role::Principal, SCHOOL_PATH, ask);
        let listed = self.templates.list_templates(ask).await.expect("listed");
        let listed = listed.into_inner();
        let names = listed.templates.into_iter().map(|template| template.name);
        (names.collect(), listed.next_page_token)
    }

    async fn preview(
        &mut self,
        source: pb::preview_template_request::Source,
        values: &[(&str, &str)],
    ) -> Result<Vec<pb::RenderedText>, Status> {
        let values = values.iter();
        let values = values
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let ask = pb::PreviewTemplateRequest {
            source: Some(source),
            values,
        };
        let ask = by("reader-1", Role::Principal, SCHOOL_PATH, ask);
        Ok(self
            .templates
            .preview_template(ask)
            .await?
            .into_inner()
            .texts)
    }
}

fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().expect("fields");
    let violations = violations.field_violations.into_iter();
    violations.map(|violation| violation.field).collect()
}

async fn the_shipped_templates_are_there_once(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let shipped = [
        "templates/alert",
        "templates/breach-authority",
        "templates/breach-person",
        "templates/care-reminder",
        "templates/concern-answered",
        "templates/directive-arrived",
        "templates/directive-overdue",
        "templates/directive-revoked",
        "templates/directive-superseded",
        "templates/directive-unfinished",
        "templates/directive-unjudged",
        "templates/directive-unrelayed",
        "templates/meeting-cancelled",
        "templates/meeting-notice",
        "templates/meeting-postponed",
        "templates/notice",
        "templates/told",
        "templates/weather-warning",
    ];
    assert_eq!(
        world.templates(0, "").await,
        (shipped.map(str::to_owned).to_vec(), String::new())
    );
    let first = world.template("templates/alert", 0).await.expect("there");
    assert_eq!((&*first.author, first.version), ("shipped", 1));
    let changed = pb::Template {
        description: "改过的".to_owned(),
        ..first
    };
    let changed = world.save(changed, 1, "").await.expect("saved");
    // The next start finds it and leaves it.
    world.stop().await;
    world.start().await;
    let latest = world.template("templates/alert", 0).await.expect("there");
    assert_eq!((&latest, latest.version), (&changed, 2));
    assert_eq!(world.templates(0, "").await.0, shipped);
}

async fn a_template_is_saved_in_versions_that_never_change(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let id = Uuid::new_v4().to_string();
    let first = world.save(reminder(), 0, &id).await.expect("saved");
    let mut expected = pb::Template {
        version: 1,
        author: "editor-1".to_owned(),
        create_time: Some(kit::field::to_timestamp(town::morning())),
        ..reminder()
    };
    expected.texts[0].body = "{ $day }起值班 { $hours } 小时。\n请准时到岗。".to_owned();
    assert_eq!(first, expected);
    let mut changed = reminder();
    changed.texts.remove(1);
    let second = world.save(changed.clone(), 1, "").await.expect("saved");
    assert_eq!((second.version, second.texts.len()), (2, 1));
    // A repeat returns the first answer, whatever happened since.
    let again = world.save(reminder(), 0, &id).await.expect("repeated");
    assert_eq!(again, first);
    let reused = world.save(changed, 0, &id).await.expect_err("another");
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
    let name = "templates/reminder";
    assert_eq!(world.template(name, 1).await.expect("kept"), first);
    assert_eq!(world.template(name, 0).await.expect("latest"), second);
    let missing = world.template(name, 3).await.expect_err("none");
    assert_eq!(missing.code(), Code::NotFound);
    for after in [0, 1, 3] {
        let stale = world.save(reminder(), after, "").await.expect_err("stale");
        let (code, reason, zh) = told(&stale);
        assert_eq!(
            (code, &*reason),
            (Code::Aborted, "ETAG_MISMATCH"),
            "{after}"
        );
        assert!(zh.contains(name));
    }
    let unborn = pb::Template {
        name: "templates/other".to_owned(),
        ..reminder()
    };
    let unborn = world
        .save(unborn, 1, "")
        .await
        .expect_err("nothing to follow");
    assert_eq!(reason(&unborn), "ETAG_MISMATCH");
}

async fn of_two_who_save_at_once_one_is_told(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    world.save(reminder(), 0, "").await.expect("saved");
    let mut other = world.templates.clone();
    let ask = pb::SaveTemplateRequest {
        template: Some(reminder()),
        after_version: 1,
        ..Default::default()
    };
    let ask = by("editor-2", Role::CityOfficer, "fz", ask);
    let (one, other) = tokio::join!(world.save(reminder(), 1, ""), other.save_template(ask));
    let (saved, refused) = match (one, other.map(tonic::Response::into_inner)) {
        (Ok(saved), Err(refused)) | (Err(refused), Ok(saved)) => (saved, refused),
        both => panic!("one of them: {both:?}"),
    };
    assert_eq!((saved.version, &*reason(&refused)), (2, "ETAG_MISMATCH"));
}

async fn a_template_that_cannot_be_filled_is_refused_with_every_fault(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let form = pb::Template {
        name: "templates/Upper".to_owned(),
        description: String::new(),
        variables: vec![variable("day", Type::Unspecified, "x")],
        texts: vec![text("fr", Variant::Unspecified, "a", "b")],
        ..Default::default()
    };
    let refused = world.save(form, 0, "").await.expect_err("refused");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let expected = [
        "template.name",
        "template.description",
        "template.variables[0].type",
        "template.texts[0].language",
        "template.texts[0].variant",
    ];
    assert_eq!(fields(&refused), expected);
    let texts = pb::Template {
        variables: vec![variable("day", Type::Day, "6 April")],
        texts: vec![
            text("en", Variant::Standard, "{ $day", "{ $later }"),
            text("en", Variant::Plain, "x", "{ DATETIME($day) }"),
        ],
        ..reminder()
    };
    let refused = world.save(texts.clone(), 0, "").await.expect_err("refused");
    let expected = [
        "template.variables[0].example",
        "template.texts[0].title",
        "template.texts[1].body",
        "template.texts",
    ];
    assert_eq!(fields(&refused), expected);
    // A preview of it is refused for the same reasons.
    let source = pb::preview_template_request::Source::Template(texts);
    let refused = world.preview(source, &[]).await.expect_err("refused");
    assert_eq!(fields(&refused), expected);
    let none = world
        .template("templates/reminder", 0)
        .await
        .expect_err("not stored");
    assert_eq!(reason(&none), "NOT_FOUND");
}

async fn texts_are_previewed_as_they_will_read(scratch: Scratch) {
    use pb::preview_template_request::Source;
    let mut world = World::new(scratch).await;
    let event = town::organization(SCHOOL_PATH, proto::roster::organization::Kind::School);
    let Some(proto::roster::roster_event::State::Organization(mut school)) = event.state else {
        panic!("an organisation")
    };
    school.display_name = "某某小学".to_owned();
    let named = proto::roster::RosterEvent {
        version: 2,
        state: Some(proto::roster::roster_event::State::Organization(school)),
        ..town::organization(SCHOOL_PATH, proto::roster::organization::Kind::School)
    };
    town::roster(&world.db, &[named], 1).await;
    let given = Source::Template(reminder());
    let texts = world.preview(given.clone(), &[]).await.expect("previewed");
    let read: Vec<_> = texts
        .iter()
        .map(|text| (&*text.title, &*text.body))
        .collect();
    let expected = [
        ("某某小学值班", "2022年4月6日起值班 1 小时。\n请准时到岗。"),
        ("On duty at 某某小学", "One hour from 6 April 2022."),
    ];
    assert_eq!(read, expected);
    world.save(reminder(), 0, "").await.expect("saved");
    let stored = Source::Name("templates/reminder".to_owned());
    let values = [("hours", "12"), ("school", "organizations/nobody")];
    let texts = world
        .preview(stored.clone(), &values)
        .await
        .expect("previewed");
    assert_eq!(texts[1].title, "On duty at organizations/nobody");
    assert_eq!(texts[1].body, "12 hours from 6 April 2022.");
    for (name, value) in [("hours", "many"), ("other", "1"), ("school", "fz")] {
        let refused = world.preview(stored.clone(), &[(name, value)]).await;
        let (code, reason, zh) = told(&refused.expect_err("unfit"));
        let expected = (Code::FailedPrecondition, "TEMPLATE_VALUES");
        assert_eq!((code, &*reason), expected, "{name}");
        assert_eq!(zh, format!("模板变量 {name} 缺失、多余或类型不符"));
    }
    let missing = Source::Name("templates/nothing".to_owned());
    let missing = world.preview(missing, &[]).await.expect_err("none");
    assert_eq!(missing.code(), Code::NotFound);
}

async fn only_the_city_changes_templates(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    for (role, scope) in [
        (Role::CityOfficer, BUREAU_PATH),
        (Role::DistrictOfficer, BUREAU_PATH),
        (Role::Principal, SCHOOL_PATH),
    ] {
        // Refused before anything that is wrong with it is told.
        let ask = by("editor-3", role, scope, pb::SaveTemplateRequest::default());
        let refused = world
            .templates
            .save_template(ask)
            .await
            .expect_err("refused");
        assert_eq!(reason(&refused), "SCOPE_DENIED", "{role}");
    }
    let ask = by(
        "guard-1",
        Role::Guard,
        SCHOOL_PATH,
        pb::GetTemplateRequest::default(),
    );
    let refused = world
        .templates
        .get_template(ask)
        .await
        .expect_err("refused");
    assert_eq!(reason(&refused), "SCOPE_DENIED");
}

async fn lists_are_paged(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let (page, next) = world.templates(3, &token).await;
        assert!(page.len() <= 3);
        names.extend(page);
        token = next;
        if token.is_empty() {
            break;
        }
    }
    let (whole, _) = world.templates(1000, "").await;
    assert_eq!(names, whole);
    assert!(names.len() > 3 && names.is_sorted());
    for after in 0..3 {
        world.save(reminder(), after, "").await.expect("saved");
    }
    let mut versions = async |page_token: &str| {
        let ask = pb::ListTemplateVersionsRequest {
            parent: "templates/reminder".to_owned(),
            page_size: 2,
            page_token: page_token.to_owned(),
        };
        let ask = by("reader-1", Role::Principal, SCHOOL_PATH, ask);
        let listed = world
            .templates
            .list_template_versions(ask)
            .await
            .expect("listed");
        let listed = listed.into_inner();
        let versions = listed
            .templates
            .into_iter()
            .map(|template| template.version);
        (versions.collect::<Vec<_>>(), listed.next_page_token)
    };
    let (first, token) = versions("").await;
    let (second, end) = versions(&token).await;
    assert_eq!((first, second, &*end), (vec![3, 2], vec![1], ""));
}
