//! The rooms of one service: one of calls that wait for their answer, one of streams at work, and one of
//! streams that watch. However many streams there are, they leave the room of calls to calls; and however many
//! watch, they leave that of work to work.

use std::sync::Arc;

use proto::options::access::Priority;
use tokio::time::Instant;

use super::SheddingConfig;
use super::shedding::{Room, Slot};

/// How long a call stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stay {
    /// Until it is answered.
    Answer,
    /// Until its stream ends, of which the answer comes at the beginning.
    Stream,
    /// Until its stream ends, and so long it waits for its answer.
    Upload,
    /// As long as its caller wants to know what happens.
    Watch,
}

/// The rooms of one service.
#[derive(Debug)]
pub(crate) struct Rooms {
    pub(crate) calls: Arc<Room>,
    pub(crate) streams: Arc<Room>,
    pub(crate) watches: Arc<Room>,
}

/// The places of one call.
#[derive(Debug)]
pub(crate) struct Slots {
    /// Until the service answers.
    waits: Option<Slot>,
    /// Until the stream ends.
    stays: Option<Slot>,
}

impl Rooms {
    /// The rooms of `config`, which was checked.
    pub(crate) fn new(config: SheddingConfig) -> Arc<Self> {
        let SheddingConfig {
            least,
            most,
            streams,
            watches,
        } = config;
        Arc::new(Self {
            calls: Room::new(least, most),
            streams: Room::new(streams, streams),
            watches: Room::new(watches, watches),
        })
    }

    /// The places of a call of this urgency; none when it has to give way. A stream, too, begins only where a
    /// call of its urgency would be let in: it gives way to what is more urgent when the service complains.
    pub(crate) fn enter(&self, stay: Stay, priority: Priority) -> Option<Slots> {
        let stays = match stay {
            Stay::Answer => None,
            Stay::Stream | Stay::Upload => Some(self.streams.enter(priority)?),
            Stay::Watch => Some(self.watches.enter(priority)?),
        };
        let waits = self.calls.enter(priority)?;
        Some(Slots {
            waits: (stay != Stay::Upload).then_some(waits),
            stays,
        })
    }
}

impl Slots {
    /// The service answered: whether it had too much to do. What is left is the place of the stream.
    pub(crate) fn answered(self, overloaded: bool, now: Instant) -> Option<Slot> {
        if let Some(waits) = self.waits {
            waits.answered(overloaded, now);
        }
        self.stays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms() -> Arc<Rooms> {
        Rooms::new(SheddingConfig {
            least: 1,
            most: 20,
            streams: 10,
            watches: 10,
        })
    }

    /// As many calls as are let in, all of them answered.
    fn fill(rooms: &Rooms, stay: Stay, priority: Priority) -> Vec<Option<Slot>> {
        let entered = std::iter::from_fn(|| rooms.enter(stay, priority));
        entered
            .map(|slots| slots.answered(false, Instant::now()))
            .take(100)
            .collect()
    }

    #[test]
    fn streams_stay_and_leave_the_room_of_calls_to_calls() {
        let rooms = rooms();
        let bulk = fill(&rooms, Stay::Stream, Priority::Bulk);
        let scans = fill(&rooms, Stay::Stream, Priority::Results);
        let feeds = fill(&rooms, Stay::Watch, Priority::Normal);
        let news = fill(&rooms, Stay::Watch, Priority::Emergency);
        let all = [bulk.len(), scans.len(), feeds.len(), news.len()];
        assert_eq!(all, [5, 4, 8, 5]);
        assert_eq!(rooms.calls.size().1, 0);
        drop(bulk);
        assert_eq!(fill(&rooms, Stay::Upload, Priority::Bulk).len(), 1);
    }

    #[test]
    fn a_stream_begins_only_where_a_call_of_its_urgency_would() {
        let rooms = rooms();
        let waiting = std::iter::from_fn(|| rooms.enter(Stay::Answer, Priority::Gate));
        let waiting: Vec<_> = waiting.collect();
        assert_eq!(waiting.len(), 20);
        assert!(rooms.enter(Stay::Stream, Priority::Bulk).is_none());
        assert!(rooms.enter(Stay::Upload, Priority::Bulk).is_none());
        assert!(rooms.enter(Stay::Watch, Priority::Emergency).is_some());
        assert_eq!(
            rooms.streams.size().1,
            0,
            "whoever is sent away has no place"
        );
    }

    #[test]
    fn an_upload_waits_for_its_answer_in_the_room_of_streams_only() {
        let rooms = rooms();
        let upload = rooms.enter(Stay::Upload, Priority::Bulk);
        assert!(upload.is_some());
        assert_eq!((rooms.calls.size().1, rooms.streams.size().1), (0, 1));
        drop(upload);
        assert_eq!(rooms.streams.size().1, 0);
    }
}
