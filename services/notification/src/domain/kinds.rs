//! The table of kinds: for each kind of fact how much it matters, how soon somebody must have seen
//! it, who is asked, and what people are told. Another kind is another row, its value in the
//! contract, and in `facts.rs` how the fact is read.

use chrono::Duration;

use super::directive::Urgency;
use super::fact::{Figures, Severity};
use super::policy::Policy;

/// How soon somebody must have acknowledged an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// As soon as a hold must be noticed (rule 2.19).
    HoldNotice,
    /// As soon as a directive of this urgency is signed for.
    As(Urgency),
}

impl Within {
    /// The span under a policy.
    pub fn span(self, policy: &Policy) -> Duration {
        match self {
            Self::HoldNotice => policy.hold_notice,
            Self::As(urgency) => policy.acknowledge(urgency),
        }
    }
}

/// Who must see to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Who answers for epidemic control at the school; the organisation above once escalated.
    School,
    /// The organisation above too, from the start: the school cannot decide it alone.
    Above,
}

/// How much a fact matters and how soon it is seen.
pub type Weight = (Severity, Within);

/// One sentence for people. `{people}`, `{amount}`, `{total}` and `{word}` stand for the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

impl Sentence {
    /// Filled in, in Chinese and in English.
    pub fn tell(self, figures: &Figures) -> (String, String) {
        let (zh, en) = figures.word.words();
        let fill = |text: &str, word| {
            text.replace("{people}", &figures.people.to_string())
                .replace("{amount}", &figures.amount.to_string())
                .replace("{total}", &figures.total.to_string())
                .replace("{word}", word)
        };
        (fill(self.zh, zh), fill(self.en, en))
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The number in the rule book.
    pub rule: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// How much the graver sort matters, where there is one.
    pub grave: Option<Weight>,
    /// Who is asked.
    pub whom: Whom,
    /// What people are told.
    pub sentence: Sentence,
    /// What they are told once the fact stands no more; the same when there is none.
    pub left: Option<Sentence>,
}

const AT_ONCE: Weight = (Severity::Critical, Within::As(Urgency::ExtraUrgent));

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $number:literal $row:expr;)+) => {
        /// What happened; the numbers are those of contract and table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind = $number,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// Its row of the table.
            pub fn row(self) -> Row {
                match self {
                    $(Self::$kind => $row,)+
                }
            }
        }
    };
}

kinds! {
    /// The members of a positive or suspect tube are held, until everybody is free.
    HoldPlaced = 1 Row {
        rule: "2.19",
        weight: (Severity::Critical, Within::HoldNotice),
        grave: None,
        whom: Whom::School,
        sentence: Sentence {
            zh: "一管混采结果需复核，同管 {people} 人暂缓入校，请立即落实单人复检",
            en: "A pooled tube needs a recheck: {people} people of the tube are not admitted; \
                 sample each of them at once",
        },
        left: Some(Sentence {
            zh: "同管 {people} 人的单人复检已完成，管控尚未全部解除，请落实后续处置并办结",
            en: "The recheck of {people} people of the tube is done and some stay under control; \
                 finish what is left and end the alert",
        }),
    };
    /// Illnesses that belong together reached a rule, until the cluster is closed, part of another,
    /// or below the rule again. Graver when an event must be reported, or anything within two hours.
    ClusterFound = 2 Row {
        rule: "1.15",
        weight: (Severity::Warning, Within::As(Urgency::Urgent)),
        grave: Some(AT_ONCE),
        whom: Whom::School,
        sentence: Sentence {
            zh: "{word}有 {people} 人的病例达到聚集性预警标准，请立即核实处置，并在时限内上报",
            en: "{people} cases in {word} reach the threshold of a cluster; verify them, act, and \
                 report in time",
        },
        left: None,
    };
    /// A rule proposes to suspend teaching, until a human has decided or the proposal is withdrawn.
    SuspensionProposed = 3 Row {
        rule: "1.22",
        weight: (Severity::Warning, Within::As(Urgency::Urgent)),
        grave: None,
        whom: Whom::Above,
        sentence: Sentence {
            zh: "按规则建议{word}停课 {amount} 天，请听取疾控机构意见后作出决定",
            en: "Rules propose to suspend teaching of {word} for {amount} days; hear disease control \
                 and decide",
        },
        left: None,
    };
    /// Nobody was reached about an absence in time, until somebody is or the person is back.
    AbsenceUntraced = 4 Row {
        rule: "1.11",
        weight: (Severity::Warning, Within::As(Urgency::Urgent)),
        grave: None,
        whom: Whom::School,
        sentence: Sentence {
            zh: "{people} 名缺勤人员在时限内未能联系到监护人或本人，请校长立即跟进",
            en: "Nobody was reached in time about {people} absent person; the principal follows it up",
        },
        left: None,
    };
    /// Sick days in a row ask for an interview, until it is held or the person is back.
    InterviewDue = 5 Row {
        rule: "1.12",
        weight: (Severity::Notice, Within::As(Urgency::Routine)),
        grave: None,
        whom: Whom::School,
        sentence: Sentence {
            zh: "{people} 名缺勤人员连续病假已达约谈天数，请约谈监护人",
            en: "Sick days in a row of {people} person ask for an interview with the guardian",
        },
        left: None,
    };
    /// An absence by illness was not uploaded in time, until it is.
    UploadOverdue = 6 Row {
        rule: "1.8",
        weight: (Severity::Warning, Within::As(Urgency::Routine)),
        grave: None,
        whom: Whom::School,
        sentence: Sentence {
            zh: "{people} 名人员的因病缺勤逾期未上报，请校医尽快确认上报",
            en: "The absence by illness of {people} person is not uploaded in time; the school doctor \
                 confirms it",
        },
        left: None,
    };
    /// Checks of a school are missing after they were due, until none is or the day is over.
    ChecksMissing = 7 Row {
        rule: "1.6",
        weight: (Severity::Warning, Within::As(Urgency::Urgent)),
        grave: None,
        whom: Whom::School,
        sentence: Sentence {
            zh: "{word}应报 {total} 份，逾期未报 {amount} 份，未报不等于零报告，请立即督促补报",
            en: "{amount} of {total} {word} checks are missing; missing is not zero: have them \
                 submitted",
        },
        left: None,
    };
    /// A report is past its legal limit, until it is received. Graver when the whole chain must hear
    /// of it.
    ReportOverdue = 8 Row {
        rule: "1.17",
        weight: (Severity::Warning, Within::As(Urgency::Urgent)),
        grave: Some(AT_ONCE),
        whom: Whom::Above,
        sentence: Sentence {
            zh: "一份报告已超过法定时限，{word}尚未签收，请立即报告并落实签收",
            en: "A report is past its legal limit and {word} has not received it; report at once",
        },
        left: None,
    };
    /// A follow-up report is overdue, until it is written. Graver when the whole chain must hear of
    /// it.
    FollowUpOverdue = 9 Row {
        rule: "5.35",
        weight: (Severity::Warning, Within::As(Urgency::Urgent)),
        grave: Some(AT_ONCE),
        whom: Whom::School,
        sentence: Sentence {
            zh: "一份续报已超过时限，请立即续报",
            en: "A follow-up report is overdue; write it at once",
        },
        left: None,
    };
}

#[cfg(test)]
mod tests {
    use super::super::fact::Word;
    use super::*;

    #[test]
    fn every_sentence_is_filled_with_what_there_is() {
        for kind in Kind::ALL {
            let row = kind.row();
            for sentence in [Some(row.sentence), row.left].into_iter().flatten() {
                for word in Word::ALL {
                    let figures = Figures {
                        people: 3,
                        amount: 4,
                        total: 5,
                        word,
                    };
                    let (zh, en) = sentence.tell(&figures);
                    assert!(
                        !zh.contains('{') && !en.contains('{'),
                        "{kind:?}: {zh} {en}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_graver_sort_matters_more_and_is_seen_sooner() {
        let policy = Policy::default();
        for kind in Kind::ALL {
            let Row { weight, grave, .. } = kind.row();
            let grave = grave.unwrap_or(weight);
            assert!(grave.0 >= weight.0, "{kind:?}");
            assert!(grave.1.span(&policy) <= weight.1.span(&policy), "{kind:?}");
        }
    }
}
