//! Text with `*` for any run of characters.

/// The literal parts of a wildcard, between one `*` and the next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wildcard {
    first: String,
    /// Empty where the text has no `*`; otherwise the last part ends the value.
    rest: Vec<String>,
}

impl Wildcard {
    /// Reads a wildcard. `\*` and `\\` stand for the character itself.
    ///
    /// Fails on two `*` in a row and on any other use of a backslash.
    pub(crate) fn parse(text: &str) -> Result<Wildcard, &'static str> {
        let mut parts = Vec::new();
        let mut part = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '*' if characters.peek() == Some(&'*') => {
                    return Err("two \"*\" in a row: write one, or \"\\*\" for the character");
                }
                '*' => parts.push(std::mem::take(&mut part)),
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '\\')) => part.push(escaped),
                    Some(_) | None => {
                        return Err("a backslash escapes \"*\" and \"\\\" only: write \"\\\\\" for a backslash");
                    }
                },
                literal => part.push(literal),
            }
        }
        parts.push(part);
        let mut parts = parts.into_iter();
        Ok(Wildcard { first: parts.next().unwrap_or_default(), rest: parts.collect() })
    }

    /// Whether the whole of `text` matches. Taking each part as early as it comes loses no match.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((last, middle)) = self.rest.split_last() else {
            return text == self.first;
        };
        let Some(mut left) = text.strip_prefix(self.first.as_str()) else {
            return false;
        };
        for part in middle {
            match left.split_once(part.as_str()) {
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        left.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(wildcard: &str, text: &str) -> bool {
        Wildcard::parse(wildcard).unwrap().matches(text)
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        assert!(matches("*", ""));
        assert!(matches("a*b*c", "abbc"));
        assert!(matches("*ab*abc", "xababc"));
        assert!(!matches("*ab*abc", "xabc"));
        assert!(!matches("a*a", "a"));
        assert!(!matches("abc", "abcd"));
    }

    #[test]
    fn escapes_stand_for_the_character() {
        assert!(matches(r"a\*b", "a*b"));
        assert!(!matches(r"a\*b", "axb"));
        assert!(matches(r"c:\\*", r"c:\x"));
        assert!(matches(r"\**", "*x"));
        for wrong in ["a**", r"a\n", r"a\"] {
            assert!(Wildcard::parse(wrong).is_err(), "{wrong}");
        }
    }
}
