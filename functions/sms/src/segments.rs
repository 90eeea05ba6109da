//! How many messages of the network a text takes, which is what it costs.
//!
//! Guarantees: a text is encoded in GSM 03.38 if all of it can be, else in UCS-2; what belongs together, an escape and its
//! character or a surrogate pair, is never split.

/// How a text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// GSM 03.38 in septets: the default alphabet, and its extension at two septets a character.
    Gsm7,
    /// UCS-2 in units of 16 bits; what lies beyond the basic plane takes two, as in UTF-16.
    Ucs2,
}

/// A text as the network carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    pub encoding: Encoding,
    pub count: usize,
}

/// The default alphabet without its escape, in the order of its codes.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// What stands behind an escape.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

impl Encoding {
    fn of(text: &str) -> Self {
        if text.chars().all(|c| BASIC.contains(c) || EXTENSION.contains(c)) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// The code in the log.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Ucs2 => "ucs2",
        }
    }

    /// What fits into the one segment of a short text.
    const fn alone(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// What fits into each segment of a longer text, beside the header that puts them together again.
    const fn in_a_row(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }

    fn width(self, c: char) -> usize {
        match self {
            Self::Gsm7 if EXTENSION.contains(c) => 2,
            Self::Gsm7 => 1,
            Self::Ucs2 => c.len_utf16(),
        }
    }
}

/// The segments of a text; an empty one still takes one.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let encoding = Encoding::of(text);
    let widths = || text.chars().map(|c| encoding.width(c));
    if widths().sum::<usize>() <= encoding.alone() {
        return Segments { encoding, count: 1 };
    }
    let (count, _) = widths().fold(
        (1, 0),
        |(count, used), width| {
            if used + width <= encoding.in_a_row() { (count, used + width) } else { (count + 1, width) }
        },
    );
    Segments { encoding, count }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, encoding: Encoding, count: usize) {
        assert_eq!(segments(text), Segments { encoding, count }, "{} characters: {text}", text.chars().count());
    }

    #[test]
    fn the_default_alphabet_takes_septets() {
        for (text, count) in [
            ("", 1),
            ("Your order is on its way.", 1),
            (&"a".repeat(160), 1),
            (&"a".repeat(161), 2),
            (&"a".repeat(306), 2),
            (&"a".repeat(307), 3),
            (&"ä".repeat(459), 3),
            (&"\n".repeat(460), 4),
            (&"a".repeat(1_600), 11),
        ] {
            check(text, Encoding::Gsm7, count);
        }
    }

    #[test]
    fn the_extension_takes_two_septets_that_stay_together() {
        for (text, count) in [
            (format!("{}€", "a".repeat(158)), 1),
            (format!("{}€", "a".repeat(159)), 2),
            ("€".repeat(80), 1),
            ("{".repeat(81), 2),
            // 153 is odd: a septet of each segment stays empty.
            ("€".repeat(152), 2),
            ("€".repeat(153), 3),
            (format!("{}€{}", "a".repeat(151), "a".repeat(153)), 2),
            (format!("{}€{}", "a".repeat(152), "a".repeat(151)), 2),
            (format!("{}€{}", "a".repeat(152), "a".repeat(152)), 3),
        ] {
            check(&text, Encoding::Gsm7, count);
        }
    }

    #[test]
    fn any_other_text_takes_units_of_16_bits() {
        for (text, count) in [
            ("я".repeat(70), 1),
            ("я".repeat(71), 2),
            ("я".repeat(134), 2),
            ("я".repeat(135), 3),
            // One character decides for the whole text.
            (format!("{}я", "a".repeat(69)), 1),
            (format!("{}я", "a".repeat(70)), 2),
            (format!("{}’", "€".repeat(69)), 1),
            ("я".repeat(1_600), 24),
        ] {
            check(&text, Encoding::Ucs2, count);
        }
    }

    #[test]
    fn a_surrogate_pair_takes_two_units_that_stay_together() {
        for (text, count) in [
            ("😀".repeat(35), 1),
            ("😀".repeat(36), 2),
            // 67 is odd: a unit of each segment stays empty.
            ("😀".repeat(66), 2),
            ("😀".repeat(67), 3),
            (format!("{}😀{}", "я".repeat(65), "я".repeat(67)), 2),
            (format!("{}😀{}", "я".repeat(66), "я".repeat(66)), 3),
            // A family: three faces and two joiners.
            ("👨‍👩‍👧".to_owned(), 1),
            ("👨‍👩‍👧".repeat(9), 2),
        ] {
            check(&text, Encoding::Ucs2, count);
        }
    }

    #[test]
    fn the_alphabet_is_the_one_of_the_standard() {
        assert_eq!((BASIC.chars().count(), EXTENSION.chars().count()), (127, 10));
        // Places that the standard gives: 0x00, 0x0A, 0x0F, 0x10, 0x1A, 0x1F, 0x24, 0x40, 0x5F, 0x60, 0x7F; the escape at 0x1B is left out.
        for (place, letter) in [
            (0x00, '@'),
            (0x0A, '\n'),
            (0x0F, 'å'),
            (0x10, 'Δ'),
            (0x1A, 'Ξ'),
            (0x1F, 'É'),
            (0x24, '¤'),
            (0x40, '¡'),
            (0x5F, '§'),
            (0x60, '¿'),
            (0x7F, 'à'),
        ] {
            let position = if place > 0x1B { place - 1 } else { place };
            assert_eq!(BASIC.chars().nth(position), Some(letter), "{place:#x}");
        }
        for letter in "çáíóúâê`´’“”–…\u{a0}\tαЯ中ő".chars() {
            check(&letter.to_string(), Encoding::Ucs2, 1);
        }
    }
}
