//! Text to a tree of nodes that know their line.
//!
//! YAML 1.2 with the core schema, less what surprises: anchors, aliases, tags, merge keys, several
//! documents and numbers that JSON does not know are refused, each with its remedy. Whatever the
//! text, this ends without a panic: size and depth are bounded.

use std::collections::HashMap;

use pattern::Json;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use crate::problem::{LONGEST, Path, Problems, quoted};
use crate::scalar::{Scalar, resolve};

/// The largest file in bytes.
pub(crate) const MAX_BYTES: usize = 256 * 1024;
/// How deep mappings and lists may stand in one another.
pub(crate) const MAX_DEPTH: usize = 64;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    /// The text of a JSON number, as written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
    /// Something that a problem was reported for already.
    Refused,
}

/// One field of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) value: Node,
}

impl Node {
    /// What the node is, in a word for a person.
    pub(crate) fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Null => "empty",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Mapping(_) => "a mapping",
            Kind::Refused => "unreadable",
        }
    }

    /// The JSON value that the node stands for.
    pub(crate) fn to_json(&self) -> Json {
        match &self.kind {
            Kind::Null | Kind::Refused => Json::Null,
            Kind::Bool(value) => Json::Bool(*value),
            Kind::Number(text) => Json::Number(text.clone()),
            Kind::Text(text) => Json::String(text.clone()),
            Kind::List(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Kind::Mapping(entries) => Json::Object(entries.iter().map(|entry| (entry.name.clone(), entry.value.to_json())).collect()),
        }
    }
}

/// The nodes of a document that is JSON, all of it on the first line.
pub(crate) fn of_json(json: Json) -> Node {
    let kind = match json {
        Json::Null => Kind::Null,
        Json::Bool(value) => Kind::Bool(value),
        Json::Number(text) => Kind::Number(text),
        Json::String(text) => Kind::Text(text),
        Json::Array(items) => Kind::List(items.into_iter().map(of_json).collect()),
        Json::Object(fields) => {
            let entry = |(name, value)| Entry { name, line: 1, value: of_json(value) };
            Kind::Mapping(fields.into_iter().map(entry).collect())
        }
    };
    Node { line: 1, kind }
}

/// Reads a document. None where nothing can be made of it; a problem says why.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Option<Node> {
    let root = Path::root();
    if text.len() > MAX_BYTES {
        problems.add(1, &root, format!("the file has {} bytes; 262144 (256 KiB) is the limit", text.len()));
        return None;
    }
    if let Some(before) = text.split('\0').next().filter(|before| before.len() < text.len()) {
        problems.add(before.matches('\n').count() + 1, &root, "the file contains a NUL character; save it as plain UTF-8 text");
        return None;
    }
    let mut reader = Reader { problems, open: Vec::new(), document: None };
    let mut parser = Parser::new_from_str(text);
    reader.run(&mut parser)?;
    let document = reader.document;
    if document.is_none() {
        problems.add(1, &root, "the file is empty; write a definition or remove the file");
    }
    document
}

/// A mapping or list that has begun and not ended.
struct Open {
    line: usize,
    path: Path,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        /// The line of each name.
        lines: HashMap<String, usize>,
        /// The field whose value comes next.
        field: Option<Field>,
    },
}

struct Field {
    name: String,
    line: usize,
    repeated: bool,
}

struct Reader<'p> {
    problems: &'p mut Problems,
    open: Vec<Open>,
    document: Option<Node>,
}

impl Reader<'_> {
    /// Takes events to the end; None when the rest of the text makes no sense any more.
    fn run(&mut self, parser: &mut Parser<'_, StrInput<'_>>) -> Option<()> {
        let mut documents = 0;
        while let Some(next) = parser.next_event() {
            let (event, span) = next.map_err(|error| self.syntax(&error)).ok()?;
            match event {
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        let text = "a second document begins here; put it into a file of its own";
                        self.problems.add(span.start.line(), &Path::root(), text);
                        return None;
                    }
                }
                Event::Alias(_) => {
                    self.refuse(span, "aliases (*name) are not supported; write the value out");
                    self.value(Kind::Refused, span)?;
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.decoration(anchor, tag.is_some(), span);
                    self.scalar(&text, style, span)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    self.decoration(anchor, tag.is_some(), span);
                    self.begin(Content::List(Vec::new()), span)?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.decoration(anchor, tag.is_some(), span);
                    self.begin(Content::Mapping { entries: Vec::new(), lines: HashMap::new(), field: None }, span)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end()?,
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => (),
            }
        }
        Some(())
    }

    fn syntax(&mut self, error: &ScanError) {
        let message =
            format!("the text is no YAML (column {}: {}); check indentation, quotes and brackets", error.marker().col() + 1, error.info());
        let path = self.path();
        self.problems.add(error.marker().line().max(1), &path, message);
    }

    /// The path of what comes next.
    fn path(&self) -> Path {
        match self.open.last() {
            None => Path::root(),
            Some(open) => match &open.content {
                Content::List(items) => open.path.index(items.len()),
                Content::Mapping { field: None, .. } => open.path.clone(),
                Content::Mapping { field: Some(field), .. } => open.path.field(&field.name),
            },
        }
    }

    fn refuse(&mut self, span: Span, message: impl Into<String>) {
        let path = self.path();
        self.problems.add(span.start.line(), &path, message);
    }

    fn decoration(&mut self, anchor: usize, tagged: bool, span: Span) {
        if anchor > 0 {
            self.refuse(span, "anchors (&name) are not supported; write the value out where it is needed");
        }
        if tagged {
            self.refuse(span, "tags (!name) are not supported; remove it, and put text in quotes");
        }
    }

    fn begin(&mut self, content: Content, span: Span) -> Option<()> {
        if self.open.len() == MAX_DEPTH {
            self.refuse(span, format!("more than {MAX_DEPTH} levels deep; flatten it"));
            return None;
        }
        if self.expects_field() {
            self.refuse(span, "a field's name is a list or a mapping; write plain text before the colon");
            return None;
        }
        let path = self.path();
        self.open.push(Open { line: span.start.line(), path, content });
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        let open = self.open.pop()?;
        let kind = match open.content {
            Content::List(items) => Kind::List(items),
            Content::Mapping { entries, .. } => Kind::Mapping(entries),
        };
        self.place(Node { line: open.line, kind })
    }

    fn expects_field(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(open.content, Content::Mapping { field: None, .. }))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) -> Option<()> {
        let plain = style == ScalarStyle::Plain;
        if self.expects_field() {
            self.name(text, plain, span);
            return Some(());
        }
        let kind = if plain {
            match resolve(text) {
                Scalar::Null => Kind::Null,
                Scalar::Bool(value) => Kind::Bool(value),
                Scalar::Number(text) => Kind::Number(text),
                Scalar::Text => Kind::Text(text.to_owned()),
                Scalar::Doubtful { remedy } => {
                    let text = if text.len() > LONGEST { quoted(text) } else { text.to_owned() };
                    self.refuse(span, format!("{text} may be read as a number or as text; {remedy}"));
                    Kind::Refused
                }
            }
        } else {
            Kind::Text(text.to_owned())
        };
        self.value(kind, span)
    }

    fn name(&mut self, text: &str, plain: bool, span: Span) {
        if plain && text == "<<" {
            self.refuse(span, "merge keys (<<) are not supported; write the fields out");
        } else if plain && text.is_empty() {
            self.refuse(span, "a field has no name; write one before the colon");
        }
        let Some(Open { content: Content::Mapping { lines, field, .. }, path, .. }) = self.open.last_mut() else {
            return;
        };
        let line = span.start.line();
        let first = lines.get(text).copied();
        match first {
            Some(first) => {
                let message = format!("the field {} stands twice, first in line {first}; remove one", quoted(text));
                self.problems.add(line, &path.field(text), message);
            }
            None => drop(lines.insert(text.to_owned(), line)),
        }
        *field = Some(Field { name: text.to_owned(), line, repeated: first.is_some() });
    }

    fn value(&mut self, kind: Kind, span: Span) -> Option<()> {
        if self.expects_field() {
            // An alias in the place of a name: refused already, and nothing can follow it.
            return None;
        }
        self.place(Node { line: span.start.line(), kind })
    }

    fn place(&mut self, node: Node) -> Option<()> {
        let Some(open) = self.open.last_mut() else {
            self.document = Some(node);
            return Some(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Mapping { entries, field, .. } => {
                let field = field.take()?;
                if !field.repeated {
                    entries.push(Entry { name: field.name, line: field.line, value: node });
                }
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        let mut problems = Problems::of("file");
        let node = read(text, &mut problems);
        assert_eq!(problems.into_sorted(), []);
        node.unwrap().to_json()
    }

    fn refusals(text: &str) -> String {
        let mut problems = Problems::of("file");
        read(text, &mut problems);
        let found: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
        found.join("\n")
    }

    #[test]
    fn quoted_scalars_are_text_and_plain_ones_follow_the_core_schema() {
        let text = r#"[5, "5", '5', true, "true", null, "null", ~, 300.0, NO, 2026-11-25]"#;
        assert_eq!(crate::canonical::write(&json(text)), r#"[5,"5","5",true,"true",null,"null",null,300.0,"NO","2026-11-25"]"#);
    }

    #[test]
    fn a_json_file_is_read_as_it_stands() {
        let text = "{\n\t\"a\": [1, -0.5e3, \"x\\ty\\u00e9\\/\"],\n\t\"b\":{\"c\":null}\n}\n";
        assert_eq!(crate::canonical::write(&json(text)), "{\"a\":[1,-0.5e3,\"x\\tyé/\"],\"b\":{\"c\":null}}");
    }

    #[test]
    fn each_value_knows_its_line() {
        let mut problems = Problems::of("file");
        let node = read("a: 1\nb:\n  - x\n  - y\n", &mut problems).unwrap();
        let Kind::Mapping(entries) = node.kind else { panic!("no mapping") };
        let Kind::List(items) = &entries[1].value.kind else { panic!("no list") };
        assert_eq!((entries[1].line, items[0].line, items[1].line), (2, 3, 4));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = format!("{}1{}", "[".repeat(64), "]".repeat(64));
        json(&deep);
        assert_eq!(refusals(&format!("[{deep}]")).rsplit(": ").next(), Some("more than 64 levels deep; flatten it"));
        assert_ne!(refusals(&"[".repeat(MAX_BYTES)), "");
        assert!(refusals(&"- ".repeat(MAX_BYTES / 2)).contains("64 levels"));
        assert_eq!(refusals(&"#".repeat(MAX_BYTES + 1)), "file:1: the file has 262145 bytes; 262144 (256 KiB) is the limit");
    }

    #[test]
    fn a_nul_character_is_refused_with_its_line() {
        assert_eq!(refusals("a: 1\nb: \0"), "file:2: the file contains a NUL character; save it as plain UTF-8 text");
    }

    #[test]
    fn a_name_is_plain_text() {
        assert_eq!(refusals("? [a, b]\n: 1"), "file:1: a field's name is a list or a mapping; write plain text before the colon");
        assert_eq!(refusals(": 1"), "file:1: a field has no name; write one before the colon");
        assert_eq!(refusals("a: &x 1\n*x : 2").lines().last(), Some("file:2: aliases (*name) are not supported; write the value out"));
    }
}
