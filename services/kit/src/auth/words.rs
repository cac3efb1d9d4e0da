//! The vocabulary of policies as Cedar knows it, and requests in it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::error::Error;
use std::sync::LazyLock;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
    Schema,
};

use super::source::SCHEMA;
use super::{Caller, Permission, Purpose, Role};
use crate::org::OrgPath;

/// The schema with the names of everything that it closes, each at the number of its value.
pub(super) struct Words {
    pub(super) schema: Schema,
    roles: Vec<EntityUid>,
    purposes: Vec<EntityUid>,
    actions: Vec<Entity>,
    caller: EntityTypeName,
    place: EntityTypeName,
}

/// The vocabulary of this release; a test reads it.
pub(super) static WORDS: LazyLock<Words> =
    LazyLock::new(|| Words::read(SCHEMA).expect("the schema of the release can be read"));

impl Words {
    fn read(text: &str) -> Result<Self, Box<dyn Error>> {
        let (schema, _) = Schema::from_cedarschema_str(text)?;
        let known = schema.action_entities()?;
        let kind = |name: &str| -> Result<EntityTypeName, Box<dyn Error>> { Ok(name.parse()?) };
        let all = |kind: EntityTypeName, names: &mut dyn Iterator<Item = &'static str>| {
            let named = names.map(|name| uid(&kind, name));
            named.collect::<Vec<_>>()
        };
        let names = &mut Permission::ALL.iter().map(|permission| permission.as_str());
        let actions = all(kind("Campus::Action")?, names).into_iter();
        let actions = actions.map(|action| {
            let missing = || format!("{action} is missing");
            known.get(&action).cloned().ok_or_else(missing)
        });
        Ok(Self {
            actions: actions.collect::<Result<_, _>>()?,
            roles: all(
                kind("Campus::Role")?,
                &mut Role::ALL.iter().map(|role| role.as_str()),
            ),
            purposes: all(
                kind("Campus::Purpose")?,
                &mut Purpose::ALL.iter().map(|purpose| purpose.as_str()),
            ),
            caller: kind("Campus::Caller")?,
            place: kind("Campus::Place")?,
            schema,
        })
    }

    /// What is asked of Cedar: may `caller` do `permission` at `at`? Only the caller, the two places and
    /// what stands above them are told.
    pub(super) fn question(
        &self,
        caller: &Caller,
        permission: Permission,
        at: &OrgPath,
        now: i64,
    ) -> Result<(Request, Entities), Box<dyn Error + Send + Sync>> {
        let action = &self.actions[permission as usize];
        let principal = uid(&self.caller, &caller.subject);
        let mut places = BTreeSet::new();
        for end in [&caller.scope, at] {
            let above = std::iter::successors(Some(end.clone()), OrgPath::parent);
            places.extend(above);
        }
        let mut entities = vec![action.clone(), self.principal(&principal, caller)?];
        entities.extend(places.iter().map(|place| {
            let above = place.parent().map(|above| self.place(&above));
            Entity::new_no_attrs(self.place(place), above.into_iter().collect())
        }));
        let context = self.context(caller, now)?;
        let resource = self.place(at);
        let request = Request::new(principal, action.uid(), resource, context, None)?;
        Ok((request, Entities::from_entities(entities, None)?))
    }

    fn principal(
        &self,
        principal: &EntityUid,
        caller: &Caller,
    ) -> Result<Entity, Box<dyn Error + Send + Sync>> {
        let scope = RestrictedExpression::new_entity_uid(self.place(&caller.scope));
        let second_factor = RestrictedExpression::new_bool(caller.second_factor);
        let mut attributes = HashMap::from([
            ("scope".to_owned(), scope),
            ("second_factor".to_owned(), second_factor),
        ]);
        let texts = [
            ("laboratory", &caller.laboratory),
            ("person", &caller.person),
            ("partner", &caller.partner),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                let text = RestrictedExpression::new_string(text.clone());
                attributes.insert(name.to_owned(), text);
            }
        }
        if let Some(department) = caller.department {
            let text = RestrictedExpression::new_string(department.as_str().to_owned());
            attributes.insert("department".to_owned(), text);
        }
        let roles = caller.roles.iter().map(|role| &self.roles[*role as usize]);
        let roles: HashSet<EntityUid> = roles.cloned().collect();
        Ok(Entity::new(principal.clone(), attributes, roles)?)
    }

    fn context(&self, caller: &Caller, now: i64) -> Result<Context, Box<dyn Error + Send + Sync>> {
        let broken = RestrictedExpression::new_bool(caller.break_glass.is_some());
        let mut pairs = vec![
            ("now".to_owned(), RestrictedExpression::new_long(now)),
            ("break_glass".to_owned(), broken),
        ];
        if let Some(purpose) = caller.purpose {
            let purpose = self.purposes[purpose as usize].clone();
            let purpose = RestrictedExpression::new_entity_uid(purpose);
            pairs.push(("purpose".to_owned(), purpose));
        }
        Ok(Context::from_pairs(pairs)?)
    }

    fn place(&self, place: &OrgPath) -> EntityUid {
        uid(&self.place, place.as_str())
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

#[cfg(test)]
mod tests {
    use super::super::Department;
    use super::*;

    #[test]
    fn the_schema_has_every_permission_and_no_other_action() {
        let schema = &WORDS.schema;
        let groups: HashSet<EntityUid> = schema.action_groups().cloned().collect();
        let actions = schema.actions().filter(|action| !groups.contains(action));
        let mut actions: Vec<&str> = actions.map(|action| action.id().unescaped()).collect();
        actions.sort_unstable();
        let mut permissions: Vec<&str> = Permission::ALL.iter().map(|one| one.as_str()).collect();
        permissions.sort_unstable();
        assert_eq!(actions, permissions);
    }

    #[test]
    fn what_is_asked_keeps_to_the_schema() {
        let caller = Caller {
            subject: "lab-7".to_owned(),
            roles: Role::ALL.to_vec(),
            scope: "fz/350102".parse().unwrap(),
            laboratory: Some("fz-lab-1".to_owned()),
            department: Some(Department::Fire),
            person: Some("staff/1".to_owned()),
            partner: Some("health-commission".to_owned()),
            ..Caller::default()
        };
        for purpose in Purpose::ALL {
            let caller = Caller {
                purpose: Some(*purpose),
                ..caller.clone()
            };
            let at = "fz/350103/2135010001".parse().unwrap();
            let (request, entities) = WORDS
                .question(&caller, Permission::RosterRead, &at, 1)
                .unwrap();
            let schema = Some(&WORDS.schema);
            let all = entities.iter().cloned();
            Entities::from_entities(all, schema).expect("entities of the schema");
            let context = request.context().cloned().unwrap();
            Request::new(
                request.principal().cloned().unwrap(),
                request.action().cloned().unwrap(),
                request.resource().cloned().unwrap(),
                context,
                schema,
            )
            .expect("a request of the schema");
        }
    }
}
