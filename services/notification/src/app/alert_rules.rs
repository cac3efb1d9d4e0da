//! What facts lead to: the rules in force, and their changes.

use std::collections::BTreeSet;

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;

use super::alerts::Alerts;
use super::templates::fill;
use super::{denied, telling};
use crate::domain::fact::{Figures, Kind};
use crate::domain::policy::Policy;
use crate::domain::rule::{Fault, Rule};
use crate::error::Error;
use crate::store::Store;

/// Whether the latest version of a template can be filled with what an alert tells.
async fn fits(tx: &Tx, template: &str) -> Result<bool, Error> {
    let Some(found) = Store::template(tx, template, None).await? else {
        return Ok(false);
    };
    let values = telling::values(&Figures::default());
    match fill(tx, &found.template, &values).await {
        Ok(_) => Ok(true),
        Err(Error::TemplateValues(_)) => Ok(false),
        Err(err) => Err(err),
    }
}

impl Alerts {
    /// The rules in force, by kind. Whoever may read alerts or change rules may read them.
    pub(crate) async fn rules(&self, caller: &Caller) -> Result<Vec<Rule>, Error> {
        caller
            .allowed(Permission::AlertRead)
            .or_else(|_| caller.allowed(Permission::AlertRuleWrite))?;
        let db = self.base.store.database().read();
        let book = Store::rulebook(db, &BTreeSet::new()).await?;
        let rules = Kind::ALL.iter().map(|kind| book.in_force(*kind).clone());
        Ok(rules.collect())
    }

    /// Whether the caller may change rules: they hold for the whole city.
    pub(crate) fn may_change_rules(caller: &Caller) -> Result<(), Error> {
        let permission = Permission::AlertRuleWrite;
        let scope = caller.allowed(permission)?;
        if scope.ids().count() > 1 {
            return Err(denied(permission));
        }
        Ok(())
    }

    /// Replaces a rule for alerts that are raised from now on; `replaces` is the version that it
    /// replaces. The caller was authorised before.
    pub(crate) async fn update_rule<R: Message + Default>(
        &self,
        caller: &Caller,
        (rule, replaces): (Rule, impl FnOnce(&Rule) -> bool),
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Rule) -> R,
    ) -> Result<R, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "UpdateAlertRule", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        // An alert that is being raised reads the rules under the same lock.
        Store::lock_alerts(&tx).await?;
        let book = Store::rulebook(&tx, &BTreeSet::new()).await?;
        let before = book.in_force(rule.kind);
        if !replaces(before) {
            return Err(Error::RuleChanged(rule.kind));
        }
        let enacted = Store::policies(&tx).await?;
        let policies = enacted.into_iter().map(|enacted| enacted.policy);
        let policies: Vec<Policy> = policies.chain([Policy::default()]).collect();
        let mut faults = rule.faults(&policies);
        if book.closes_circle(&rule) {
            faults.push(Fault {
                field: "inhibited_by".to_owned(),
                zh: "各类预警不能循环抑制",
                en: "kinds must not inhibit each other in a circle",
            });
        }
        if let Some(template) = rule.template.strip_prefix("templates/")
            && !fits(&tx, template).await?
        {
            faults.push(Fault {
                field: "template".to_owned(),
                zh: "没有这个模板，或其变量不是 people、amount、total（计数）和 word（文本）",
                en: "no such template, or its variables are not people, amount, total (counts) and word (a \
                     text)",
            });
        }
        if !faults.is_empty() {
            return Err(Error::Rule(faults));
        }
        let rule = Rule {
            version: before.version + 1,
            ..rule
        };
        Store::add_rule(&tx, &rule, &caller.subject, now).await?;
        let answer = render(rule);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}
