//! Issues a directive: its recipients, from the tree as it is now.

use kit::clock::civil_date;
use kit::db::Tx;

use super::directives::Directives;
use crate::domain::chain::{self, Addressee, Level, Place, recipient_id};
use crate::domain::directive::Directive;
use crate::domain::organization::OrganizationFact;
use crate::domain::place::{above, leaf};
use crate::domain::policy;
use crate::domain::recipient::{Recipient, State};
use crate::error::Error;
use crate::store::Store;

impl Directives {
    /// Expands the audience from the tree as it is now. Those whom the orderer reaches itself start
    /// their clocks; the others when the one above relays.
    pub(super) async fn address(&self, tx: &Tx, directive: &Directive) -> Result<(), Error> {
        let now = self.base.clock.now();
        let (orderer, audience) = (&directive.org_path, &directive.audience);
        let addressed = self.base.passed_down(tx, orderer, audience).await?;
        let mut places: Vec<Place> = addressed.into_iter().map(organization).collect();
        if directive.to_class_groups {
            let of_orderer = Store::class_groups(tx, orderer).await?;
            places = with_class_groups(places, of_orderer);
        }
        let chained = chain::chain(orderer, places);
        if chained.is_empty() {
            return Err(Error::NoRecipients);
        }
        let policies = Store::policies(tx).await?;
        let today = civil_date(now);
        let recipients = chained.into_iter().map(|addressee| {
            let waiting = waiting(directive, addressee, now);
            if !waiting.upper.is_empty() {
                return waiting;
            }
            let policy = policy::in_force(&policies, &waiting.org_path, today);
            waiting.reach(now, policy.acknowledge.of(directive.urgency))
        });
        let recipients: Vec<_> = recipients.collect();
        Store::insert_recipients(tx, directive, &recipients, now).await?;
        let reached = Store::reached_by(tx, directive.id, "").await?;
        self.tell_arrival(tx, directive, reached, now).await
    }
}

fn organization(fact: OrganizationFact) -> Place {
    let level = if fact.is_bureau() {
        Level::District
    } else {
        Level::School
    };
    Place {
        recipient: fact.id,
        org_path: fact.org_path,
        level,
    }
}

/// Those addressed and the class groups of the schools among them; `class_groups` are places and names.
fn with_class_groups(mut places: Vec<Place>, class_groups: Vec<(String, String)>) -> Vec<Place> {
    let schools = places.iter().filter(|place| place.level == Level::School);
    let schools: std::collections::HashSet<_> =
        schools.map(|school| school.org_path.clone()).collect();
    let of_schools = class_groups.into_iter().filter_map(|(place, _)| {
        let (school, _) = place.rsplit_once('/')?;
        if !schools.contains(school) {
            return None;
        }
        let recipient = recipient_id(above(&place).next()?, leaf(&place));
        Some(Place {
            recipient,
            level: Level::ClassGroup,
            org_path: place,
        })
    });
    places.extend(of_schools);
    places
}

/// A recipient to whom nobody has passed the directive on.
fn waiting(
    directive: &Directive,
    addressee: Addressee,
    now: chrono::DateTime<chrono::Utc>,
) -> Recipient {
    let Addressee {
        place,
        upper,
        district,
        below,
    } = addressee;
    Recipient {
        directive: directive.id,
        id: place.recipient,
        org_path: place.org_path,
        level: place.level,
        district,
        upper,
        below,
        state: State::Pending,
        due: None,
        items_due: directive.content.items.iter().map(|item| item.due).min(),
        acknowledged: None,
        relayed: None,
        relay_due: None,
        judge_due: None,
        relay_note: String::new(),
        report: String::new(),
        progress: 0,
        return_reason: String::new(),
        updated: now,
        text_hash: directive.text_hash,
        version: 1,
    }
}
