//! How much may be asked for: by each caller, or each partner, of everything together and of methods that are
//! guarded by themselves, and by all callers of one service in calls and in streams.

mod bucket;
mod config;
mod rooms;
mod shedding;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kit::auth::{Caller, Role};
use kit::status::Problem;
use moka::sync::Cache;
use proto::error::ErrorReason;
use tokio::time::Instant;

pub use config::{Limit, LimitsConfig, MethodLimit};
pub(crate) use rooms::{Rooms, Slots, Stay};
pub use shedding::SheddingConfig;
pub(crate) use shedding::Slot;

use crate::callers::Whose;
use bucket::Bucket;

/// Of how many callers and limits the state is kept; who was not heard of the longest is forgotten.
const KEPT: u64 = 200_000;
/// A caller who was not heard of for so long is forgotten: every bucket is full again by then.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// The limit that a call falls under, by its place in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Rule {
    All,
    Method(u16),
}

/// Counts what callers ask for. Clones share the counts.
#[derive(Clone, Debug)]
pub(crate) struct Limits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    all: Limit,
    roles: Vec<(Role, Limit)>,
    methods: Vec<MethodLimit>,
    buckets: Cache<(Whose, Rule), Arc<Mutex<Bucket>>>,
}

impl Limits {
    /// The limits of `config`, which was checked.
    pub(crate) fn new(config: &LimitsConfig) -> Self {
        let role = |(name, limit): (&String, &Limit)| Some((name.parse().ok()?, *limit));
        Self(Arc::new(Shared {
            all: config.all,
            roles: config.roles.iter().filter_map(role).collect(),
            methods: config.methods.clone(),
            buckets: Cache::builder()
                .max_capacity(KEPT)
                .time_to_idle(FORGOTTEN)
                .build(),
        }))
    }

    /// Lets a call of `caller` to `path` pass, by what was agreed with a partner in place of the limit of its
    /// role.
    ///
    /// # Errors
    /// RATE_LIMITED, with the time to wait and the name of the limit.
    pub(crate) fn pass(
        &self,
        caller: &Caller,
        agreed: Option<Limit>,
        path: &str,
        now: Instant,
    ) -> Result<(), Problem> {
        if let Some((rule, limit)) = self.of_method(path) {
            self.take(caller, rule, limit, now)
                .map_err(|wait| refused(path, wait))?;
        }
        let limit = agreed.unwrap_or_else(|| self.of_roles(&caller.roles));
        self.take(caller, Rule::All, limit, now)
            .map_err(|wait| refused("caller", wait))
    }

    fn take(
        &self,
        caller: &Caller,
        rule: Rule,
        limit: Limit,
        now: Instant,
    ) -> Result<(), Duration> {
        let key = (Whose::of(caller), rule);
        let fresh = || Arc::new(Mutex::new(Bucket::new(now)));
        let bucket = self.0.buckets.get_with(key, fresh);
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(limit, now)
    }

    fn of_method(&self, path: &str) -> Option<(Rule, Limit)> {
        let fits = |one: &MethodLimit| match one.method.strip_suffix('*') {
            Some(beginning) => path.starts_with(beginning),
            None => path == one.method,
        };
        let place = self.0.methods.iter().position(fits)?;
        let MethodLimit { rate, burst, .. } = self.0.methods[place];
        let rule = Rule::Method(u16::try_from(place).unwrap_or(u16::MAX));
        Some((rule, Limit { rate, burst }))
    }

    /// The most generous limit of the roles: a role without one of its own has that of all.
    fn of_roles(&self, roles: &[Role]) -> Limit {
        let of = |role: &Role| {
            let own = self.0.roles.iter().find(|(known, _)| known == role);
            own.map_or(self.0.all, |(_, limit)| *limit)
        };
        let most = roles.iter().map(of);
        most.max_by_key(|limit| (limit.rate, limit.burst))
            .unwrap_or(self.0.all)
    }
}

fn refused(limit: &str, wait: Duration) -> Problem {
    Problem::new(ErrorReason::RateLimited)
        .meta("limit", limit)
        .retry_after(wait)
}

#[cfg(test)]
mod tests {
    use kit::org::OrgPath;

    use super::*;

    fn caller(subject: &str, roles: &[Role]) -> Caller {
        Caller::new(subject, roles.to_vec(), OrgPath::root())
    }

    fn limits() -> Limits {
        let limit = |rate, burst| Limit { rate, burst };
        let methods = [("/a.B/Guarded", 1, 2), ("/a.*", 1, 4)];
        let methods = methods.map(|(method, rate, burst)| MethodLimit {
            method: method.to_owned(),
            rate,
            burst,
        });
        Limits::new(&LimitsConfig {
            all: limit(1, 3),
            roles: [
                ("guard".to_owned(), limit(1, 5)),
                ("sampler".to_owned(), limit(2, 9)),
                ("guardian".to_owned(), limit(1, 2)),
            ]
            .into(),
            methods: methods.into(),
        })
    }

    /// How many calls of one instant pass.
    fn passed(limits: &Limits, caller: &Caller, path: &str) -> usize {
        let now = Instant::now();
        (0..20)
            .take_while(|_| limits.pass(caller, None, path, now).is_ok())
            .count()
    }

    #[test]
    fn each_caller_has_limits_of_its_own_by_its_most_generous_role() {
        let limits = limits();
        assert_eq!(
            passed(&limits, &caller("a", &[Role::Principal]), "/x.Y/Z"),
            3
        );
        assert_eq!(
            passed(&limits, &caller("b", &[Role::Principal]), "/x.Y/Z"),
            3
        );
        assert_eq!(passed(&limits, &caller("c", &[Role::Guard]), "/x.Y/Z"), 5);
        let both = caller("d", &[Role::Guard, Role::Sampler]);
        assert_eq!(passed(&limits, &both, "/x.Y/Z"), 9);
        assert_eq!(
            passed(&limits, &caller("e", &[Role::Guardian]), "/x.Y/Z"),
            2
        );
        // What a role is not kept to is not taken away by another that one has besides.
        let parent = caller("f", &[Role::Guardian, Role::Principal]);
        assert_eq!(passed(&limits, &parent, "/x.Y/Z"), 3);
    }

    #[test]
    fn a_guarded_method_has_a_limit_besides() {
        let limits = limits();
        let sampler = caller("a", &[Role::Sampler]);
        assert_eq!(passed(&limits, &sampler, "/a.B/Guarded"), 2);
        assert_eq!(passed(&limits, &sampler, "/a.B/Other"), 4);
        assert_eq!(
            passed(&limits, &sampler, "/x.Y/Z"),
            9 - 6,
            "all count together"
        );
    }

    #[test]
    fn a_partner_has_one_limit_with_whoever_comes_over_its_connections() {
        let limits = limits();
        let now = Instant::now();
        let of = |subject: &str| Caller {
            partner: Some("lab".to_owned()),
            ..caller(subject, &[Role::Laboratory])
        };
        let agreed = Some(Limit { rate: 1, burst: 7 });
        let pass = |caller: &Caller| limits.pass(caller, agreed, "/x.Y/Z", now).is_ok();
        let callers = ["a", "b", "lab"].map(of);
        let all = callers.iter().cycle().take(30);
        assert_eq!(all.filter(|caller| pass(caller)).count(), 7);
        let somebody = caller("lab", &[Role::Laboratory]);
        assert_eq!(
            passed(&limits, &somebody, "/x.Y/Z"),
            3,
            "another one of that name"
        );
        let guarded = self::limits();
        let pass = |caller: &Caller| guarded.pass(caller, agreed, "/a.B/Guarded", now).is_ok();
        let all = callers.iter().cycle().take(30);
        assert_eq!(all.filter(|caller| pass(caller)).count(), 2);
    }

    #[test]
    fn a_refusal_says_which_limit_and_how_long() {
        let limits = limits();
        let guard = caller("a", &[Role::Guard]);
        let now = Instant::now();
        let refused = (0..3).find_map(|_| limits.pass(&guard, None, "/a.B/Guarded", now).err());
        let problem = refused.expect("refused");
        assert_eq!(problem.reason(), ErrorReason::RateLimited);
    }

    #[test]
    fn settings_that_let_nothing_pass_are_named() {
        let config = |change: fn(&mut LimitsConfig)| {
            let mut config = LimitsConfig::default();
            change(&mut config);
            config.check().expect_err("refused")
        };
        assert!(LimitsConfig::default().check().is_ok());
        let limit = Limit { rate: 0, burst: 1 };
        let wrong = [
            config(|it| it.all.burst = 0),
            config(|it| {
                it.roles.insert("headmaster".to_owned(), it.all);
            }),
            config(|it| it.methods[0].method = "LookUpStudent".to_owned()),
        ];
        assert!(wrong[0].starts_with("limits.all"));
        assert!(wrong[1].starts_with("limits.roles.headmaster"));
        assert!(wrong[2].starts_with("limits.methods"));
        let mut closed = LimitsConfig::default();
        closed.roles.insert("guard".to_owned(), limit);
        assert!(
            closed
                .check()
                .expect_err("refused")
                .starts_with("limits.roles.guard")
        );
    }

    #[test]
    fn guarded_methods_are_of_the_contracts() {
        let set = <prost_types::FileDescriptorSet as prost::Message>::decode(proto::DESCRIPTORS);
        let set = set.expect("descriptors");
        let paths: Vec<String> = set
            .file
            .iter()
            .flat_map(|file| {
                file.service.iter().flat_map(move |service| {
                    service.method.iter().map(move |method| {
                        format!("/{}.{}/{}", file.package(), service.name(), method.name())
                    })
                })
            })
            .collect();
        for MethodLimit { method, .. } in LimitsConfig::default().methods {
            assert!(paths.contains(&method), "{method}");
        }
    }
}
