//! Running programs, finding files, places to work in.

use std::ffi::OsStr;
use std::fs;
use std::net::{TcpListener, ToSocketAddrs};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The smallest and quickest cluster: one node, P-256.
pub const SMALL: &str = "\
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: small
nodes:
  - name: cp1
    addresses: [10.0.0.11]
";

/// What one run of a program said.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// What it printed, or a failure with everything it said.
    #[track_caller]
    pub fn expect_ok(self, what: impl std::fmt::Display) -> Self {
        assert!(self.ok(), "{what}: {:?} {:?}\n{}\n{}", self.code, self.signal, self.out, self.err);
        self
    }

    #[track_caller]
    pub fn expect_code(self, code: i32, what: impl std::fmt::Display) -> Self {
        assert!(self.code == Some(code), "{what}: {:?} {:?}\n{}\n{}", self.code, self.signal, self.out, self.err);
        self
    }
}

/// A foreign program; missing is a failure.
#[track_caller]
pub fn program(name: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = places.map(|dir| dir.join(name)).find(|file| file.is_file());
    let Some(found) = found else {
        panic!("the program {name} is not installed; .ci/run installs what these tests need")
    };
    Command::new(found)
}

pub fn kpki() -> Command {
    Command::new(env!("CARGO_BIN_EXE_kpki"))
}

/// Runs to the end with nothing on stdin.
#[track_caller]
pub fn run(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    Ran {
        code: output.status.code(),
        signal: output.status.signal(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs `NAME WORDS...` and returns its stdout; it has to succeed.
#[track_caller]
pub fn say<S: AsRef<OsStr>>(name: &str, words: impl IntoIterator<Item = S>) -> String {
    let mut command = program(name);
    command.args(words);
    run(&mut command).expect_ok(format_args!("{command:?}")).out
}

/// An empty directory everybody can enter.
pub fn scratch() -> TempDir {
    let dir = TempDir::new().unwrap();
    mode(dir.path(), 0o755);
    dir
}

/// The same in memory where there is such a place: syncing costs nothing there.
pub fn quick_scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
    mode(dir.path(), 0o755);
    dir
}

pub fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
pub fn write(path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    path.to_path_buf()
}

/// The project's own files.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every file below a directory, sorted.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(dir)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| !entry.file_type().is_dir())
        .map(walkdir::DirEntry::into_path)
        .collect();
    files.sort();
    files
}

pub fn files_ending(dir: &Path, end: &str) -> Vec<PathBuf> {
    files(dir).into_iter().filter(|path| path.to_string_lossy().ends_with(end)).collect()
}

/// A port of a loopback address nobody listens on now, and which this process has not given out before. It lies below the
/// ports the kernel gives to outgoing connections, so that none of those takes it before its server starts.
pub fn free_port(address: &str) -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    const FIRST: u32 = 12_000;
    const COUNT: u32 = 20_000;
    let start = std::process::id().wrapping_mul(977);
    (0..COUNT)
        .map(|_| FIRST + start.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .map(|port| u16::try_from(port).unwrap())
        .find(|port| TcpListener::bind((address, *port)).is_ok())
        .expect("a free port")
}

/// A child that does not outlive its test.
pub struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    pub fn start(command: &mut Command, log: PathBuf) -> Self {
        let file = fs::File::create(&log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|why| panic!("{command:?}: {why}"));
        Self { child, log }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until something listens there.
    #[track_caller]
    pub fn listening(&mut self, at: impl ToSocketAddrs) {
        let at = at.to_socket_addrs().unwrap().next().unwrap();
        let up = within(Duration::from_secs(20), || std::net::TcpStream::connect(at).is_ok() || self.ended());
        assert!(up && !self.ended(), "nothing listens at {at}: {}", self.log());
    }

    pub fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether it becomes true in time.
pub fn within(time: Duration, mut what: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + time;
    loop {
        if what() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A tree made by kpki with its JSON report.
pub struct Made {
    pub dir: PathBuf,
    pub report: Value,
    _place: TempDir,
}

impl Made {
    #[track_caller]
    pub fn from(profile: &Path, words: &[&str]) -> Self {
        let place = scratch();
        let dir = place.path().join("tree");
        let mut command = kpki();
        command.arg("init").arg("--profile").arg(profile).arg("--dir").arg(&dir).args(["-o", "json"]).args(words);
        let ran = run(&mut command).expect_ok(format_args!("{command:?}"));
        let report = serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {}", ran.out));
        Self { dir, report, _place: place }
    }

    #[track_caller]
    pub fn of_text(profile: &str, words: &[&str]) -> Self {
        let place = scratch();
        Self::from(&write(place.path().join("profile.yaml"), profile), words)
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.join(below)
    }

    pub fn entries(&self) -> &Vec<Value> {
        self.report["entries"].as_array().unwrap()
    }

    /// The directories that hold a `pki`: the tree itself, or each node's and the cluster's.
    pub fn bases(&self) -> Vec<PathBuf> {
        let mut bases = vec![self.dir.clone()];
        if let Ok(nodes) = fs::read_dir(self.dir.join("nodes")) {
            bases.extend(nodes.map(|entry| entry.unwrap().path()));
        }
        bases.sort();
        bases
    }
}

/// The profiles of the project; every one of them has to be tried.
pub fn profiles() -> Vec<PathBuf> {
    let found = files_ending(&project("profiles"), ".yaml");
    assert!(found.len() >= 5, "{found:?}");
    found
}

/// The fixtures' kubeadm configurations.
pub fn fixtures() -> Vec<PathBuf> {
    let found = files_ending(&project("fixtures/kubeadm"), "/kubeadm.yaml");
    assert!(found.len() >= 5, "{found:?}");
    found
}

/// The text of each quoted or listed string of a JSON array.
pub fn texts(value: &Value) -> Vec<String> {
    value.as_array().map(|list| list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()).unwrap_or_default()
}

pub fn decode_base64(text: &str) -> Vec<u8> {
    let digit =
        |c: u8| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|d| *d == c);
    let digits: Vec<usize> = text.bytes().filter_map(digit).collect();
    let mut bytes = Vec::new();
    for four in digits.chunks(4) {
        let bits = four.iter().enumerate().fold(0, |bits, (i, digit)| bits | digit << (18 - 6 * i));
        bytes.extend(
            [bits >> 16, bits >> 8, bits].iter().take(four.len() - 1).map(|byte| u8::try_from(byte & 0xff).unwrap()),
        );
    }
    bytes
}
