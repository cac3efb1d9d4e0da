//! Codes of the divisions of China (GB/T 2260, GB/T 10114): which contains which.

/// The ends of the levels of a division code: province, city, county, town, village.
const LEVELS: [usize; 5] = [2, 4, 6, 9, 12];

/// The part of a division code that is not zero: `3501` of `350100` and of `350100000000`. A division
/// contains those whose codes begin with it.
pub fn prefix(division: &str) -> &str {
    let mut end = division.len();
    for level in LEVELS
        .into_iter()
        .rev()
        .filter(|level| *level < division.len())
    {
        let zero = division
            .get(level..end)
            .is_some_and(|part| part.bytes().all(|b| b == b'0'));
        if !zero {
            break;
        }
        end = level;
    }
    division.get(..end).unwrap_or(division)
}

/// A prefix and those of the divisions above it.
pub fn upwards(prefix: &str) -> Vec<&str> {
    let above = LEVELS.into_iter().filter(|level| *level < prefix.len());
    above
        .filter_map(|level| prefix.get(..level))
        .chain([prefix])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_division_contains_what_begins_with_its_part_that_is_not_zero() {
        for (division, expected) in [
            ("350000", "35"),
            ("350100", "3501"),
            ("350102", "350102"),
            ("350110", "350110"),
            ("350102000000", "350102"),
            ("350102001000", "350102001"),
            ("350102010000", "350102010"),
            ("350102010001", "350102010001"),
            ("350100000", "3501"),
            ("3501020", "350102"),
        ] {
            assert_eq!(prefix(division), expected, "{division}");
        }
        assert_eq!(upwards("350102"), ["35", "3501", "350102"]);
        assert_eq!(upwards("35"), ["35"]);
    }
}
