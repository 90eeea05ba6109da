//! A server on the loopback interface that takes forms as SNS does, and gives one answer to all of them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

#[derive(Clone)]
pub enum Answer {
    /// A status and a body.
    Says(u16, String),
    /// The connection ends without a byte.
    Closes,
    /// Nothing, for as long as somebody listens.
    Nothing,
}

pub struct Server {
    pub url: String,
    forms: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let server = Self { url: format!("http://{}", listener.local_addr().expect("an address")), forms: Arc::default() };
        let forms = Arc::clone(&server.forms);
        spawn(move || {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept() {
                forms.lock().expect("no test panicked").push(form(&stream));
                match &answer {
                    Answer::Says(status, body) => {
                        let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                        stream.write_all(format!("{head}{body}").as_bytes()).expect("an answer can be written");
                    }
                    Answer::Closes => drop(stream),
                    Answer::Nothing => open.push(stream),
                }
            }
        });
        server
    }

    /// The body of every request that came in.
    pub fn forms(&self) -> Vec<String> {
        self.forms.lock().expect("no test panicked").clone()
    }
}

fn form(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let head: Vec<_> = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.expect("a request says how long it is")];
    reader.read_exact(&mut body).expect("a body is as long as it says");
    String::from_utf8(body).expect("a form is text")
}
