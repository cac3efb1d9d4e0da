//! Why a row is refused or remarked, in words for people and for programs.

/// One thing to say about one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The field of the row.
    pub column: &'static str,
    /// What is the matter.
    pub reason: Reason,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $refuses:literal, $zh:literal, $en:literal;)*) => {
        /// What can be the matter with a row.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[doc = $doc])* $name),* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable word.
            pub fn code(self) -> &'static str { match self { $(Self::$name => $code),* } }

            /// Whether the row is refused; otherwise it is taken with a remark.
            pub fn refuses(self) -> bool { match self { $(Self::$name => $refuses),* } }

            /// What to do, Chinese.
            pub fn hint(self) -> &'static str { match self { $(Self::$name => $zh),* } }

            /// What to do, English.
            pub fn hint_en(self) -> &'static str { match self { $(Self::$name => $en),* } }
        }
    };
}

reasons! {
    /// A cell that must be filled is empty.
    Missing = "MISSING", true, "此项必填，请补填", "required: fill it in";
    /// More characters than the register keeps.
    TooLong = "TOO_LONG", true, "内容过长，请缩短", "too long: shorten it";
    /// Control or replacement characters, often from a wrong encoding.
    BadCharacters = "BAD_CHARACTERS", true, "含有乱码或控制字符，请检查文件编码（UTF-8 或 GB18030）", "garbled or control characters: check the encoding of the file";
    /// Not 17 digits and a check character.
    IdFormat = "ID_FORMAT", true, "身份证号应为 18 位数字（末位可为 X），请核对", "a resident id has 18 characters: check it";
    /// The check character does not fit.
    IdChecksum = "ID_CHECKSUM", true, "身份证号校验位不符，可能有一位输错，请对照证件核对", "the check digit does not fit: compare with the document";
    /// The date inside the number does not exist or lies outside a human life.
    IdBirthDate = "ID_BIRTH_DATE", true, "身份证号中的出生日期不存在或不合理，请核对", "the birth date within the id is impossible";
    /// The kind of document is unknown.
    IdType = "ID_TYPE", true, "身份证件类型无法识别，请填写居民身份证、护照、港澳居民来往内地通行证等", "unknown kind of identity document";
    /// The number was read as a float and lost its last digits.
    IdPrecision = "ID_PRECISION", true, "证件号被电子表格转成了数值，末几位已丢失；请把该列设为文本后重新填写", "the spreadsheet stored the id as a number and lost digits: format the column as text";
    /// The date cannot be read.
    DateFormat = "DATE_FORMAT", true, "日期无法识别，请写成 2012-09-01", "write dates as 2012-09-01";
    /// A birth date in the future or before 1900.
    BirthDate = "BIRTH_DATE", true, "出生日期不合理，请核对", "impossible birth date";
    /// The birth date differs from the one in the resident id.
    BirthDateDiffers = "BIRTH_DATE_DIFFERS", true, "出生日期与身份证号不一致，请核对", "the birth date differs from the one within the id";
    /// The sex differs from the one in the resident id.
    SexDiffers = "SEX_DIFFERS", false, "性别与身份证号不一致，已按身份证号登记", "the sex differs from the id: the id was followed";
    /// The sex cannot be read.
    Sex = "SEX", false, "性别无法识别，已留空", "unknown sex, left empty";
    /// Not a mainland mobile number.
    Phone = "PHONE", false, "手机号应为 1 开头的 11 位数字，已留空", "not a mobile number, left empty";
    /// Not a student number.
    StudentNumber = "STUDENT_NUMBER", true, "全国学籍号应为 G、J 或 L 加 18 位，请核对", "a student number is G, J or L and 18 characters";
    /// Yes or no was expected.
    Flag = "FLAG", false, "应填“是”或“否”，已按“否”处理", "yes or no expected, taken as no";
    /// The modification date cannot be read.
    ModifiedDate = "MODIFIED_DATE", false, "最后修改时间格式不规范，已忽略", "malformed modification date, ignored";
    /// An organisation id or code that cannot be one.
    OrganizationId = "ORGANIZATION_ID", true, "机构代码只能含小写字母、数字和连字符，最多 32 位", "an organisation id is 1 to 32 of a-z, 0-9 and -";
    /// No kind of organisation has this name.
    OrganizationKind = "ORGANIZATION_KIND", true, "机构类型无法识别", "unknown kind of organisation";
    /// The ten-digit code is malformed.
    SchoolCode = "SCHOOL_CODE", true, "学校标识码应为 10 位数字且前两位为学校类别", "malformed school code";
    /// The division does not exist.
    Division = "DIVISION", true, "行政区划代码不存在", "unknown division code";
    /// The division is retired.
    DivisionRetired = "DIVISION_RETIRED", false, "行政区划代码已撤销，已按现行代码登记", "retired division code: the replacement was taken";
    /// An organisation is its own ancestor.
    Cycle = "ORGANIZATION_CYCLE", true, "上级机构构成循环，请核对上级", "the parents form a cycle";
    /// The class group id cannot be one.
    ClassGroupId = "CLASS_GROUP_ID", true, "班级代码应为学段字母加入学年份和班号，如 p2019-01", "a class group id is like p2019-01";
    /// The grade does not follow from the entry year.
    GradeCohort = "GRADE_COHORT", true, "年级与入学年份不符，请核对", "the grade does not follow from the entry year";
    /// The post is unknown.
    Post = "POST", false, "岗位无法识别，已按教师登记", "unknown post, taken as teacher";
    /// The relation is unknown.
    Relation = "RELATION", false, "与学生关系无法识别，已按“其他”登记", "unknown relation, taken as other";
    /// The school is neither in the register nor earlier in the file.
    UnknownOrganization = "UNKNOWN_ORGANIZATION", true, "学校不在名册中，也不在本次文件中，请先登记学校，或核对学校标识码", "unknown organisation: register it first, or check its code";
    /// The class group is neither in the register nor earlier in the file.
    UnknownClassGroup = "UNKNOWN_CLASS_GROUP", true, "班级不在名册中，也不在本次文件中", "unknown class group";
    /// The student of a guardian is unknown.
    UnknownStudent = "UNKNOWN_STUDENT", true, "找不到对应的学生，可能该学生的行被退回", "unknown student: the row may have been refused";
    /// The register has the organisation elsewhere.
    Moved = "ORGANIZATION_MOVED", true, "该机构在名册中的上级不同；机构不能移动，请核对上级", "the register has it below another parent: organisations do not move";
    /// Something below is still in use.
    NotEmpty = "NOT_EMPTY", true, "之下还有在用的机构、班级或人员，不能撤销", "something below it is still in use";
    /// The same external id or identity number came before.
    DuplicateRow = "DUPLICATE_ROW", true, "与本文件中前面的一行重复", "the same as a row before";
    /// The identity number belongs to a person elsewhere.
    DuplicatePerson = "DUPLICATE_PERSON", true, "该证件号已在其他学校登记，请先办理转学", "registered elsewhere: transfer the person first";
    /// Outside of what the caller may change.
    Scope = "SCOPE", true, "该行不在您的管理范围内", "outside of your scope";
}
