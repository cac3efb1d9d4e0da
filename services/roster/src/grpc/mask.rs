//! Which fields an update changes.

use kit::status::Problem;
use prost_types::FieldMask;

/// The fields that an update names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mask(Option<Vec<String>>);

impl Mask {
    /// Reads the mask of an update that can change `fields`: `*` means all of them; none means
    /// every field that is not empty.
    ///
    /// # Errors
    /// INVALID_FIELD when it names a field that cannot change.
    pub(crate) fn read(mask: Option<FieldMask>, fields: &[&str]) -> Result<Self, Problem> {
        let Some(FieldMask { paths }) = mask.filter(|mask| !mask.paths.is_empty()) else {
            return Ok(Self(None));
        };
        if paths.iter().any(|path| path == "*") {
            return Ok(Self(Some(
                fields.iter().map(|&field| field.to_owned()).collect(),
            )));
        }
        let strange = paths
            .iter()
            .position(|path| !fields.contains(&path.as_str()));
        match strange {
            None => Ok(Self(Some(paths))),
            Some(place) => Err(Problem::invalid(
                format!("update_mask.paths[{place}]"),
                "该字段不能修改",
                "this field cannot be changed",
            )),
        }
    }

    /// The new value of `field`, when the update changes it.
    pub(crate) fn take<T: PartialEq + Default>(&self, field: &str, value: T) -> Option<T> {
        let named = match &self.0 {
            None => value != T::default(),
            Some(fields) => fields.iter().any(|named| named == field),
        };
        named.then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(paths: &[&str]) -> Result<Mask, Problem> {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        Mask::read(Some(FieldMask { paths }), &["display_name", "boarding"])
    }

    #[test]
    fn without_a_mask_what_is_not_empty_changes() {
        let mask = Mask::read(None, &["display_name"]).unwrap();
        assert_eq!(mask.take("display_name", "a"), Some("a"));
        assert_eq!(mask.take("display_name", ""), None);
    }

    #[test]
    fn a_mask_can_empty_a_field() {
        let mask = read(&["boarding"]).unwrap();
        assert_eq!(mask.take("boarding", false), Some(false));
        assert_eq!(mask.take("display_name", "a"), None);
        assert_eq!(read(&["*"]).unwrap().take("display_name", ""), Some(""));
    }

    #[test]
    fn a_field_that_cannot_change_is_named() {
        let problem = read(&["boarding", "kind"]).unwrap_err();
        let fields: Vec<_> = problem
            .fields()
            .map(|(field, _)| field.to_owned())
            .collect();
        assert_eq!(fields, ["update_mask.paths[1]"]);
    }
}
