//! Emergencies: times in which personal data is gathered on the ground of one.

/// An emergency of the city. Instants are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emergency {
    /// What it is called everywhere: a UUID.
    pub id: String,
    /// Shown to people.
    pub display_name: String,
    /// The decision or law by which it was declared.
    pub legal_basis: String,
    /// When it was declared.
    pub start: i64,
    /// The subject of whoever declared it.
    pub declared_by: String,
    /// How it ended; none while it is open.
    pub end: Option<End>,
}

/// How an emergency ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// The subject of whoever ended it.
    pub ended_by: String,
    /// Why.
    pub reason: String,
}

/// The emergency has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the emergency has ended")]
pub struct Ended;

impl Emergency {
    /// Its resource name.
    pub fn name(&self) -> String {
        format!("emergencies/{}", self.id)
    }

    /// The emergency with its end.
    ///
    /// # Errors
    /// When it has ended before.
    pub fn ended(self, end: End) -> Result<Self, Ended> {
        if self.end.is_some() {
            return Err(Ended);
        }
        Ok(Self {
            end: Some(end),
            ..self
        })
    }

    /// Grows with each change.
    pub fn version(&self) -> i64 {
        1 + i64::from(self.end.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emergency_ends_once() {
        let open = Emergency {
            id: "one".to_owned(),
            display_name: "疫情防控".to_owned(),
            legal_basis: "市政府令".to_owned(),
            start: 1,
            declared_by: "officer".to_owned(),
            end: None,
        };
        let end = End {
            time: 2,
            ended_by: "officer".to_owned(),
            reason: "疫情结束".to_owned(),
        };
        let ended = open.clone().ended(end.clone()).unwrap();
        assert_eq!((open.version(), ended.version()), (1, 2));
        assert_eq!(ended.ended(end), Err(Ended));
    }
}
