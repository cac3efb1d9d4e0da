//! Ways by which messages reach people: how they go out and what they may carry.

/// How messages go out; the numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The inbox of Campus itself.
    #[serde(skip)]
    Inbox = 1,
    /// An HTTP address that takes JSON signed with HMAC-SHA256.
    Webhook = 2,
    /// E-mail by SMTP.
    Email = 3,
    /// Short messages by an HTTP provider.
    Sms = 4,
    /// A robot in a WeCom group.
    WecomRobot = 5,
    /// A robot in a DingTalk group.
    DingtalkRobot = 6,
    /// CAP 1.2 documents to an HTTP address.
    Cap = 7,
}

impl Kind {
    /// Whether everybody has an address of their own there.
    pub fn is_addressed(self) -> bool {
        match self {
            Self::Webhook | Self::Email | Self::Sms | Self::WecomRobot | Self::DingtalkRobot => {
                true
            }
            Self::Inbox | Self::Cap => false,
        }
    }

    /// Whether it carries the documents of warnings, and nothing else.
    pub fn carries_documents(self) -> bool {
        match self {
            Self::Cap => true,
            Self::Inbox
            | Self::Webhook
            | Self::Email
            | Self::Sms
            | Self::WecomRobot
            | Self::DingtalkRobot => false,
        }
    }

    /// Whether one provider stands behind all addresses: only then does a failure at one say something
    /// about the others.
    pub fn has_one_provider(self) -> bool {
        match self {
            Self::Email | Self::Sms | Self::WecomRobot | Self::DingtalkRobot | Self::Cap => true,
            Self::Inbox | Self::Webhook => false,
        }
    }
}

/// A channel carries either what is real or exercises, never both: an exercise must not leave by a
/// real channel, nor an emergency vanish in a sink. The inbox carries both, as it says which is which.
pub fn carries(kind: Kind, channel_exercise: bool, message_exercise: bool) -> bool {
    kind == Kind::Inbox || channel_exercise == message_exercise
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exercises_and_what_is_real_never_share_a_channel() {
        for (channel, message) in [(true, false), (false, true)] {
            assert!(!carries(Kind::Sms, channel, message));
            assert!(carries(Kind::Sms, channel, channel));
            assert!(carries(Kind::Inbox, channel, message));
        }
    }
}
