//! What changes of directives, recipients, meetings and alerts are announced in the feed: nothing that
//! people wrote. Every field of a contract is named here, so that none is told unawares.

use kit::feed::Change;
use prost::Message;
use proto::notification as pb;
use proto::notification::notification_event::State as EventState;

use super::convert;
use crate::app::directives::directive_name;
use crate::app::items::Carried;
use crate::app::meetings::meeting_name;
use crate::domain::alert::{self, Alert};
use crate::domain::directive::{self, Directive};
use crate::domain::meeting::{self, Meeting};
use crate::domain::recipient::Recipient;
use crate::store::attendances::Turnout;
use crate::store::counts::Tally;

/// The name of the feed.
pub(crate) const FEED: &str = "notification";

/// The change of a directive that was issued; one that has ended leaves the snapshot.
pub(crate) fn directive_change(directive: &Directive, recipients: i32) -> Change {
    let in_force = directive.state == directive::State::Issued;
    let state = in_force.then(|| EventState::Directive(told_directive(directive, recipients)));
    let name = directive_name(&directive.organization, directive.id);
    let place = &directive.org_path;
    notification_change("directive", name, directive.version, place, state)
}

fn told_directive(directive: &Directive, recipients: i32) -> pb::Directive {
    let pb::Directive {
        name,
        state,
        urgency,
        title: _,
        text: _,
        text_sha256,
        audience,
        author: _,
        approver: _,
        create_time,
        issue_time,
        recipient_count: _,
        acknowledged_count: _,
        accepted_count: _,
        superseded_by,
        items,
        attachments: _,
        to_class_groups,
        meeting,
        revoke_reason: _,
    } = convert::directive(directive.clone(), Tally::default());
    let item = |item: pb::DirectiveItem| pb::DirectiveItem {
        item_id: String::new(),
        text: String::new(),
        duty: item.duty,
        due_date: item.due_date,
    };
    pb::Directive {
        name,
        state,
        urgency,
        text_sha256,
        audience,
        create_time,
        issue_time,
        recipient_count: recipients,
        superseded_by,
        items: items.into_iter().map(item).collect(),
        to_class_groups,
        meeting,
        ..pb::Directive::default()
    }
}

/// The change of a recipient that has acted; it leaves the snapshot when its directive ends.
pub(crate) fn recipient_change(recipient: &Recipient, orderer: &str, in_force: bool) -> Change {
    let directive = directive_name(orderer, recipient.directive);
    let name = format!("{directive}/recipients/{}", recipient.id);
    let state = in_force.then(|| EventState::Recipient(told_recipient(recipient, orderer)));
    let place = &recipient.org_path;
    notification_change("recipient", name, recipient.version, place, state)
}

fn told_recipient(recipient: &Recipient, orderer: &str) -> pb::DirectiveRecipient {
    let carried = Carried {
        recipient: recipient.clone(),
        orderer: orderer.to_owned(),
        items: Vec::new(),
        upper_notes: Vec::new(),
    };
    let pb::DirectiveRecipient {
        name,
        organization,
        upper,
        state,
        overdue: _,
        due_time,
        acknowledge_time,
        relay_time,
        relay_note: _,
        report: _,
        progress_percent,
        return_reason: _,
        update_time,
        text_sha256,
        class_group,
        items: _,
        upper_notes: _,
        relay_due_time,
        judge_due_time,
        relay_overdue: _,
        judge_overdue: _,
    } = convert::recipient(carried, recipient.updated);
    pb::DirectiveRecipient {
        name,
        organization,
        upper,
        state,
        due_time,
        acknowledge_time,
        relay_time,
        progress_percent,
        update_time,
        text_sha256,
        class_group,
        relay_due_time,
        judge_due_time,
        ..pb::DirectiveRecipient::default()
    }
}

/// The change of a meeting; one that was called off or minuted leaves the snapshot.
pub(crate) fn meeting_change(meeting: &Meeting) -> Change {
    let stands = match meeting.state {
        meeting::State::Convened | meeting::State::Ended => true,
        meeting::State::Minuted | meeting::State::Cancelled => false,
    };
    let state = stands.then(|| EventState::Meeting(told_meeting(meeting)));
    let name = meeting_name(&meeting.organization, meeting.id);
    let place = &meeting.org_path;
    notification_change("meeting", name, meeting.version, place, state)
}

fn told_meeting(meeting: &Meeting) -> pb::Meeting {
    let pb::Meeting {
        name,
        state,
        title: _,
        agenda: _,
        start_time,
        end_time,
        venues,
        audience,
        posts,
        notice,
        convener: _,
        create_time,
        close_time,
        expected_count: _,
        attended_count: _,
        late_count: _,
        substitute_count: _,
        absent_count: _,
        minutes: _,
        directive,
        change_reason: _,
    } = convert::meeting(meeting.clone(), Turnout::default());
    let venue = |venue: pb::Venue| pb::Venue {
        venue_id: String::new(),
        display_name: String::new(),
        main: venue.main,
        organization: venue.organization,
    };
    pb::Meeting {
        name,
        state,
        start_time,
        end_time,
        venues: venues.into_iter().map(venue).collect(),
        audience,
        posts,
        notice,
        create_time,
        close_time,
        directive,
        ..pb::Meeting::default()
    }
}

/// The change of an alert; a resolved one leaves the snapshot.
pub(crate) fn alert_change(alert: &Alert) -> Change {
    let stands = alert.state != alert::State::Resolved;
    let state = stands.then(|| EventState::Alert(told_alert(alert)));
    let place = &alert.org_path;
    notification_change("alert", alert.name(), alert.revision, place, state)
}

fn told_alert(alert: &Alert) -> pb::Alert {
    let pb::Alert {
        name,
        kind,
        severity,
        state,
        escalated,
        title: _,
        basis: _,
        subjects: _,
        people_count: _,
        owner,
        rule,
        occur_time,
        create_time,
        due_time,
        acknowledged,
        taken,
        resolved: _,
        fact_stands,
        title_en: _,
        upper_organization,
        escalation_level,
        inhibited_by,
        silenced_by,
        rule_version,
    } = convert::alert(alert.clone());
    let step = |step: pb::AlertStep| pb::AlertStep {
        time: step.time,
        ..pb::AlertStep::default()
    };
    pb::Alert {
        name,
        kind,
        severity,
        state,
        escalated,
        owner,
        rule,
        occur_time,
        create_time,
        due_time,
        acknowledged: acknowledged.map(step),
        taken: taken.map(step),
        fact_stands,
        upper_organization,
        escalation_level,
        inhibited_by,
        silenced_by,
        rule_version,
        ..pb::Alert::default()
    }
}

/// The change of an entity for the feed; without a state it leaves the snapshot.
pub(super) fn notification_change(
    kind: &'static str,
    entity: String,
    version: i64,
    org_path: &str,
    state: Option<EventState>,
) -> Change {
    let removed = state.is_none();
    let event = pb::NotificationEvent {
        entity: entity.clone(),
        version,
        org_path: org_path.to_owned(),
        removed,
        state,
    };
    Change {
        feed: FEED,
        kind,
        entity,
        version,
        removed,
        org_path: org_path.parse().unwrap_or_default(),
        payload: event.encode_to_vec(),
        latest: true,
    }
}
