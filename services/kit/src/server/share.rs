//! How much one connection may ask for, by whose calls it carries.

/// How much one connection may ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// How many bytes may wait to be read, of a stream and of the connection.
    pub(super) stream_window: u32,
    pub(super) connection_window: u32,
    /// How many streams may be opened and given up before the server has seen them.
    pub(super) resets: usize,
}

impl Share {
    /// A connection of the door is its caller's own: what is not read on it holds up nobody else, and whoever
    /// floods it loses it alone.
    pub(super) fn own() -> Self {
        Self {
            stream_window: 1 << 20,
            connection_window: 4 << 20,
            resets: 20,
        }
    }

    /// A connection of a service carries everybody's calls. It has room for all of its `streams`, so that
    /// those which nobody reads do not hold up the others, and bears that many give up at once.
    pub(super) fn of_everybody(streams: u32) -> Self {
        let stream_window = 128 << 10;
        let all = streams.saturating_mul(stream_window);
        Self {
            stream_window,
            connection_window: all.clamp(stream_window, i32::MAX.cast_unsigned()),
            resets: 256,
        }
    }
}
