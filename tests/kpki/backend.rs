//! A place where an authority signs by a program, and the other side of that program: the test itself.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use kpki::ca::{PrivateKey, Purpose, Signer as _};

use super::harness::{NOW, Place};

pub const LATER: &str = "2026-11-21T00:00:00Z";

/// A cluster directory on a safe host, with one node or several.
pub fn profile(nodes: usize, authorities: &str) -> String {
    let nodes: String = (1..=nodes)
        .map(|at| format!("- name: cp{at}\n  addresses: [10.0.0.1{at}]\n  roles: [control-plane]\n"))
        .collect();
    format!(
        "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: api.example.com\ncaKeys: none\nnodes:\n{nodes}{authorities}"
    )
}

/// A cluster directory `c` whose front-proxy-ca has its key in `sec/fp.key`, and the key.
pub fn made(nodes: usize) -> (Place, PrivateKey) {
    let place = Place::new();
    place.write("p.yaml", profile(nodes, ""));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    let key = place.read("c/pki/front-proxy-ca.key");
    secret(&place, "sec/fp.key", &key);
    fs::remove_file(place.path("c/pki/front-proxy-ca.key")).unwrap();
    let key = PrivateKey::from_pem(key.as_bytes()).unwrap();
    (place, key)
}

pub fn secret(place: &Place, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = place.write(name, text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// An executable script for /bin/sh.
pub fn script(place: &Place, name: &str, body: &str) -> PathBuf {
    let path = place.write(name, format!("#!/bin/sh\n{body}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A signer that has the test sign: questions and answers are files of a directory.
pub fn served_signer(place: &Place) -> PathBuf {
    fs::create_dir_all(place.path("asked")).unwrap();
    let asked = place.path("asked");
    script(
        place,
        "served-sign",
        &format!(
            "n={}/$$; cat > $n.part && mv $n.part $n.ask\nwhile [ ! -e $n.answer ]; do sleep 0.02; done\ncat $n.answer; rm $n.ask",
            asked.display()
        ),
    )
}

/// Answers while it lives. It waits until so many questions stand at the same time.
pub struct Backend {
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<usize>>,
}

impl Backend {
    pub fn start(asked: &Path, at_once: usize, sign: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Self {
        let (over, asked) = (Arc::new(AtomicBool::new(false)), asked.to_path_buf());
        let stop = Arc::clone(&over);
        let thread = thread::spawn(move || serve(&asked, at_once, &sign, &stop));
        Self { over, thread: Some(thread) }
    }

    /// How many questions stood at the same time.
    pub fn end(mut self) -> usize {
        self.over.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap()
    }
}

fn serve(asked: &Path, at_once: usize, sign: &dyn Fn(&[u8]) -> Vec<u8>, over: &AtomicBool) -> usize {
    let (mut answered, mut most) = (BTreeSet::new(), 0);
    while !over.load(Ordering::SeqCst) {
        let names = fs::read_dir(asked).unwrap().map(|entry| entry.unwrap().path());
        let open: Vec<PathBuf> =
            names.filter(|path| path.extension().is_some_and(|end| end == "ask") && !answered.contains(path)).collect();
        most = most.max(open.len());
        if open.len() >= at_once {
            for path in open {
                let answer = sign(&fs::read(&path).unwrap());
                fs::write(path.with_extension("new"), answer).unwrap();
                fs::rename(path.with_extension("new"), path.with_extension("answer")).unwrap();
                answered.insert(path);
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
    most
}

pub fn sign(key: &PrivateKey, message: &[u8]) -> Vec<u8> {
    key.sign(message, Purpose::Certificate).unwrap()
}

/// `kpki renew` of what the front proxy's authority signs, by a profile with this for it.
pub fn renew(place: &Place, nodes: usize, options: &str) -> super::harness::Run {
    place.write("p.yaml", profile(nodes, &format!("authorities:\n  front-proxy-ca: {{{options}}}\n")));
    assert!(LATER > NOW);
    place.kpki(&["renew", "front-proxy-client", "--profile", "p.yaml", "--dir", "c", "--at", LATER])
}
