//! The objects of a bucket, as an operator goes through them.

use std::collections::HashMap;

use aws_sdk_s3::Client;
use event::Time;

use crate::Passing;

/// A bucket whose objects are looked at, read and removed.
#[derive(Debug, Clone)]
pub struct Objects {
    client: Client,
    bucket: String,
}

/// An object, as a listing has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// When it was put.
    pub put_at: Time,
}

/// The first objects that were asked for, in the order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    pub objects: Vec<Listed>,
    /// Whether there are more than were asked for.
    pub more: bool,
}

impl Objects {
    #[must_use]
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// The first `limit` objects whose keys begin with `prefix` and that are wanted.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn list(&self, prefix: &str, limit: usize, wanted: impl Fn(&Listed) -> bool) -> Result<Listing, Passing> {
        let mut listing = Listing::default();
        let mut next = None;
        loop {
            let page = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).set_continuation_token(next).send().await;
            let page = page.map_err(|error| Passing::new("listing a bucket", &error))?;
            for object in page.contents.unwrap_or_default() {
                let put_at = object.last_modified.and_then(|time| time.to_millis().ok()).unwrap_or_default();
                let size = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                let listed = Listed { key: object.key.unwrap_or_default(), size, put_at: Time::from_millis(put_at) };
                if !wanted(&listed) {
                    continue;
                }
                if listing.objects.len() == limit {
                    listing.more = true;
                    return Ok(listing);
                }
                listing.objects.push(listed);
            }
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(listing);
            }
        }
    }

    /// What was written beside an object when it was put; none where there is no such object.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn metadata(&self, key: &str) -> Result<Option<HashMap<String, String>>, Passing> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(head) => Ok(Some(head.metadata.unwrap_or_default())),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(None),
            Err(error) => Err(Passing::new("looking at an object", &error)),
        }
    }

    /// The bytes of an object; none where there is no such object.
    ///
    /// # Errors
    /// A call that failed, or a body that broke off.
    pub async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, Passing> {
        let what = "reading an object";
        match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => {
                let body = object.body.collect().await.map_err(|_| Passing::because(what, "its body broke off"))?;
                Ok(Some(body.into_bytes().into()))
            }
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => Ok(None),
            Err(error) => Err(Passing::new(what, &error)),
        }
    }

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn remove(&self, key: &str) -> Result<(), Passing> {
        let removed = self.client.delete_object().bucket(&self.bucket).key(key).send().await;
        removed.map(drop).map_err(|error| Passing::new("removing an object", &error))
    }
}
