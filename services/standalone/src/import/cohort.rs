//! Grades as schools write them, and the class groups that follow.

/// A grade: the letter of its stage and the year within it, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grade {
    stage: char,
    year: i32,
}

impl Grade {
    /// A grade from 1 to 12.
    pub fn from_number(grade: i32) -> Option<Self> {
        Some(match grade {
            1..=6 => Self {
                stage: 'p',
                year: grade,
            },
            7..=9 => Self {
                stage: 'j',
                year: grade - 6,
            },
            10..=12 => Self {
                stage: 's',
                year: grade - 9,
            },
            _ => return None,
        })
    }

    /// A code of OneRoster such as `PK` or `01`, or a Chinese word.
    pub(super) fn oneroster(code: &str) -> Option<Self> {
        let kindergarten = |year| Some(Self { stage: 'k', year });
        match code.trim().to_ascii_uppercase().as_str() {
            "IT" => kindergarten(1),
            "PR" => kindergarten(2),
            "PK" | "TK" | "KG" => kindergarten(3),
            _ => Self::word(code),
        }
    }

    /// A Chinese word: 小班, 三年级, 初二, 高一, or a number.
    pub(super) fn word(word: &str) -> Option<Self> {
        let word: String = word.chars().filter(|c| !c.is_whitespace()).collect();
        let kindergarten = ["小班", "中班", "大班"]
            .iter()
            .position(|own| word.starts_with(own));
        if let Some(place) = kindergarten {
            return Some(Self {
                stage: 'k',
                year: i32::try_from(place).ok()? + 1,
            });
        }
        let (stage, rest) =
            if let Some(rest) = word.strip_prefix("初中").or(word.strip_prefix('初')) {
                (Some('j'), rest)
            } else if let Some(rest) = word.strip_prefix("高中").or(word.strip_prefix('高')) {
                (Some('s'), rest)
            } else {
                (None, word.strip_prefix("小学").unwrap_or(&word))
            };
        let number = chinese(rest.trim_end_matches("年级").trim_end_matches('级'))?;
        match stage {
            Some(stage) if (1..=3).contains(&number) => Some(Self {
                stage,
                year: number,
            }),
            Some(stage) => {
                Self::from_number(number).filter(|grade| grade.stage == stage && number > 6)
            }
            None => Self::from_number(number),
        }
    }

    /// The class group of this grade in a school year.
    pub(super) fn class_group(self, school_year: i32, number: u32) -> String {
        format!("{}{}-{number:02}", self.stage, self.entry_year(school_year))
    }

    /// The year in which this grade entered its stage.
    pub(super) fn entry_year(self, school_year: i32) -> i32 {
        school_year - self.year + 1
    }

    /// As the register counts it: 1 to 12, and 1 to 3 in kindergarten.
    pub(super) fn number(self) -> i32 {
        match self.stage {
            'j' => self.year + 6,
            's' => self.year + 9,
            _ => self.year,
        }
    }
}

/// Whether a code is a class group's already, such as `p2019-01`.
pub(super) fn is_class_group(code: &str) -> bool {
    let [stage, year @ .., b'-', tens, ones] = code.as_bytes() else {
        return false;
    };
    b"kpjsvxu".contains(stage)
        && year.len() == 4
        && year.iter().chain([tens, ones]).all(u8::is_ascii_digit)
        && (*tens, *ones) != (b'0', b'0')
}

/// The number of a class: the last number from 1 to 99 in `3班`, `2019级(12)班`, `三班`, and the
/// last two digits of a number of class such as `0301` or `201901`.
pub(super) fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    if (3..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let last: u32 = text.get(text.len() - 2..)?.parse().ok()?;
        return (last > 0).then_some(last);
    }
    let digits = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .filter_map(|part| part.parse().ok())
        .rfind(|number| (1..=99).contains(number));
    digits.or_else(|| {
        let word = text.trim_end_matches(['班', ')', '）']);
        let word = word.rsplit(['级', '(', '（', '小', '中', '大']).next()?;
        let word = word.trim_start_matches(['初', '高']);
        chinese(word)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (1..=99).contains(number))
    })
}

/// The grade at the front of the name of a class, such as 三年级1班, 初二（3）班 or 大1班.
pub(super) fn leading_grade(text: &str) -> Option<Grade> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if let Some((grade, _)) = text.split_once("年级") {
        return Grade::word(grade);
    }
    let kindergarten = ['小', '中', '大'].iter().any(|own| text.starts_with(*own));
    let head: String = text.chars().take(2).collect();
    match head.chars().next()? {
        '初' | '高' => Grade::word(&head),
        first if kindergarten && !text.starts_with("小学") => Grade::word(&format!("{first}班")),
        _ => None,
    }
}

/// 1 to 99 in digits or Chinese numerals.
fn chinese(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse() {
        return (1..=99).contains(&number).then_some(number);
    }
    let digit = |c: char| {
        "零一二三四五六七八九"
            .chars()
            .position(|own| own == c)
            .and_then(|n| i32::try_from(n).ok())
    };
    let (tens, ones) = match text.split_once('十') {
        None => ("零", text),
        Some(("", ones)) => ("一", ones),
        Some((tens, ones)) => (tens, ones),
    };
    let one = |text: &str| {
        let mut all = text.chars();
        let first = all.next().map_or(Some(0), digit)?;
        all.next().is_none().then_some(first)
    };
    let number = one(tens)? * 10 + one(ones)?;
    (number > 0).then_some(number)
}
