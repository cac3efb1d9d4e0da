//! Cells as people write them, and what they mean.

use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization;

use crate::domain::organization::coded;

coded! {
    /// The sex as registered.
    Sex {
        /// 男.
        Male = 1 "MALE",
        /// 女.
        Female = 2 "FEMALE",
    }
}

/// The cell in one spelling: NFC, ASCII for full-width letters, digits and signs, no outer blanks,
/// inner runs of blanks as one.
pub fn normal(cell: &str) -> String {
    if cell.is_ascii() && !cell.contains(|c: char| c.is_ascii_whitespace() || c == '\'') {
        return cell.to_owned();
    }
    let narrow = cell.chars().filter(|c| !hidden(*c)).map(|c| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        _ => c,
    });
    let narrow = narrow.nfc();
    let mut out = String::with_capacity(cell.len());
    let mut blank = false;
    for c in narrow {
        if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
            blank = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut blank) {
            out.push(' ');
        }
        out.push(c);
    }
    // A leading apostrophe is how a spreadsheet marks text.
    match out.find(|c| c != '\'' && c != ' ') {
        Some(start) => out.split_off(start),
        None => String::new(),
    }
}

/// Characters that nobody sees and that come along when cells are copied.
pub fn hidden(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}')
}

/// A civil day: `20120901`, `2012-9-1`, `2012/09/01`, `2012.9.1`, `2012年9月1日`, with or without a
/// time of day behind, or the number of a spreadsheet.
pub fn date(cell: &str) -> Option<NaiveDate> {
    let text = normal(cell);
    let text = text.split(['T', ' ']).next().unwrap_or_default();
    let text = text.strip_suffix(".0").unwrap_or(text);
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let number: u32 = text.parse().ok()?;
        return match text.len() {
            8 => calendar(number / 10_000, number / 100 % 100, number % 100),
            // Spreadsheet days count from 1899-12-30; five digits reach from 1927 to 2173.
            5 => NaiveDate::from_ymd_opt(1899, 12, 30)?
                .checked_add_days(chrono::Days::new(number.into())),
            _ => None,
        };
    }
    let mut parts = text
        .split(['-', '/', '.', '年', '月', '日', '号'])
        .filter(|part| !part.is_empty());
    let mut part = |long: usize| {
        let part = parts.next()?;
        (part.len() <= long && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())?
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    (year >= 1000 && parts.next().is_none()).then(|| calendar(year, month, day))?
}

fn calendar(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// A mainland mobile number, eleven digits; a country code and separators are dropped.
pub fn phone(cell: &str) -> Option<String> {
    let text = normal(cell);
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')'))
        .collect();
    let digits = digits
        .strip_prefix("+86")
        .or_else(|| digits.strip_prefix("0086"))
        .unwrap_or(&digits);
    let bytes = digits.as_bytes();
    let mobile = bytes.len() == 11
        && bytes[0] == b'1'
        && (b'3'..=b'9').contains(&bytes[1])
        && bytes.iter().all(u8::is_ascii_digit);
    mobile.then(|| digits.to_owned())
}

/// The number of a document other than a resident id, in the one spelling that importing and
/// looking up share: capitals without blanks.
pub fn other_id(cell: &str) -> String {
    let number = normal(cell).to_ascii_uppercase();
    number.replace(' ', "")
}

/// The sex; none when it is not one of the usual words.
pub fn sex(cell: &str) -> Option<Sex> {
    match normal(cell).to_ascii_lowercase().as_str() {
        "男" | "男性" | "1" | "m" | "male" => Some(Sex::Male),
        "女" | "女性" | "2" | "f" | "female" => Some(Sex::Female),
        _ => None,
    }
}

/// Yes or no; an empty cell is no.
pub fn flag(cell: &str) -> Option<bool> {
    match normal(cell).to_ascii_lowercase().as_str() {
        "是" | "1" | "true" | "yes" | "y" | "住校" | "寄宿" | "√" => Some(true),
        "" | "否" | "0" | "false" | "no" | "n" | "走读" | "不住校" | "×" => Some(false),
        _ => None,
    }
}

/// A checked resident id (GB 11643): its number in capitals, the birth date and the sex within.
///
/// # Errors
/// Why it cannot be one.
pub fn resident_id(
    cell: &str,
    today: NaiveDate,
) -> Result<(String, NaiveDate, Sex), super::Reason> {
    use super::Reason;
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let number: String = normal(cell)
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    if number.contains("E+") || (number.ends_with(".0") && number.len() > 12) {
        return Err(Reason::IdPrecision);
    }
    let bytes = number.as_bytes();
    let formed = bytes.len() == 18
        && bytes[..17].iter().all(u8::is_ascii_digit)
        && (bytes[17].is_ascii_digit() || bytes[17] == b'X');
    if !formed {
        return Err(Reason::IdFormat);
    }
    let sum: u32 = bytes
        .iter()
        .zip(WEIGHTS)
        .map(|(b, w)| u32::from(b - b'0') * w)
        .sum();
    if b"10X98765432"[sum as usize % 11] != bytes[17] {
        // A spreadsheet keeps 15 digits: the rest reads as zeros.
        let lost = bytes[15..].iter().all(|b| *b == b'0');
        return Err(if lost {
            Reason::IdPrecision
        } else {
            Reason::IdChecksum
        });
    }
    let born = date(&number[6..14])
        .filter(|born| {
            *born <= today && *born >= NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default()
        })
        .ok_or(Reason::IdBirthDate)?;
    let sex = if (bytes[16] - b'0') % 2 == 1 {
        Sex::Male
    } else {
        Sex::Female
    };
    Ok((number, born, sex))
}
