//! Warnings as documents of the Common Alerting Protocol: CAP 1.2 and 1.1 are read, CAP 1.2 is
//! written, and what GB/T 35965.1 adds for China is understood. What the warning system of the state hands
//! on instead is read as well.
//!
//! Reading is strict about what the standard requires and tolerant of what it does not know. A
//! document that is refused is refused with every fault. Nothing here asks for the time, a network
//! or a database.

mod chain;
mod china;
mod division;
mod elements;
mod fault;
mod message;
mod national;
mod read;
mod record;
mod value;
mod words;
mod write;
mod xml;

pub use chain::{Chain, Document, Standing, State};
pub use china::Colour;
pub use division::{prefix, upwards};
pub use fault::Fault;
pub use message::{Area, Info, Message, Named, Reference, Resource, Version};
pub use read::read;
pub use record::{NEVER, Record};
pub use value::{Circle, Invalid, Polygon, is_token};
pub use words::{Category, Certainty, MessageType, ResponseType, Scope, Severity, Status, Urgency};
pub use write::write;
pub use xml::MAX_BYTES;
