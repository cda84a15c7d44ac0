//! A listener on this machine that gives the answers it was told, in their order, whatever it is asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub enum Answer {
    /// As it is, then the connection is closed.
    Raw(Vec<u8>),
    /// A JSON document, and the connection stays.
    Json(Vec<u8>),
    /// Until nobody takes any more.
    Endless,
    EndlessHeaders,
    /// A length, and as much as is taken of it.
    Announced(u64),
    /// Nothing, and the connection stays.
    Silence,
    Slow,
}

pub fn json(status: u16, body: &str) -> Answer {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    Answer::Json(format!("{head}{body}").into_bytes())
}

#[derive(Default)]
struct Shared {
    answers: Mutex<Vec<Answer>>,
    seen: Mutex<Vec<String>>,
    written: AtomicU64,
}

pub struct StandIn {
    port: u16,
    shared: Arc<Shared>,
}

impl StandIn {
    pub fn new(mut answers: Vec<Answer>) -> Self {
        answers.reverse();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { answers: Mutex::new(answers), ..Shared::default() });
        let theirs = Arc::clone(&shared);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&theirs);
                std::thread::spawn(move || shared.talk(stream.unwrap()));
            }
        });
        Self { port, shared }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The requests, whole.
    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn talk(&self, mut stream: TcpStream) {
        while let Some(request) = request(&mut stream) {
            self.seen.lock().unwrap().push(request);
            let Some(answer) = self.answers.lock().unwrap().pop() else { return };
            if !self.say(&mut stream, answer) {
                return;
            }
        }
    }

    /// Whether the connection stays.
    fn say(&self, stream: &mut TcpStream, answer: Answer) -> bool {
        let mut say = |bytes: &[u8]| {
            self.written.fetch_add(u64::try_from(bytes.len()).unwrap(), Ordering::SeqCst);
            stream.write_all(bytes).is_ok()
        };
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        match answer {
            Answer::Raw(bytes) => {
                say(&bytes);
                false
            }
            Answer::Json(bytes) => say(&bytes),
            Answer::Endless => {
                say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                while say(chunk.as_bytes()) {}
                false
            }
            Answer::EndlessHeaders => {
                say(b"HTTP/1.1 200 OK\r\n");
                while say(b"X-More: and more\r\n") {}
                false
            }
            Answer::Announced(length) => {
                say(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes());
                for _ in 0..length / 0x10000 {
                    if !say(&[b' '; 0x10000]) {
                        break;
                    }
                }
                false
            }
            Answer::Silence => true,
            Answer::Slow => {
                say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
                while say(b" ") {
                    std::thread::sleep(Duration::from_millis(50));
                }
                false
            }
        }
    }
}

/// Head and body of the next one; `None` where there is none.
fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        // What is no HTTP, as TLS, does not wait for its end.
        if stream.read(&mut byte).ok()? == 0 || bytes.first() == Some(&0x16) {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
