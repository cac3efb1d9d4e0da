//! What the warning system of the state hands on: alerts without a namespace, with elements of their own
//! beside those of CAP. They are translated into the elements of CAP 1.2, and read as those are.
//!
//! | there | here |
//! |---|---|
//! | `senderCode` | `sender`; what is called `sender` there is for people, the `senderName` here |
//! | the time in an identifier, else `sendTime` | `sent`, so that an identifier alone tells it |
//! | `eventType`, a code of GB/T 35965.1 | `eventCode`, `event` and `category` |
//! | `severity` as a colour | `severity` and a `parameter` |
//! | `references` as identifiers | the same of the same sender |
//! | `geocode` as a list of divisions | a `geocode` for each |
//! | `senderName`, who was on duty | nothing: it is nobody's interest |
//!
//! Times may have a blank for the `T`, and are of Beijing when they have no offset. Empty elements count as
//! absent, and shapes that are none are left out: the divisions say where a warning holds.

use std::str::FromStr;

use crate::china::{Colour, is_event_code};
use crate::fault::Fault;
use crate::message::Version;
use crate::value::{self, Circle, Polygon};
use crate::xml::Element;

/// What there is called otherwise, at the end of the path of a fault.
const NAMES: [(&str, &str); 3] = [
    ("alert/sender", "alert/senderCode"),
    ("alert/sent", "alert/sendTime"),
    ("/event", "/eventType"),
];

/// Whether a root is an alert of that system.
pub(crate) fn is_national(root: &Element) -> bool {
    let typed = |info: &Element| info.name == "info" && child(info, "eventType").is_some();
    root.version.is_none()
        && root.name == "alert"
        && (child(root, "senderCode").is_some() || root.children.iter().any(typed))
}

/// The same alert in the elements of CAP 1.2.
pub(crate) fn as_cap(root: &Element) -> Element {
    let name = text(root, "sender");
    let sender = text(root, "senderCode").or(name).unwrap_or_default();
    let identifier = text(root, "identifier").unwrap_or_default();
    let sent = sent_of(identifier).or_else(|| text(root, "sendTime").map(instant));
    let mut children = vec![
        leaf("identifier", identifier),
        leaf("sender", sender),
        leaf("sent", sent.unwrap_or_default()),
        leaf("scope", text(root, "scope").unwrap_or("Public")),
    ];
    children.extend(kept(root, &["status", "msgType", "note", "incidents"]));
    if let Some(references) = text(root, "references") {
        children.push(leaf("references", references_of(references, sender)));
    }
    let infos = root.children.iter().filter(|one| one.name == "info");
    children.extend(infos.map(|one| info(one, name)));
    element("alert", children)
}

/// A fault by the names of that system.
pub(crate) fn renamed(mut fault: Fault) -> Fault {
    let found = NAMES.iter().find_map(|(here, there)| {
        let before = fault.path.strip_suffix(here)?;
        Some(format!("{before}{there}"))
    });
    fault.path = found.unwrap_or(fault.path);
    fault
}

fn info(of: &Element, sender: Option<&str>) -> Element {
    let code = text(of, "eventType").filter(|code| is_event_code(code));
    let words = text(of, "event").or(code.and_then(event));
    let words = words.or(text(of, "headline")).or(text(of, "eventType"));
    let colour = text(of, "severity").and_then(Colour::of_value);
    let severity = colour.map(|colour| colour.severity().as_str());
    let severity = severity.or(text(of, "severity")).unwrap_or("Unknown");
    let mut children = vec![
        leaf("language", text(of, "language").unwrap_or("zh-CN")),
        leaf("event", words.unwrap_or_default()),
        leaf("severity", severity),
        leaf("urgency", text(of, "urgency").unwrap_or("Unknown")),
        leaf("certainty", text(of, "certainty").unwrap_or("Unknown")),
    ];
    children.extend(kept(of, &["category", "responseType", "audience"]));
    children.extend(kept(of, &["headline", "description", "instruction", "web"]));
    if text(of, "category").is_none() {
        children.push(leaf("category", category(code.unwrap_or_default())));
    }
    if let Some(code) = code {
        children.push(named("eventCode", "GB/T 35965.1", code));
    }
    if let Some(colour) = colour {
        children.push(named("parameter", "colour", colour.word()));
    }
    for name in ["effective", "onset", "expires"] {
        children.extend(text(of, name).map(|time| leaf(name, instant(time))));
    }
    children.extend(sender.map(|name| leaf("senderName", name)));
    let areas = of.children.iter().filter(|one| one.name == "area");
    children.extend(areas.map(area));
    element("info", children)
}

fn area(of: &Element) -> Element {
    let mut codes: Vec<&str> = Vec::new();
    let lists = of.children.iter().filter(|one| one.name == "geocode");
    let lists = lists.map(|one| text(one, "value").unwrap_or(&one.text));
    let mark = |c: char| c.is_whitespace() || matches!(c, ',' | '，' | ';' | '；');
    for code in lists.flat_map(|list| list.split(mark)) {
        if !code.is_empty() && !codes.contains(&code) {
            codes.push(code);
        }
    }
    let words = text(of, "areaDesc").map(ToOwned::to_owned);
    let mut children = vec![leaf("areaDesc", words.unwrap_or_else(|| codes.join(",")))];
    children.extend(codes.iter().map(|code| named("geocode", "GB/T 2260", code)));
    let shapes = of.children.iter().filter(|one| match &*one.name {
        "polygon" => Polygon::from_str(&one.text).is_ok(),
        "circle" => Circle::from_str(&one.text).is_ok(),
        _ => false,
    });
    children.extend(shapes.map(|one| leaf(&one.name, &*one.text)));
    element("area", children)
}

/// The first child of a name, and its text; none when that is empty.
fn child<'a>(of: &'a Element, name: &str) -> Option<&'a Element> {
    of.children.iter().find(|child| child.name == name)
}

fn text<'a>(of: &'a Element, name: &str) -> Option<&'a str> {
    let text = child(of, name)?.text.trim();
    Some(text).filter(|text| !text.is_empty())
}

/// The elements that mean the same here, without those that are empty.
fn kept(of: &Element, names: &[&str]) -> Vec<Element> {
    let same = of.children.iter().filter(|one| {
        names.contains(&&*one.name) && one.children.is_empty() && !one.text.trim().is_empty()
    });
    same.map(|one| leaf(&one.name, &*one.text)).collect()
}

fn element(name: &str, children: Vec<Element>) -> Element {
    Element {
        version: Some(Version::V1_2),
        name: name.to_owned(),
        text: String::new(),
        children,
    }
}

fn leaf(name: &str, text: impl Into<String>) -> Element {
    Element {
        text: text.into(),
        ..element(name, Vec::new())
    }
}

fn named(name: &str, value_name: &str, value: &str) -> Element {
    element(
        name,
        vec![leaf("valueName", value_name), leaf("value", value)],
    )
}

/// When an identifier says that it was given: `{sender}_{YYYYMMDDhhmmss}`, in Beijing.
fn sent_of(identifier: &str) -> Option<String> {
    let (_, digits) = identifier.rsplit_once('_')?;
    let good = digits.len() == 14 && digits.bytes().all(|b| b.is_ascii_digit());
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let (hour, minute, second) = (part(8, 10), part(10, 12), part(12, 14));
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}+08:00");
    Some(text).filter(|text| good && value::instant(text).is_some())
}

fn instant(text: &str) -> String {
    let text = text.replacen(' ', "T", 1);
    match text.len() {
        19 => format!("{text}+08:00"),
        _ => text,
    }
}

/// Identifiers as references to what the same sender has sent; whole references as they are.
fn references_of(text: &str, sender: &str) -> String {
    let all = text.split_whitespace().flat_map(|one| {
        let whole = one.split(',').count() == 3 && one.contains(':');
        match whole {
            true => vec![one.to_owned()],
            false => one.split(',').map(|one| identified(one, sender)).collect(),
        }
    });
    let all: Vec<String> = all.filter(|one| !one.is_empty()).collect();
    all.join(" ")
}

/// What cannot be told stays as it is, and is a fault.
fn identified(identifier: &str, sender: &str) -> String {
    match sent_of(identifier) {
        Some(sent) => format!("{sender},{identifier},{sent}"),
        None => identifier.to_owned(),
    }
}

/// What the events of a code are called, where it is known for sure.
fn event(code: &str) -> Option<&'static str> {
    Some(match code {
        "11B01" => "台风",
        "11B03" => "暴雨",
        "11B04" => "暴雪",
        "11B05" => "寒潮",
        "11B06" => "大风",
        "11B07" => "沙尘暴",
        "11B09" => "高温",
        "11B14" => "雷电",
        "11B15" => "冰雹",
        "11B16" => "霜冻",
        "11B17" => "大雾",
        "11B19" => "霾",
        "11B20" => "雷雨大风",
        "11B21" => "道路结冰",
        "11B22" => "干旱",
        _ => return None,
    })
}

/// The category of the events of a code: by its class and group.
fn category(code: &str) -> &'static str {
    match code.get(..3).unwrap_or_default() {
        "11A" | "11B" | "11E" => "Met",
        "11C" | "11D" => "Geo",
        "11G" => "Fire",
        other => match other.get(..2).unwrap_or_default() {
            "12" => "Safety",
            "13" => "Health",
            "14" => "Security",
            _ => "Other",
        },
    }
}
