//! What every contract keeps to, read from the descriptors that are served by reflection.

use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};

/// Verbs that only read, whatever follows them.
const READS: [&str; 12] = [
    "Get", "List", "Watch", "Snapshot", "Verify", "Evaluate", "Simulate", "Export", "Resolve",
    "LookUp", "Search", "Preview",
];

fn pool() -> DescriptorPool {
    DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read")
}

fn ours(name: &str) -> bool {
    name.starts_with("campus.")
}

/// Contracts of the services of Campus; those of `campus.provider` are answered by others.
fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let services = pool.services().filter(|service| ours(service.full_name()));
    services
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

fn reads(method: &MethodDescriptor) -> bool {
    READS.iter().any(|verb| method.name().starts_with(verb))
}

fn has_no_side_effects(method: &MethodDescriptor) -> bool {
    let options = method.options();
    let level = options.get_field_by_name("idempotency_level");
    level.as_deref() == Some(&Value::EnumNumber(1))
}

fn names(methods: impl Iterator<Item = MethodDescriptor>) -> Vec<String> {
    let mut names: Vec<String> = methods
        .map(|method| method.full_name().to_owned())
        .collect();
    names.sort();
    names
}

/// The log of one service is exported by the gateway alone, which offers all logs as
/// `campus.gateway.v1.AuditService.ExportAudit`: no caller reaches this one by HTTP.
const INSIDE_ONLY: [&str; 2] = [
    "campus.audit.v1.AuditLogService.ExportRecords",
    "campus.subject.v1.HeldDataService.ExportHeldData",
];

#[test]
fn every_method_whose_caller_sends_one_message_has_a_place_in_http() {
    let pool = pool();
    let http = pool
        .get_extension_by_name("google.api.http")
        .expect("the annotation is known");
    let without = methods(&pool)
        .into_iter()
        .filter(|method| !method.is_client_streaming() && !method.options().has_extension(&http));
    assert_eq!(names(without), INSIDE_ONLY);
}

#[test]
fn no_two_methods_have_the_same_place_in_http() {
    let pool = pool();
    let http = pool
        .get_extension_by_name("google.api.http")
        .expect("the annotation is known");
    let mut places: Vec<(String, String)> = Vec::new();
    for method in methods(&pool) {
        let options = method.options();
        let Value::Message(rule) = &*options.get_extension(&http) else {
            continue;
        };
        for verb in ["get", "put", "post", "delete", "patch"] {
            let value = rule.get_field_by_name(verb);
            let path = value
                .as_ref()
                .and_then(|value| value.as_str())
                .unwrap_or_default();
            if !path.is_empty() {
                // The name of a variable does not make another place.
                let plain = path.replace(['{', '}'], "");
                let parts = plain
                    .split('/')
                    .map(|part| part.rsplit('=').next().unwrap_or(part));
                let place = format!("{verb} {}", parts.collect::<Vec<_>>().join("/"));
                places.push((place, method.full_name().to_owned()));
            }
        }
    }
    places.sort();
    let twice: Vec<_> = places
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0)
        .collect();
    assert_eq!(twice, Vec::<&[(String, String)]>::new());
}

#[test]
fn reads_and_only_reads_are_free_of_side_effects() {
    let wrong = methods(&pool()).into_iter().filter(|method| {
        // Asking twice for a code gives the same code, so it counts as a read; a case that leaves the
        // house is written down each time, and a warning that does continues its chain, so their exports
        // do not.
        let as_read = match method.name() {
            "IssuePersonCode" => true,
            "ExportCase" | "ExportWarning" | "ExportHazardLedger" => false,
            // To verify a hazard is to say that it is one.
            "VerifyHazard" => false,
            _ => reads(method),
        };
        let provided = method.full_name().starts_with("campus.provider.");
        let heals = method
            .full_name()
            .ends_with("HealthCodeProvider.QueryHealthCode");
        !provided && !heals && as_read != has_no_side_effects(method)
    });
    // What a verb with another beginning reads stands here; the list only shrinks.
    let known = ["campus.notification.v1.AlertService.ResolveAlert"];
    let wrong: Vec<String> = names(wrong)
        .into_iter()
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_list_pages() {
    let wrong = methods(&pool()).into_iter().filter(|method| {
        let field = |message: MessageDescriptor, name: &str, kind: Kind| {
            message
                .get_field_by_name(name)
                .is_some_and(|field| field.kind() == kind)
        };
        let asks = field(method.input(), "page_size", Kind::Int32)
            && field(method.input(), "page_token", Kind::String);
        let answers = field(method.output(), "next_page_token", Kind::String);
        // Somebody has one contact point for each channel at most.
        let few = method.name() == "ListContactPoints";
        method.name().starts_with("List") && !few && !(asks && answers)
    });
    assert_eq!(names(wrong), Vec::<String>::new());
}

#[test]
fn every_act_can_be_repeated() {
    // Client streams are idempotent row by row. These say themselves what is done, so that a repeat finds
    // it done: a draw is the same however often it is asked for, a recorded decision has the gate's
    // id, tubes have their codes, a swab is one person in one tube, a check has the id that its taker's
    // device gave it, and so has an answer of an inspection, receipts only go forward, a channel or what
    // somebody prefers is as it was said last, a warning has the identifier of its sender, and a revealed
    // number, an exported case or an exported ledger changes nothing but the list of who saw it.
    let natural = [
        "campus.notification.v1.ChannelService.PauseChannel",
        "campus.notification.v1.ChannelService.RemoveContactPoint",
        "campus.notification.v1.ChannelService.ResumeChannel",
        "campus.notification.v1.ChannelService.UpdatePreferences",
        "campus.notification.v1.DeliveryService.RecordReceipts",
        "campus.notification.v1.WarningService.IngestWarning",
        "campus.roster.v1.GuardianService.RevealGuardianPhone",
        "campus.safety.v1.GateService.RecordBatch",
        "campus.safety.v1.HazardService.ExportHazardLedger",
        "campus.safety.v1.InspectionService.RecordAnswers",
        "campus.safety.v1.VisitorService.RevealVisitor",
        "campus.safety.v1.WeatherService.IngestWarning",
        "campus.sampling.v1.CaseService.ExportCase",
        "campus.sampling.v1.DrawService.DrawDay",
        "campus.sampling.v1.ScreeningService.BatchSubmitChecks",
        "campus.sampling.v1.ScreeningService.CorrectCheck",
        "campus.sampling.v1.ScreeningService.SubmitCheck",
        "campus.sampling.v1.TubeService.AddSwab",
        "campus.sampling.v1.TubeService.IssueTubes",
    ];
    let without = methods(&pool()).into_iter().filter(|method| {
        let acts = !has_no_side_effects(method) && !method.is_client_streaming();
        let ours = !method.full_name().starts_with("campus.provider.");
        let natural = natural.contains(&method.full_name());
        acts && ours && !natural && method.input().get_field_by_name("request_id").is_none()
    });
    assert_eq!(names(without), Vec::<String>::new());
}

#[test]
fn every_enum_begins_with_unspecified() {
    let pool = pool();
    let wrong: Vec<String> = pool
        .all_enums()
        .filter(|one| ours(one.full_name()) && !begins_unspecified(one))
        .map(|one| one.full_name().to_owned())
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

fn begins_unspecified(one: &EnumDescriptor) -> bool {
    one.get_value(0)
        .is_some_and(|value| value.name().ends_with("_UNSPECIFIED"))
}

#[test]
fn resources_have_their_name_first() {
    let pool = pool();
    let wrong: Vec<String> = pool
        .all_messages()
        .filter(|message| ours(message.full_name()))
        .filter_map(|message| {
            let name = message.get_field_by_name("name")?;
            let plain = name.kind() == Kind::String && name.cardinality() != Cardinality::Repeated;
            (!plain || name.number() != 1).then(|| message.full_name().to_owned())
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_reason_has_a_sentence_in_chinese() {
    for number in 1.. {
        let Ok(reason) = proto::error::ErrorReason::try_from(number) else {
            if number > 1_000 {
                return;
            }
            continue;
        };
        let zh = kit::catalogue::entry(reason).zh;
        let chinese = zh
            .chars()
            .any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        assert!(chinese, "{}: {zh}", reason.as_str_name());
    }
}
