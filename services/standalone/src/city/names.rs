//! Invented names, put together by chance from common characters.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::people::Sex;

const SURNAMES: [&str; 48] = [
    "陈", "林", "黄", "郑", "王", "李", "张", "吴", "刘", "蔡", "杨", "许", "叶", "郭", "谢", "周",
    "何", "邱", "江", "翁", "薛", "高", "潘", "游", "赖", "方", "曾", "余", "肖", "卢", "徐", "朱",
    "魏", "连", "董", "施", "严", "倪", "赵", "孙", "马", "俞", "池", "欧阳", "程", "詹", "邓",
    "柯",
];

const BOYS: [&str; 40] = [
    "宇", "轩", "浩", "泽", "睿", "航", "晨", "俊", "博", "毅", "恒", "霖", "峰", "凯", "铭", "翔",
    "杰", "诚", "嘉", "辰", "志", "远", "思", "文", "书", "昊", "景", "立", "安", "旭", "望", "舟",
    "榕", "川", "柏", "言", "章", "启", "谦", "朗",
];

const GIRLS: [&str; 40] = [
    "欣", "怡", "涵", "雨", "梓", "萱", "诗", "琪", "可", "馨", "婷", "雯", "悦", "珊", "静", "瑶",
    "彤", "洁", "语", "嫣", "嘉", "宁", "思", "文", "书", "茉", "芷", "若", "安", "岚", "青", "禾",
    "榕", "溪", "月", "言", "清", "蕊", "灵", "知",
];

const PLACES: [&str; 32] = [
    "榕荫", "青竹", "闻涛", "望江", "松涧", "云岭", "潮声", "橘园", "白鹭", "石桥", "晓钟", "听泉",
    "芳洲", "海棠", "书声", "明湖", "枫林", "银杏", "星灯", "杏坛", "兰汀", "紫荆", "沙鸥", "春晖",
    "翠屏", "归帆", "稻香", "鹤鸣", "虹桥", "茉莉", "月台", "澄溪",
];

/// A surname.
pub(super) fn surname(rng: &mut ChaCha8Rng) -> &'static str {
    SURNAMES[rng.random_range(0..SURNAMES.len())]
}

/// A given name of one or two characters.
pub(super) fn given(rng: &mut ChaCha8Rng, sex: Sex) -> String {
    let characters = match sex {
        Sex::Male => &BOYS,
        Sex::Female => &GIRLS,
    };
    let mut name = characters[rng.random_range(0..characters.len())].to_owned();
    if rng.random_range(0..10) < 9 {
        name.push_str(characters[rng.random_range(0..characters.len())]);
    }
    name
}

/// The invented name of the `index`-th school of a kind in a district.
pub(super) fn school(district: &str, index: usize, kind: &str) -> String {
    let place = PLACES[index % PLACES.len()];
    match index / PLACES.len() {
        0 => format!("{district}{place}{kind}"),
        round => format!("{district}{place}第{}{kind}", ordinal(round + 1)),
    }
}

fn ordinal(number: usize) -> String {
    const DIGITS: [&str; 10] = ["〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    match (number / 10, number % 10) {
        (0, unit) => DIGITS[unit].to_owned(),
        (1, 0) => "十".to_owned(),
        (1, unit) => format!("十{}", DIGITS[unit]),
        (ten, 0) if ten < 10 => format!("{}十", DIGITS[ten]),
        (ten, unit) if ten < 10 => format!("{}十{}", DIGITS[ten], DIGITS[unit]),
        _ => number.to_string(),
    }
}
