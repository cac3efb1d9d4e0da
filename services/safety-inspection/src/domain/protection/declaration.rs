//! What a campus says of its protection (rules 5.10 to 5.17). What is absent is not declared.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::numbered::numbered;

/// A technical inspection of a school bus is good for as many months (rule 5.15; 校车安全管理条例
/// art. 20).
const INSPECTION_MONTHS: Months = Months::new(6);

/// What is said of one of the three demands of rule 5.10.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Whether it is met.
    pub met: bool,
    /// Since when.
    pub since: NaiveDate,
    /// What proves it.
    pub evidence: String,
    /// The last day for which the evidence is good.
    pub expires: Option<NaiveDate>,
}

/// Certificates that end on the same day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificates {
    /// How many guards hold one.
    pub count: u32,
    /// The last day for which they are good.
    pub expires: NaiveDate,
}

/// The guards, as counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guards {
    /// Older than 60 years.
    pub over_age: u32,
    /// Certificates of the others.
    pub certificates: Vec<Certificates>,
    /// The gatehouse is occupied 24 hours.
    pub gatehouse_all_day: bool,
}

/// The patrols.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patrol {
    /// The way, in words.
    pub route: String,
    /// What is passed, in order.
    pub points: Vec<String>,
    /// How often a day.
    pub daily: u32,
}

/// The entrances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrance {
    /// Bollards or barriers stop vehicles.
    pub anti_ramming: bool,
    /// Vehicles and people enter apart.
    pub separate: bool,
}

/// The video; never what it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// Days for which recordings are kept.
    pub retention: u32,
    /// A key target of counter-terrorism.
    pub key_target: bool,
    /// Linked to the police.
    pub police: bool,
    /// Linked to the education bureau.
    pub bureau: bool,
}

numbered! {
    /// A key part or area (rule 5.13); the numbers are those of the contract.
    KeyPartKind {
        /// The area outside the gate.
        OutsideGate = 1,
        /// The gate.
        Gate = 2,
        /// The perimeter.
        Perimeter = 3,
        /// Main roads and squares.
        Roads = 4,
        /// Teaching buildings.
        TeachingBuilding = 5,
        /// Rooms of young children.
        ChildrenRooms = 6,
        /// Dormitories.
        Dormitory = 7,
        /// The canteen.
        Canteen = 8,
        /// Laboratories.
        Laboratory = 9,
        /// Stores of dangerous goods.
        DangerousGoods = 10,
        /// Archives, finance, examination papers.
        SecureRoom = 11,
        /// Library, hall, gymnasium.
        Assembly = 12,
        /// Sports grounds.
        SportsGround = 13,
        /// Water, electricity, gas, heating.
        Utilities = 14,
        /// The monitoring and control room.
        ControlRoom = 15,
        /// Parking and stops of school buses.
        Vehicles = 16,
    }
}

impl KeyPartKind {
    /// The word for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::OutsideGate => "校门外区域",
            Self::Gate => "校门及门卫室",
            Self::Perimeter => "校园周界",
            Self::Roads => "主要道路与广场",
            Self::TeachingBuilding => "教学楼出入口、走廊、楼梯",
            Self::ChildrenRooms => "幼儿活动室、寝室",
            Self::Dormitory => "学生宿舍",
            Self::Canteen => "食堂操作间、储藏间、就餐区",
            Self::Laboratory => "实验室",
            Self::DangerousGoods => "危险物品储存室",
            Self::SecureRoom => "档案、财务、试卷保密室",
            Self::Assembly => "图书馆、礼堂、体育馆",
            Self::SportsGround => "运动场地",
            Self::Utilities => "水电气热设备间",
            Self::ControlRoom => "安防监控中心",
            Self::Vehicles => "停车场及校车停靠点",
        }
    }
}

/// A key part or area as it is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPart {
    /// Which one.
    pub kind: KeyPartKind,
    /// The campus has none.
    pub absent: bool,
    /// Covered by patrols or guards.
    pub guarded: bool,
    /// Covered by video or alarms.
    pub monitored: bool,
}

/// A school bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bus {
    /// How the campus calls it.
    pub label: String,
    /// The last technical inspection.
    pub inspected: NaiveDate,
    /// The last day for which the licence is good.
    pub licence_expires: NaiveDate,
    /// An attendant is on board.
    pub attendant: bool,
}

impl Bus {
    /// The last day for which the inspection is good.
    pub fn inspection_due(&self) -> NaiveDate {
        self.inspected
            .checked_add_months(INSPECTION_MONTHS)
            .unwrap_or(NaiveDate::MAX)
    }
}

/// The food.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Food {
    /// Leaders dine with pupils at every meal.
    pub leaders_dine: bool,
    /// Grams of each dish that are kept.
    pub sample_grams: u32,
    /// Hours for which they are kept.
    pub sample_hours: u32,
}

/// Everything that a campus says of its protection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// Full-time guards (rule 5.10).
    pub full_time_guards: Option<Statement>,
    /// Closed management (rule 5.10).
    pub closed_management: Option<Statement>,
    /// One-key alarm, and video linked to the police (rule 5.10).
    pub one_key_alarm: Option<Statement>,
    /// The guards.
    pub guards: Option<Guards>,
    /// The patrols.
    pub patrol: Option<Patrol>,
    /// The entrances.
    pub entrance: Option<Entrance>,
    /// The video.
    pub video: Option<Video>,
    /// The key parts, each once; none when not declared.
    pub key_parts: Vec<KeyPart>,
    /// The school buses; an empty list says that there is none.
    pub buses: Option<Vec<Bus>>,
    /// The food.
    pub food: Option<Food>,
    /// No food is served, so that nothing is demanded.
    #[serde(default)]
    pub no_food: bool,
}
