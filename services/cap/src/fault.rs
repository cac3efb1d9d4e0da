//! What is wrong with a document, and where.

/// At most this many faults of one document are told: nobody corrects more at once.
const MOST: usize = 100;

/// One thing that is wrong with a document. No sentence repeats what the document says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {en}")]
pub struct Fault {
    /// The element, such as `alert/info[2]/category`: elements that may come again are counted from 1.
    pub path: String,
    /// What is wrong with it, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Fault {
    pub(crate) fn new(
        path: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// The faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn note(
        &mut self,
        path: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) {
        if self.0.len() < MOST {
            self.0.push(Fault::new(path, zh, en));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_vec(self) -> Vec<Fault> {
        self.0
    }
}
