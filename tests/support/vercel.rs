//! The Vercel CLI on copies of the source tree.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

use super::process::{Process, clear_configuration};
use super::{Client, ReservedPort, http_client};

/// The time limit for the CLI to compile everything on a slow and busy machine.
const BUILD_LIMIT: Duration = Duration::from_secs(900);

/// A copy of the source tree.
#[derive(Debug)]
pub struct Tree(TempDir);

impl Tree {
    /// Copies the files that git tracks or would add.
    pub fn checked_out() -> Self {
        Self::copy(&git_files(&["-co", "--exclude-standard"]))
    }

    /// Copies the deployed files: all except those that `.vercelignore` lists with git's patterns.
    pub fn deployed() -> Self {
        let mut files = git_files(&["-co", "--exclude-standard"]);
        for kind in ["-ci", "-oi"] {
            let ignored = git_files(&[kind, "--exclude-from=.vercelignore"]);
            files.retain(|file| !ignored.contains(file));
        }
        Self::copy(&files)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn read(&self, file: &str) -> String {
        let path = self.path().join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Copies files with the time at which their content was first seen, which is kept beside the CLI's builds:
    /// cargo would compile files again that are newer than its last build.
    fn copy(files: &[PathBuf]) -> Self {
        static SEEN: Mutex<()> = Mutex::new(());
        let _alone = SEEN.lock().unwrap();
        let tree = Self(TempDir::new().unwrap());
        for file in files {
            let content = fs::read(repository().join(file)).unwrap();
            let seen = target_directory().join("seen").join(file);
            if fs::read(&seen).ok().as_ref() != Some(&content) {
                fs::create_dir_all(seen.parent().unwrap()).unwrap();
                fs::write(&seen, &content).unwrap();
            }
            let copy = tree.path().join(file);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(repository().join(file), &copy).unwrap();
            let time = fs::metadata(&seen).unwrap().modified().unwrap();
            File::options()
                .write(true)
                .open(&copy)
                .unwrap()
                .set_modified(time)
                .unwrap();
        }
        tree
    }
}

/// A running CLI. It ends together with its children, however the test ends.
#[derive(Debug)]
pub struct Cli {
    process: Process,
    reaper: Child,
    _port: Option<ReservedPort>,
    _configuration: TempDir,
}

impl Cli {
    /// Starts `vercel dev`, and waits until the first function is compiled and answers.
    pub async fn dev(tree: &Tree) -> (Self, Client, String) {
        let port = ReservedPort::new();
        let listen = format!("127.0.0.1:{port}");
        let mut cli = Self::start(tree, &["dev", "--local", "--listen", &listen], &[]);
        cli._port = Some(port);
        let ready = "Ready! Available at ";
        assert!(
            cli.process.wait_for(ready, Duration::from_secs(60)).await,
            "{cli:?}"
        );
        // If the port was taken, the CLI has chosen another one.
        let output = cli.process.output();
        let base = output
            .split_once(ready)
            .unwrap()
            .1
            .lines()
            .next()
            .unwrap()
            .trim();
        let first = http_client()
            .build()
            .unwrap()
            .get(format!("{base}/api/health"));
        let answer = first.timeout(BUILD_LIMIT).send().await;
        assert!(answer.is_ok_and(|answer| answer.status() == 200), "{cli:?}");
        (cli, Client::http(base), base.to_owned())
    }

    /// Runs `vercel build` as Vercel does, without a network. Functions are compiled without the optimization of a
    /// deployment, which takes minutes and changes only their speed and size.
    pub async fn build(tree: &Tree) {
        let project = r#"{"projectId":"prj_x","orgId":"team_x","settings":{"framework":null}}"#;
        tree.write(".vercel/project.json", project);
        let environment = [
            ("VERCEL_BUILD_IMAGE", "1"),
            ("CARGO_NET_OFFLINE", "true"),
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ];
        let mut cli = Self::start(tree, &["build", "--yes"], &environment);
        assert_eq!(cli.process.exit_code(BUILD_LIMIT).await, Some(0), "{cli:?}");
    }

    fn start(tree: &Tree, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let program = repository().join("tests/node_modules/.bin/vercel");
        assert!(
            program.exists(),
            "the Vercel CLI is not installed: run `make setup`"
        );
        let configuration = TempDir::new().unwrap();
        // Compiling must not slow down concurrent tests with time limits.
        let mut command = Command::new("nice");
        clear_configuration(&mut command);
        clear_package(&mut command);
        command
            .args(["-n", "10"])
            .arg(program)
            .args(arguments)
            .arg("--global-config")
            .arg(configuration.path())
            .current_dir(tree.path())
            .env("CARGO_TARGET_DIR", target_directory())
            .env("VERCEL_TELEMETRY_DISABLED", "1")
            .envs(environment.iter().copied())
            .process_group(0);
        let process = Process::spawn(&mut command);
        let reaper = reaper(process.id());
        Self {
            process,
            reaper,
            _port: None,
            _configuration: configuration,
        }
    }
}

impl Drop for Cli {
    fn drop(&mut self) {
        drop(self.reaper.stdin.take());
        let _ = self.reaper.wait();
    }
}

/// Kills a process group when its standard input closes: at the latest with this process, even if that is
/// killed before it drops anything.
fn reaper(group: u32) -> Child {
    Command::new("sh")
        .args([
            "-c",
            r#"read -r _; kill -s KILL -- "-$0""#,
            &group.to_string(),
        ])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Removes the variables of `cargo test` about the package under test. Build scripts depend on them, so crates would
/// be compiled again whenever a test is started in another way.
fn clear_package(command: &mut Command) {
    let about_package = ["CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_PKG_"];
    for (name, _) in std::env::vars() {
        if about_package.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
}

/// The target folder of the CLI's builds, separate from the folder of `cargo test` and kept for the next run.
fn target_directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("vercel")
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files that `git ls-files` lists, without deleted ones.
fn git_files(arguments: &[&str]) -> Vec<PathBuf> {
    let mut command = Command::new("git");
    command
        .args(["ls-files", "-z"])
        .args(arguments)
        .current_dir(repository());
    let output = command.output().expect("git is not installed");
    assert!(output.status.success(), "{command:?}: {output:?}");
    let files = String::from_utf8(output.stdout).unwrap();
    let files = files.split_terminator('\0').map(PathBuf::from);
    files
        .filter(|file| repository().join(file).is_file())
        .collect()
}
