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

/// The number of arguments of calls of find.lua and of update.lua: those of EVAL, eight keys, and the arguments of the
/// script and of every call.
const FIND_ARGUMENTS: usize = 26;
const UPDATE_ARGUMENTS: usize = 23;
/// The positions of the arguments that the calls are answered by.
const FIND_LIMIT: usize = 15;
const UPDATE_READ: usize = 13;
const UPDATE_NEW: usize = 14;

/// Answers a command. The number of arguments identifies the script. All other commands return a text, so that sessions
/// are not read with plain commands.
fn answer(command: &[Vec<u8>], stored: &mut Stored) -> Vec<u8> {
    let session = |document: &[u8], stored: &Stored| {
        let (count, last_seq) = (integer(1), integer(1));
        [string(document), count, last_seq, integer(stored.activity)]
    };
    match command.len() {
        _ if command[0] == b"HELLO" => b"%1\r\n$5\r\nproto\r\n:3\r\n".to_vec(),
        FIND_ARGUMENTS => {
            let part = array(&[integer(1), b"_\r\n".to_vec(), array(&[string(&stored.message)])]);
            let parts = if command[FIND_LIMIT] == b"0" { vec![] } else { vec![part] };
            let mut reply = vec![string(b"write")];
            reply.extend(session(&stored.document, stored));
            reply.extend([integer(0), array(&parts), array(&[])]);
            without_limit(&array(&reply))
        }
        UPDATE_ARGUMENTS => {
            let is_read = command[UPDATE_READ] == stored.document;
            if is_read {
                stored.document.clone_from(&command[UPDATE_NEW]);
            }
            let mut reply = vec![string(if is_read { b"updated" } else { b"changed" })];
            reply.extend(session(&stored.document, stored));
            without_limit(&array(&reply))
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
