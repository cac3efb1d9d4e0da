//! What sampling holds about one person, told to whoever is answered (rule 6.14).

use std::sync::Arc;

use kit::clock::Clock;
use kit::db::Database;
use kit::status::Problem;
use kit::subject::{Asked, Held, Holdings, Section};

use super::destruction::SERVICE;
use crate::store::held;

/// The sections of this service.
#[derive(Clone, Debug)]
pub(crate) struct Sampled {
    pub(crate) db: Database,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait::async_trait]
impl Holdings for Sampled {
    fn service(&self) -> &'static str {
        SERVICE
    }

    fn sections(&self) -> &'static [Section] {
        &held::SECTIONS
    }

    fn database(&self) -> &Database {
        &self.db
    }

    async fn gather(&self, section: &'static Section, asked: &Asked) -> Result<Held, Problem> {
        let (db, today) = (self.db.read(), self.clock.today());
        Ok(match section.name {
            held::ROLL => held::roll(db, asked).await?,
            held::TURNS => held::turns(db, asked).await?,
            held::DRAWS => held::draws(db, asked, today).await?,
            held::CHECKS => held::checks(db, asked, today).await?,
            _ => Held::default(),
        })
    }
}
