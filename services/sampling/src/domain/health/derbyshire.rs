//! A real outbreak, as figures that tests replay: norovirus in a primary school in Derbyshire in 2001,
//! 492 children in 15 classes (O'Neill and Marks 2005).

/// By class, on how many children's first day of absence each day from 1 to 22 was. Of the
/// class that is left out nobody was.
pub(crate) const FIRST_ABSENCES: [(u8, [u8; 22]); 14] = [
    (
        1,
        [
            0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 6, 2, 3, 2, 0, 0, 1, 1,
        ],
    ),
    (
        2,
        [
            0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 3, 2,
        ],
    ),
    (
        3,
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 3, 2,
        ],
    ),
    (
        4,
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 5, 0, 0, 2, 2,
        ],
    ),
    (
        5,
        [
            0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 1, 0,
        ],
    ),
    (
        7,
        [
            0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0,
        ],
    ),
    (
        8,
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0,
        ],
    ),
    (
        9,
        [
            0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 1, 0, 0, 3, 0, 1, 1, 1, 0, 0, 4, 0,
        ],
    ),
    (
        10,
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 10, 2, 0, 0, 1, 0,
        ],
    ),
    (
        11,
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 2, 5, 0, 0, 0, 1, 1,
        ],
    ),
    (
        12,
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 1, 2, 0, 0, 2, 0,
        ],
    ),
    (
        13,
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1,
        ],
    ),
    (
        14,
        [
            0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 1, 0, 0, 2, 1,
        ],
    ),
    (
        15,
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 3, 3, 0, 0, 1, 0,
        ],
    ),
];

/// Every child that fell ill: the class and the first day of absence, class by class.
pub(crate) fn children() -> Vec<(u8, u16)> {
    let mut children = Vec::new();
    for (class, days) in FIRST_ABSENCES {
        for (day, many) in (1..).zip(days) {
            children.extend((0..many).map(|_| (class, day)));
        }
    }
    children
}
