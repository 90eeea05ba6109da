//! Small changes of an input, the same ones in every run.

/// Pieces that mean something to some parser.
const PIECES: [&str; 28] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ":",
    ",",
    "\n",
    "\n\n",
    "-",
    "0",
    "9",
    "e",
    "1e999",
    "-9223372036854775808",
    "18446744073709551616",
    "null",
    "{{",
    "}}",
    "{%",
    "%}",
    "*",
    "&a",
    "$or",
    "\u{0}",
    "\u{2028}",
    "hunter2",
];

pub struct Mutator {
    seed: Vec<u8>,
    state: u64,
}

impl Mutator {
    /// The row of changes is a function of the input.
    pub fn new(seed: &[u8]) -> Self {
        let state = seed.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
        Self { seed: seed.to_vec(), state: state | 1 }
    }

    /// A number below `end`, or 0 (xorshift).
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 16).unwrap_or_default() % end.max(1)
    }

    /// The input with one to four changes.
    pub fn mutated(&mut self) -> Vec<u8> {
        let mut bytes = self.seed.clone();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(16)).min(bytes.len());
            match self.below(6) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let piece = PIECES[self.below(PIECES.len())].bytes();
                    drop(bytes.splice(at..at, piece));
                }
                3 => {
                    let copy = bytes[at..end].repeat(1 + self.below(8));
                    drop(bytes.splice(at..at, copy));
                }
                4 => bytes.truncate(at),
                _ => {
                    let piece = PIECES[self.below(PIECES.len())].bytes();
                    drop(bytes.splice(at..end, piece));
                }
            }
        }
        bytes
    }
}
