//! What is sealed of a person: identity number, student number and phone number, in one value.

use std::fmt;

/// The parts that never leave in full. Shown as nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Private {
    /// The identity number in the one spelling that look-up shares.
    pub id_number: Option<String>,
    /// 全国学籍号.
    pub student_number: Option<String>,
    /// Eleven digits.
    pub phone: Option<String>,
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private")
    }
}

/// The bytes are no packed parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not packed private parts")]
pub struct Malformed;

impl Private {
    /// Whether there is nothing to seal.
    pub fn is_empty(&self) -> bool {
        let Self {
            id_number,
            student_number,
            phone,
        } = self;
        id_number.is_none() && student_number.is_none() && phone.is_none()
    }

    /// One run of bytes: for each part its length and its text. Every part is below 256 bytes.
    pub fn pack(&self) -> Vec<u8> {
        let Self {
            id_number,
            student_number,
            phone,
        } = self;
        let mut bytes = Vec::with_capacity(64);
        for part in [id_number, student_number, phone] {
            let part = part.as_deref().unwrap_or_default().as_bytes();
            let length = u8::try_from(part.len()).unwrap_or(u8::MAX);
            bytes.push(length);
            bytes.extend(&part[..usize::from(length)]);
        }
        bytes
    }

    /// From one run of bytes.
    ///
    /// # Errors
    /// When the bytes were not made by [`Private::pack`].
    pub fn unpack(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        let mut part = || {
            let (length, after) = rest.split_first().ok_or(Malformed)?;
            let (text, after) = after.split_at_checked((*length).into()).ok_or(Malformed)?;
            rest = after;
            let text = std::str::from_utf8(text).map_err(|_| Malformed)?;
            Ok((!text.is_empty()).then(|| text.to_owned()))
        };
        let parts = Self {
            id_number: part()?,
            student_number: part()?,
            phone: part()?,
        };
        if rest.is_empty() {
            Ok(parts)
        } else {
            Err(Malformed)
        }
    }

    /// The phone number as it may be shown, such as `138****1234` (rule 6.14).
    pub fn masked_phone(&self) -> String {
        let Some(phone) = &self.phone else {
            return String::new();
        };
        match (
            phone.get(..3),
            phone.len().checked_sub(4).and_then(|at| phone.get(at..)),
        ) {
            (Some(head), Some(tail)) if phone.len() >= 8 => format!("{head}****{tail}"),
            _ => "****".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_survive_packing(
            id_number in proptest::option::of("[0-9X]{1,32}"),
            student_number in proptest::option::of("[GJL0-9X]{19}"),
            phone in proptest::option::of("1[3-9][0-9]{9}"),
        ) {
            let parts = Private { id_number, student_number, phone };
            prop_assert_eq!(Private::unpack(&parts.pack()), Ok(parts));
        }

        #[test]
        fn no_bytes_make_unpacking_panic(bytes in any::<Vec<u8>>()) {
            let _ = Private::unpack(&bytes);
        }
    }

    #[test]
    fn a_phone_number_is_shown_without_its_middle() {
        let private = Private {
            phone: Some("13800138000".to_owned()),
            ..Private::default()
        };
        assert_eq!(private.masked_phone(), "138****8000");
        assert_eq!(Private::default().masked_phone(), "");
    }

    #[test]
    fn nothing_private_is_shown_for_debugging() {
        let private = Private {
            phone: Some("13800138000".to_owned()),
            ..Private::default()
        };
        assert!(!format!("{private:?}").contains("138"));
    }
}
