//! Text that matches in lower and in upper case.

/// A text of which every letter matches in its lower-case or its upper-case form.
///
/// The pattern is folded, the value is not: `K` (the kelvin sign) also matches `k`, yet `k` does not match the kelvin
/// sign, and `ß` matches `SS` but `SS` does not match `ß`. A letter is a UTF-16 unit, and half a surrogate
/// pair stands for a question mark: `🚀` matches `??` and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Letters(Vec<Letter>);

#[derive(Debug, Clone, PartialEq)]
struct Letter {
    lower: String,
    upper: String,
}

impl Letters {
    pub(crate) fn new(text: &str) -> Letters {
        let letters = text.chars().flat_map(|character| {
            let (letter, units) = if character.len_utf16() == 1 {
                let lower = character.to_lowercase().collect();
                let upper = character.to_uppercase().collect();
                (Letter { lower, upper }, 1)
            } else {
                let lower = "?".to_owned();
                let upper = lower.clone();
                (Letter { lower, upper }, 2)
            };
            std::iter::repeat_n(letter, units)
        });
        Letters(letters.collect())
    }

    /// Whether the whole of `text` matches.
    pub(crate) fn equal(&self, text: &str) -> bool {
        self.rests(text).any(str::is_empty)
    }

    /// Whether the beginning of `text` matches.
    pub(crate) fn begin(&self, text: &str) -> bool {
        self.rests(text).next().is_some()
    }

    /// Whether the end of `text` matches.
    pub(crate) fn end(&self, text: &str) -> bool {
        let Letters(letters) = self;
        let mut rests = vec![text];
        for letter in letters.iter().rev() {
            rests = step(&rests, letter, |rest, form| rest.strip_suffix(form));
        }
        !rests.is_empty()
    }

    /// What may be left of `text` after the letters. Two forms of one letter may differ in length.
    fn rests<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let Letters(letters) = self;
        let mut rests = vec![text];
        for letter in letters {
            rests = step(&rests, letter, |rest, form| rest.strip_prefix(form));
        }
        rests.into_iter()
    }
}

/// The distinct rests after one letter: no more than there are lengths of a rest.
fn step<'a>(rests: &[&'a str], letter: &Letter, strip: impl Fn(&'a str, &str) -> Option<&'a str>) -> Vec<&'a str> {
    let mut next: Vec<&str> = rests.iter().flat_map(|rest| [strip(rest, &letter.lower), strip(rest, &letter.upper)]).flatten().collect();
    next.sort_unstable_by_key(|rest| rest.len());
    next.dedup_by_key(|rest| rest.len());
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pattern_is_folded() {
        assert!(Letters::new("\u{212a}").equal("k"));
        assert!(!Letters::new("k").equal("\u{212a}"));
        assert!(Letters::new("straße").equal("STRASSE"));
        assert!(!Letters::new("STRASSE").equal("straße"));
    }

    #[test]
    fn ends_are_compared_in_either_case() {
        assert!(Letters::new("AB").begin("abc"));
        assert!(!Letters::new("AB").begin("a"));
        assert!(Letters::new("ÉTÉ").end("l’été"));
        assert!(!Letters::new("ÉTÉ").end("été."));
    }

    #[test]
    fn half_a_surrogate_pair_is_a_question_mark() {
        assert!(Letters::new("🚀").equal("??"));
        assert!(!Letters::new("🚀").equal("🚀"));
    }
}
