//! Which of the lines that came is most like the one that was wanted, and where they differ.
//!
//! Knows of the scenario language only that `{{…}}` stands for any text. The cost is bounded
//! without a clock, so that the same evidence always gives the same answer: what two lines share
//! at their ends is compared in full, of what is left only a fixed number of bytes.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The line most like a pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Its index among the lines.
    pub index: usize,
    /// How alike they are: 0 not at all, 1 the same.
    pub similarity: f32,
}

/// Finds the line most like `pattern`, the first of those that are equally near; `None` if none
/// is at least 40 % alike.
///
/// The pattern is a scenario line without its mark and window; holes (`{{…}}`) match any text.
/// Lines come without their line ends. Of more than 512 lines that could win, the later ones are
/// judged by their common beginning and end alone.
pub fn nearest<'a>(pattern: &str, lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Nearest> {
    let pattern = tokens(pattern);
    let mut compared = 0;
    let mut best: Option<Nearest> = None;
    for (index, line) in lines.into_iter().enumerate() {
        let floor = best.map_or(MIN_SIMILARITY, |best| best.similarity);
        if upper_bound(&pattern, line) <= floor && best.is_some() {
            continue;
        }
        let line: Vec<u16> = line.iter().map(|&byte| u16::from(byte)).collect();
        compared += 1;
        let budget = if compared <= MAX_COMPARED {
            MAX_MIDDLE
        } else {
            0
        };
        let similarity = Alignment::new(&pattern, &line, budget).similarity();
        if similarity > floor || (best.is_none() && similarity >= floor) {
            best = Some(Nearest { index, similarity });
        }
    }
    best
}

/// Two lines, byte by byte, with what differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The wanted line.
    pub(crate) expected: Vec<Cell>,
    /// The line that came.
    pub(crate) actual: Vec<Cell>,
}

/// A byte or a hole of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// A byte, and whether the other line does not have it here.
    Byte(u8, bool),
    /// A hole as written, and whether nothing came for it.
    Hole(String, bool),
}

impl Cell {
    /// Whether the other line does not have it here.
    pub(crate) fn differs(&self) -> bool {
        match self {
            Self::Byte(_, differs) | Self::Hole(_, differs) => *differs,
        }
    }
}

/// Compares a pattern with the line that came. Whether a hole allows what came for it is not known
/// here: if nothing else differs, `is_wrong` says whether the holes are what differs or the line
/// is right (and, say, only late).
pub(crate) fn difference(pattern: &str, line: &[u8], is_wrong: bool) -> Difference {
    let (texts, wanted) = (pieces(pattern), tokens(pattern));
    let came: Vec<u16> = line.iter().map(|&byte| u16::from(byte)).collect();
    let alignment = Alignment::new(&wanted, &came, MAX_MIDDLE);
    let mut marks = alignment.marks(&wanted, true);
    if is_wrong && !marks.0.contains(&true) && !marks.1.contains(&true) {
        marks = alignment.marks(&wanted, false);
    }
    let expected = texts
        .into_iter()
        .zip(marks.0)
        .map(|(piece, differs)| match piece {
            Piece::Byte(byte) => Cell::Byte(byte, differs),
            Piece::Hole(text) => Cell::Hole(text.to_owned(), differs),
        })
        .collect();
    let actual = line
        .iter()
        .zip(marks.1)
        .map(|(&byte, differs)| Cell::Byte(byte, differs))
        .collect();
    Difference { expected, actual }
}

/// A pattern and a line side by side.
struct Alignment {
    prefix: usize,
    suffix: usize,
    ops: Vec<DiffOp>,
    lengths: (usize, usize),
    /// Bytes of the pattern that are in the line, holes not counted.
    matched: usize,
    /// Bytes of the line that a hole may stand for.
    absorbed: usize,
    /// Bytes of the pattern, holes not counted.
    literal: usize,
}

impl Alignment {
    fn new(pattern: &[u16], line: &[u16], budget: usize) -> Self {
        let prefix = pattern.iter().zip(line).take_while(|(a, b)| a == b).count();
        let rest = (
            pattern.get(prefix..).unwrap_or_default(),
            line.get(prefix..).unwrap_or_default(),
        );
        let suffix = rest
            .0
            .iter()
            .rev()
            .zip(rest.1.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        let middle = (rest.0.len() - suffix, rest.1.len() - suffix);
        let old = rest.0.get(..middle.0.min(budget)).unwrap_or_default();
        let new = rest.1.get(..middle.1.min(budget)).unwrap_or_default();
        let ops = capture_diff_slices(Algorithm::Myers, old, new);
        let mut matched = prefix + suffix;
        let mut absorbed = 0;
        for op in &ops {
            let wanted = old.get(op.old_range()).unwrap_or_default();
            match op {
                DiffOp::Equal { len, .. } => matched += len,
                _ if wanted.contains(&HOLE) => absorbed += op.new_range().len(),
                _ => {}
            }
        }
        Self {
            prefix,
            suffix,
            ops,
            lengths: (pattern.len(), line.len()),
            matched,
            absorbed,
            literal: pattern.iter().filter(|&&token| token != HOLE).count(),
        }
    }

    fn similarity(&self) -> f32 {
        let all = self.literal + self.lengths.1 - self.absorbed;
        if all == 0 {
            return 1.0;
        }
        2.0 * self.matched as f32 / all as f32
    }

    /// Which tokens of either side the other does not have. If `holes_match`, a hole and all that
    /// came in its place are taken to be right.
    fn marks(&self, pattern: &[u16], holes_match: bool) -> (Vec<bool>, Vec<bool>) {
        let mut old = ends(self.lengths.0, self.prefix, self.suffix);
        let mut new = ends(self.lengths.1, self.prefix, self.suffix);
        for (number, op) in self.ops.iter().enumerate() {
            let equal = matches!(op, DiffOp::Equal { .. }) && !self.is_noise(number, pattern);
            let mut hole = false;
            for index in op.old_range() {
                let at = self.prefix + index;
                let is_hole = holes_match && pattern.get(at) == Some(&HOLE);
                hole |= is_hole;
                if let Some(mark) = old.get_mut(at) {
                    *mark = !equal && !is_hole;
                }
            }
            for index in op.new_range() {
                if let Some(mark) = new.get_mut(self.prefix + index) {
                    *mark = !equal && !hole;
                }
            }
        }
        (old, new)
    }

    /// Two words share a letter here and there by chance; marks with such holes only confuse. So
    /// one or two equal bytes between two differences count as different, unless one of these is
    /// what a hole of the pattern stands for.
    fn is_noise(&self, number: usize, pattern: &[u16]) -> bool {
        let differs = |op: Option<&DiffOp>| {
            op.is_some_and(|op| {
                let range = op.old_range();
                let wanted = pattern.get(self.prefix + range.start..self.prefix + range.end);
                !matches!(op, DiffOp::Equal { .. })
                    && !wanted.is_some_and(|wanted| wanted.contains(&HOLE))
            })
        };
        self.ops
            .get(number)
            .is_some_and(|op| op.old_range().len() <= MAX_NOISE)
            && differs(
                number
                    .checked_sub(1)
                    .and_then(|before| self.ops.get(before)),
            )
            && differs(self.ops.get(number + 1))
    }
}

/// Everything between two equal ends differs, until it is found to be equal.
fn ends(length: usize, prefix: usize, suffix: usize) -> Vec<bool> {
    (0..length)
        .map(|index| index >= prefix && index < length - suffix)
        .collect()
}

/// No line can be more alike than its bytes allow, in whatever order they stand.
fn upper_bound(pattern: &[u16], line: &[u8]) -> f32 {
    if pattern.contains(&HOLE) {
        return 1.0;
    }
    let mut counts = [0_i64; 256];
    for &token in pattern {
        if let Some(count) = counts.get_mut(usize::from(token)) {
            *count += 1;
        }
    }
    let mut common = 0_usize;
    for &byte in line {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            common += usize::from(*count > 0);
            *count -= 1;
        }
    }
    let all = pattern.len() + line.len();
    if all == 0 {
        1.0
    } else {
        2.0 * common as f32 / all as f32
    }
}

enum Piece<'a> {
    Byte(u8),
    Hole(&'a str),
}

fn tokens(pattern: &str) -> Vec<u16> {
    pieces(pattern)
        .into_iter()
        .map(|piece| match piece {
            Piece::Byte(byte) => u16::from(byte),
            Piece::Hole(_) => HOLE,
        })
        .collect()
}

/// Splits a pattern into bytes and holes. The end of a hole with a regular expression is `/}}`,
/// as the expression may have braces of its own.
fn pieces(pattern: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = pattern;
    while let Some((before, hole)) = rest.split_once("{{") {
        let name = hole.find(|char: char| !char.is_ascii_alphanumeric() && char != '_');
        let regex = name
            .and_then(|end| hole.get(end..))
            .is_some_and(|tail| tail.starts_with("=/"));
        let close = if regex { "/}}" } else { "}}" };
        let Some(end) = hole.find(close) else { break };
        let length = 2 + end + close.len();
        out.extend(before.bytes().map(Piece::Byte));
        let from = rest.get(before.len()..).unwrap_or_default();
        let (text, after) = from.split_at(length);
        out.push(Piece::Hole(text));
        rest = after;
    }
    out.extend(rest.bytes().map(Piece::Byte));
    out
}

/// Stands for a hole among the bytes of a pattern; equal to no byte.
const HOLE: u16 = 256;

/// Below this a line is another line, not a wrong one.
const MIN_SIMILARITY: f32 = 0.4;

/// How many lines are compared byte by byte.
const MAX_COMPARED: usize = 512;

/// So few equal bytes between two differences mean nothing.
const MAX_NOISE: usize = 2;

/// How many bytes between the common ends of two lines are compared.
const MAX_MIDDLE: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn pick(pattern: &str, lines: &[&str]) -> Option<usize> {
        nearest(pattern, lines.iter().map(|line| line.as_bytes())).map(|found| found.index)
    }

    #[rstest]
    #[case::wrong_code("+SMTP: AUTH ERROR", &["OK", "+SMTP: OK", "+SMTP: SERVER ERROR"], Some(2))]
    #[case::same_line_late("+SMTP: SUCCESS", &["+SMTP: OK", "+SMTP: SUCCESS"], Some(1))]
    #[case::format("+POP3: {{n:int}}, {{size:int}}", &["OK", "+POP3: 2 2134"], Some(1))]
    #[case::hole_absorbs("+POP3: {{n:int}}", &["+POP3: 123456789", "+POP2: 1"], Some(0))]
    #[case::first_of_equals("+SMTP: OK", &["+SMTP: O", "+SMTP: K"], Some(0))]
    #[case::nothing_alike("OK", &["ERROR", "+CME ERROR: 3"], None)]
    #[case::nothing_came("OK", &[], None)]
    #[case::empty_lines("", &["", "x"], Some(0))]
    fn the_nearest_line_is_picked(
        #[case] pattern: &str,
        #[case] lines: &[&str],
        #[case] index: Option<usize>,
    ) {
        assert_eq!(pick(pattern, lines), index);
    }

    #[test]
    fn the_same_line_is_wholly_alike() {
        let found = nearest("+SMTP: OK", [b"+SMTP: OK".as_slice()]).unwrap();
        assert_eq!(found.similarity, 1.0);
    }

    /// Two 64 kB lines without a common end, and 20,000 of them in small: with an unbounded
    /// comparison this test does not end in any useful time.
    #[test]
    fn long_and_many_lines_have_a_bounded_cost() {
        let pattern = "ab".repeat(32 * 1024);
        let line = "ba".repeat(32 * 1024).into_bytes();
        assert!(nearest(&pattern, [line.as_slice()]).is_none());
        assert_eq!(difference(&pattern, &line, true).actual.len(), line.len());
        let lines: Vec<Vec<u8>> = (0..20_000)
            .map(|n| format!("+POP3: {} {}", n * 7, n * 13).into_bytes())
            .collect();
        let found = nearest(
            "+POP3: {{n:int}}, {{s:int}}",
            lines.iter().map(Vec::as_slice),
        );
        assert!(found.is_some());
    }

    fn marked(cells: &[Cell]) -> String {
        cells
            .iter()
            .map(|cell| match cell {
                Cell::Byte(byte, false) => char::from(*byte).to_string(),
                Cell::Byte(byte, true) => format!("[{}]", char::from(*byte)),
                Cell::Hole(text, false) => text.clone(),
                Cell::Hole(text, true) => format!("[{text}]"),
            })
            .collect::<String>()
            .replace("][", "")
    }

    #[rstest]
    #[case::replaced("+SMTP: OK", "+SMTP: NO", "+SMTP: [OK]", "+SMTP: [NO]")]
    #[case::other_word(
        "+SMTP: AUTH ERROR",
        "+SMTP: SUCCESS",
        "+SMTP: [AUTH ERROR]",
        "+SMTP: [SUCCESS]"
    )]
    #[case::missing_comma(
        "+POP3: {{n:int}}, {{s:int}}",
        "+POP3: 2 2134",
        "+POP3: {{n:int}}[,] {{s:int}}",
        "+POP3: 2 2134"
    )]
    #[case::hole_filled_wrongly("+POP3: {{n:int}}", "+POP3: x", "+POP3: [{{n:int}}]", "+POP3: [x]")]
    #[case::regex_with_braces("a{{x=/b{2}}/}}c", "abbd", "a{{x=/b{2}}/}}[c]", "abbd")]
    #[case::open_hole("a{{b", "a{b", "a{[{]b", "a{b")]
    #[case::same("OK", "OK", "OK", "OK")]
    #[case::replaced_line_end("OK", "OK ", "OK", "OK[ ]")]
    fn what_differs_is_marked(
        #[case] pattern: &str,
        #[case] line: &str,
        #[case] expected: &str,
        #[case] actual: &str,
    ) {
        let difference = difference(pattern, line.as_bytes(), true);
        assert_eq!(
            (
                marked(&difference.expected).as_str(),
                marked(&difference.actual).as_str()
            ),
            (expected, actual)
        );
    }

    #[test]
    fn a_line_that_is_only_late_has_no_marks() {
        let difference = difference("+POP3: {{n:int}}", b"+POP3: 7", false);
        assert_eq!(marked(&difference.expected), "+POP3: {{n:int}}");
        assert_eq!(marked(&difference.actual), "+POP3: 7");
    }
}
