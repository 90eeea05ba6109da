//! HTTP as far as the emulator's own pages need it: one request, one answer, over a loopback connection.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request without a body and returns the body of the answer.
///
/// # Errors
/// No connection, an answer that is not HTTP, or a status other than 200.
pub(crate) async fn request(address: SocketAddr, method: &str, path: &str) -> Result<Vec<u8>> {
    call(address, method, path, &[]).await
}

/// Sends a request and returns the body of the answer.
///
/// # Errors
/// As [`request`].
pub(crate) async fn call(address: SocketAddr, method: &str, path: &str, content: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(content).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    body(&answer).with_context(|| format!("{method} {path}"))
}

fn body(answer: &[u8]) -> Result<Vec<u8>> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("the answer has no end of its head")?;
    let (head, rest) = answer.split_at(end);
    let body = rest.get(4..).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status != "200" {
        bail!("the answer has status {status}: {}", String::from_utf8_lossy(body));
    }
    if head.contains("transfer-encoding: chunked") { dechunk(body) } else { Ok(body.to_vec()) }
}

fn dechunk(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|bytes| bytes == b"\r\n").context("a chunk has no size")?;
        let (size, after) = rest.split_at(end);
        let size = usize::from_str_radix(String::from_utf8_lossy(size).trim(), 16).context("a chunk's size is no number")?;
        let after = after.get(2..).unwrap_or_default();
        if size == 0 {
            return Ok(whole);
        }
        whole.extend_from_slice(after.get(..size).context("a chunk is cut short")?);
        rest = after.get(size + 2..).context("a chunk has no end")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_body_is_what_follows_the_head() {
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}").unwrap(), b"{}");
    }

    #[test]
    fn chunks_are_joined() {
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").unwrap(), b"abcde");
    }

    #[test]
    fn another_status_is_an_error_with_the_body() {
        let error = body(b"HTTP/1.1 503 Busy\r\n\r\nlater").unwrap_err();
        assert_eq!(error.to_string(), "the answer has status 503: later");
    }
}
