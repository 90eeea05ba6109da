//! What a template may be made of, held against its tokens before it is parsed.
//!
//! The template language reads, compiles and drops an expression by recursion along its operators, and a value along its
//! nesting: a long enough row of either exhausts the stack, which ends the process. And a list that holds another one twice,
//! which is held twice again, is short in memory and has no end when it becomes text. Its fuel counts neither. So both are
//! bounded here, far above what any mail needs.

use std::collections::HashMap;

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// Words and signs in one `{{ … }}` or `{% … %}`.
const MOST_TOKENS: usize = 400;
/// Brackets within brackets.
const MOST_NESTED: usize = 16;
/// Tags in one text that each can lay a value into another, or a condition behind another.
const MOST_OF_A_KIND: usize = 100;
/// The columns of a line are counted in 16 bits.
const LONGEST_LINE: usize = 65_000;

/// What is beyond the bounds, and on which line, if anything is. A text that cannot be taken apart is left to the parser.
pub(crate) fn beyond(source: &str) -> Option<(usize, String)> {
    if let Some(at) = source.split('\n').position(|line| line.len() > LONGEST_LINE) {
        return Some((at + 1, format!("the line has more than {LONGEST_LINE} bytes; break it")));
    }
    let mut tag = Tag::default();
    let mut kinds = HashMap::<&str, usize>::new();
    for token in tokenize(source, false, SyntaxConfig::default()) {
        let (token, span) = token.ok()?;
        let line = usize::from(span.start_line);
        if let (Token::Ident(kind @ ("set" | "with" | "elif")), 1) = (&token, tag.tokens) {
            let count = kinds.entry(kind).or_default();
            *count += 1;
            if *count > MOST_OF_A_KIND {
                return Some((line, format!("more than {MOST_OF_A_KIND} times {kind}; make it simpler")));
            }
        }
        if let Some(message) = tag.take(&token) {
            return Some((line, message));
        }
    }
    None
}

/// The tag that is being read.
#[derive(Default)]
struct Tag {
    tokens: usize,
    /// Whether the tag gives a name to a value: what it makes can be made into more, tag after tag.
    names: bool,
    is_loop: bool,
    is_set: bool,
    /// Whether the value of a `set`, or the list of a `for`, has begun.
    in_value: bool,
    before: Before,
    open: Vec<(Open, usize)>,
}

/// What the last token was.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The end of a value: a bracket behind it looks into the value, or calls it.
    Value,
    Dot,
    Pipe,
    /// The name of the filter `map`.
    Map,
    #[default]
    Other,
}

/// What a bracket holds; beside it stands the number of colons in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// A list or a mapping that is written out.
    Written,
    Item,
    Arguments,
    ArgumentsOfMap,
    Group,
}

/// Words before which no value ends.
const WORDS: [&str; 12] = ["in", "and", "or", "not", "if", "else", "is", "for", "set", "with", "elif", "filter"];
const CONSTANTS: [&str; 6] = ["true", "false", "none", "True", "False", "None"];

impl Tag {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the tokens of another crate")]
    fn take(&mut self, token: &Token<'_>) -> Option<String> {
        self.tokens += 1;
        let before = std::mem::take(&mut self.before);
        let is_after_value = before == Before::Value;
        match token {
            Token::TemplateData(_) => self.tokens = 0,
            Token::VariableStart | Token::BlockStart => *self = Self { tokens: 1, ..Self::default() },
            Token::Ident(kind @ ("for" | "set" | "with")) if self.tokens == 2 => {
                self.names = true;
                self.is_loop = *kind == "for";
                self.is_set = *kind == "set";
            }
            Token::Ident("recursive") if self.is_loop && before != Before::Dot => {
                return Some("loops cannot be recursive; write one loop inside the other".to_owned());
            }
            Token::Ident(name) => {
                if let Some(message) = self.word(name, before) {
                    return Some(message);
                }
            }
            Token::BracketOpen => self.open.push((if is_after_value { Open::Item } else { Open::Written }, 0)),
            Token::BraceOpen => self.open.push((Open::Written, 0)),
            Token::ParenOpen => self.open.push((
                match before {
                    Before::Map => Open::ArgumentsOfMap,
                    Before::Value => Open::Arguments,
                    Before::Dot | Before::Pipe | Before::Other => Open::Group,
                },
                0,
            )),
            Token::BracketClose | Token::BraceClose | Token::ParenClose => {
                self.open.pop();
                self.before = Before::Value;
            }
            Token::Comma => {
                let is_list = self.open.last().map_or(self.in_value, |(open, _)| *open == Open::Group);
                if is_list {
                    return Some("a list without square brackets; write it where it is used, as in [a, b]".to_owned());
                }
                self.open.last_mut().into_iter().for_each(|(_, colons)| *colons = 0);
            }
            Token::Colon => {
                let (_, colons) = self.open.last_mut()?;
                *colons += 1;
                if *colons > 1 {
                    return Some("a slice with a step, as in [::2], is not supported".to_owned());
                }
            }
            Token::Assign if self.open.is_empty() => self.in_value = self.is_set,
            Token::Mul if self.is_in(Open::Written) || self.is_in(Open::ArgumentsOfMap) => {
                return Some("a list within a list cannot be repeated; write it out".to_owned());
            }
            Token::Dot => self.before = Before::Dot,
            Token::Pipe => self.before = Before::Pipe,
            Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_) => self.before = Before::Value,
            _ => (),
        }
        if self.tokens > MOST_TOKENS {
            return Some(format!("an expression of more than {MOST_TOKENS} words and signs; split it with set"));
        }
        (self.open.len() > MOST_NESTED).then(|| format!("brackets more than {MOST_NESTED} levels deep; split the expression with set"))
    }

    fn is_in(&self, kind: Open) -> bool {
        self.open.iter().any(|(open, _)| *open == kind)
    }

    fn word(&mut self, name: &str, before: Before) -> Option<String> {
        self.before = match before {
            Before::Pipe if name == "map" => Before::Map,
            Before::Value | Before::Other if WORDS.contains(&name) => Before::Other,
            Before::Value | Before::Dot | Before::Pipe | Before::Map | Before::Other => Before::Value,
        };
        if name == "in" && self.is_loop && self.open.is_empty() {
            self.in_value = true;
        }
        if CONSTANTS.contains(&name) {
            return None;
        }
        if self.names && self.is_in(Open::Written) {
            return Some("a list or mapping with variables in set, with or for; write it where it is used".to_owned());
        }
        let is_plain = matches!(name, "attribute" | "default");
        (self.is_in(Open::ArgumentsOfMap) && !is_plain).then(|| "variables as arguments of map; use a loop".to_owned())
    }
}

/// The first line of each variable, by its name and by its name with the first field.
pub(crate) fn lines(source: &str) -> HashMap<String, usize> {
    let mut lines = HashMap::new();
    let mut root: Option<&str> = None;
    let mut after_dot = false;
    for token in tokenize(source, false, SyntaxConfig::default()) {
        let Ok((token, span)) = token else { break };
        let line = usize::from(span.start_line);
        match (&token, root, after_dot) {
            (Token::Ident(name), _, false) => {
                lines.entry((*name).to_owned()).or_insert(line);
                root = Some(name);
            }
            (Token::Ident(field), Some(name), true) => {
                lines.entry(format!("{name}.{field}")).or_insert(line);
                root = None;
            }
            (Token::Dot, ..) => (),
            _ => root = None,
        }
        after_dot = matches!(token, Token::Dot);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exhausts_the_stack_is_found_wherever_it_hides() {
        let long = "+1".repeat(MOST_TOKENS);
        for (source, expected) in [
            (format!("a\n{{{{ 1{long} }}}}"), "words and signs"),
            (format!("{{{{ \"}}}}\" ~ 1{long} }}}}"), "words and signs"),
            (format!("{{{{ {{1:{{2:3}}}}[1] {long} }}}}"), "words and signs"),
            (format!("{{% raw %}}{{{{ \"{{% endraw %}}{{{{ 1{long} }}}}"), "words and signs"),
            (format!("{{# {{{{ \" #}}{{% if 1{long} %}}{{% endif %}}"), "words and signs"),
            (format!("{{{{ {}1{} }}}}", "[".repeat(17), "]".repeat(17)), "levels deep"),
            ("{% set x = [1] %}".repeat(MOST_OF_A_KIND + 1), "times set"),
            (format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(MOST_OF_A_KIND + 1)), "times elif"),
            ("{% for a in b recursive %}{% endfor %}".to_owned(), "recursive"),
            ("{{ a[::2] }}".to_owned(), "step"),
            ("{% set x = [x, x] %}".to_owned(), "with variables"),
            ("{% set x = [1, {'a': [x]}] %}".to_owned(), "with variables"),
            ("{% with y = 1, x = [y] %}{% endwith %}".to_owned(), "with variables"),
            ("{% for y in [[x, x]] %}{% endfor %}".to_owned(), "with variables"),
            ("{% set x = (x, x) %}".to_owned(), "square brackets"),
            ("{% set x = x, x %}".to_owned(), "square brackets"),
            ("{% for y in x, x %}{% endfor %}".to_owned(), "square brackets"),
            ("{{ [[0] * 1000] * 1000 }}".to_owned(), "repeated"),
            ("{% set x = x|map('default', x, true) %}".to_owned(), "arguments of map"),
            ("x".repeat(LONGEST_LINE + 1), "break it"),
        ] {
            let found = beyond(&source);
            assert!(found.as_ref().is_some_and(|(_, message)| message.contains(expected)), "{source}: {found:?}");
        }
        assert_eq!(beyond(&format!("a\n{{{{ 1{long} }}}}")).map(|(line, _)| line), Some(2));
    }

    #[test]
    fn what_mails_need_is_within_the_bounds() {
        for source in [
            "{{ a.recursive }}{{ a[1:2] }}{{ a[:2] }}{{ [a[1:], a[:1]] }}{{ {'a': 1, 'b': {'c': 2}} }}",
            "{% for a in b.recursive %}{{ a }}{% endfor %}{% for key, value in a|items %}{{ key }}{% endfor %}",
            "{% set x = [1, 'a', {'b': none}] %}{% set y = x[z] %}{% with a = 1, b = x.y(1, 2) %}{% endwith %}{% for n in range(1, 3) %}{% endfor %}",
            "{{ [a, b.c]|join(' ') }}{{ (a + 1) * 2 }}{{ a|map(attribute='sku')|map('upper')|join(', ') }}{{ a.map(b) }}{{ money(a.in, b) }}",
            "{% raw %}{{ [::] }}{% endraw %}{# {% set %} #}",
        ] {
            assert_eq!(beyond(source), None, "{source}");
        }
        assert_eq!(beyond(&"{{ a }} b ".repeat(5_000)), None);
    }
}
