//! Devices of protection, both ways.

use std::collections::BTreeSet;

use kit::field::Fields;
use kit::status::Problem;
use proto::safety as pb;
use proto::safety::protection_device::Kind;

use super::super::{instant, number};
use crate::store::protection::DeviceRow;

const MOST: usize = 1000;
const CODE: usize = 64;
const PLACE: usize = 63;

fn is_code(code: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=CODE).contains(&code.len()) && code.bytes().all(good)
}

/// Devices as they are reported; whose they are and when is filled in later.
pub(in crate::grpc) fn devices(said: Vec<pb::ProtectionDevice>) -> Result<Vec<DeviceRow>, Problem> {
    let mut fields = Fields::new();
    if said.is_empty() || said.len() > MOST {
        fields.violation("devices", "应为 1 至 1000 台", "must be 1 to 1000");
    }
    let mut codes = BTreeSet::new();
    let mut rows = Vec::with_capacity(said.len());
    for (place, said) in said.into_iter().enumerate().take(MOST) {
        let at = |leaf: &str| format!("devices[{place}].{leaf}");
        let kind: Option<Kind> = fields.enumeration(&at("kind"), said.kind);
        fields.text(&at("place"), &said.place, PLACE);
        if !is_code(&said.code) {
            fields.violation(at("code"), "格式不正确", "malformed");
        } else if !codes.insert(said.code.clone()) {
            fields.violation(at("code"), "设备编号重复", "named twice");
        }
        rows.push(DeviceRow {
            code: said.code,
            kind: kind
                .and_then(|kind| i16::try_from(kind as i32).ok())
                .unwrap_or_default(),
            place: said.place,
            online: said.online,
            ..DeviceRow::default()
        });
    }
    fields.finish()?;
    Ok(rows)
}

/// A device for the wire.
pub(in crate::grpc) fn device(row: DeviceRow) -> pb::ProtectionDevice {
    pb::ProtectionDevice {
        code: row.code,
        kind: row.kind.into(),
        place: row.place,
        online: row.online,
        report_time: instant(row.reported_at),
        since_time: instant(row.since),
    }
}

/// How many devices are new, and how many went online or offline.
pub(in crate::grpc) fn reported(new: u32, changed: u32) -> pb::ReportProtectionDevicesResponse {
    pb::ReportProtectionDevicesResponse {
        new_count: number(new),
        changed_count: number(changed),
    }
}
