//! The states of customers: one writer, and a version that tells when there were two.

use aws::{Customers, Loaded, StoreError};
use aws_sdk_dynamodb::types::AttributeValue;
use event::CustomerId;
use serde_json::json;

use crate::local::{Place, output, run};
use crate::{customer_id, known};

fn client(stack: &Place) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(stack.sdk_config())
}

fn customers(stack: &Place) -> Customers {
    Customers::new(client(stack), output(stack, "CustomersTable"))
}

async fn load(customers: &Customers, id: &CustomerId) -> Loaded {
    customers
        .load(std::slice::from_ref(id))
        .await
        .expect("a table can be read")
        .remove(id)
        .expect("each id is answered")
        .expect("a state can be read")
}

#[test]
fn a_state_is_written_only_over_the_one_it_was_made_from() {
    run(async |stack| {
        let (customers, id) = (customers(stack), customer_id());
        let nobody = load(&customers, &id).await;
        assert_eq!(nobody, Loaded::default());
        let first = known(&id, &json!({ "traits": { "n": 1 } }));
        customers.commit(&id, &nobody, &first).await.unwrap();
        assert!(matches!(customers.commit(&id, &nobody, &first).await, Err(StoreError::Conflict { .. })), "a second new customer");

        let loaded = load(&customers, &id).await;
        assert_eq!(loaded.customer, first);
        let second = known(&id, &json!({ "traits": { "n": 2 } }));
        customers.commit(&id, &loaded, &second).await.unwrap();
        assert!(matches!(customers.commit(&id, &loaded, &first).await, Err(StoreError::Conflict { .. })), "an old version");
        assert_eq!(load(&customers, &id).await.customer, second);
    });
}

#[test]
fn many_customers_are_loaded_at_once_new_ones_too() {
    run(async |stack| {
        let customers = customers(stack);
        let ids: Vec<_> = (0..230).map(|_| customer_id()).collect();
        for id in ids.iter().step_by(50) {
            customers.commit(id, &Loaded::default(), &known(id, &json!({ "locale": id.as_str() }))).await.unwrap();
        }
        let loaded = customers.load(&ids).await.unwrap();
        assert_eq!(loaded.len(), ids.len());
        for (position, id) in ids.iter().enumerate() {
            let locale = loaded[id].as_ref().unwrap().customer.to_value(id)["locale"].clone();
            assert_eq!(locale.as_str(), (position % 50 == 0).then_some(id.as_str()));
        }
    });
}

#[test]
fn a_state_that_cannot_be_read_hinders_no_other_customer() {
    run(async |stack| {
        let (customers, broken, whole) = (customers(stack), customer_id(), customer_id());
        let put =
            client(stack).put_item().table_name(output(stack, "CustomersTable")).item("customer", AttributeValue::S(broken.to_string()));
        put.item("state", AttributeValue::B(b"ana".to_vec().into()))
            .item("version", AttributeValue::N("1".to_owned()))
            .send()
            .await
            .unwrap();
        let loaded = customers.load(&[broken.clone(), whole.clone()]).await.unwrap();
        let error = loaded[&broken].as_ref().unwrap_err();
        assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
        assert_eq!(loaded[&whole].as_ref().unwrap(), &Loaded::default());
    });
}

#[test]
fn a_table_that_is_not_there_is_a_readable_error() {
    run(async |stack| {
        let error = Customers::new(client(stack), "nowhere".to_owned()).load(&[customer_id()]).await.unwrap_err().to_string();
        let (told, request) = error.split_once(" (request ").unwrap();
        assert_eq!(told, "the customer's state failed: ResourceNotFoundException");
        assert!(request.len() < 80 && request.ends_with(')'), "{error}");
    });
}
