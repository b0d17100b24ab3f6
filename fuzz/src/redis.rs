//! A minimal Redis that returns one document, even a malformed one, for every key, and stores its update.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use llmos::store::Store;

/// The stored data.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub document: Vec<u8>,
    pub message: Vec<u8>,
    pub activity: i64,
}

/// The store, connected to the stored data.
pub struct Redis {
    pub store: Store,
    pub stored: Arc<Mutex<Stored>>,
}

impl Default for Redis {
    fn default() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let stored = Arc::<Mutex<Stored>>::default();
        let served = stored.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let stored = served.clone();
                thread::spawn(move || serve(&stream, &stored));
            }
        });
        Self {
            store: Store::new(Some(url), None),
            stored,
        }
    }
}

fn serve(mut stream: &TcpStream, stored: &Mutex<Stored>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let command = read_command(&mut reader)?;
        let answer = answer(&command, &mut stored.lock().unwrap());
        stream.write_all(&answer)?;
    }
}

/// Returns a script's reply to a caller without a rate limit.
fn without_limit(returned: &[u8]) -> Vec<u8> {
    [b"*2\r\n_\r\n", returned].concat()
}

/// Answers a command. The number of arguments identifies the script.
fn answer(command: &[Vec<u8>], stored: &mut Stored) -> Vec<u8> {
    let (count, activity) = (integer(1), integer(stored.activity));
    match command {
        [name, ..] if name == b"HELLO" => b"%1\r\n$5\r\nproto\r\n:3\r\n".to_vec(),
        // find.lua
        [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] => without_limit(&array(&[
            string(b"write"),
            string(&stored.document),
            count,
            activity,
            integer(1),
            array(&[string(&stored.message)]),
            integer(0),
        ])),
        // update.lua
        [_, _, _, _, _, _, read, new, _, _, _, _, _, _, _, _] => {
            if *read != stored.document {
                return without_limit(&array(&[
                    string(b"changed"),
                    string(&stored.document),
                    count,
                    activity,
                ]));
            }
            stored.document.clone_from(new);
            without_limit(&array(&[string(b"updated"), count, activity]))
        }
        _ => b"+OK\r\n".to_vec(),
    }
}

fn read_command(reader: &mut impl BufRead) -> Result<Vec<Vec<u8>>> {
    (0..read_number(reader)?)
        .map(|_| {
            let mut text = vec![0; read_number(reader)? + 2];
            reader.read_exact(&mut text)?;
            text.truncate(text.len() - 2);
            Ok(text)
        })
        .collect()
}

/// Reads a line of a type character and a number.
fn read_number(reader: &mut impl BufRead) -> Result<usize> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let number = line
        .get(1..)
        .and_then(|digits| digits.trim_end().parse().ok());
    number.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

fn integer(number: i64) -> Vec<u8> {
    format!(":{number}\r\n").into_bytes()
}

fn string(text: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat()
}

fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [format!("*{}\r\n", items.len()).into_bytes(), items.concat()].concat()
}
