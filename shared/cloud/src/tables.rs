//! DynamoDB: tables of items behind a key.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use serde_json::{Map, Value, json};

use crate::answer::Refusal;
use crate::expression::{Comparison, Condition, Operand, Terms, updated};
use crate::items::{Item, Key, check_size, invalid};
use crate::parser::{condition, update};
use crate::services::Cloud;
use crate::shape::{integer, list, optional_text, text, without};

/// `BatchGetItem` takes no more keys.
const LARGEST_BATCH: usize = 100;

type Place = (Key, Option<Key>);

#[derive(Debug, Default)]
pub(crate) struct Tables(HashMap<String, Table>);

#[derive(Debug)]
struct Table {
    hash: String,
    range: Option<String>,
    /// The hash keys of its indexes, by the names of the indexes. An index has the keys only.
    indexes: BTreeMap<String, String>,
    items: BTreeMap<Place, Item>,
}

impl Table {
    fn place(&self, item: &Item) -> Result<Place, Refusal> {
        let key = |name: &str| Key::of(item.get(name).ok_or_else(|| invalid(&format!("the key {name} is missing")))?);
        Ok((key(&self.hash)?, self.range.as_deref().map(key).transpose()?))
    }

    /// The place that a key names, which has no other attribute.
    fn place_of_key(&self, key: &Value) -> Result<(Place, Item), Refusal> {
        let key = key.as_object().ok_or_else(|| invalid("the key is missing"))?;
        if key.len() != 1 + usize::from(self.range.is_some()) {
            return Err(invalid("The provided key element does not match the schema"));
        }
        Ok((self.place(key)?, key.clone()))
    }

    /// Refuses an item that is too large, or whose key of an index is empty.
    fn check(&self, item: &Item) -> Result<(), Refusal> {
        for attribute in self.indexes.values().filter_map(|name| item.get(name)) {
            Key::of(attribute)?;
        }
        check_size(item)
    }

    fn is_key(&self, name: &str) -> bool {
        name == self.hash || Some(name) == self.range.as_deref()
    }
}

impl Tables {
    pub(crate) fn call(&mut self, operation: &str, input: &Value) -> Result<Value, Refusal> {
        match operation {
            "CreateTable" => self.create(input),
            "BatchGetItem" => self.batch_get(input),
            _ => {
                let name = text(input, "TableName")?;
                let table = self.0.get_mut(name).ok_or_else(absent)?;
                match operation {
                    "GetItem" => table.get(input),
                    "PutItem" => table.put(input),
                    "UpdateItem" => table.update(input),
                    "DeleteItem" => table.delete(input),
                    "Query" => table.query(input),
                    "Scan" => table.scan(input),
                    other => Err(Refusal::unknown(&format!("the operation {other} of DynamoDB"))),
                }
            }
        }
    }

    fn create(&mut self, input: &Value) -> Result<Value, Refusal> {
        let of = |kind: &str| {
            let element = list(input, "KeySchema").iter().find(|element| optional_text(element, "KeyType") == Some(kind));
            element.and_then(|element| optional_text(element, "AttributeName")).map(str::to_owned)
        };
        let hash = of("HASH").ok_or_else(|| invalid("a table has a hash key"))?;
        let name = text(input, "TableName")?;
        if self.0.contains_key(name) {
            return Err(Refusal::sender("ResourceInUseException", "a table of that name exists"));
        }
        self.0.insert(name.to_owned(), Table { hash, range: of("RANGE"), indexes: BTreeMap::new(), items: BTreeMap::new() });
        Ok(json!({ "TableDescription": { "TableName": name, "TableStatus": "ACTIVE" } }))
    }

    fn batch_get(&self, input: &Value) -> Result<Value, Refusal> {
        let requests = input.get("RequestItems").and_then(Value::as_object).ok_or_else(|| invalid("RequestItems is missing"))?;
        let count: usize = requests.values().map(|request| list(request, "Keys").len()).sum();
        if count == 0 || count > LARGEST_BATCH {
            return Err(invalid("a batch has between one key and a hundred"));
        }
        let mut responses = Map::new();
        for (name, request) in requests {
            let table = self.0.get(name).ok_or_else(absent)?;
            let mut places = Vec::new();
            for key in list(request, "Keys") {
                places.push(table.place_of_key(key)?.0);
            }
            let keys = places.len();
            places.sort();
            places.dedup();
            if places.len() < keys {
                return Err(invalid("Provided list of item keys contains duplicates"));
            }
            let found: Vec<_> = places.iter().filter_map(|place| table.items.get(place)).collect();
            responses.insert(name.clone(), json!(found));
        }
        Ok(json!({ "Responses": responses, "UnprocessedKeys": {} }))
    }
}

fn absent() -> Refusal {
    Refusal::sender("ResourceNotFoundException", "Requested resource not found")
}

/// The item that a condition refused is part of the refusal where the call asks for it.
fn refused(input: &Value, before: Option<&Item>) -> Refusal {
    let refusal = Refusal::sender("ConditionalCheckFailedException", "The conditional request failed");
    match before.filter(|_| optional_text(input, "ReturnValuesOnConditionCheckFailure") == Some("ALL_OLD")) {
        Some(item) => refusal.with("Item", json!(item)),
        None => refusal,
    }
}

impl Table {
    fn get(&self, input: &Value) -> Result<Value, Refusal> {
        without(input, &["ProjectionExpression"])?;
        let (place, _) = self.place_of_key(input.get("Key").unwrap_or(&Value::Null))?;
        Ok(self.items.get(&place).map_or_else(|| json!({}), |item| json!({ "Item": item })))
    }

    fn checked(input: &Value, terms: &mut Terms<'_>, before: Option<&Item>) -> Result<(), Refusal> {
        without(input, &["Expected", "ConditionalOperator"])?;
        let Some(text) = optional_text(input, "ConditionExpression") else { return Ok(()) };
        let holds = condition(text, terms)?.holds(before.unwrap_or(&Item::new()))?;
        if holds { Ok(()) } else { Err(refused(input, before)) }
    }

    fn put(&mut self, input: &Value) -> Result<Value, Refusal> {
        let item = input.get("Item").and_then(Value::as_object).ok_or_else(|| invalid("the item is missing"))?;
        let place = self.place(item)?;
        self.check(item)?;
        let before = self.items.get(&place);
        let mut terms = Terms::new(input);
        let checked = Self::checked(input, &mut terms, before);
        terms.check_all_used()?;
        checked?;
        let answer = returned(input, before, item)?;
        self.items.insert(place, item.clone());
        Ok(answer)
    }

    fn update(&mut self, input: &Value) -> Result<Value, Refusal> {
        without(input, &["AttributeUpdates"])?;
        let (place, key) = self.place_of_key(input.get("Key").unwrap_or(&Value::Null))?;
        let before = self.items.get(&place);
        let mut terms = Terms::new(input);
        let changes = update(text(input, "UpdateExpression")?, &mut terms)?;
        let checked = Self::checked(input, &mut terms, before);
        terms.check_all_used()?;
        checked?;
        let next = updated(before.unwrap_or(&key), &changes)?;
        if self.place(&next).ok().as_ref() != Some(&place) {
            return Err(invalid("Cannot update attribute. This attribute is part of the key"));
        }
        self.check(&next)?;
        let answer = returned(input, before, &next)?;
        self.items.insert(place, next);
        Ok(answer)
    }

    fn delete(&mut self, input: &Value) -> Result<Value, Refusal> {
        let (place, _) = self.place_of_key(input.get("Key").unwrap_or(&Value::Null))?;
        let before = self.items.get(&place);
        let mut terms = Terms::new(input);
        let checked = Self::checked(input, &mut terms, before);
        terms.check_all_used()?;
        checked?;
        let answer = returned(input, before, &Item::new())?;
        self.items.remove(&place);
        Ok(answer)
    }

    /// One hash key, and any condition on the range key.
    fn query(&self, input: &Value) -> Result<Value, Refusal> {
        without(input, &["FilterExpression", "ProjectionExpression", "KeyConditions", "Select"])?;
        if let Some(index) = optional_text(input, "IndexName") {
            return self.query_index(index, input);
        }
        let mut terms = Terms::new(input);
        let keys = condition(text(input, "KeyConditionExpression")?, &mut terms)?;
        terms.check_all_used()?;
        let hash = self.hash_in(&keys).ok_or_else(|| invalid("Query condition missed key schema element"))?;
        let of_hash = (Bound::Included((hash.clone(), None)), Bound::Unbounded);
        let mut found = Vec::new();
        for (_, item) in self.items.range(of_hash).take_while(|((key, _), _)| *key == hash) {
            if keys.holds(item)? {
                found.push(item);
            }
        }
        if !input.get("ScanIndexForward").and_then(Value::as_bool).unwrap_or(true) {
            found.reverse();
        }
        self.page(input, found)
    }

    /// Items whose index key is empty are not written, as DynamoDB would refuse them, so that an index is a search here.
    fn query_index(&self, index: &str, input: &Value) -> Result<Value, Refusal> {
        without(input, &["ConsistentRead"])?;
        let attribute = self.indexes.get(index).ok_or_else(|| invalid("The table does not have the specified index"))?;
        let mut terms = Terms::new(input);
        let keys = condition(text(input, "KeyConditionExpression")?, &mut terms)?;
        terms.check_all_used()?;
        let is_in_index = |name: &str| name == attribute || self.is_key(name);
        let mut found = Vec::new();
        for item in self.items.values().filter(|item| item.contains_key(attribute)) {
            if keys.holds(item)? {
                found.push(
                    item.iter().filter(|(name, _)| is_in_index(name)).map(|(name, value)| (name.clone(), value.clone())).collect::<Item>(),
                );
            }
        }
        self.page(input, found.iter().collect())
    }

    fn hash_in(&self, condition: &Condition) -> Option<Key> {
        match condition {
            Condition::Compare(Operand::Attribute(name), Comparison::Equal, value) if *name == self.hash => {
                let Operand::Value(value) = value else { return None };
                Key::of(value).ok()
            }
            Condition::And(a, b) => self.hash_in(a).or_else(|| self.hash_in(b)),
            _ => None,
        }
    }

    fn scan(&self, input: &Value) -> Result<Value, Refusal> {
        without(input, &["IndexName", "FilterExpression", "ProjectionExpression", "Segment", "TotalSegments"])?;
        self.page(input, self.items.values().collect())
    }

    fn page(&self, input: &Value, mut found: Vec<&Item>) -> Result<Value, Refusal> {
        if let Some(start) = input.get("ExclusiveStartKey").filter(|key| !key.is_null()) {
            let (start, _) = self.place_of_key(start)?;
            let at = found.iter().position(|item| self.place(item).is_ok_and(|place| place == start));
            found = found.split_off(at.map_or(0, |at| at + 1));
        }
        let limit = integer(input, "Limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1_000);
        let more = found.len() > limit;
        found.truncate(limit);
        let mut answer = json!({ "Items": found, "Count": found.len(), "ScannedCount": found.len() });
        if let (true, Some(last), Some(fields)) = (more, found.last(), answer.as_object_mut()) {
            let key: Item = last.iter().filter(|(name, _)| self.is_key(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
            fields.insert("LastEvaluatedKey".to_owned(), json!(key));
        }
        Ok(answer)
    }
}

fn returned(input: &Value, before: Option<&Item>, after: &Item) -> Result<Value, Refusal> {
    match optional_text(input, "ReturnValues") {
        None | Some("NONE") => Ok(json!({})),
        Some("ALL_OLD") => Ok(before.map_or_else(|| json!({}), |item| json!({ "Attributes": item }))),
        Some("ALL_NEW") => Ok(json!({ "Attributes": after })),
        Some(other) => Err(Refusal::unknown(&format!("the return value {other}"))),
    }
}

impl Cloud {
    /// Makes a table.
    pub fn create_table(&self, name: &str, hash: &str, range: Option<&str>) {
        let table = Table { hash: hash.to_owned(), range: range.map(str::to_owned), indexes: BTreeMap::new(), items: BTreeMap::new() };
        self.services().tables.0.entry(name.to_owned()).or_insert(table);
    }

    /// Makes an index of a table, which has the keys only.
    pub fn create_index(&self, table: &str, name: &str, hash: &str) {
        if let Some(table) = self.services().tables.0.get_mut(table) {
            table.indexes.insert(name.to_owned(), hash.to_owned());
        }
    }

    /// The items of a table, in the order of their keys.
    #[must_use]
    pub fn items(&self, table: &str) -> Vec<Map<String, Value>> {
        self.services().tables.0.get(table).map(|table| table.items.values().cloned().collect()).unwrap_or_default()
    }

    /// The first item of a table that fits.
    #[must_use]
    pub fn find(&self, table: &str, mut fits: impl FnMut(&Map<String, Value>) -> bool) -> Option<Map<String, Value>> {
        self.services().tables.0.get(table).and_then(|table| table.items.values().find(|item| fits(item)).cloned())
    }
}
