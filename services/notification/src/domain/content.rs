//! What a directive says: heading, text, demands and files, and the hash that travels with every relay.

use std::fmt::Write;

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

/// What a directive says. It never changes once approved (rule 5.39).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The heading.
    pub title: String,
    /// The text.
    pub text: String,
    /// What exactly is to be done.
    pub items: Vec<Item>,
    /// What belongs to it.
    pub attachments: Vec<Attachment>,
}

/// One thing that a directive demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Unique within the directive.
    pub id: String,
    /// The demand.
    pub text: String,
    /// The duty at each recipient that owns it, such as `EPIDEMIC_CONTROL`.
    pub duty: String,
    /// The last civil day to finish it.
    pub due: NaiveDate,
}

/// A file that belongs to a directive: kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The heading.
    pub title: String,
    /// The SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Where it can be had.
    pub uri: String,
    /// Its size in bytes.
    pub size: i64,
    /// Its media type; may be empty.
    pub media_type: String,
}

/// The SHA-256 of what a directive says: what travels with every relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextHash(pub [u8; 32]);

impl Content {
    /// The hash over all of it, as the contract defines it: that of heading and text alone where there
    /// are neither demands nor files.
    pub fn hash(&self) -> TextHash {
        let Self {
            title,
            text,
            items,
            attachments,
        } = self;
        let mut hash = Sha256::new()
            .chain_update(title)
            .chain_update("\n")
            .chain_update(text);
        for Item {
            id,
            text,
            duty,
            due,
        } in items
        {
            let due = due.format("%Y-%m-%d");
            hash.update(format!("\nitem\t{id}\t{text}\t{duty}\t{due}"));
        }
        for attachment in attachments {
            let digits = hexadecimal(&attachment.sha256);
            hash.update(format!("\nattachment\t{}\t{digits}", attachment.title));
        }
        TextHash(hash.finalize().into())
    }
}

/// Whether a text has a line that the hash would take for a demand or a file.
pub fn is_ambiguous(text: &str) -> bool {
    let mut lines = text.split('\n');
    lines.any(|line| line.starts_with("item\t") || line.starts_with("attachment\t"))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing into a text cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::domain) fn content() -> Content {
        Content {
            title: "关于做好返校工作的通知".to_owned(),
            text: "一、落实每日抽检。".to_owned(),
            items: vec![Item {
                id: "gate".to_owned(),
                text: "守好校门".to_owned(),
                duty: "SECURITY".to_owned(),
                due: NaiveDate::from_ymd_opt(2022, 4, 9).unwrap(),
            }],
            attachments: vec![Attachment {
                title: "应急预案".to_owned(),
                sha256: [0xab; 32],
                uri: "https://files.example/plan.pdf".to_owned(),
                size: 1024,
                media_type: "application/pdf".to_owned(),
            }],
        }
    }

    #[test]
    fn the_hash_is_that_of_the_contract() {
        let digits = "ab".repeat(32);
        let spelled = format!(
            "关于做好返校工作的通知\n一、落实每日抽检。\nitem\tgate\t守好校门\tSECURITY\t2022-04-09\
             \nattachment\t应急预案\t{digits}"
        );
        let hash: [u8; 32] = Sha256::digest(spelled).into();
        assert_eq!(content().hash(), TextHash(hash));
        let plain = Content {
            items: vec![],
            attachments: vec![],
            ..content()
        };
        let hash: [u8; 32] = Sha256::digest("关于做好返校工作的通知\n一、落实每日抽检。").into();
        assert_eq!(plain.hash(), TextHash(hash));
    }

    /// Golden test T19: nothing of what is said can change without the hash changing.
    #[test]
    fn every_part_is_in_the_hash() {
        let changes: [fn(&mut Content); 8] = [
            |c| c.title.push('！'),
            |c| c.text.push('！'),
            |c| c.items[0].id.push('2'),
            |c| c.items[0].text.push('！'),
            |c| "FIRE".clone_into(&mut c.items[0].duty),
            |c| c.items[0].due = NaiveDate::from_ymd_opt(2022, 4, 10).unwrap(),
            |c| c.attachments[0].sha256[31] ^= 1,
            |c| c.items.clear(),
        ];
        for change in changes {
            let mut changed = content();
            change(&mut changed);
            assert_ne!(changed.hash(), content().hash(), "{changed:?}");
        }
    }

    #[test]
    fn a_text_that_looks_like_a_demand_is_noticed() {
        assert!(is_ambiguous(
            "一、\nitem\tgate\t守好校门\tSECURITY\t2022-04-09"
        ));
        assert!(is_ambiguous("attachment\t附件"));
        assert!(!is_ambiguous("item：守好校门\n一、\titem\t"));
    }
}
