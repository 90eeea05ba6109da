//! The stream, for what this system puts onto it itself.

use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;

use crate::Passing;
use crate::connect::pause;

const WHAT: &str = "putting records onto the stream";

/// `PutRecords` takes no more records.
const LARGEST_BATCH: usize = 500;

/// `PutRecords` takes 10 MiB, keys included; some services that stand in for it take 5.
const LARGEST_REQUEST: usize = 4 << 20;

/// Records that were not taken are put again so often.
const ROUNDS: u32 = 6;

/// A record to put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    pub partition_key: String,
    pub data: Vec<u8>,
}

/// The stream of all events.
#[derive(Debug, Clone)]
pub struct Stream {
    client: Client,
    name: String,
}

impl Stream {
    #[must_use]
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Puts one record, whose order after earlier ones of the same key counts.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn put(&self, put: Put) -> Result<(), Passing> {
        let request = self.client.put_record().stream_name(&self.name).partition_key(put.partition_key).data(Blob::new(put.data));
        request.send().await.map(drop).map_err(|error| Passing::new(WHAT, &error))
    }

    /// Puts many records, in no order; those that were not taken are put again.
    ///
    /// # Errors
    /// A call that failed, or records that were still not taken after several rounds.
    pub async fn put_all(&self, puts: Vec<Put>) -> Result<(), Passing> {
        let mut waiting = puts;
        for round in 0..ROUNDS {
            if round > 0 {
                pause(self.client.config().sleep_impl(), Duration::from_millis(50 << round)).await;
            }
            let mut refused = Vec::new();
            for chunk in requests(&waiting) {
                refused.extend(self.put_some(chunk).await?);
            }
            if refused.is_empty() {
                return Ok(());
            }
            waiting = refused;
        }
        Err(Passing::because(WHAT, format!("{} records were never taken: the stream is throttled", waiting.len())))
    }

    /// A refused record stands inside a successful answer, at its own place.
    async fn put_some(&self, puts: &[Put]) -> Result<Vec<Put>, Passing> {
        let entry =
            |put: &Put| PutRecordsRequestEntry::builder().partition_key(&put.partition_key).data(Blob::new(put.data.clone())).build();
        let entries = puts.iter().map(entry).collect::<Result<Vec<_>, _>>().map_err(|error| Passing::because(WHAT, error.to_string()))?;
        let answer = self.client.put_records().stream_name(&self.name).set_records(Some(entries)).send().await;
        let answer = answer.map_err(|error| Passing::new(WHAT, &error))?;
        if answer.records.len() != puts.len() {
            return Err(Passing::because(WHAT, "the answer does not say what became of each record"));
        }
        let refused = puts.iter().zip(answer.records).filter(|(_, result)| result.error_code.is_some());
        Ok(refused.map(|(put, _)| put.clone()).collect())
    }
}

/// The records in pieces that one request each can carry.
fn requests(mut puts: &[Put]) -> Vec<&[Put]> {
    let mut requests = Vec::new();
    while !puts.is_empty() {
        let mut bytes = 0;
        let fits = puts.iter().take(LARGEST_BATCH).take_while(|put| {
            bytes += put.data.len() + put.partition_key.len();
            bytes <= LARGEST_REQUEST
        });
        // A record that is too large for any request goes alone, and is refused by itself.
        let (request, rest) = puts.split_at(fits.count().max(1));
        requests.push(request);
        puts = rest;
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_no_more_records_and_bytes_than_the_service_takes() {
        let puts = |count: usize, bytes: usize| vec![Put { partition_key: String::new(), data: vec![0; bytes] }; count];
        let sizes = |puts: &[Put]| requests(puts).into_iter().map(<[Put]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(&puts(1001, 1)), [500, 500, 1]);
        assert_eq!(sizes(&puts(65, 64 << 10)), [64, 1]);
        assert_eq!(sizes(&puts(2, 5 << 20)), [1, 1]);
        assert!(sizes(&[]).is_empty());
    }
}
