//! What messages say to somebody: their template, filled, in the language and speech that they prefer.

use std::sync::Arc;

use moka::sync::Cache;

use super::templates::{fill, template_name};
use crate::domain::message::Message;
use crate::domain::preferences::Preferences;
use crate::domain::template::Template;
use crate::domain::text::Text;
use crate::error::Error;
use crate::store::Store;

/// How many versions of templates are remembered: they never change.
const REMEMBERED: u64 = 1000;

/// Puts messages into words.
#[derive(Clone, Debug)]
pub(crate) struct Wording {
    store: Store,
    templates: Cache<(String, i32), Arc<Template>>,
}

impl Wording {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            templates: Cache::new(REMEMBERED),
        }
    }

    /// What a message says.
    ///
    /// # Errors
    /// When the database fails, or its template is gone or cannot be filled.
    pub(crate) async fn text(
        &self,
        message: &Message,
        preferences: &Preferences,
    ) -> Result<Text, Error> {
        let template = self.template(message).await?;
        let db = self.store.database().read();
        let values = fill(db, &template, &message.values).await?;
        let language = preferences.language;
        let rendered = template.render(language, preferences.plain_speech, &values);
        let rendered = rendered.ok_or_else(|| Error::NotFound(template_name(&message.template)))?;
        let text = Text {
            title: rendered.title,
            body: rendered.body,
        };
        Ok(if message.exercise {
            text.exercise(language)
        } else {
            text
        })
    }

    async fn template(&self, message: &Message) -> Result<Arc<Template>, Error> {
        let key = (message.template.clone(), message.template_version);
        if let Some(known) = self.templates.get(&key) {
            return Ok(known);
        }
        let db = self.store.database().read();
        let found = Store::template(db, &key.0, Some(key.1)).await?;
        let found = found.ok_or_else(|| Error::NotFound(template_name(&key.0)))?;
        let template = Arc::new(found.template);
        self.templates.insert(key, template.clone());
        Ok(template)
    }
}
