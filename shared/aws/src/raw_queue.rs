//! A queue whose messages are somebody else's words, and are put onto it as they came.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use crate::Passing;
use crate::queue::LARGEST_BATCH;

const WHAT: &str = "putting messages onto a queue";

/// A standard queue of any text.
#[derive(Debug, Clone)]
pub struct RawQueue {
    client: Client,
    url: String,
}

impl RawQueue {
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Puts each text onto the queue, to be received after a delay of up to 900 seconds.
    ///
    /// # Errors
    /// A call that failed, or texts that the queue did not take: too large, or with a character that it does not have. The
    /// others are on it.
    pub async fn send(&self, texts: &[String], delay_seconds: i32) -> Result<(), Passing> {
        let mut refused = 0;
        for chunk in texts.chunks(LARGEST_BATCH) {
            let entry = |(number, text): (usize, &String)| {
                let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(text).delay_seconds(delay_seconds);
                entry.build().map_err(|error| Passing::because(WHAT, error.to_string()))
            };
            let entries = chunk.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            let batch = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
            // A failed entry stands inside a successful answer.
            refused += batch.send().await.map_err(|error| Passing::new(WHAT, &error))?.failed.len();
        }
        if refused == 0 { Ok(()) } else { Err(Passing::because(WHAT, format!("{refused} of {} were not taken", texts.len()))) }
    }
}
