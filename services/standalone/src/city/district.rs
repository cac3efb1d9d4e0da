//! The thirteen districts of the city and how their pupils are spread.

/// A county-level division with the number of its pupils by stage (statistical yearbook 2015,
/// table 22-17), which serve as weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct District {
    /// The division (GB/T 2260), which is also the id of its bureau.
    pub division: &'static str,
    /// The full name.
    pub name: &'static str,
    /// The name as it stands before that of a school.
    pub short: &'static str,
    /// Pupils of senior schools.
    pub senior: u32,
    /// Pupils of junior schools.
    pub junior: u32,
    /// Pupils of primary schools.
    pub primary: u32,
}

const fn district(
    division: &'static str,
    name: &'static str,
    short: &'static str,
    [senior, junior, primary]: [u32; 3],
) -> District {
    District {
        division,
        name,
        short,
        senior,
        junior,
        primary,
    }
}

/// The districts in the order of their codes.
pub const DISTRICTS: [District; 13] = [
    district("350102", "鼓楼区", "鼓楼", [18_183, 25_221, 53_144]),
    district("350103", "台江区", "台江", [6_694, 10_235, 24_915]),
    district("350104", "仓山区", "仓山", [9_550, 22_685, 68_112]),
    district("350105", "马尾区", "马尾", [3_716, 6_095, 15_488]),
    district("350111", "晋安区", "晋安", [5_014, 15_002, 48_865]),
    district("350112", "长乐区", "长乐", [7_840, 18_037, 51_610]),
    district("350121", "闽侯县", "闽侯", [7_681, 20_453, 50_275]),
    district("350122", "连江县", "连江", [8_158, 15_708, 42_660]),
    district("350123", "罗源县", "罗源", [2_773, 5_683, 14_579]),
    district("350124", "闽清县", "闽清", [3_956, 9_138, 19_642]),
    district("350125", "永泰县", "永泰", [4_896, 8_384, 18_494]),
    district("350128", "平潭县", "平潭", [7_905, 12_975, 28_121]),
    district("350181", "福清市", "福清", [21_696, 43_226, 115_130]),
];
