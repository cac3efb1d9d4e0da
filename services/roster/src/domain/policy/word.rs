//! The words that the keys of a policy allow: the enum values of the contract without prefix.

/// What a word that was left out reads as.
pub(super) const UNSPECIFIED: &str = "UNSPECIFIED";

pub(super) const COLOURS: &[&str] = &["GREEN", "YELLOW", "RED", "UNKNOWN"];
pub(super) const SLOTS: &[&str] = &["MORNING", "NOON", "EVENING"];
pub(super) const DISEASES: &[&str] = &[
    "INFLUENZA",
    "VARICELLA",
    "MUMPS",
    "HFMD",
    "NOROVIRUS",
    "RUBELLA",
    "MEASLES",
    "SCARLET_FEVER",
    "BACILLARY_DYSENTERY",
    "HAEMORRHAGIC_CONJUNCTIVITIS",
    "HEPATITIS_A_E",
    "TYPHOID",
    "DENGUE",
    "FOOD_POISONING",
    "TUBERCULOSIS",
    "COVID_19",
    "PLAGUE",
    "CHOLERA",
    "SARS",
    "PULMONARY_ANTHRAX",
    "PERTUSSIS",
    "MENINGOCOCCAL_MENINGITIS",
    "MPOX",
    "OTHER_INFECTIOUS",
];
pub(super) const SYMPTOMS: &[&str] = &[
    "FEVER",
    "COUGH",
    "HEADACHE",
    "SORE_THROAT",
    "PAROTID_SWELLING",
    "ABDOMINAL_PAIN",
    "DIARRHOEA",
    "VOMITING",
    "RASH",
    "DIZZINESS",
    "FATIGUE",
    "CONJUNCTIVAL_CONGESTION",
    "JAUNDICE",
    "OTHER",
];
pub(super) const SYMPTOM_GROUPS: &[&str] = &[
    "FEVER",
    "RASH",
    "GASTROINTESTINAL",
    "JAUNDICE",
    "CONJUNCTIVAL",
    "PAROTID",
    "RESPIRATORY",
];
pub(super) const RECIPIENTS: &[&str] = &[
    "PRINCIPAL",
    "SCHOOL_DOCTOR",
    "EPIDEMIC_REPORTER",
    "DISTRICT_BUREAU",
    "CITY_BUREAU",
    "DISEASE_CONTROL",
];
pub(super) const MEASURES: &[&str] = &["CLOSE_CONTACT", "HEALTH_MONITORING", "OBSERVATION"];
/// The statutory chain, from the bottom up.
pub(super) const REPORT_LEVELS: &[&str] = &[
    "SCHOOL",
    "COUNTY_HEALTH",
    "COUNTY_GOVERNMENT",
    "CITY",
    "PROVINCE",
    "STATE",
];
pub(super) const SPECIMENS: &[&str] = &["SWAB", "STOOL", "BLOOD"];
pub(super) const OUTBREAK_LEVELS: &[&str] = &["CLUSTER_ALERT", "EVENT_REPORT"];
pub(super) const CLUSTER_SCOPES: &[&str] = &["CLASS_GROUP", "DORMITORY", "SCHOOL", "MEAL", "WATER"];
pub(super) const COUNTED: &[&str] = &["CASES", "SHARE", "CLASS_GROUPS"];
pub(super) const SEVERITIES: &[&str] = &["MILD", "HOSPITALISED", "DEAD"];
pub(super) const BASES: &[&str] = &["RECOVERY", "ONSET", "RASH", "TREATMENT", "EVIDENCE"];
pub(super) const EVIDENCE: &[&str] = &[
    "SYMPTOMS_GONE",
    "LESIONS_CRUSTED",
    "HOSPITAL_CERTIFICATE",
    "TWO_NEGATIVE_CULTURES",
    "GREEN_CODE",
];
pub(super) const UNITS: &[&str] = &["CLASS", "GRADE", "SCHOOL"];
pub(super) const STRATEGIES: &[&str] = &["LEAST_RECENT", "ALL"];
pub(super) const ROUNDINGS: &[&str] = &["UP"];
pub(super) const POSTS: &[&str] = &[
    "PRINCIPAL",
    "PARTY_SECRETARY",
    "SAFETY_DEPUTY",
    "DEPARTMENT_HEAD",
    "HEAD_TEACHER",
    "TEACHER",
    "MEDICAL",
    "EPIDEMIC_REPORTER",
    "GUARD",
    "CLEANER",
    "CANTEEN",
    "DORMITORY",
    "COURIER",
    "DRIVER",
    "SEMI_CONTAMINATED_ZONE",
    "LABORATORY_KEEPER",
    "COUNSELLOR",
    "ADMINISTRATION",
    "OFFICIAL",
    "DUTY_LEADER",
];
pub(super) const POOL_TYPES: &[&str] = &["SINGLE", "P5", "P10", "P20"];
pub(super) const SINGLE_ONLY: &[&str] = &[
    "SYMPTOMS",
    "CONTACT",
    "ISOLATED",
    "CODE",
    "KEY_AREA",
    "POSITIVE_TUBE",
];
pub(super) const RELEASES: &[&str] = &["SINGLE_NEGATIVE", "MANUAL"];
pub(super) const FORMULAS: &[&str] = &["2015", "2022"];
/// I is the gravest: of weather warnings and of incidents, gravest first.
pub(super) const LEVELS: &[&str] = &["I", "II", "III", "IV"];
pub(super) const LEVEL_TABLES: &[&str] = &["REGULATION", "EDUCATION"];
pub(super) const ACTIONS: &[&str] = &[
    "DUTY",
    "INSPECT",
    "STOP_OUTDOOR",
    "CHECK_LOW_POINTS",
    "PREPARE_SUSPENSION",
    "SUSPEND_SCHOOLS",
    "SUSPEND_TRAINING",
    "STOP_BUSES",
    "OPEN_SHELTERS",
    "LEADERS_ON_SITE",
];
/// The most urgent first.
pub(super) const URGENCIES: &[&str] = &["MOST_URGENT", "URGENT", "ORDINARY"];
pub(super) const SUITES: &[&str] = &["SM", "INTERNATIONAL"];
