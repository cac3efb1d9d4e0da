//! What safety-inspection holds about one person, told to whoever is answered (rule 6.14).

use kit::db::Database;
use kit::status::Problem;
use kit::subject::{Asked, Held, Holdings, Section};

use super::destruction::SERVICE;
use crate::store::{Store, held};

/// The sections of this service.
#[derive(Clone, Debug)]
pub(crate) struct Watched(pub(crate) Store);

#[async_trait::async_trait]
impl Holdings for Watched {
    fn service(&self) -> &'static str {
        SERVICE
    }

    fn sections(&self) -> &'static [Section] {
        &held::SECTIONS
    }

    fn database(&self) -> &Database {
        self.0.database()
    }

    async fn gather(&self, section: &'static Section, asked: &Asked) -> Result<Held, Problem> {
        let db = self.0.database().read();
        Ok(match section.name {
            held::ROLL => held::roll(db, asked).await?,
            held::CLEARANCES => held::clearances(db, asked).await?,
            held::GATE_DECISIONS => held::gate_decisions(&self.0, asked).await?,
            held::DRILLS => held::drills(db, asked).await?,
            _ => Held::default(),
        })
    }
}
