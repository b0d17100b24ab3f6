//! Durability of the local Blob store: crashes, concurrent writers, many and large blobs.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::http::Method;
use futures_util::{StreamExt, stream};
use llmos::local::blob_store::{BlobStore, LOCAL_TOKEN};
use reqwest::Body;
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::http::{Protocol, assert_error, json};
use crate::support::{BlobServer, Process};

/// An address that rejects connections: these tests need no Redis.
const NO_REDIS: (&str, &str) = ("REDIS_URL", "redis://127.0.0.1:1");

async fn start(directory: &Path) -> (Process, Arc<Protocol>) {
    let (process, api) = Process::local_server(directory, &[NO_REDIS]).await;
    let api_url = format!("http://{}/_blob", api.unwrap().address());
    (process, Arc::new(Protocol::new(&api_url)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_conditional_puts_succeed_once() {
    let server = BlobServer::start().await;
    let blobs = Arc::new(Protocol::new(&server.api_url()));
    let mut etag = json(blobs.put("a", "start")).await["etag"].clone();
    for round in 0..10 {
        let writers = (0..16).map(|writer| {
            let put = blobs.put("a", format!("{round} {writer}"));
            put.header("x-if-match", etag.as_str().unwrap()).send()
        });
        let answers = futures_util::future::join_all(writers.map(tokio::spawn)).await;
        let mut statuses: Vec<u16> = Vec::new();
        for answer in answers {
            statuses.push(answer.unwrap().unwrap().status().as_u16());
        }
        statuses.sort_unstable();
        let mut expected = [412; 16];
        expected[0] = 200;
        assert_eq!(statuses, expected);
        etag = json(blobs.get(&[("url", "a")])).await["etag"].clone();
    }
    let creators = (0..16).map(|writer| blobs.create("new", format!("{writer}")).send());
    let answers = futures_util::future::join_all(creators.map(tokio::spawn)).await;
    let created = answers.into_iter().filter(|answer| {
        let answer = answer.as_ref().unwrap().as_ref().unwrap();
        answer.status() == 200
    });
    assert_eq!(created.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_blobs_are_listed_in_pages() {
    let server = BlobServer::start().await;
    let blobs = Arc::new(Protocol::new(&server.api_url()));
    let names: Vec<String> = (0..10_050)
        .map(|i| format!("f{:03}/{i:05}", i % 300))
        .collect();
    stream::iter(names.clone())
        .for_each_concurrent(32, |name| {
            let put = blobs.put(&name, "x");
            async move { drop(json(put).await) }
        })
        .await;
    let mut sorted = names;
    sorted.sort_unstable();

    let pages = pages(&blobs, &[]).await;
    assert_eq!(pages.0, sorted);
    assert_eq!(pages.1, 11);
    let folded = self::pages(&blobs, &[("mode", "folded"), ("limit", "70")]).await;
    let folders: Vec<String> = (0..300).map(|i| format!("f{i:03}/")).collect();
    assert_eq!(folded, (folders, 5));
    let below = self::pages(&blobs, &[("prefix", "f007/"), ("limit", "10")]).await;
    assert_eq!(below.0.len(), 34);
}

/// Returns the names of all blobs and folders in order, and the number of pages.
async fn pages(blobs: &Protocol, query: &[(&str, &str)]) -> (Vec<String>, usize) {
    let (mut names, mut count, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let mut query = query.to_vec();
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = json(blobs.get(&query)).await;
        count += 1;
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        names.extend(page["folders"].as_array().into_iter().flatten().map(text));
        let found = page["blobs"].as_array().unwrap().iter();
        names.extend(found.map(|blob| text(&blob["pathname"])));
        assert_eq!(page["hasMore"], page["cursor"].is_string());
        match page["cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return (names, count),
        }
    }
}

/// Returns a content that shows whether it is complete: the version number, repeated version times.
fn content(version: usize) -> String {
    format!("{version};").repeat(1 + version * 7919 % 20_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn blob_after_a_kill_is_the_old_or_the_new_version() {
    const WRITERS: usize = 8;
    let directory = TempDir::new().unwrap();
    // The last acknowledged version of each writer.
    let acknowledged = Arc::new(Mutex::new([0; WRITERS]));
    let mut total = 0;
    for round in 0..6_u64 {
        let (mut process, blobs) = start(directory.path()).await;
        let begun = acknowledged.lock().await.to_owned();
        check(&blobs, &begun, round > 0).await;
        let writers = (0..WRITERS).map(|writer| {
            let (blobs, acknowledged) = (blobs.clone(), acknowledged.clone());
            tokio::spawn(async move {
                // The killed run may have written one version without acknowledging it.
                for version in begun[writer] + 2.. {
                    let put = blobs.put(&format!("w{writer}"), content(version));
                    match put.send().await {
                        Ok(answer) => assert_eq!(answer.status(), 200),
                        Err(_) => return,
                    }
                    acknowledged.lock().await[writer] = version;
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        tokio::time::sleep(Duration::from_millis(100 + 37 * round)).await;
        process.signal("-KILL");
        for writer in writers {
            writer.await.unwrap();
        }
        process.exit_code(Duration::from_secs(10)).await;
        total += acknowledged.lock().await.iter().sum::<usize>();
    }
    assert!(total > 0);
    let (_process, blobs) = start(directory.path()).await;
    check(&blobs, &acknowledged.lock().await.to_owned(), true).await;
    let temporary = directory.path().join(".llmos/blob/temporary");
    assert_eq!(fs::read_dir(temporary).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn renamed_blob_after_a_kill_exists_under_at_least_one_name() {
    let directory = TempDir::new().unwrap();
    let (mut process, mut blobs) = start(directory.path()).await;
    let text = content(77);
    json(blobs.put("start", text.clone())).await;
    for round in 0..5_u64 {
        let found = json(blobs.get(&[])).await["blobs"].clone();
        let found = found.as_array().unwrap();
        assert!([1, 2].contains(&found.len()), "{found:?}");
        for blob in found {
            let name = blob["pathname"].as_str().unwrap();
            let answer = blobs.content(name).send().await.unwrap();
            assert!(answer.text().await.unwrap() == text, "{name}");
        }
        let mut name = found[0]["pathname"].as_str().unwrap().to_owned();
        for other in &found[1..] {
            json(blobs.delete(&[other["pathname"].as_str().unwrap()])).await;
        }
        let caller = blobs.clone();
        let renaming = tokio::spawn(async move {
            for step in 0.. {
                let next = format!("{round}-{step}");
                let query = [("pathname", next.as_str()), ("fromUrl", &name)];
                let rename = caller.request(Method::POST, "/rename", &query);
                let rename = rename.header("x-vercel-blob-access", "private");
                match rename.send().await {
                    Ok(answer) => assert_eq!(answer.status(), 200),
                    Err(_) => return,
                }
                name = next;
            }
        });
        tokio::time::sleep(Duration::from_millis(60 + 23 * round)).await;
        process.signal("-KILL");
        renaming.await.unwrap();
        process.exit_code(Duration::from_secs(10)).await;
        (process, blobs) = start(directory.path()).await;
    }
}

/// Checks that each blob is complete and is the last acknowledged version or the next one.
async fn check(blobs: &Protocol, acknowledged: &[usize], must_exist: bool) {
    for (writer, acknowledged) in acknowledged.iter().enumerate() {
        let name = format!("w{writer}");
        let answer = blobs.content(&name).send().await.unwrap();
        if answer.status() == 404 {
            assert!(!must_exist || *acknowledged == 0, "{name} is lost");
            continue;
        }
        let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
        let text = answer.text().await.unwrap();
        let known = json(blobs.get(&[("url", &name)])).await;
        assert_eq!(known["etag"], etag);
        assert_eq!(known["size"], text.len());
        let version: usize = text.split(';').next().unwrap().parse().unwrap();
        assert!(text == content(version), "{name} is half written");
        assert!(
            version == *acknowledged || version == acknowledged + 1 || version == acknowledged + 2,
            "{name} is {version} after {acknowledged}"
        );
    }
}

#[tokio::test]
async fn folder_is_locked_by_one_store_and_keeps_its_blobs() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("blob");
    let first = BlobStore::open(&path, LOCAL_TOKEN).unwrap();
    let second = BlobStore::open(&path, LOCAL_TOKEN).unwrap_err().to_string();
    assert!(
        second.contains("another local server is running in"),
        "{second}"
    );
    drop(first);

    // Files that a killed run or a user may leave behind.
    for name in ["temporary/half", "blobs/not-a-blob", "uploads/no-upload"] {
        fs::write(path.join(name), "x").unwrap();
    }
    let store = BlobStore::open(&path, LOCAL_TOKEN).unwrap();
    assert_eq!(fs::read_dir(path.join("temporary")).unwrap().count(), 0);
    assert_eq!(store.unreadable().len(), 1);
    assert!(path.join("blobs/not-a-blob").exists());
}

#[tokio::test]
async fn abandoned_uploads_are_removed_after_a_day() {
    let directory = TempDir::new().unwrap();
    let uploads = directory.path().join("uploads");
    drop(BlobStore::open(directory.path(), LOCAL_TOKEN).unwrap());
    for (name, hours) in [("young", 23), ("old", 25)] {
        fs::create_dir(uploads.join(name)).unwrap();
        fs::write(uploads.join(name).join("1-part"), "x").unwrap();
        let time = SystemTime::now() - Duration::from_secs(hours * 60 * 60);
        let folder = fs::File::open(uploads.join(name)).unwrap();
        folder.set_modified(time).unwrap();
    }

    drop(BlobStore::open(directory.path(), LOCAL_TOKEN).unwrap());
    assert!(uploads.join("young").exists());
    assert!(!uploads.join("old").exists());
}

#[tokio::test]
async fn blobs_of_the_local_server_survive_a_restart() {
    let directory = TempDir::new().unwrap();
    let (mut process, blobs) = start(directory.path()).await;
    let written = json(blobs.put("a/ä.txt", "hello")).await;
    let (mut second, none) = Process::local_server(directory.path(), &[NO_REDIS]).await;
    assert!(none.is_none());
    assert_eq!(second.exit_code(Duration::from_secs(10)).await, Some(1));
    let output = second.output();
    assert!(
        output.contains("another local server is running in"),
        "{output}"
    );
    process.signal("-TERM");
    assert_eq!(process.exit_code(Duration::from_secs(10)).await, Some(0));

    let (_process, blobs) = start(directory.path()).await;
    let known = json(blobs.get(&[("url", "a/ä.txt")])).await;
    assert_eq!(known["etag"], written["etag"]);
    let content = blobs.content("a/%C3%A4.txt").send().await.unwrap();
    assert_eq!(content.text().await.unwrap(), "hello");
    assert_error(
        blobs.get(&[("url", "b")]),
        404,
        "not_found",
        "does not exist",
    )
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn large_blob_is_streamed_without_buffering() {
    const CHUNK: usize = 1024 * 1024;
    const CHUNKS: usize = 200;
    let directory = TempDir::new().unwrap();
    let (process, blobs) = start(directory.path()).await;
    let peak = || {
        let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<usize>()
            .unwrap()
            * 1024
    };
    json(blobs.put("small", "x")).await;
    let before = peak();

    let chunks = (0..CHUNKS).map(|_| Ok::<_, std::io::Error>(vec![7; CHUNK]));
    json(blobs.put("large", Body::wrap_stream(stream::iter(chunks)))).await;
    let mut answer = blobs.content("large").send().await.unwrap();
    let mut length = 0;
    while let Some(chunk) = answer.chunk().await.unwrap() {
        length += chunk.len();
    }
    assert_eq!(length, CHUNK * CHUNKS);
    let grown = peak() - before;
    assert!(grown < 32 * CHUNK, "{} MB for 200 MB", grown / CHUNK);
}
