//! Reading DynamoDB's expressions.

use crate::answer::Refusal;
use crate::expression::{Change, Comparison, Condition, Operand, Terms};
use crate::items::invalid;

/// Reads a condition.
pub(crate) fn condition(text: &str, terms: &mut Terms<'_>) -> Result<Condition, Refusal> {
    let mut parser = Parser::new(text, terms)?;
    let condition = parser.disjunction()?;
    parser.end()?;
    Ok(condition)
}

/// Reads an update.
pub(crate) fn update(text: &str, terms: &mut Terms<'_>) -> Result<Vec<Change>, Refusal> {
    let mut parser = Parser::new(text, terms)?;
    let mut changes = Vec::new();
    while let Some(section) = parser.take() {
        loop {
            let name = parser.attribute()?;
            changes.push(match section.to_ascii_uppercase().as_str() {
                "SET" => {
                    parser.expect("=")?;
                    Change::Set(name, parser.arithmetic()?)
                }
                "REMOVE" => Change::Remove(name),
                "ADD" => Change::Add(name, parser.operand()?),
                other => return Err(Refusal::unknown(&format!("the section {other} of an update"))),
            });
            if !parser.accept(",") {
                break;
            }
        }
    }
    Ok(changes)
}

struct Parser<'a, 'b> {
    tokens: Vec<String>,
    at: usize,
    terms: &'a mut Terms<'b>,
}

impl<'a, 'b> Parser<'a, 'b> {
    fn new(text: &str, terms: &'a mut Terms<'b>) -> Result<Self, Refusal> {
        Ok(Self { tokens: tokens(text)?, at: 0, terms })
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn take(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn accept(&mut self, token: &str) -> bool {
        let found = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(token));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), Refusal> {
        if self.accept(token) { Ok(()) } else { Err(invalid(&format!("the expression lacks {token} before {:?}", self.peek()))) }
    }

    fn end(&self) -> Result<(), Refusal> {
        self.peek().map_or(Ok(()), |token| Err(invalid(&format!("the expression goes on with {token}"))))
    }

    fn disjunction(&mut self) -> Result<Condition, Refusal> {
        let mut condition = self.conjunction()?;
        while self.accept("OR") {
            condition = Condition::Or(Box::new(condition), Box::new(self.conjunction()?));
        }
        Ok(condition)
    }

    fn conjunction(&mut self) -> Result<Condition, Refusal> {
        let mut condition = self.negation()?;
        while self.accept("AND") {
            condition = Condition::And(Box::new(condition), Box::new(self.negation()?));
        }
        Ok(condition)
    }

    fn negation(&mut self) -> Result<Condition, Refusal> {
        if self.accept("NOT") { Ok(Condition::Not(Box::new(self.negation()?))) } else { self.primary() }
    }

    fn primary(&mut self) -> Result<Condition, Refusal> {
        if self.accept("(") {
            let condition = self.disjunction()?;
            self.expect(")")?;
            return Ok(condition);
        }
        match self.peek() {
            Some("attribute_exists") => self.function().and_then(|parser| Ok(Condition::Exists(parser.argument()?))),
            Some("attribute_not_exists") => self.function().and_then(|parser| Ok(Condition::Absent(parser.argument()?))),
            Some("begins_with") => {
                self.function()?;
                let text = self.operand()?;
                self.expect(",")?;
                let prefix = self.operand()?;
                self.expect(")")?;
                Ok(Condition::BeginsWith(text, prefix))
            }
            _ => {
                let left = self.operand()?;
                let comparison = match self.take().as_deref() {
                    Some("=") => Comparison::Equal,
                    Some("<>") => Comparison::Different,
                    Some("<") => Comparison::Less,
                    Some("<=") => Comparison::AtMost,
                    Some(">") => Comparison::Greater,
                    Some(">=") => Comparison::AtLeast,
                    other => return Err(Refusal::unknown(&format!("the comparison {other:?}"))),
                };
                Ok(Condition::Compare(left, comparison, self.operand()?))
            }
        }
    }

    /// Steps over a function's name and its opening parenthesis.
    fn function(&mut self) -> Result<&mut Self, Refusal> {
        self.at += 1;
        self.expect("(")?;
        Ok(self)
    }

    /// The one argument of a function, and its closing parenthesis.
    fn argument(&mut self) -> Result<String, Refusal> {
        let name = self.attribute()?;
        self.expect(")")?;
        Ok(name)
    }

    fn attribute(&mut self) -> Result<String, Refusal> {
        let token = self.take().ok_or_else(|| invalid("the expression ends where a name belongs"))?;
        if token.starts_with('#') || token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.terms.name(&token)
        } else {
            Err(invalid(&format!("{token} is no name of an attribute")))
        }
    }

    fn arithmetic(&mut self) -> Result<Operand, Refusal> {
        let left = self.operand()?;
        let sign = match self.peek() {
            Some("+") => 1,
            Some("-") => -1,
            _ => return Ok(left),
        };
        self.at += 1;
        Ok(Operand::Sum(Box::new(left), Box::new(self.operand()?), sign))
    }

    fn operand(&mut self) -> Result<Operand, Refusal> {
        if self.peek() == Some("if_not_exists") {
            self.function()?;
            let name = self.attribute()?;
            self.expect(",")?;
            let other = self.operand()?;
            self.expect(")")?;
            return Ok(Operand::OrElse(name, Box::new(other)));
        }
        if let Some(token) = self.peek().filter(|token| token.starts_with(':')).map(str::to_owned) {
            self.at += 1;
            return Ok(Operand::Value(self.terms.value(&token)?));
        }
        Ok(Operand::Attribute(self.attribute()?))
    }
}

fn tokens(text: &str) -> Result<Vec<String>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '<' if rest.starts_with("<>") || rest.starts_with("<=") => 2,
            '>' if rest.starts_with(">=") => 2,
            '(' | ')' | ',' | '=' | '<' | '>' | '+' | '-' => 1,
            '#' | ':' | '_' | 'a'..='z' | 'A'..='Z' | '0'..='9' => {
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '#' | ':'))).unwrap_or(rest.len())
            }
            other => return Err(Refusal::unknown(&format!("{other:?} in an expression"))),
        };
        let (token, behind) = rest.split_at(length);
        tokens.push(token.to_owned());
        rest = behind.trim_start();
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::expression::updated;
    use crate::items::Item;

    fn item() -> Item {
        json!({ "status": { "S": "claimed" }, "lease": { "N": "9" }, "n": { "N": "1" } }).as_object().unwrap().clone()
    }

    #[test]
    fn conditions_hold_as_they_are_written() {
        let input = json!({ "ExpressionAttributeNames": { "#s": "status" },
            "ExpressionAttributeValues": { ":claimed": { "S": "claimed" }, ":released": { "S": "released" }, ":ten": { "N": "10" } } });
        for (text, holds) in [
            ("attribute_not_exists(customer)", true),
            ("attribute_exists(lease)", true),
            ("#s = :claimed AND lease < :ten", true),
            ("#s = :claimed AND lease > :ten", false),
            ("attribute_not_exists(lease) OR #s = :released OR (#s = :claimed AND lease <= :ten)", true),
            ("NOT #s = :claimed", false),
            ("#s <> :released", true),
            ("missing <> :released", true),
            ("missing = :released", false),
            ("missing < :ten", false),
            ("begins_with(#s, :claimed)", true),
            ("attribute_not_exists(lease) OR attribute_not_exists(n) AND attribute_exists(n)", false),
        ] {
            let condition = condition(text, &mut Terms::new(&input)).unwrap();
            assert_eq!(condition.holds(&item()), Ok(holds), "{text}");
        }
    }

    #[test]
    fn an_update_sees_the_item_as_it_was() {
        let input = json!({ "ExpressionAttributeNames": { "#s": "status" }, "ExpressionAttributeValues": { ":one": { "N": "1" } } });
        let changes =
            update("SET lease = n, m = if_not_exists(m, :one), k = n + :one REMOVE #s ADD n :one, fresh :one", &mut Terms::new(&input));
        let next = updated(&item(), &changes.unwrap()).unwrap();
        let expected = json!({ "lease": { "N": "1" }, "m": { "N": "1" }, "k": { "N": "2" }, "n": { "N": "2" }, "fresh": { "N": "1" } });
        assert_eq!(json!(next), expected);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let input = json!({ "ExpressionAttributeValues": { ":a": { "S": "a" } } });
        for text in ["", "owner = :a", "#x = :a", "x = :b", "x = :a)", "a.b = :a", "x IN (:a)", "size(x) > :a", "x ="] {
            assert!(condition(text, &mut Terms::new(&input)).is_err(), "{text}");
        }
        assert!(update("DELETE x :a", &mut Terms::new(&input)).is_err());
        let twice = update("SET x = :a REMOVE x", &mut Terms::new(&input)).unwrap();
        assert!(updated(&item(), &twice).is_err());
        assert!(Terms::new(&input).check_all_used().is_err());
    }
}
