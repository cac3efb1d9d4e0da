//! Enums whose numbers are those of contract and tables.

/// Declares one: `numbered! { /// Docs. Name { /// Docs. Variant = 1, … } }`, or with the words of
/// the contract, without prefix: `numbered! { /// Docs. Name { /// Docs. Variant = 1 "WORD", … } }`.
macro_rules! numbered {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal,)+ }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize,
        )]
        pub enum $name { $($(#[$doc])* $variant = $number,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value of a number of the contract.
            pub fn from_number(number: i32) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| *value as i32 == number)
            }
        }
    };
    ($(#[$meta:meta])* $name:ident {
        $($(#[$doc:meta])* $variant:ident = $number:literal $word:literal,)+
    }) => {
        $crate::domain::numbered::numbered! {
            $(#[$meta])*
            $name { $($(#[$doc])* $variant = $number,)+ }
        }

        impl $name {
            /// The word of the contract, without prefix.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().copied().find(|value| value.as_str() == word);
                found.ok_or_else(|| format!("{word} is unknown"))
            }
        }
    };
}
pub(crate) use numbered;
