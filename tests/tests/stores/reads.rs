//! What a sender reads: customer, suppressions and cause at once.

use aws::{AddressKey, Archive, Customers, DeliveryReads, Loaded, Secret, StoreError};
use aws_sdk_dynamodb::types::AttributeValue;
use decision::Recorded;
use delivery::{Message, Suppression, SuppressionKind};
use event::{SequenceNumber, ShardId, Time};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use trigger::{Channel, Purpose};

use crate::local::{Place, now, output, run, unique};
use crate::{decided, event, known, message};

fn client(stack: &Place) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(stack.sdk_config())
}

/// The reads under a key of its own, and the key's text.
async fn reads(stack: &Place) -> (DeliveryReads, String) {
    let secrets = aws_sdk_secretsmanager::Client::new(stack.sdk_config());
    let (name, text) = (unique("secret"), unique("key"));
    secrets.create_secret().name(&name).secret_string(&text).send().await.expect("a secret is made");
    let key = AddressKey::new(Secret::read(&secrets, &name).await.expect("a secret can be read"));
    let [customers, events, suppressions] = ["CustomersTable", "EventsTable", "SuppressionsTable"].map(|name| output(stack, name));
    (DeliveryReads::new(client(stack), customers, events, suppressions, Some(key)), text)
}

async fn suppress(stack: &Place, subject: &str, marks: &[(&str, &str)]) {
    let mut put =
        client(stack).put_item().table_name(output(stack, "SuppressionsTable")).item("subject", AttributeValue::S(subject.to_owned()));
    for (name, at) in marks {
        put = put.item(*name, AttributeValue::N((*at).to_owned()));
    }
    put.send().await.expect("a suppression is written");
}

async fn commit(stack: &Place, message: &Message, email: &str) {
    let customers = Customers::new(client(stack), output(stack, "CustomersTable"));
    let customer = known(&message.customer, &json!({ "email": email }));
    customers.commit(&message.customer, &Loaded::default(), &customer).await.expect("a state is written");
}

fn hashed(key: &str, address: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(address.as_bytes());
    mac.finalize().into_bytes().iter().fold("address#".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn nothing_is_known_of_a_customer_who_was_never_committed() {
    run(async |stack| {
        let known = reads(stack).await.0.read(&message()).await.unwrap();
        assert!(known.customer.is_none() && known.cause.is_none() && known.suppressions.is_empty());
    });
}

#[test]
fn everything_about_a_delivery_is_read() {
    run(async |stack| {
        let ((reads, key), message) = (reads(stack).await, message());
        commit(stack, &message, "Ana@Example.com").await;
        let input = event(&message.customer, "customer.signed_up", now(), &json!({}));
        let recorded = Recorded::new(input, now(), ShardId::new("shard"), SequenceNumber::new("1"), decided(&message));
        let archive = Archive::new(client(stack), output(stack, "EventsTable"), 400);
        archive.put(message.customer.as_str(), &message.position, "customer.signed_up", &recorded).await.unwrap();
        suppress(stack, &format!("customer#{}", message.customer), &[("withdrawal#email#marketing", "1"), ("complaint#sms#*", "2")]).await;
        suppress(stack, &hashed(&key, "ana@example.com"), &[("bounce#email#*", "3"), ("something-new#email#news", "4")]).await;

        let mut known = reads.read(&message).await.unwrap();
        assert_eq!(known.customer.unwrap().email().unwrap().expose(), "Ana@Example.com");
        assert_eq!(known.cause, Some(recorded));
        known.suppressions.sort_by_key(|suppression| suppression.at);
        let suppression = |kind, channel, purpose: Option<&str>, at| Suppression {
            kind,
            channel,
            purpose: purpose.map(|purpose| Purpose::parse(purpose).unwrap()),
            at: Time::from_millis(at),
        };
        assert_eq!(
            known.suppressions,
            [
                suppression(SuppressionKind::Withdrawal, Channel::Email, Some("marketing"), 1),
                suppression(SuppressionKind::Complaint, Channel::Sms, None, 2),
                suppression(SuppressionKind::Bounce, Channel::Email, None, 3),
                // A kind that a newer version writes denies the most.
                suppression(SuppressionKind::Bounce, Channel::Email, Some("news"), 4),
            ]
        );
    });
}

#[test]
fn an_address_is_suppressed_for_whoever_has_it() {
    run(async |stack| {
        let (reads, key) = reads(stack).await;
        let address = format!("{}@example.com", unique("shared"));
        suppress(stack, &hashed(&key, &address), &[("bounce#email#*", "3")]).await;
        for _ in 0..2 {
            let message = message();
            commit(stack, &message, &address.to_uppercase()).await;
            assert_eq!(reads.read(&message).await.unwrap().suppressions.len(), 1);
        }
        let message = message();
        commit(stack, &message, &format!("x{address}")).await;
        assert!(reads.read(&message).await.unwrap().suppressions.is_empty());
    });
}

#[test]
fn a_state_that_cannot_be_read_is_an_error_and_not_an_absence() {
    run(async |stack| {
        let ((reads, _), message) = (reads(stack).await, message());
        let put = client(stack)
            .put_item()
            .table_name(output(stack, "CustomersTable"))
            .item("customer", AttributeValue::S(message.customer.to_string()));
        put.item("state", AttributeValue::B(b"ana".to_vec().into())).send().await.unwrap();
        assert!(matches!(reads.read(&message).await, Err(StoreError::Unreadable { .. })));
    });
}
