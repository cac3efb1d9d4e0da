//! From a message to a document of CAP 1.2.

use crate::fault::Fault;
use crate::message::{Area, Info, Message, Named, Resource, Version};
use crate::read::read;
use crate::value::instant_text;

/// Writes a message as CAP 1.2 in UTF-8, with its elements in the order of the schema.
///
/// # Errors
/// What a reader would refuse is not written: every fault.
pub fn write(message: &Message) -> Result<String, Vec<Fault>> {
    let document = render(message);
    read(document.as_bytes()).map(|_| document)
}

fn render(message: &Message) -> String {
    let Message {
        version: _,
        identifier,
        sender,
        sent,
        status,
        message_type,
        source,
        scope,
        restriction,
        addresses,
        codes,
        note,
        references,
        incidents,
        infos,
    } = message;
    let mut out = Writer("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned());
    let namespace = Version::V1_2.namespace();
    out.0.push_str(&format!("<alert xmlns=\"{namespace}\">"));
    out.text("identifier", identifier);
    out.text("sender", sender);
    out.text("sent", &instant_text(sent));
    out.text("status", status.as_str());
    out.text("msgType", message_type.as_str());
    out.maybe("source", source);
    out.text("scope", scope.as_str());
    out.maybe("restriction", restriction);
    out.maybe("addresses", addresses);
    for code in codes {
        out.text("code", code);
    }
    out.maybe("note", note);
    if !references.is_empty() {
        let references: Vec<_> = references.iter().map(ToString::to_string).collect();
        out.text("references", &references.join(" "));
    }
    out.maybe("incidents", incidents);
    for info in infos {
        out.within("info", |out| out.info(info));
    }
    out.0.push_str("</alert>\n");
    out.0
}

struct Writer(String);

impl Writer {
    fn info(&mut self, info: &Info) {
        let Info {
            language,
            categories,
            event,
            response_types,
            urgency,
            severity,
            certainty,
            audience,
            event_codes,
            effective,
            onset,
            expires,
            sender_name,
            headline,
            description,
            instruction,
            web,
            contact,
            parameters,
            resources,
            areas,
        } = info;
        self.text("language", language);
        for category in categories {
            self.text("category", category.as_str());
        }
        self.text("event", event);
        for response in response_types {
            self.text("responseType", response.as_str());
        }
        self.text("urgency", urgency.as_str());
        self.text("severity", severity.as_str());
        self.text("certainty", certainty.as_str());
        self.maybe("audience", audience);
        self.named("eventCode", event_codes);
        self.maybe("effective", &effective.as_ref().map(instant_text));
        self.maybe("onset", &onset.as_ref().map(instant_text));
        self.maybe("expires", &expires.as_ref().map(instant_text));
        self.maybe("senderName", sender_name);
        self.maybe("headline", headline);
        self.maybe("description", description);
        self.maybe("instruction", instruction);
        self.maybe("web", web);
        self.maybe("contact", contact);
        self.named("parameter", parameters);
        for resource in resources {
            self.within("resource", |out| out.resource(resource));
        }
        for area in areas {
            self.within("area", |out| out.area(area));
        }
    }

    fn resource(&mut self, resource: &Resource) {
        let Resource {
            description,
            mime_type,
            size,
            uri,
            deref_uri,
            digest,
        } = resource;
        self.text("resourceDesc", description);
        self.text("mimeType", mime_type);
        self.maybe("size", &size.map(|size| size.to_string()));
        self.maybe("uri", uri);
        self.maybe("derefUri", deref_uri);
        self.maybe("digest", digest);
    }

    fn area(&mut self, area: &Area) {
        let Area {
            description,
            polygons,
            circles,
            geocodes,
            altitude,
            ceiling,
        } = area;
        self.text("areaDesc", description);
        for polygon in polygons {
            self.text("polygon", &polygon.to_string());
        }
        for circle in circles {
            self.text("circle", &circle.to_string());
        }
        self.named("geocode", geocodes);
        self.maybe("altitude", &altitude.map(|feet| feet.to_string()));
        self.maybe("ceiling", &ceiling.map(|feet| feet.to_string()));
    }

    fn named(&mut self, name: &str, values: &[Named]) {
        for Named {
            name: value_name,
            value,
        } in values
        {
            self.within(name, |out| {
                out.text("valueName", value_name);
                out.text("value", value);
            });
        }
    }

    fn within(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.0.push_str(&format!("<{name}>"));
        write(self);
        self.0.push_str(&format!("</{name}>"));
    }

    fn text(&mut self, name: &str, text: &str) {
        self.within(name, |out| out.escaped(text));
    }

    fn maybe(&mut self, name: &str, text: &Option<String>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// A carriage return would be read as the end of a line, unless it is written by its number.
    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '\r' => self.0.push_str("&#13;"),
                other => self.0.push(other),
            }
        }
    }
}
