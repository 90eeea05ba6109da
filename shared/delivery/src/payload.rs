//! JSON whose texts are templates: the properties, tokens and payloads that stand in a definition.
//!
//! A text that is one expression and nothing else, `"{{ event.data.items }}"`, becomes the expression's value with its
//! type; any other text is rendered as text. Names are left as they are.

use minijinja::{Environment, Error, Value};
use pattern::Json;

use crate::bounds;
use crate::render::{Bounded, Context, RenderError, explained};
use crate::template::{MOST_PROBLEMS, Part, environment, shown, syntax, unknown};

/// JSON that can be rendered.
#[derive(Debug, Clone)]
pub struct Payload {
    environment: Environment<'static>,
    source: Json,
}

impl Payload {
    /// Reads the texts.
    ///
    /// # Errors
    /// Every text that is no template, or that names an unknown variable.
    pub fn parse(source: &Json) -> Result<Payload, Vec<String>> {
        let mut environment = environment();
        environment.set_fuel(Some(FUEL));
        let mut problems = Vec::new();
        if templates(source) > MOST_TEMPLATES {
            problems.push(format!("has more than {MOST_TEMPLATES} templates; leave some out"));
        } else {
            check(&environment, source, &mut problems);
        }
        problems.truncate(MOST_PROBLEMS);
        if problems.is_empty() { Ok(Payload { environment, source: source.clone() }) } else { Err(problems) }
    }

    /// The JSON with the values of this context.
    ///
    /// # Errors
    /// A variable is missing, a filter does not fit its value, a bound is exceeded. No value is named.
    pub fn render(&self, context: &Context) -> Result<serde_json::Value, RenderError> {
        self.rendered(&self.source, &context.values(), &mut LARGEST.clone())
    }

    fn rendered(&self, json: &Json, values: &Value, left: &mut usize) -> Result<serde_json::Value, RenderError> {
        Ok(match json {
            Json::Null => serde_json::Value::Null,
            Json::Bool(value) => serde_json::Value::Bool(*value),
            Json::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.clone())),
            Json::String(text) => self.text(text, values, left)?,
            Json::Array(items) => {
                serde_json::Value::Array(items.iter().map(|item| self.rendered(item, values, left)).collect::<Result<_, _>>()?)
            }
            Json::Object(fields) => {
                let mut field = |(name, value): &(String, Json)| Ok((name.clone(), self.rendered(value, values, left)?));
                serde_json::Value::Object(fields.iter().map(&mut field).collect::<Result<_, _>>()?)
            }
        })
    }

    /// One text, as long as what is left holds it.
    fn text(&self, text: &str, values: &Value, left: &mut usize) -> Result<serde_json::Value, RenderError> {
        let refused = |error: Error| explained(Part::Payload, &error);
        let because = |message: String| RenderError { part: Part::Payload, line: None, message };
        let mut output = Bounded::new(*left);
        let rendered = match sole_expression(text) {
            None => {
                let template = self.environment.template_from_str(text).map_err(refused)?;
                let written = template.render_captured_to(values.clone(), &mut output).map(drop);
                if !output.is_full() {
                    written.map_err(refused)?;
                }
                serde_json::Value::String(String::from_utf8_lossy(output.bytes()).into_owned())
            }
            Some(expression) => {
                let value =
                    self.environment.compile_expression(expression).and_then(|compiled| compiled.eval(values.clone())).map_err(refused)?;
                if value.is_undefined() {
                    return Err(because(format!("a variable is missing in {}; correct its name, or give it a default", shown(text))));
                }
                // Written and read, not taken over: a short expression can stand for lists of lists without an end.
                let written = serde_json::to_writer(&mut output, &value);
                let read = written.and_then(|()| event::json_value(output.bytes()));
                if output.is_full() {
                    serde_json::Value::Null
                } else {
                    read.map_err(|_| because(format!("the value of {} has no JSON form", shown(text))))?
                }
            }
        };
        if output.is_full() {
            return Err(because(format!("renders to more than {LARGEST} bytes (512 KiB); shorten it")));
        }
        *left = left.saturating_sub(output.bytes().len());
        Ok(rendered)
    }
}

/// What all texts together may render to, in bytes.
const LARGEST: usize = 512 * 1024;

/// How much work one text may do, and how many texts may do work.
const FUEL: u64 = 20_000;
const MOST_TEMPLATES: usize = 500;

fn templates(json: &Json) -> usize {
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => usize::from(text.contains('{')),
        Json::Array(items) => items.iter().map(templates).sum(),
        Json::Object(fields) => fields.iter().map(|(_, value)| templates(value)).sum(),
    }
}

/// What stands inside a text that is `{{ … }}` and nothing else.
fn sole_expression(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inside.contains("{{") && !inside.contains("}}") && !inside.starts_with(['-', '+']) && !inside.ends_with(['-', '+'])).then_some(inside)
}

fn check(environment: &Environment<'static>, json: &Json, problems: &mut Vec<String>) {
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => (),
        Json::Array(items) => items.iter().for_each(|item| check(environment, item, problems)),
        Json::Object(fields) => fields.iter().for_each(|(_, value)| check(environment, value, problems)),
        Json::String(text) if bounds::beyond(text).is_some() => {
            let message = bounds::beyond(text).map(|(_, message)| message).unwrap_or_default();
            problems.push(format!("\"{}\": {message}", shown(text)));
        }
        Json::String(text) => match environment.template_from_str(text) {
            Err(error) => problems.push(format!("\"{}\": {}", shown(text), syntax(&error))),
            Ok(template) => {
                let mut names: Vec<_> = template.undeclared_variables(true).into_iter().collect();
                names.sort();
                problems.extend(names.iter().filter_map(|name| Some(format!("\"{}\": {}", shown(text), unknown(name)?))));
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context() -> Context {
        Context {
            event: json!({ "id": "e-1", "data": { "total": 80.5, "items": [{ "sku": "mug" }], "note": "a \"b\"\n" } }),
            customer: json!({ "id": "c-1", "email": null, "traits": { "name": "Ana" } }),
            trigger: "t".to_owned(),
            delivery: "d".to_owned(),
            unsubscribe_url: None,
        }
    }

    fn rendered(source: serde_json::Value) -> Result<serde_json::Value, RenderError> {
        Payload::parse(&Json::from(&source)).unwrap().render(&context())
    }

    #[test]
    fn an_expression_alone_keeps_its_type() {
        let source = json!({ "total": "{{ event.data.total }}", "items": "{{event.data.items}}", "email": "{{ customer.email }}", "n": 5, "on": true });
        let expected = json!({ "total": 80.5, "items": [{ "sku": "mug" }], "email": null, "n": 5, "on": true });
        assert_eq!(rendered(source).unwrap(), expected);
    }

    #[test]
    fn a_text_around_it_makes_it_text() {
        let source = json!([
            "Order of {{ event.data.total | money('EUR') }}",
            "{{ customer.traits.name }} {{ event.id }}",
            "{{ event.data.note }}!",
            "plain"
        ]);
        assert_eq!(rendered(source).unwrap(), json!(["Order of €80.50", "Ana e-1", "a \"b\"\n!", "plain"]));
    }

    #[test]
    fn what_is_missing_is_an_error_without_values() {
        for text in ["{{ event.data.nothing }}", "x {{ event.data.nothing }}", "{{ event.data.nothing.deeper }}"] {
            let error = rendered(json!({ "a": text })).unwrap_err().to_string();
            assert!(error.starts_with("payload") && error.contains("missing") && !error.contains("Ana"), "{error}");
        }
        assert_eq!(rendered(json!("{{ event.data.nothing | default(0) }}")).unwrap(), json!(0));
    }

    #[test]
    fn unknown_variables_are_found_without_rendering() {
        let source = json!({ "a": ["{{ custmer.id }}"], "b": "{% if %}", "c": "{{ event.dat }}" });
        let problems = Payload::parse(&Json::from(&source)).unwrap_err();
        assert_eq!(problems.len(), 3, "{problems:?}");
    }
}
