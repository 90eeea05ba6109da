//! What is wrong with a file, where, and how to put it right.

use std::fmt;

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The place in the document, as in `then[0].email.valid_for`; empty for the whole document.
    pub path: String,
    /// What is wrong and what to do about it, in lower case.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// More than these nobody reads at once.
const MOST: usize = 100;

/// The problems found in one file so far.
pub(crate) struct Problems {
    file: String,
    found: Vec<Problem>,
}

impl Problems {
    pub(crate) fn of(file: &str) -> Problems {
        Problems { file: file.to_owned(), found: Vec::new() }
    }

    /// Adds a problem, as long as there are few.
    pub(crate) fn add(&mut self, line: usize, path: &Path, message: impl Into<String>) {
        let problem = |path: &Path, message| Problem { file: self.file.clone(), line, path: path.0.clone(), message };
        if self.found.len() < MOST {
            self.found.push(problem(path, message.into()));
        } else if self.found.len() == MOST {
            self.found.push(problem(&Path::root(), "there are more problems than these; correct them first".to_owned()));
        }
    }

    /// Whether another problem would not be kept, and need not be looked for.
    pub(crate) fn are_many(&self) -> bool {
        self.found.len() > MOST
    }

    /// All problems in the order of the file's lines.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| problem.line);
        self.found
    }

    /// The value if there is one and no problem was found.
    pub(crate) fn unless_any<T>(self, value: Option<T>) -> Result<T, Vec<Problem>> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            Some(_) | None => Err(self.into_sorted()),
        }
    }
}

/// A place in a document, as in `then[0].email.valid_for`; of one that would be very long, the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(String);

/// The bytes above which a path is not continued.
const LONGEST_PATH: usize = 1_000;

impl Path {
    pub(crate) fn root() -> Path {
        Path::default()
    }

    pub(crate) fn field(&self, name: &str) -> Path {
        if self.0.len() > LONGEST_PATH {
            return self.clone();
        }
        let plain = (1..=LONGEST).contains(&name.len()) && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
        Path(if !plain {
            format!("{}[{}]", self.0, quoted(name))
        } else if self.0.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.0)
        })
    }

    pub(crate) fn index(&self, position: usize) -> Path {
        if self.0.len() > LONGEST_PATH { self.clone() } else { Path(format!("{}[{position}]", self.0)) }
    }
}

/// The characters of a text that fit a message.
pub(crate) const LONGEST: usize = 60;

/// Text in quotes, shortened to what fits a message.
pub(crate) fn quoted(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{:?}", format!("{start}…"))
}

/// Says that a name is none of the known ones, and which of them may have been meant.
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let list = known.join(", ");
    match nearest(name, known) {
        Some(near) => format!("unknown {what} {}; did you mean {near}? known: {list}", quoted(name)),
        None => format!("unknown {what} {}; known: {list}", quoted(name)),
    }
}

/// The known name that differs from this one by a slip of the finger, if any does.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let tolerance = ((name.chars().count() + 1) / 3).clamp(1, 2);
    known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, upper and lower case alike.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().take(80).collect();
    let right: Vec<char> = right.to_lowercase().chars().take(80).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut next = vec![i + 1];
        let mut before = i + 1;
        for (b, pair) in right.iter().zip(row.windows(2)) {
            if let [diagonal, above] = *pair {
                before = (diagonal + usize::from(a != b)).min(above + 1).min(before + 1);
                next.push(before);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_file_line_path_and_message() {
        let mut problems = Problems::of("triggers/welcome.yaml");
        problems.add(7, &Path::root().field("then").index(0).field("email"), "is wrong");
        problems.add(1, &Path::root(), "the file is empty");
        let texts: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["triggers/welcome.yaml:1: the file is empty", "triggers/welcome.yaml:7: then[0].email: is wrong",]);
    }

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let known = ["valid_for", "template", "class", "on"];
        assert_eq!(nearest("valid-for", &known), Some("valid_for"));
        assert_eq!(nearest("tempalte", &known), Some("template"));
        assert_eq!(nearest("Class", &known), Some("class"));
        assert_eq!(nearest("subject", &known), None);
    }

    #[test]
    fn a_key_with_a_dot_stays_one_step_of_the_path() {
        let path = Path::root().field("when").field("a.b").field("c");
        assert_eq!(path.0, "when[\"a.b\"].c");
    }
}
