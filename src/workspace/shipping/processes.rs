//! The components' processes on this machine, as /proc shows them. Processes end while they are looked at, and /proc may show
//! none or only its reader's: neither is an error.

use std::collections::BTreeMap;
use std::path::Path;

use crate::catalog::readers::COMPONENTS;
use crate::files::{self, Dir, FileState, Kind, RelPath};
use crate::plan::running::Starts;

/// Field 22 of /proc/PID/stat counts in these, whatever the kernel's own tick is (USER_HZ).
const TICKS_PER_SECOND: i64 = 100;
/// Lines of every processor and interrupt stand before the one that is wanted.
const LARGEST_STAT: u64 = 4 << 20;
/// What is wanted of a process stands at the beginning of its files.
const HEAD: usize = 4096;
/// The kernel cuts a name to so many bytes.
const LONGEST_COMM: usize = 15;

/// When root's processes of each component started; nothing where /proc cannot be read.
pub fn starts(proc: &Path) -> BTreeMap<&'static str, Starts> {
    let mut found: BTreeMap<&'static str, Starts> = BTreeMap::new();
    let hidden = look(proc, &mut found).is_none();
    for component in COMPONENTS {
        found.entry(component).or_default().hidden |= hidden;
    }
    found
}

/// `None`: something could not be looked at.
fn look(proc: &Path, found: &mut BTreeMap<&'static str, Starts>) -> Option<()> {
    let dir = Dir::open_root(proc).ok()?;
    let boot = boot(&dir)?;
    let mut whole = Some(());
    for entry in dir.list().ok()? {
        let Some(pid) = entry.name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        match process(proc, &dir, pid) {
            Ok(Some((component, ticks))) => {
                let started = boot.saturating_add(ticks / TICKS_PER_SECOND);
                found.entry(component).or_default().seconds.push(started);
            }
            Ok(None) => {}
            Err(Hidden) => whole = None,
        }
    }
    whole
}

/// When the machine started, in whole seconds since 1970, rounded down.
fn boot(dir: &Dir) -> Option<i64> {
    let FileState::File { bytes, .. } = files::read(dir, &RelPath::parse("stat").ok()?, LARGEST_STAT).ok()? else {
        return None;
    };
    let text = String::from_utf8_lossy(&bytes);
    text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

/// There is a process, and it cannot be looked at.
struct Hidden;

/// The component that a process of root's is, and when it started; `None`: another, another user's, or ended by now.
fn process(proc: &Path, dir: &Dir, pid: &str) -> Result<Option<(&'static str, i64)>, Hidden> {
    let file = |name: &str| head(dir, &Path::new(pid).join(name));
    let Some(status) = file("status")? else { return Ok(None) };
    if real_uid(&status) != Some(0) {
        return Ok(None);
    }
    let (comm, command) = (file("comm")?.unwrap_or_default(), file("cmdline")?.unwrap_or_default());
    // Only root may read it.
    let program = files::link(&proc.join(pid).join("exe"));
    let program = program.as_deref().and_then(Path::to_str).unwrap_or_default();
    let Some(component) = component(&comm, &command, program) else { return Ok(None) };
    match file("stat")? {
        None => Ok(None),
        Some(stat) => started(&stat).map(|ticks| Some((component, ticks))).ok_or(Hidden),
    }
}

/// The beginning of a file; `None`: the process has ended.
fn head(dir: &Dir, path: &Path) -> Result<Option<Vec<u8>>, Hidden> {
    let failed = |kind: Kind| if kind.is_gone() { Ok(None) } else { Err(Hidden) };
    let source = match files::look_below(dir, path) {
        Ok(Some(source)) => source,
        Ok(None) => return Ok(None),
        Err(kind) => return failed(kind),
    };
    let mut bytes = vec![0; HEAD];
    match source.read(&mut bytes) {
        Ok(length) => {
            bytes.truncate(length);
            Ok(Some(bytes))
        }
        Err(kind) => failed(kind),
    }
}

fn real_uid(status: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(status);
    text.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next()?.parse().ok())
}

/// By the program that runs, else by what it was called as, else by its name, which the kernel cuts.
fn component(comm: &[u8], command: &[u8], program: &str) -> Option<&'static str> {
    let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let program = base(program.strip_suffix(" (deleted)").unwrap_or(program));
    let called = base(&String::from_utf8_lossy(command.split(|byte| *byte == 0).next().unwrap_or_default()));
    let comm = comm.strip_suffix(b"\n").unwrap_or(comm);
    COMPONENTS.into_iter().find(|component| {
        let cut = component.as_bytes().get(..LONGEST_COMM).unwrap_or(component.as_bytes());
        program == *component || called == *component || comm == cut
    })
}

/// Field 22, counted behind the name, which may hold anything but ends with the last parenthesis.
fn started(stat: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(stat);
    let (_, behind) = text.rsplit_once(')')?;
    // The first behind it is field 3.
    behind.split_ascii_whitespace().nth(22 - 3)?.parse().ok().filter(|ticks| *ticks >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_found_whatever_the_process_is_called() {
        let rest = "S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4711 1 2 3";
        for name in ["etcd", "a) b", ") 1 2 3 (", "(sd-pam)", "\u{fffd}"] {
            assert_eq!(started(format!("7 ({name}) {rest}").as_bytes()), Some(4711), "{name}");
        }
        for broken in
            ["", "7 (etcd", "7 (etcd) S 1", "7 (etcd) S 1 1 1 0 -1 1 1 2 3 4 5 6 7 8 20 0 9 0 x", ")", "\u{0}"]
        {
            assert_eq!(started(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn a_component_is_known_by_program_call_or_name() {
        for (comm, command, program, expected) in [
            ("etcd\n", "etcd\0--a\0", "/usr/local/bin/etcd", Some("etcd")),
            ("x\n", "/usr/bin/kubelet\0", "", Some("kubelet")),
            ("kube-controller\n", "", "", Some("kube-controller-manager")),
            ("kube-apiserver\n", "", "/usr/local/bin/kube-apiserver (deleted)", Some("kube-apiserver")),
            ("sh\n", "sh\0-c\0etcd\0", "/bin/sh", None),
            ("etcdctl\n", "etcdctl\0", "/usr/bin/etcdctl", None),
            ("", "", "", None),
        ] {
            assert_eq!(component(comm.as_bytes(), command.as_bytes(), program), expected, "{comm:?} {command:?}");
        }
        assert_eq!(real_uid(b"Name:\tx\nUid:\t0\t1\t1\t1\n"), Some(0));
        assert_eq!(real_uid(b"Name:\tx\n"), None);
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // a test lays out its files by hand
    fn what_cannot_be_looked_at_is_not_left_out_in_silence() {
        let tmp = tempfile::tempdir().unwrap();
        let process = |pid: &str, uid: u32, ticks: &str| {
            let dir = tmp.path().join(pid);
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join("status"), format!("Uid:\t{uid}\t0\t0\t0\n")).unwrap();
            std::fs::write(dir.join("comm"), "etcd\n").unwrap();
            std::fs::write(dir.join("cmdline"), "etcd\0").unwrap();
            std::fs::write(dir.join("stat"), format!("1 (etcd) S{} {ticks} 1", " 1".repeat(18))).unwrap();
        };
        assert!(starts(tmp.path()).values().all(|starts| starts.hidden && starts.seconds.is_empty()));
        std::fs::write(tmp.path().join("stat"), "cpu 1\nbtime 1000\n").unwrap();
        process("10", 0, "250");
        process("11", 1000, "1");
        std::fs::create_dir(tmp.path().join("12")).unwrap();
        std::fs::create_dir(tmp.path().join("self")).unwrap();
        let found = starts(tmp.path());
        assert_eq!(found["etcd"], Starts { seconds: vec![1002], hidden: false });
        assert_eq!(found["kubelet"], Starts::default());
        process("13", 0, "x");
        assert_eq!(starts(tmp.path())["etcd"], Starts { seconds: vec![1002], hidden: true });
        assert!(starts(&tmp.path().join("nothing"))["etcd"].hidden);
    }
}
