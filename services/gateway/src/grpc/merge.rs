//! One page of the records of several logs.

use proto::audit::AuditRecord;

/// What one service found, the newest first, and how far its log is read.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) service: String,
    pub(super) records: Vec<AuditRecord>,
    /// There are more behind these.
    pub(super) more: bool,
    /// The last record that was given; 0 before the first.
    pub(super) given: i64,
}

/// Where the next page begins in each log: the last record given, 0 before the first.
pub(super) type Places = Vec<(String, i64)>;

/// The newest `size` records of all logs, each log in its own order, and where the next page begins; none
/// at the end.
pub(super) fn merge(mut logs: Vec<Log>, size: usize) -> (Vec<AuditRecord>, Option<Places>) {
    for log in &mut logs {
        log.records.reverse();
    }
    let mut merged = Vec::with_capacity(size);
    while merged.len() < size {
        let newest = logs
            .iter_mut()
            .filter(|log| !log.records.is_empty())
            .max_by_key(|log| log.records.last().map(instant));
        let Some(log) = newest else {
            break;
        };
        if let Some(record) = log.records.pop() {
            log.given = record.sequence;
            merged.push(record);
        }
    }
    let more = |log: &Log| log.more || !log.records.is_empty();
    let going_on = logs.iter().any(more);
    let places = logs.into_iter().filter(more);
    let places = places.map(|log| {
        // What comes in meanwhile is newer than this page and belongs to none that follows it.
        let newest = log.records.last().map_or(0, |record| record.sequence + 1);
        let given = if log.given == 0 { newest } else { log.given };
        (log.service, given)
    });
    let places = places.collect();
    (merged, going_on.then_some(places))
}

fn instant(record: &AuditRecord) -> (i64, i32) {
    record
        .time
        .map_or((0, 0), |time| (time.seconds, time.nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(service: &str, sequence: i64, seconds: i64) -> AuditRecord {
        AuditRecord {
            service: service.to_owned(),
            sequence,
            time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            ..AuditRecord::default()
        }
    }

    fn log(service: &str, times: &[i64], more: bool) -> Log {
        let records = times.iter().zip((1..=times.len() as i64).rev());
        Log {
            service: service.to_owned(),
            records: records
                .map(|(time, sequence)| record(service, sequence, *time))
                .collect(),
            more,
            given: 0,
        }
    }

    #[test]
    fn the_newest_of_all_logs_come_first_and_the_rest_comes_next() {
        let logs = vec![
            log("roster", &[9, 5, 1], false),
            log("sampling", &[8, 7], true),
        ];
        let (page, next) = merge(logs, 3);
        let times: Vec<i64> = page.iter().map(|record| instant(record).0).collect();
        assert_eq!(times, [9, 8, 7]);
        let places = vec![("roster".to_owned(), 3), ("sampling".to_owned(), 1)];
        assert_eq!(next, Some(places));
    }

    #[test]
    fn a_log_that_is_read_to_its_end_is_not_asked_again() {
        let logs = vec![log("roster", &[9], false), log("sampling", &[8], false)];
        assert_eq!(merge(logs.clone(), 2).1, None);
        let places = vec![("sampling".to_owned(), 2)];
        assert_eq!(merge(logs, 1).1, Some(places));
    }
}
