//! The health part of a policy profile.

use std::sync::Arc;
use std::time::Duration;

use kit::field::from_duration;
use kit::hop::Hop;
use proto::roster::PolicyProfile;

use crate::domain::health::cluster_rule::{ClusterRule, Condition, Counted, Scope};
use crate::domain::health::cluster_table::table;
use crate::domain::health::disease::{Disease, Severity};
use crate::domain::health::illness::Criterion;
use crate::domain::health::rules::{
    Assay, Basis, CaseDefinition, ContactRule, HealthRules, HfmdSuspension, InfluenzaSuspension,
    Level, Measure, Outbreak, Return, Similar, Slot, SlotRule,
};
use crate::domain::health::staffing::Staffing;
use crate::domain::health::symptom::{Symptom, Symptoms};

/// What the health of people needs of a profile; a part that the profile lacks decides nothing.
pub(crate) fn health_rules(profile: &PolicyProfile) -> HealthRules {
    let mut rules = HealthRules::default();
    if let Some(gate) = &profile.gate {
        rules.fever = small(gate.temperature_max_tenths);
        rules.plausible = (
            small(gate.temperature_plausible_min_tenths),
            small(gate.temperature_plausible_max_tenths),
        );
        rules.admit_health_monitoring = gate.admit_health_monitoring;
    }
    if let Some(check) = &profile.check {
        rules.slots = check.slots.iter().filter_map(slot_rule).collect();
        rules.reporter_exam = check.reporter_exam;
    }
    if let Some(absence) = &profile.absence {
        rules.contact_sla = span(absence.contact_sla);
        rules.upload_sla = span(absence.upload_sla);
        rules.interview_days = days(absence.interview_days);
        rules.similar_cases = count(absence.similar_cases);
    }
    if let Some(alert) = &profile.alert {
        rules.one_day_cases = count(alert.class_one_day_cases);
        rules.three_day_cases = count(alert.class_three_day_cases);
        rules.report_sla = span(alert.report_sla);
        rules.class_a_report_sla = span(alert.class_a_report_sla);
        let similar = alert.similar.iter().map(|similar| Similar {
            group: small(similar.group),
            symptoms: symptoms(&similar.symptoms),
        });
        rules.similar = similar.collect();
        rules.similar_recipients = alert.recipients.iter().copied().map(small).collect();
    }
    if let Some(outbreak) = &profile.outbreak {
        rules.outbreaks = outbreak.rules.iter().filter_map(outbreak_rule).collect();
        let definitions = outbreak.case_definitions.iter();
        rules.case_definitions = definitions
            .map(|definition| CaseDefinition {
                disease: Disease(small(definition.disease)),
                temperature: small(definition.temperature_min_tenths),
                symptoms: symptoms(&definition.symptoms),
            })
            .collect();
        let notices = outbreak.notices.iter().filter_map(|notice| {
            let level = Level::from_code(small(notice.level))?;
            Some((
                level,
                notice.recipients.iter().copied().map(small).collect(),
            ))
        });
        rules.notices = notices.collect();
    }
    if let Some(suspend) = &profile.suspend {
        if let Some(influenza) = &suspend.influenza {
            rules.influenza = InfluenzaSuspension {
                new_cases: count(influenza.new_cases),
                ill_ratio: count(influenza.ill_ratio_basis_points),
                severe_cases: count(influenza.severe_cases),
                suspend_days: days(influenza.suspend_days),
            };
        }
        if let Some(hfmd) = &suspend.hfmd {
            rules.hfmd = HfmdSuspension {
                class_cases: count(hfmd.class_cases),
                school_cases: count(hfmd.school_cases),
                school_classes: count(hfmd.school_classes),
                window_days: days(hfmd.window_days),
                suspend_days: days(hfmd.suspend_days),
            };
        }
    }
    if let Some(returns) = &profile.return_to_school {
        rules.returns = returns.rules.iter().filter_map(return_rule).collect();
    }
    if let Some(cluster) = &profile.cluster {
        rules.cluster_rows = cluster.rules.iter().filter_map(cluster_row).collect();
        let sources = cluster.sources.iter();
        rules.sources = sources
            .map(|source| (source.number.clone(), source.text.clone()))
            .collect();
    }
    rules.staffing = staffing(profile.health_staff.as_ref());
    chain(profile, &mut rules);
    rules.clusters = Arc::new(table(&rules));
    rules
}

/// Contacts, reports and tests.
fn chain(profile: &PolicyProfile, rules: &mut HealthRules) {
    if let Some(contact) = &profile.contact {
        let contacts = contact.rules.iter().map(|rule| ContactRule {
            disease: Disease(small(rule.disease)),
            measure: match small(rule.measure) {
                2 => Measure::HealthMonitoring,
                3 => Measure::Observation,
                _ => Measure::CloseContact,
            },
            close_days: days(rule.close_days),
            secondary_days: days(rule.secondary_days),
            trace_days: days(rule.trace_days),
            exit_negative: span(rule.exit_negative),
        });
        rules.contacts = contacts.collect();
    }
    if let Some(report) = &profile.report {
        let hops = report.hops.iter().map(|hop| Hop {
            from: small(hop.from),
            to: small(hop.to),
            sla: span(hop.sla),
        });
        rules.hops = hops.collect();
        let class_a = report.class_a.iter().copied();
        rules.class_a = class_a.map(|disease| Disease(small(disease))).collect();
        let listed = rules.class_a.clone();
        let lacks = Disease::CLASS_A
            .iter()
            .filter(|by_law| !listed.contains(by_law));
        rules.class_a.extend(lacks);
        rules.follow_up = span(report.follow_up);
        rules.follow_up_other = span(report.follow_up_other);
    }
    if let Some(assay) = &profile.assay {
        let assays = assay.rules.iter().map(|rule| Assay {
            disease: Disease(small(rule.disease)),
            specimen: small(rule.specimen),
            pooled: rule.pooled,
            holds: rule.holds,
        });
        rules.assays = assays.collect();
    } else {
        // A profile from before tests were rules: one test, as tubes were used then (2.8, 2.19).
        rules.assays = vec![Assay {
            disease: Disease::COVID_19,
            specimen: 1,
            pooled: true,
            holds: true,
        }];
    }
    if let Some(privacy) = &profile.privacy {
        rules.privacy_k = count(privacy.k);
    }
}

fn slot_rule(rule: &proto::roster::check_policy::SlotRule) -> Option<SlotRule> {
    Some(SlotRule {
        slot: Slot::from_code(small(rule.slot))?,
        deadline_minute: days(rule.deadline_minute),
        boarders_only: rule.boarders_only,
        staff: rule.staff,
    })
}

fn outbreak_rule(rule: &proto::roster::outbreak_policy::Rule) -> Option<Outbreak> {
    Some(Outbreak {
        disease: Disease(small(rule.disease)),
        level: Level::from_code(small(rule.level))?,
        window_days: days(rule.window_days).max(1),
        cases: count(rule.cases),
        group_cases: count(rule.group_cases),
        hospitalised: count(rule.hospitalised),
        deaths: count(rule.deaths),
        report_sla: span(rule.report_sla),
    })
}

fn return_rule(rule: &proto::roster::return_policy::Rule) -> Option<Return> {
    Some(Return {
        disease: Disease(small(rule.disease)),
        basis: Basis::from_code(small(rule.basis))?,
        period: span(rule.period),
        complicated_period: span(rule.complicated_period),
        evidence: rule.evidence.iter().copied().map(small).collect(),
        evidence_suffices: rule.evidence_suffices,
        hospital_proof_waived: rule.hospital_proof_waived,
        source: rule.source.clone(),
    })
}

/// A rule with the one condition of its row.
fn cluster_row(row: &proto::roster::cluster_policy::Rule) -> Option<ClusterRule> {
    let criterion = match (small(row.symptom_group), small(row.disease)) {
        (0, 0) => return None,
        (0, disease) => Criterion::Disease(Disease(disease)),
        (group, _) => Criterion::Similar(group),
    };
    let condition = Condition {
        counted: Counted::from_code(small(row.counted))?,
        window_days: days(row.window_days).max(1),
        count: count(row.count),
        group_cases: count(row.group_cases),
        severity: Severity::from_code(small(row.severity)).unwrap_or_default(),
        confirmed: row.confirmed,
    };
    Some(ClusterRule {
        code: row.code.clone(),
        numbers: vec![row.number.clone()],
        scope: Scope::from_code(small(row.scope))?,
        criterion,
        conditions: vec![condition],
        level: Level::from_code(small(row.level))?,
        report_sla: span(row.report_sla),
        recipients: row.recipients.iter().copied().map(small).collect(),
        suspend_days: days(row.suspend_days),
        at_once: row.alert_at_once,
        source: row.source.clone(),
    })
}

/// How many technicians schools have: a number that a profile does not give is that of the law (1.9).
fn staffing(given: Option<&proto::roster::HealthStaffPolicy>) -> Staffing {
    let given = given.cloned().unwrap_or_default();
    let or = |number: i32, law: u32| match count(number) {
        0 => law,
        number => number,
    };
    Staffing {
        pupils: or(given.pupils_per_technician, 600),
        children: or(given.children_per_technician, 150),
        source: match given.source.as_str() {
            "" => "《学校卫生工作条例》（1990）第二十条".to_owned(),
            source => source.to_owned(),
        },
    }
}

fn symptoms(codes: &[i32]) -> Symptoms {
    codes
        .iter()
        .filter_map(|code| Symptom::from_code(*code))
        .collect()
}

fn span(span: Option<prost_types::Duration>) -> Duration {
    span.and_then(from_duration).unwrap_or_default()
}

fn small(number: i32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

fn days(number: i32) -> u16 {
    u16::try_from(number.max(0)).unwrap_or(u16::MAX)
}

fn count(number: i32) -> u32 {
    number.max(0).unsigned_abs()
}
