//! Where policies stand: within the program, or in a folder that an operator changes.

use std::fs;
use std::path::Path;

use super::fault::PolicyError;

/// The vocabulary of every policy.
pub(super) const SCHEMA: &str = include_str!("../../../../deploy/policies/schema.cedarschema");
const SCHEMA_FILE: &str = "schema.cedarschema";
const LIMITS_FILE: &str = "limits.cedar";
/// At most this much is read of a folder.
const MOST_FILES: usize = 64;
const MOST_BYTES: u64 = 1 << 20;

macro_rules! shipped {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../../../deploy/policies/", $file)))),*]
    };
}

/// What is in force where no folder is named.
const SHIPPED: &[(&str, &str)] = shipped![
    "administrators.cedar",
    "break_glass.cedar",
    "bureau.cedar",
    "everyone.cedar",
    "families.cedar",
    "laboratory.cedar",
    "partners.cedar",
    "purposes.cedar",
    "school.cedar",
    "services.cedar",
];
const LIMITS: &str = include_str!("../../../../deploy/policies/limits.cedar");

/// A file of policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Its name, for whoever has to find a mistake in it.
    pub(super) file: String,
    pub(super) text: String,
}

/// The policies of this release.
pub(super) fn shipped() -> Vec<Source> {
    let all = SHIPPED.iter().map(|(file, text)| source(file, text));
    all.chain([source(LIMITS_FILE, LIMITS)]).collect()
}

/// The policies of a folder, by name, with the limits of this release in place of its own.
pub(super) fn folder(folder: &Path) -> Result<Vec<Source>, PolicyError> {
    let unreadable =
        |path: &Path, err| PolicyError::of_file(path, format!("cannot be read: {err}"));
    let entries = fs::read_dir(folder).map_err(|err| unreadable(folder, err))?;
    let (mut sources, mut left) = (Vec::new(), MOST_BYTES);
    for entry in entries {
        let path = entry.map_err(|err| unreadable(folder, err))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| name.ends_with(".cedar") || *name == SCHEMA_FILE)
        else {
            continue;
        };
        let size = fs::metadata(&path).map_err(|err| unreadable(&path, err))?;
        left = left.checked_sub(size.len()).ok_or_else(|| {
            PolicyError::of_file(folder, format!("more than {MOST_BYTES} bytes of policies"))
        })?;
        let text = fs::read_to_string(&path).map_err(|err| unreadable(&path, err))?;
        match name {
            SCHEMA_FILE => warn_if_changed(name, &text, SCHEMA),
            LIMITS_FILE => warn_if_changed(name, &text, LIMITS),
            _ => sources.push(source(name, &text)),
        }
        if sources.len() > MOST_FILES {
            let what = format!("more than {MOST_FILES} files of policies");
            return Err(PolicyError::of_file(folder, what));
        }
    }
    if sources.is_empty() {
        return Err(PolicyError::of_file(
            folder,
            "no file that ends with .cedar",
        ));
    }
    sources.push(source(LIMITS_FILE, LIMITS));
    sources.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(sources)
}

fn source(file: &str, text: &str) -> Source {
    Source {
        file: file.to_owned(),
        text: text.to_owned(),
    }
}

fn warn_if_changed(file: &str, text: &str, ours: &str) {
    if text != ours {
        tracing::warn!(
            file,
            "belongs to the release: what differs in it has no effect"
        );
    }
}
