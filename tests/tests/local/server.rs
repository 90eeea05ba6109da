//! A server on the loopback interface that takes requests as a service of AWS does, and answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// What follows a request.
#[derive(Clone, Copy)]
pub enum Answer {
    /// A status, a type of error if it is one, and a body.
    Says(u16, &'static str, &'static str),
    /// A status, and a body that breaks off.
    BreaksOff(u16),
    /// The connection ends without a byte.
    Closes,
    /// Nothing, for as long as somebody listens.
    Nothing,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub line: String,
    pub body: Value,
}

pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Gives one answer after the other, and the last one from then on.
    pub fn start(answers: &[Answer]) -> Self {
        let answers = answers.to_vec();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming().flatten() {
                let request = read(&stream);
                let count = {
                    let mut seen = seen.lock().expect("no test panicked");
                    seen.push(request);
                    seen.len()
                };
                if let Some(answer) = answers.get(count - 1).or(answers.last()) {
                    reply(&stream, *answer);
                }
                open.push(stream);
            }
        });
        Self { url, requests }
    }

    /// Every request that came in.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test panicked").clone()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("a request begins with a line");
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).expect("a header is a line");
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(bytes) = header.strip_prefix("content-length:") {
            length = bytes.trim().parse().expect("a length is a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body is as long as it says");
    Request { line: line.trim().to_owned(), body: serde_json::from_slice(&body).expect("a request is JSON") }
}

fn reply(mut stream: &TcpStream, answer: Answer) {
    match answer {
        Answer::Says(status, kind, body) => {
            let kind = if kind.is_empty() { String::new() } else { format!("x-amzn-errortype: {kind}\r\n") };
            let head = format!(
                "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n{kind}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("an answer can be written");
            let _gone_already = stream.shutdown(Shutdown::Write);
        }
        Answer::BreaksOff(status) => {
            let head = format!("HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{");
            stream.write_all(head.as_bytes()).expect("an answer can be written");
            let _gone_already = stream.shutdown(Shutdown::Both);
        }
        Answer::Closes => {
            let _gone_already = stream.shutdown(Shutdown::Both);
        }
        Answer::Nothing => (),
    }
}
