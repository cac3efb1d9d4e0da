//! Why somebody is absent and where their absence stands (rules 1.10, 1.11, 1.14).

use super::check::Content;
use crate::domain::calendar::Calendar;
use crate::domain::day::Day;

/// Why somebody is absent (rule 1.14). The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Reason {
    /// Ill.
    Illness = 1,
    /// A matter of the family's own.
    Personal = 2,
    /// Isolated, or kept away by the health code.
    Isolation = 3,
    /// Delayed by the weather: neither late nor truant (rule 5.27).
    WeatherDelay = 4,
    /// Not known yet.
    Unknown = 5,
}

impl Reason {
    /// Every reason, in the order of the contract.
    pub const ALL: [Self; 5] = [
        Self::Illness,
        Self::Personal,
        Self::Isolation,
        Self::WeatherDelay,
        Self::Unknown,
    ];

    /// The number of this reason.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The reason with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// Of several reports the gravest counts, in whatever order they come and however often: a
    /// known reason before an unknown one, and illness before all.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let gravity = |reason| match reason {
            Self::Unknown => 0,
            Self::Personal => 1,
            Self::WeatherDelay => 2,
            Self::Isolation => 3,
            Self::Illness => 4,
        };
        if gravity(other) > gravity(self) {
            other
        } else {
            self
        }
    }
}

/// Where an absence stands. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each state means")]
pub enum AbsenceState {
    Open = 1,
    Traced = 2,
    Escalated = 3,
    Excused = 4,
    Ended = 5,
    Withdrawn = 6,
}

impl AbsenceState {
    /// Every state, in the order of the contract.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Traced,
        Self::Escalated,
        Self::Excused,
        Self::Ended,
        Self::Withdrawn,
    ];

    /// Whether nothing happens to it any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Withdrawn)
    }

    /// The number of this state.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether the verb starts from here.
    pub fn allows(self, verb: AbsenceVerb) -> bool {
        match verb {
            AbsenceVerb::Report
            | AbsenceVerb::Trace
            | AbsenceVerb::Interview
            | AbsenceVerb::End => !self.is_over(),
            AbsenceVerb::Escalate => self == Self::Open,
            AbsenceVerb::Assign => matches!(self, Self::Open | Self::Escalated),
        }
    }
}

/// What is done about an absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AbsenceVerb {
    /// Somebody reports it, first or again.
    Report,
    /// Somebody tries to reach the guardian.
    Trace,
    /// Nobody was reached in time.
    Escalate,
    /// An account is named that traces.
    Assign,
    /// The guardian was interviewed.
    Interview,
    /// The person is back.
    End,
}

impl AbsenceVerb {
    /// Every verb.
    pub const ALL: [Self; 6] = [
        Self::Report,
        Self::Trace,
        Self::Escalate,
        Self::Assign,
        Self::Interview,
        Self::End,
    ];
}

/// What is known of an absence: where it stands follows from this alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The gravest reason of the reports that stand; unknown when none does.
    pub reported: Reason,
    /// The reason that whoever was reached gave last; it stands before what was reported.
    pub told: Option<Reason>,
    /// Somebody was reached.
    pub traced: bool,
    /// Nobody was reached in time.
    pub escalated: bool,
    /// The person is back.
    pub ended: bool,
    /// Every report was taken back before anybody was reached.
    pub withdrawn: bool,
}

impl Facts {
    /// Why the person is absent.
    pub fn reason(&self) -> Reason {
        self.told.unwrap_or(self.reported)
    }

    /// Where the absence stands. A delay by the weather is excused whatever happened before, and
    /// once it turns out to be something else it is traced like any other.
    pub fn stands(&self) -> AbsenceState {
        if self.ended {
            AbsenceState::Ended
        } else if self.withdrawn {
            AbsenceState::Withdrawn
        } else if self.reason() == Reason::WeatherDelay {
            AbsenceState::Excused
        } else if self.traced {
            AbsenceState::Traced
        } else if self.escalated {
            AbsenceState::Escalated
        } else {
            AbsenceState::Open
        }
    }
}

/// What the reports that stand amount to, in whatever order they came and however often: the gravest
/// reason and the earliest day. None when no report stands.
pub fn together(reports: impl IntoIterator<Item = (Reason, Day)>) -> Option<(Reason, Day)> {
    reports
        .into_iter()
        .reduce(|(reason, first), (other, day)| (reason.or(other), first.min(day)))
}

/// Whether somebody who was absent is back by what a check of their group says that was taken at
/// `capture`: it names everybody who is absent, them not, and is newer than all that is `known` of
/// the absence. Both in milliseconds since 1970.
pub fn returned(check: &Content, person: &[u8], capture: i64, known: i64) -> bool {
    let is_complete = check.absences.len() == usize::from(check.counts.absent);
    let named = check.absences.iter().any(|(absent, _)| absent.0 == person);
    is_complete && !named && capture > known
}

/// When the sick school days from `start` on ask for an interview (rule 1.12): on the last of
/// `days`, once the minute of the civil day has come by which a check shows who is still away; in
/// milliseconds since 1970. None when no interview is asked for.
pub fn interview_at(calendar: &Calendar, start: Day, days: u16, minute: u16) -> Option<i64> {
    if days == 0 {
        return None;
    }
    let last = calendar.nth_from(u32::from(days), start)?;
    Some(last.start_millis() + i64::from(minute) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts = Facts {
        reported: Reason::Unknown,
        told: None,
        traced: false,
        escalated: false,
        ended: false,
        withdrawn: false,
    };

    #[test]
    fn every_illegal_move_is_refused() {
        use AbsenceState as S;
        use AbsenceVerb as V;
        let legal = [
            (
                S::Open,
                &[
                    V::Report,
                    V::Trace,
                    V::Escalate,
                    V::Assign,
                    V::Interview,
                    V::End,
                ][..],
            ),
            (S::Traced, &[V::Report, V::Trace, V::Interview, V::End]),
            (
                S::Escalated,
                &[V::Report, V::Trace, V::Assign, V::Interview, V::End],
            ),
            (S::Excused, &[V::Report, V::Trace, V::Interview, V::End]),
            (S::Ended, &[]),
            (S::Withdrawn, &[]),
        ];
        for (state, verbs) in legal {
            for verb in V::ALL {
                assert_eq!(
                    state.allows(verb),
                    verbs.contains(&verb),
                    "{state:?} {verb:?}"
                );
            }
        }
    }

    #[test]
    fn whoever_is_not_reached_is_escalated_until_somebody_is() {
        assert_eq!(FACTS.stands(), AbsenceState::Open);
        let escalated = Facts {
            escalated: true,
            ..FACTS
        };
        assert_eq!(escalated.stands(), AbsenceState::Escalated);
        let traced = Facts {
            traced: true,
            told: Some(Reason::Illness),
            ..escalated
        };
        assert_eq!(
            (traced.stands(), traced.reason()),
            (AbsenceState::Traced, Reason::Illness)
        );
        let ended = Facts {
            ended: true,
            ..traced
        };
        assert_eq!(ended.stands(), AbsenceState::Ended);
        let withdrawn = Facts {
            withdrawn: true,
            ..escalated
        };
        assert_eq!(withdrawn.stands(), AbsenceState::Withdrawn);
    }

    #[test]
    fn a_weather_delay_is_excused_and_what_it_turns_out_to_be_is_traced() {
        let delayed = Facts {
            reported: Reason::WeatherDelay,
            ..FACTS
        };
        assert_eq!(delayed.stands(), AbsenceState::Excused);
        let ill = Facts {
            reported: delayed.reported.or(Reason::Illness),
            ..delayed
        };
        assert_eq!(ill.stands(), AbsenceState::Open);
        let told = Facts {
            told: Some(Reason::WeatherDelay),
            traced: true,
            ..ill
        };
        assert_eq!(told.stands(), AbsenceState::Excused);
        let corrected = Facts {
            told: Some(Reason::Personal),
            ..told
        };
        assert_eq!(corrected.stands(), AbsenceState::Traced);
    }

    #[test]
    fn reports_count_alike_in_every_order_and_number() {
        for one in Reason::ALL {
            assert_eq!(one.or(one), one);
            assert_eq!(one.or(Reason::Unknown), one);
            for other in Reason::ALL {
                assert_eq!(one.or(other), other.or(one));
                for third in Reason::ALL {
                    assert_eq!(one.or(other).or(third), one.or(other.or(third)));
                }
            }
        }
    }

    #[test]
    fn the_third_sick_school_day_asks_for_an_interview() {
        let calendar = Calendar::default();
        let friday = Day::from(chrono::NaiveDate::from_ymd_opt(2022, 3, 25).unwrap());
        let tuesday = Day::from(chrono::NaiveDate::from_ymd_opt(2022, 3, 29).unwrap());
        let at = interview_at(&calendar, friday, 3, 510);
        assert_eq!(at, Some(tuesday.start_millis() + 510 * 60_000));
        assert_eq!(interview_at(&calendar, friday, 0, 510), None);
    }
}
