//! What the city bureau orders on an April evening: the notice of a video meeting, its minutes and its
//! demands. Plain constants, so that a demonstration can tell the same story.

/// The heading of the notice.
pub(crate) const NOTICE_TITLE: &str = "关于召开全市教育系统校园疫情防控和安全工作视频会议的通知";

/// The text of the notice.
pub(crate) const NOTICE_TEXT: &str = "各县（市）区教育局，市属各学校：
为部署当前校园疫情防控、分批返校和校园安全工作，定于2022年4月6日20时召开全市教育系统视频会议。
一、会场：主会场设在市教育局，各县（市）区教育局设分会场。
二、参会人员：各县（市）区教育局局长在本局分会场参会，各中小学、幼儿园校（园）长就近到所属教育局分会场参会，市属学校校长到主会场参会。
三、要求：请提前入场并签到，不得无故缺席；确需他人代会的，须事先报上一级教育行政部门同意。
请逐级转发至每一所学校，原文照转，可补充要求，不得改动。";

/// The heading of the meeting.
pub(crate) const MEETING_TITLE: &str = "全市教育系统校园疫情防控和安全工作视频会议";

/// What the meeting is about.
pub(crate) const MEETING_AGENDA: &str = "一、通报当前疫情形势和校园防控情况；
二、部署分批返校准备、健康监测和多病共防；
三、部署校园安全、汛期防御和值班应急；
四、就倾听师生家长诉求提出要求。";

/// The main venue: id and where it is.
pub(crate) const MAIN_VENUE: (&str, &str) = ("main", "市教育局三楼会议室（主会场）");

/// The minutes: the text of the directive that they become.
pub(crate) const MINUTES: &str = "会议要求，全市教育系统要把师生生命安全和身体健康放在第一位，对照以下事项逐项落实，件件有人负责、项项有期限。
一、把好校门关。进校人员一律核验身份、测量体温，查验健康码和行程卡，外来人员逐一登记。
二、做好分批返校准备。高三、初三先行，其他年级随后；返校前完成全面消毒，备好隔离室和防疫物资，全流程、全要素演练到位。
三、落实健康监测。每日晨检、午检、晚检，缺勤必查原因、必追去向，异常情况即时上报。
四、坚持多病共防，人、物、环境同防。各班每日轮流抽检不少于百分之二十，发现情况按时限逐级上报。
五、压实责任链条。逐级明确责任人，全面排查并消除安全隐患；提前做好防汛防台风准备。
六、看住校外机构和基地。对培训机构和校外实践基地加强巡查，不留盲区。
七、守住值班底线。领导带班和关键岗位二十四小时在岗，常态开展地震、消防、防踩踏演练，备足应急物资和避险场所。
八、倾听师生家长诉求。畅通反映渠道，及时回应关切，做好关心关爱和心理支持。
不偏向、不变通、不走样，落实情况逐级上报。";

/// One demand of the meeting.
pub(crate) struct Demand {
    /// The id of the item.
    pub(crate) id: &'static str,
    /// The demand.
    pub(crate) text: &'static str,
    /// The duty that owns it.
    pub(crate) duty: &'static str,
    /// The day of April 2022 on which it is due.
    pub(crate) due: i32,
}

/// The demands of the meeting.
pub(crate) const DEMANDS: [Demand; 12] = [
    Demand {
        id: "gate",
        text: "把好校门关：身份必核、体温必测、健康码和行程卡必验、外来人员必登记。",
        duty: "SECURITY",
        due: 7,
    },
    Demand {
        id: "resume.disinfect",
        text: "分批返校，高三、初三先行：返校前校园环境和物品全面消毒。",
        duty: "EPIDEMIC_CONTROL",
        due: 9,
    },
    Demand {
        id: "resume.supplies",
        text: "返校前设好隔离室，防疫物资储备到位。",
        duty: "EPIDEMIC_CONTROL",
        due: 9,
    },
    Demand {
        id: "resume.drill",
        text: "返校前完成入校、上课、就餐、住宿和应急处置全流程演练。",
        duty: "EPIDEMIC_CONTROL",
        due: 9,
    },
    Demand {
        id: "health-checks",
        text: "每日晨检、午检、晚检，因病缺勤逐一追踪登记并上报。",
        duty: "EPIDEMIC_CONTROL",
        due: 7,
    },
    Demand {
        id: "sampling",
        text: "多病共防，人、物、环境同防：各班每日轮流抽检百分之二十，按时限向上报告。",
        duty: "EPIDEMIC_CONTROL",
        due: 8,
    },
    Demand {
        id: "hazards",
        text: "压实责任链条，排查并消除校舍、消防、食品、实验室、校车等安全隐患。",
        duty: "SAFETY",
        due: 15,
    },
    Demand {
        id: "weather",
        text: "汛期前完成防汛防台风准备，明确停课和转移预案。",
        duty: "WEATHER",
        due: 14,
    },
    Demand {
        id: "training",
        text: "加强对校外培训机构和校外实践基地的巡查，发现问题当日处置。",
        duty: "SAFETY",
        due: 12,
    },
    Demand {
        id: "duty",
        text: "领导带班、关键岗位二十四小时值班，值班电话随时畅通。",
        duty: "OVERALL_HEAD",
        due: 7,
    },
    Demand {
        id: "drills",
        text: "开展地震、消防、防踩踏疏散演练，备足应急物资，落实避险场所。",
        duty: "FIRE",
        due: 15,
    },
    Demand {
        id: "concerns",
        text: "倾听教师、学生和家长的诉求，及时答复，做好心理支持和关心关爱。",
        duty: "PSYCHOLOGY",
        due: 12,
    },
];
