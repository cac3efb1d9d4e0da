//! `campus token`: tokens of the development issuer.

use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use kit::auth::{Caller, Issuer, Role};
use kit::clock::{Clock, SystemClock};
use kit::org::OrgPath;
use kit::subject::Group;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::screen;

/// Prints a token for trials. Services take it where `auth.development` is set, never in production.
#[derive(Args, Clone, Debug)]
pub struct TokenArgs {
    /// What the holder is, such as city-officer, guard or laboratory; may be repeated.
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = parse_role)]
    pub roles: Vec<Role>,
    /// The part of the tree it is for, such as `fz/350102`; all of it when left out.
    #[arg(long, value_parser = parse_scope)]
    pub scope: Option<OrgPath>,
    /// For a laboratory, its code.
    #[arg(long)]
    pub laboratory: Option<String>,
    /// Whom of the register the holder stands for: `students/…` for a pupil and their family, `staff/…` for who works.
    #[arg(long, value_parser = parse_person)]
    pub person: Option<String>,
    /// Who holds it.
    #[arg(long, default_value = "developer")]
    pub subject: String,
    /// For how many hours it is valid.
    #[arg(long, default_value_t = 24)]
    pub hours: u32,
    /// From when it is valid; now when left out. For services whose clock is set.
    #[arg(long)]
    pub at: Option<DateTime<Utc>>,
}

fn parse_role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|()| {
        let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!("one of {}", roles.join(", "))
    })
}

fn parse_scope(text: &str) -> Result<OrgPath, String> {
    text.parse()
        .map_err(|_| "codes from the top joined by /, such as fz/350102".to_owned())
}

fn parse_person(text: &str) -> Result<String, String> {
    let known = Group::of(text).map(|_| text.to_owned());
    known.ok_or_else(|| "students/… or staff/… with the id of the register".to_owned())
}

/// The token that `args` asks for.
///
/// # Errors
/// When a laboratory has no code.
pub fn issue(args: &TokenArgs) -> anyhow::Result<String> {
    let scope = args.scope.clone().unwrap_or_else(OrgPath::root);
    if args.roles.contains(&Role::Laboratory) && args.laboratory.is_none() {
        bail!(
            "检测机构的令牌要用 --laboratory 给出机构代码 (a laboratory needs its code: --laboratory)"
        );
    }
    let caller = Caller {
        laboratory: args.laboratory.clone(),
        person: args.person.clone(),
        second_factor: true,
        ..Caller::new(&*args.subject, args.roles.clone(), scope)
    };
    let from = args.at.unwrap_or_else(|| SystemClock.now());
    let life = Duration::from_secs(u64::from(args.hours) * 3600);
    Ok(Issuer::development().issue(caller, from, life))
}

/// Runs the command.
///
/// # Errors
/// When the token cannot be made.
pub fn run(args: &TokenArgs) -> anyhow::Result<()> {
    screen::line(issue(args)?);
    Ok(())
}

/// Shows a token with every call.
#[derive(Clone, Debug)]
pub struct Bearer(MetadataValue<Ascii>);

impl Bearer {
    /// # Errors
    /// When `token` has characters that no token has.
    pub fn new(token: &str) -> anyhow::Result<Self> {
        let mut value: MetadataValue<Ascii> =
            format!("Bearer {token}").parse().context("not a token")?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.0.clone());
        Ok(request)
    }
}
