//! Answers that say "200" and have done only a part: each part that was left out is noticed.

use std::time::Duration;

use aws::{Customers, DeadLetter, DeadLetters, Put, Queue, RawQueue, Stream};
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use event::CustomerId;
use serde_json::json;

use crate::local::{run, unique};
use crate::message;
use crate::server::{Answer, Server};

async fn sdk(server: &Server) -> SdkConfig {
    let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(Region::from_static("eu-central-1")).endpoint_url(&server.url);
    sdk.credentials_provider(Credentials::new("test", "test", None, None, "test")).load().await
}

fn puts(keys: &[&str]) -> Vec<Put> {
    keys.iter().map(|key| Put { partition_key: (*key).to_owned(), data: Vec::new() }).collect()
}

#[test]
fn an_entry_that_the_queue_did_not_take_is_an_error() {
    run(async |_| {
        let failed =
            r#"{"Successful":[],"Failed":[{"Id":"0","Code":"InternalError","SenderFault":false,"Message":"about ana@example.com"}]}"#;
        let server = Server::start(&[Answer::Says(200, "", failed)]);
        let queue = Queue::new(aws_sdk_sqs::Client::new(&sdk(&server).await), format!("{}/1/queue", server.url));
        let error = queue.send(&[message()]).await.unwrap_err().to_string();
        assert_eq!(error, "enqueueing deliveries failed: entries not taken, by code: {\"InternalError\": 1}");
    });
}

#[test]
fn a_text_that_a_queue_did_not_take_is_an_error_and_the_others_are_put_all_the_same() {
    run(async |_| {
        let failed = r#"{"Successful":[],"Failed":[{"Id":"3","Code":"InvalidMessageContents","SenderFault":true,"Message":"about ana@example.com"}]}"#;
        let server = Server::start(&[Answer::Says(200, "", failed), Answer::Says(200, "", r#"{"Successful":[],"Failed":[]}"#)]);
        let queue = RawQueue::new(aws_sdk_sqs::Client::new(&sdk(&server).await), format!("{}/1/queue", server.url));
        let texts: Vec<_> = (0..12).map(|number| number.to_string()).collect();
        let error = queue.send(&texts, 60).await.unwrap_err().to_string();
        assert_eq!(error, "putting messages onto a queue failed: 1 of 12 were not taken");
        let sizes: Vec<_> = server.requests().iter().map(|request| request.body["Entries"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [10, 2]);
        assert_eq!(server.requests()[1].body["Entries"][1], json!({ "Id": "1", "MessageBody": "11", "DelaySeconds": 60 }));
    });
}

#[test]
fn a_dead_letter_is_taken_only_where_the_answer_says_so() {
    run(async |_| {
        let partly = r#"{"Successful":[{"Id":"2","MessageId":"m","MD5OfMessageBody":"9dd4e461268c8034f5c8564e155c67a6"}],
            "Failed":[{"Id":"0","Code":"InternalError","SenderFault":false}]}"#;
        let server = Server::start(&[Answer::Says(200, "", partly)]);
        let queue = Queue::new(aws_sdk_sqs::Client::new(&sdk(&server).await), format!("{}/1/queue", server.url));
        let letter = DeadLetter::default();
        let answers = queue.redrive(&["a", "b", "x"].map(|body| (&letter, body.to_owned()))).await.unwrap();
        assert_eq!(answers, [Some("InternalError".to_owned()), Some("no_answer".to_owned()), None]);
    });
}

#[test]
fn what_the_dead_letters_kept_is_counted() {
    run(async |_| {
        let failed = r#"{"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","Code":"ReceiptHandleIsInvalid","SenderFault":true}]}"#;
        let server = Server::start(&[Answer::Says(200, "", failed)]);
        let letters = DeadLetters::new(aws_sdk_sqs::Client::new(&sdk(&server).await), format!("{}/1/queue", server.url));
        let two = [DeadLetter::default(), DeadLetter::default()];
        assert_eq!(letters.give_back(&two).await.unwrap(), 1);
        assert_eq!(letters.delete(&two).await.unwrap(), 1);
        assert_eq!(letters.delete([]).await.unwrap(), 0);
        let timeouts: Vec<_> = server.requests().iter().map(|request| request.body["Entries"][0]["VisibilityTimeout"].clone()).collect();
        assert_eq!(timeouts, [json!(0), json!(null)]);
    });
}

#[test]
fn only_the_records_that_the_stream_did_not_take_are_put_again() {
    run(async |_| {
        let throttled = r#"{"FailedRecordCount":1,"Records":[{"SequenceNumber":"1","ShardId":"s"},
            {"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"slow down"},{"SequenceNumber":"2","ShardId":"s"}]}"#;
        let taken = r#"{"FailedRecordCount":0,"Records":[{"SequenceNumber":"3","ShardId":"s"}]}"#;
        let server = Server::start(&[Answer::Says(200, "", throttled), Answer::Says(200, "", taken)]);
        let stream = Stream::new(aws_sdk_kinesis::Client::new(&sdk(&server).await), "stream".to_owned());
        stream.put_all(puts(&["a", "b", "c"])).await.unwrap();
        let keys = server.requests().iter().map(|request| request.body["Records"].clone()).collect::<Vec<_>>();
        assert_eq!(
            keys,
            [
                json!([{ "Data": "", "PartitionKey": "a" }, { "Data": "", "PartitionKey": "b" }, { "Data": "", "PartitionKey": "c" }]),
                json!([{ "Data": "", "PartitionKey": "b" }]),
            ]
        );
    });
}

#[test]
fn an_answer_about_fewer_records_than_were_put_is_an_error() {
    run(async |_| {
        let server = Server::start(&[Answer::Says(200, "", r#"{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"s"}]}"#)]);
        let stream = Stream::new(aws_sdk_kinesis::Client::new(&sdk(&server).await), "stream".to_owned());
        assert!(stream.put_all(puts(&["a", "b"])).await.is_err());
    });
}

#[test]
fn keys_that_a_table_did_not_come_to_are_asked_for_again() {
    run(async |_| {
        let [ana, ben] = ["ana", "ben"].map(|name| CustomerId::parse(&unique(name)).unwrap());
        let left = json!({ "Responses": {}, "UnprocessedKeys": { "customers": { "Keys": [{ "customer": { "S": ben.as_str() } }], "ConsistentRead": true } } });
        let left = left.to_string().leak();
        let found = json!({ "Responses": { "customers": [{ "customer": { "S": ben.as_str() }, "version": { "N": "3" }, "state": { "B": "AAAA" } }] } });
        let found = found.to_string().leak();
        let server = Server::start(&[Answer::Says(200, "", left), Answer::Says(200, "", found)]);
        let customers = Customers::new(aws_sdk_dynamodb::Client::new(&sdk(&server).await), "customers".to_owned());
        let loaded = customers.load(&[ana.clone(), ben.clone()]).await.unwrap();
        assert!(loaded[&ana].is_ok(), "a new customer");
        assert!(loaded[&ben].is_err(), "the state came with the second answer");
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[1].body["RequestItems"]["customers"]["Keys"], json!([{ "customer": { "S": ben.as_str() } }]));
        assert_eq!(requests[1].body["RequestItems"]["customers"]["ConsistentRead"], json!(true));
    });
}

#[test]
fn a_table_that_never_comes_to_a_key_is_an_error_and_no_new_customer() {
    run(async |_| {
        let left = r#"{"Responses":{},"UnprocessedKeys":{"customers":{"Keys":[{"customer":{"S":"ana"}}],"ConsistentRead":true}}}"#;
        let server = Server::start(&[Answer::Says(200, "", left)]);
        let customers = Customers::new(aws_sdk_dynamodb::Client::new(&sdk(&server).await), "customers".to_owned());
        let error = customers.load(&[CustomerId::parse("ana").unwrap()]).await.unwrap_err().to_string();
        assert_eq!(error, "the customer's state failed: some keys were never processed: the table is throttled");
    });
}

#[test]
fn a_service_that_does_not_answer_is_a_readable_error() {
    run(async |_| {
        let hangs_up = Server::start(&[Answer::Closes]);
        let customers = Customers::new(aws_sdk_dynamodb::Client::new(&sdk(&hangs_up).await), "customers".to_owned());
        let error = customers.load(&[CustomerId::parse("ana").unwrap()]).await.unwrap_err().to_string();
        assert_eq!(error, "the customer's state failed: connection failed: connection closed before message completed");
        assert!(hangs_up.requests().iter().all(|request| request.line == "POST / HTTP/1.1"));

        let breaks_off = Server::start(&[Answer::BreaksOff(200)]);
        let customers = Customers::new(aws_sdk_dynamodb::Client::new(&sdk(&breaks_off).await), "customers".to_owned());
        let error = customers.load(&[CustomerId::parse("ana").unwrap()]).await.unwrap_err().to_string();
        assert_eq!(error, "the customer's state failed: an answer that cannot be read");

        let silent = Server::start(&[Answer::Nothing]);
        let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(200)).build();
        let sdk = sdk(&silent).await.into_builder().timeout_config(timeouts).build();
        let customers = Customers::new(aws_sdk_dynamodb::Client::new(&sdk), "customers".to_owned());
        let error = customers.load(&[CustomerId::parse("ana").unwrap()]).await.unwrap_err().to_string();
        assert_eq!(error, "the customer's state failed: no answer in time");
    });
}
