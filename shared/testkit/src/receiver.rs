//! An HTTP server on the loopback interface that plays the other side: HubSpot, and the endpoint of any webhook.
//!
//! It records whatever it is asked, and answers `200 {}` to everything, or as it is told. It ends when it is dropped.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request with a longer head or body is not listened to.
const LONGEST_HEAD: usize = 64 << 10;
const LONGEST_BODY: usize = 16 << 20;

/// How it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Properly.
    Answers { status: u16, headers: Vec<(String, String)>, body: String },
    /// Never; the connection stays open.
    Hangs,
    /// Not at all: it closes the connection once it has read the request.
    Closes,
    /// With bytes that are no HTTP.
    Babbles,
    /// With a body that never ends, as fast as it is read.
    Floods { status: u16 },
    /// With a body of which one byte comes each `pause`.
    Trickles { status: u16, pause: Duration },
    /// With a body that ends before its length is reached.
    BreaksOff { status: u16 },
}

impl Behaviour {
    /// An answer without headers of its own.
    #[must_use]
    pub fn status(status: u16, body: &str) -> Self {
        Self::Answers { status, headers: Vec::new(), body: body.to_owned() }
    }

    /// The same answer with one header more; no other behaviour has any.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answers { status, mut headers, body } => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Answers { status, headers, body }
            }
            other => other,
        }
    }
}

/// A request, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub method: String,
    /// With its query.
    pub path: String,
    /// By lower-case name; of a repeated header the last.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Received {
    /// A header's value, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct Shared {
    requests: Vec<Received>,
    behaviours: BTreeMap<String, Behaviour>,
    once: VecDeque<(String, Behaviour)>,
}

/// The running server.
#[derive(Debug)]
pub struct Receiver {
    url: String,
    shared: Arc<Mutex<Shared>>,
    accepting: JoinHandle<()>,
}

impl Receiver {
    /// Listens on a free port.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen on the loopback interface")?;
        let url = format!("http://{}", listener.local_addr().context("the listener has no address")?);
        let shared = Arc::<Mutex<Shared>>::default();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { url, shared, accepting })
    }

    /// Where it listens: `http://127.0.0.1:49152`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it was asked so far, in the order in which requests were complete.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.shared).requests.clone()
    }

    /// From now on, requests whose path begins so are treated so; the longest beginning counts.
    pub fn answer(&self, path_prefix: &str, behaviour: Behaviour) {
        lock(&self.shared).behaviours.insert(path_prefix.to_owned(), behaviour);
    }

    /// The next request whose path begins so is treated so, before anything that [`Receiver::answer`] said.
    pub fn answer_once(&self, path_prefix: &str, behaviour: Behaviour) {
        lock(&self.shared).once.push_back((path_prefix.to_owned(), behaviour));
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn behaviour(&mut self, path: &str) -> Behaviour {
        if let Some(at) = self.once.iter().position(|(prefix, _)| path.starts_with(prefix.as_str()))
            && let Some((_, behaviour)) = self.once.remove(at)
        {
            return behaviour;
        }
        let longest = self.behaviours.iter().filter(|(prefix, _)| path.starts_with(prefix.as_str())).max_by_key(|(prefix, _)| prefix.len());
        longest.map_or_else(|| Behaviour::status(200, "{}"), |(_, behaviour)| behaviour.clone())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Mutex<Shared>>) {
    // Dropped with this task, and all connections with it.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((connection, _)) => drop(connections.spawn(serve(connection, Arc::clone(&shared)))),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => (),
        }
    }
}

/// The requests of one connection, one after another. One that ends early has nobody left to be told.
async fn serve(mut connection: TcpStream, shared: Arc<Mutex<Shared>>) {
    let mut read = Vec::new();
    while let Some(request) = next(&mut connection, &mut read).await {
        let behaviour = {
            let mut shared = lock(&shared);
            let behaviour = shared.behaviour(&request.path);
            shared.requests.push(request);
            behaviour
        };
        if behave(&mut connection, behaviour).await.is_none() {
            return;
        }
    }
}

/// The next request; none where the connection ends, or says what is no request.
async fn next(connection: &mut TcpStream, read: &mut Vec<u8>) -> Option<Received> {
    let head_end = loop {
        if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at;
        }
        let of_tls = read.first().is_some_and(|byte| !byte.is_ascii_alphabetic());
        if of_tls || read.len() > LONGEST_HEAD || connection.read_buf(read).await.ok()? == 0 {
            return None;
        }
    };
    let mut request = head(read.get(..head_end)?)?;
    let length = request.header("content-length").map_or(Some(0), |length| length.parse::<usize>().ok())?;
    let body_end = head_end + 4 + length;
    while length <= LONGEST_BODY && read.len() < body_end {
        if connection.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
    request.body = read.get(head_end + 4..body_end)?.to_vec();
    read.drain(..body_end);
    Some(request)
}

fn head(bytes: &[u8]) -> Option<Received> {
    let mut lines = std::str::from_utf8(bytes).ok()?.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    Some(Received { method, path, headers: lines.filter_map(header).collect(), body: Vec::new() })
}

/// Some where the connection may go on.
async fn behave(connection: &mut TcpStream, behaviour: Behaviour) -> Option<()> {
    let endless = |status: u16| format!("HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n");
    match behaviour {
        Behaviour::Answers { status, headers, body } => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            let text = format!("HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
            connection.write_all(text.as_bytes()).await.ok()
        }
        Behaviour::Hangs => std::future::pending().await,
        Behaviour::Closes => None,
        Behaviour::Babbles => {
            connection.write_all(b"\x16\x03\x01 what was the question?\r\n\r\n").await.ok()?;
            None
        }
        Behaviour::Floods { status } => {
            connection.write_all(endless(status).as_bytes()).await.ok()?;
            loop {
                connection.write_all(&[b' '; 8_192]).await.ok()?;
            }
        }
        Behaviour::Trickles { status, pause } => {
            connection.write_all(endless(status).as_bytes()).await.ok()?;
            loop {
                connection.write_all(b" ").await.ok()?;
                tokio::time::sleep(pause).await;
            }
        }
        Behaviour::BreaksOff { status } => {
            connection.write_all(format!("{}{{\"id\":", endless(status)).as_bytes()).await.ok()?;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(receiver: &Receiver, request: &str) -> String {
        let mut connection = TcpStream::connect(receiver.url().trim_start_matches("http://")).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _cut_off = tokio::time::timeout(Duration::from_millis(200), connection.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn what_was_asked_is_recorded_whole() {
        let receiver = Receiver::start().await.unwrap();
        let answer =
            asked(&receiver, "POST /a?b=c HTTP/1.1\r\nX-One: 1\r\nContent-Length: 8\r\n\r\n{\"a\":\"b\"GET /d HTTP/1.1\r\n\r\n").await;
        assert_eq!(answer.matches("HTTP/1.1 200 -\r\n").count(), 2, "{answer}");
        let requests = receiver.requests();
        let paths: Vec<_> = requests.iter().map(|request| (request.method.as_str(), request.path.as_str())).collect();
        assert_eq!(paths, [("POST", "/a?b=c"), ("GET", "/d")]);
        assert_eq!((requests[0].header("x-one"), requests[0].body.as_slice()), (Some("1"), b"{\"a\":\"b\"".as_slice()));
        assert_eq!(requests[0].json(), Value::Null);
    }

    #[tokio::test]
    async fn the_longest_beginning_of_a_path_counts_and_once_is_once() {
        let receiver = Receiver::start().await.unwrap();
        receiver.answer("/", Behaviour::status(500, ""));
        receiver.answer("/crm", Behaviour::status(201, "{}").with("retry-after", "3"));
        receiver.answer_once("/crm/v3", Behaviour::Closes);
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\n\r\n");
        assert_eq!(asked(&receiver, &get("/crm/v3/x")).await, "");
        let answer = asked(&receiver, &get("/crm/v3/x")).await;
        assert!(answer.starts_with("HTTP/1.1 201 -\r\n") && answer.contains("\r\nretry-after: 3\r\n"), "{answer}");
        assert!(asked(&receiver, &get("/other")).await.starts_with("HTTP/1.1 500 -\r\n"));
    }
}
