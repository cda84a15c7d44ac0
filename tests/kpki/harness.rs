//! Runs the built program in a directory of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use kpki::cli::environment::Terminal;
use kpki::clock::Clock;
use kpki::run::Environment;
use rustix::fs::{StatVfsMountFlags, statvfs};
use tempfile::TempDir;

/// Every test's "now": inside the lifetime of all fixtures that have not expired.
pub const NOW: &str = "2026-11-20T22:00:00Z";

/// No run takes this long, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(600);

/// The verbs that write what is dated: their names on the command line.
fn writers() -> &'static [Vec<String>] {
    static WRITERS: OnceLock<Vec<Vec<String>>> = OnceLock::new();
    WRITERS.get_or_init(|| {
        fn below(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
            for verb in command.get_subcommands() {
                let path = [path, &[verb.get_name().to_owned()]].concat();
                below(verb, &path, found);
                if verb.get_arguments().any(|argument| argument.get_id() == "allow_future") {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        below(&kpki::cli::command(), &[], &mut found);
        found
    })
}

/// Tests choose their instants, whatever the clock of the machine says: what writes is told that it may.
pub fn at_any_time<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let is_dated = words.iter().any(|word| *word == "--at" || word.starts_with("--at="));
    let is_verb =
        |verb: &&Vec<String>| verb.len() <= words.len() && verb.iter().zip(words).all(|(one, word)| one == word);
    let length = writers().iter().find(is_verb).filter(|_| is_dated).map_or(0, Vec::len);
    let (verb, rest) = words.split_at(length);
    [verb, if length > 0 { &["--allow-future"] } else { &[] }, rest].concat()
}

/// In memory where there is room and programs may run, unless TMPDIR says where: thousands of trees are made and removed, every file of
/// them synced.
fn scratch() -> TempDir {
    static MEMORY: OnceLock<Option<&Path>> = OnceLock::new();
    let memory = MEMORY.get_or_init(|| {
        let path = Path::new("/dev/shm");
        let about = statvfs(path).ok().filter(|_| std::env::var_os("TMPDIR").is_none())?;
        let has_room = about.f_bavail.saturating_mul(about.f_frsize) >= 1 << 30;
        (has_room && !about.f_flag.contains(StatVfsMountFlags::NOEXEC)).then_some(path)
    });
    memory.map_or_else(TempDir::new, TempDir::new_in).unwrap()
}

/// A place to run in.
pub struct Place {
    dir: TempDir,
}

/// What one run said.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    /// Something below the place is not as it was before.
    pub wrote: bool,
}

impl Place {
    pub fn new() -> Self {
        let dir = scratch();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Whatever the umask, nobody else can write to what is made here.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::DirBuilder::new().recursive(true).mode(0o755).create(path.parent().unwrap()).unwrap();
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&path).unwrap();
        file.write_all(text.as_ref()).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// kpki with these words, in this place, with an empty environment.
    pub fn kpki(&self, words: &[&str]) -> Run {
        self.kpki_with(words, b"")
    }

    /// The same with something on standard input. A run that hangs is killed, and has status -1.
    pub fn kpki_with(&self, words: &[&str], stdin: &[u8]) -> Run {
        self.kpki_in(words, stdin, &[])
    }

    /// The same with these environment variables.
    pub fn kpki_in(&self, words: &[&str], stdin: &[u8], variables: &[(&str, &str)]) -> Run {
        let before = self.files();
        let mut child = Command::new(env!("CARGO_BIN_EXE_kpki"))
            .args(at_any_time(words))
            .current_dir(self.dir.path())
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(if stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who does not read it is no failure.
        let _ = child.stdin.take().map(|mut input| input.write_all(stdin));
        let process = rustix::process::Pid::from_child(&child);
        let (ended, end) = mpsc::channel::<()>();
        let watch = thread::spawn(move || {
            if end.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
            }
        });
        let output = child.wait_with_output().unwrap();
        drop(ended);
        watch.join().unwrap();
        Run {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            wrote: self.files() != before,
        }
    }

    /// Everything below the place but the locks, which come and go.
    pub fn files(&self) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut files = tree(self.dir.path());
        files.retain(|name, _| !name.ends_with(".kpki/lock"));
        files
    }

    /// `kpki init --at NOW` with these words.
    pub fn init(&self, words: &[&str]) -> Run {
        self.kpki(&[&["init", "--at", NOW], words].concat())
    }
}

impl Run {
    /// It succeeded, and had nothing to complain about.
    #[track_caller]
    pub fn ok(self) -> Self {
        let run = self.status(0);
        assert_eq!(run.stderr, "", "stdout: {}", run.stdout);
        run
    }

    /// It succeeded with a warning.
    #[track_caller]
    pub fn warns(self) -> Self {
        let run = self.status(0);
        assert!(run.stderr.starts_with("warning: ") || run.stderr.starts_with("note: "), "{}", run.stderr);
        run
    }

    /// It was refused: an error, no report, and nothing was written.
    #[track_caller]
    pub fn fails(self, status: i32) -> Self {
        let run = self.status(status);
        assert!(run.stderr.contains("error: "), "stderr: {}", run.stderr);
        assert_eq!(run.stdout, "", "stderr: {}", run.stderr);
        assert!(!run.wrote, "a refusal changed the disk: {}", run.stderr);
        run
    }

    /// It ended with this status, and may have reported and written something.
    #[track_caller]
    pub fn status(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}

/// Every file below a directory: relative path to (mode, content). Directories end with `/` and have no content.
pub fn tree(root: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root).min_depth(1).sort_by_file_name() {
        let entry = entry.unwrap();
        let relative = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let meta = entry.path().symlink_metadata().unwrap();
        let mode = meta.permissions().mode() & 0o7777;
        if meta.is_dir() {
            files.insert(relative + "/", (mode, Vec::new()));
        } else if meta.is_file() {
            files.insert(relative, (mode, fs::read(entry.path()).unwrap()));
        } else {
            files.insert(relative + "@", (mode, Vec::new()));
        }
    }
    files
}

/// The names in a tree, without kpki's own state.
pub fn names(root: &Path) -> Vec<String> {
    tree(root).into_keys().filter(|name| !name.starts_with(".kpki") && !name.ends_with('/')).collect()
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn text(path: &str) -> String {
    repository(path).to_str().unwrap().to_owned()
}

pub fn copy_tree(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).sort_by_file_name() {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
            fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// A profile with one control-plane node, plus these lines.
pub fn single(extra: &str) -> String {
    format!("apiVersion: kpki/v1\nkind: ClusterProfile\nnodes:\n- name: cp1\n  addresses: [10.0.0.11]\n{extra}")
}

/// Of a machine without a terminal, for a run inside the test's own process.
pub fn environment(clock: Clock) -> Environment {
    Environment {
        hostname: Some("cp1".to_owned()),
        no_color: true,
        stdin: Terminal::default(),
        stdout: Terminal::default(),
        stderr: Terminal::default(),
        threads: 1,
        clock,
        inherited: Vec::new(),
        variable: |_| None,
        all: Vec::new,
        prompt: |_, _| Ok(None),
    }
}
