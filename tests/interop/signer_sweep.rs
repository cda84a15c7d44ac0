//! `kpki init` and `kpki renew` in which an authority signs by a program, and another one's key is made outside the tree, under every
//! fault (`faults.rs`). After each the next run completes, no key lies open, and nothing is left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::faults::{self, Fault, Tried, is_of_loader};
use crate::support::{Ran, kpki, mode, program, quick_scratch, run, say, write};
use crate::tree::{open_keys, rests, snapshot};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Verb {
    Init,
    Renew,
}

struct Spot {
    root: PathBuf,
    template: Option<PathBuf>,
    signer: PathBuf,
    verb: Verb,
}

/// A script that signs a digest with a key of openssl's, and the public key, in a directory.
fn signer(dir: &Path) -> PathBuf {
    let (key, public, script) = (dir.join("token.key"), dir.join("token.pub"), dir.join("sign"));
    say("openssl", ["ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", key.to_str().unwrap()]);
    say("openssl", ["ec", "-pubout", "-in", key.to_str().unwrap(), "-out", public.to_str().unwrap()]);
    let openssl = program("openssl");
    let openssl = openssl.get_program().to_str().unwrap();
    write(&script, format!("#!/bin/sh\nexec {openssl} pkeyutl -sign -inkey {}\n", key.display()));
    mode(&script, 0o755);
    script
}

fn profile(root: &Path, signer: &Path) -> String {
    let token = signer.with_file_name("token.pub");
    format!(
        "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: small\ncontrolPlaneEndpoint: api.example.com\ncaKeys: none\n\
         nodes:\n- name: cp1\n  addresses: [10.0.0.11]\n  roles: [control-plane]\nauthorities:\n  front-proxy-ca: {{signer: {{command: [{}], \
         publicKey: {}}}}}\n  ca: {{key: {{file: {}}}}}\n",
        signer.display(),
        token.display(),
        root.join("safe/ca.key").display()
    )
}

impl Spot {
    fn dir(&self) -> PathBuf {
        self.root.join("tree")
    }

    fn words(&self, command: &mut Command) {
        match self.verb {
            Verb::Init => command.arg("init").arg("-p").arg(self.root.join("p.yaml")),
            Verb::Renew => command.args(["renew", "front-proxy-client", "apiserver"]),
        };
        command.arg("-d").arg(self.dir()).args(["--lock-timeout", "2s"]);
    }
}

impl faults::Spot for Spot {
    fn prepare(&self) {
        if self.root.exists() {
            fs::remove_dir_all(&self.root).unwrap();
        }
        fs::create_dir_all(self.root.join("safe")).unwrap();
        mode(&self.root.join("safe"), 0o700);
        write(self.root.join("p.yaml"), profile(&self.root, &self.signer));
        if let Some(template) = &self.template {
            for name in ["tree", "safe"] {
                run(program("cp").arg("-aT").arg(template.join(name)).arg(self.root.join(name))).expect_ok("cp");
            }
            // The profile names the key by its path.
            write(self.dir().join(".kpki/profile.yaml"), profile(&self.root, &self.signer));
            mode(&self.dir().join(".kpki/profile.yaml"), 0o600);
        }
    }

    fn command(&self) -> Command {
        let mut command = kpki();
        self.words(&mut command);
        command
    }

    fn log(&self) -> PathBuf {
        self.root.with_extension("log")
    }

    fn attempt(&self, fault: &Fault) -> (Ran, bool, Result<(), String>) {
        let before = snapshot(&self.root);
        let (ran, hit) = faults::inject(&self.log(), fault, &self.command());
        let said = self.wrong(before == snapshot(&self.root), &ran);
        (ran, hit, said.map_or(Ok(()), Err))
    }
}

impl Spot {
    /// Everything that must hold after a run that ended anyhow; `None`: nothing is wrong.
    fn wrong(&self, is_as_before: bool, ran: &Ran) -> Option<String> {
        let open = open_keys(&self.root);
        if !open.is_empty() {
            return Some(format!("keys that others can read: {open:?}"));
        }
        if ran.ok() && is_as_before {
            return Some("exit 0, and nothing was written".to_owned());
        }
        // One key that cannot be read leaves its entries, and the rest is done.
        let left = ran.code == Some(5) && ran.err.contains("warning: the key of ");
        let ended = matches!(ran.code, Some(0 | 6 | 137)) || ran.signal.is_some() || is_of_loader(ran);
        if !ended && !left && !ran.err.contains("error: ") {
            return Some(format!("a failure without an error: {:?} {}", ran.code, ran.err));
        }
        let again = run(&mut faults::Spot::command(self));
        if !again.ok() {
            return Some(format!("the rerun failed: {:?} {} after {:?} {}", again.code, again.err, ran.code, ran.err));
        }
        let verified = run(kpki().args(["verify", "-d"]).arg(self.dir()));
        if !verified.ok() {
            return Some(format!("not right after the rerun: {}{}", verified.out, verified.err));
        }
        let inside = snapshot(&self.dir());
        let key = fs::read(self.root.join("safe/ca.key")).unwrap();
        if inside.values().any(|(.., bytes)| *bytes == key) {
            return Some("the key is in the tree".to_owned());
        }
        let rests = rests(&self.root);
        (!rests.is_empty()).then(|| format!("left behind after the rerun: {rests:?}"))
    }
}

fn sweep(verb: Verb) {
    let area = quick_scratch();
    let signer = signer(area.path());
    let spot = |name: &str, template: Option<PathBuf>, verb| Spot {
        root: area.path().join(name),
        template,
        signer: signer.clone(),
        verb,
    };
    let template = (verb == Verb::Renew).then(|| {
        let first = spot("template", None, Verb::Init);
        faults::Spot::prepare(&first);
        run(&mut faults::Spot::command(&first)).expect_ok("init");
        first.root
    });
    // Each run waits for the program: a fraction of the faults is enough.
    let complaints = faults::sweep_one_in(40, &format!("{verb:?} by a signer"), Tried::KillsAndErrors, 2, |worker| {
        spot(&format!("box{worker}"), template.clone(), verb)
    });
    faults::none(&complaints);
}

#[test]
fn init_by_a_signer() {
    sweep(Verb::Init);
}

#[test]
fn renew_by_a_signer() {
    sweep(Verb::Renew);
}

/// How long a signature takes by a program of openssl's, and by a key in a file; printed, not judged.
#[test]
fn a_signature_by_a_program_is_measured() {
    let area = quick_scratch();
    let signer = signer(area.path());
    fs::create_dir(area.path().join("safe")).unwrap();
    mode(&area.path().join("safe"), 0o700);
    let by_program = profile(area.path(), &signer);
    write(area.path().join("p.yaml"), &by_program);
    let dir = area.path().join("tree");
    run(kpki().arg("init").arg("-p").arg(area.path().join("p.yaml")).arg("-d").arg(&dir)).expect_ok("init");
    let begun = Instant::now();
    for _ in 0..20 {
        run(kpki().args(["renew", "front-proxy-client", "-d"]).arg(&dir)).expect_ok("by a program");
    }
    let by_program = begun.elapsed();
    let begun = Instant::now();
    for _ in 0..20 {
        run(kpki().args(["renew", "apiserver-kubelet-client", "-d"]).arg(&dir)).expect_ok("by a key");
    }
    let by_key = begun.elapsed();
    eprintln!("20 renewals by a program: {by_program:?}; by a key in a file: {by_key:?}");
}
