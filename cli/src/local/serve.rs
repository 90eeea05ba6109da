//! The results page over HTTP, for as long as a run is kept: files of one folder, to this machine only.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The longest request line that is read.
const LONGEST_LINE: u64 = 4_096;

/// Serves a folder on a free port of the loopback address, and gives its URL.
///
/// # Errors
/// No port is free.
pub async fn serve(folder: PathBuf) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot serve the results page")?;
    let url = format!("http://{}/", listener.local_addr().context("cannot serve the results page")?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let folder = folder.clone();
            // Whoever goes away in the middle gets no answer; nobody else is concerned.
            tokio::spawn(async move { answer(stream, &folder).await.ok() });
        }
    });
    Ok(url)
}

async fn answer(stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    use tokio::io::AsyncReadExt;
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    (&mut stream).take(LONGEST_LINE).read_line(&mut line).await?;
    let file = file(line.trim_end(), folder);
    let (status, kind, body) = match file.and_then(|path| Some((kind(&path), std::fs::read(path).ok()?))) {
        Some((kind, body)) => ("200 OK", kind, body),
        None => ("404 Not Found", "text/plain", b"not found\n".to_vec()),
    };
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

/// The file that a request line asks for; none outside the folder.
fn file(line: &str, folder: &Path) -> Option<PathBuf> {
    let path = line.strip_prefix("GET /")?.split([' ', '?']).next()?;
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    path.components().all(|part| matches!(part, Component::Normal(_))).then(|| folder.join(path))
}

fn kind(path: &Path) -> &'static str {
    if path.extension().is_some_and(|extension| extension == "html") { "text/html" } else { "text/plain" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_served() {
        let asked = |line: &str| file(line, Path::new("out")).map(|path| path.display().to_string());
        assert_eq!(asked("GET / HTTP/1.1").as_deref(), Some("out/index.html"));
        assert_eq!(asked("GET /mails/001.html?x HTTP/1.1").as_deref(), Some("out/mails/001.html"));
        for line in ["GET /../secret HTTP/1.1", "GET //etc/passwd HTTP/1.1", "GET /a/../../b HTTP/1.1", "POST / HTTP/1.1", "", "GET"] {
            assert_eq!(asked(line), None, "{line}");
        }
    }
}
