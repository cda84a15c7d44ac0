//! What lies in deploy/: systemd reads the units and finds little to worry about, and cron's lines are run as cron runs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::{Ran, SMALL, files_ending, kpki, program, project, run, scratch, write};

const INSTALLED: &str = "/usr/bin/kpki";
const COLLECTOR: &str = "/var/lib/node_exporter/textfile_collector";
/// In tenths, as systemd-analyze takes it: what is left is that root's files are root's, and that hooks see processes.
const EXPOSURE: &str = "20";

/// The units with the program where it is, and these drop-ins.
fn units(drop_ins: &[PathBuf]) -> TempDir {
    let place = scratch();
    let deploy = project("deploy");
    let units = ["kpki-renew.service", "kpki-renew.timer"].map(|file| deploy.join(file));
    for file in units.iter().chain(drop_ins) {
        let text = std::fs::read_to_string(file).unwrap();
        let to = place.path().join(file.strip_prefix(&deploy).unwrap());
        write(to, text.replace(INSTALLED, env!("CARGO_BIN_EXE_kpki")));
    }
    place
}

fn drop_ins() -> Vec<PathBuf> {
    let found = files_ending(&project("deploy/kpki-renew.service.d"), ".conf");
    assert_eq!(found.len(), 6, "{found:?}");
    found
}

#[test]
fn systemd_understands_every_line() {
    let all = drop_ins();
    let alone = all.iter().map(|one| vec![one.clone()]);
    for drop_ins in alone.chain([vec![], all.clone()]) {
        let place = units(&drop_ins);
        let files = ["kpki-renew.service", "kpki-renew.timer"].map(|file| place.path().join(file));
        // The man page of a verb that is not installed here is no fault of a unit.
        let ran = run(program("systemd-analyze").args(["verify", "--man=no"]).args(files)).expect_ok("verify");
        assert_eq!((ran.out.trim(), ran.err.trim()), ("", ""), "{drop_ins:?}");
    }
    // A line it does not know is said.
    let place = units(&[]);
    let file = place.path().join("kpki-renew.service");
    let text = std::fs::read_to_string(&file).unwrap();
    write(&file, text.replace("NoNewPrivileges", "NoNewPrivilege"));
    let ran = run(program("systemd-analyze").args(["verify", "--man=no"]).arg(&file));
    assert!(ran.err.contains("NoNewPrivilege"), "{ran:?}");
}

#[test]
fn the_service_is_left_with_little() {
    let place = units(&[]);
    let words = ["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE];
    let ran = run(program("systemd-analyze").args(words).arg(place.path().join("kpki-renew.service")));
    let last = ran.out.lines().last().unwrap_or_default().to_owned();
    eprintln!("{last}");
    let ran = ran.expect_ok("more exposed than it was");
    assert!(last.contains("Overall exposure level"), "{}", ran.out);
}

/// The settings and the commands of the cron file.
fn cron() -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(project("deploy/kpki-renew.cron")).unwrap();
    assert!(text.ends_with('\n'), "cron leaves a last line without newline alone");
    let (mut settings, mut commands) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.splitn(7, ' ').collect();
        match words.as_slice() {
            [minute, hour, "*", "*", "*", "root", command] => {
                assert!(minute.parse::<u8>().unwrap() < 60, "{line}");
                assert!(*hour == "*" || hour.parse::<u8>().unwrap() < 24, "{line}");
                assert!(!command.contains('%'), "cron reads % as the end of a line: {line}");
                commands.push((*command).to_owned());
            }
            [setting, ..] if setting.contains('=') => settings.push(line.replace('"', "")),
            _ => panic!("{line}"),
        }
    }
    (settings, commands)
}

/// Runs a line of the file as it stands, by the shell and with the settings the file names, where the tree and the program
/// are installed: in a mount namespace of its own.
fn as_cron(command: &str, kubernetes: &Path, collector: &Path) -> Ran {
    const INSTALL: &str = "set -e; mount --make-rprivate /; mount -t tmpfs tmpfs /mnt; mkdir /mnt/tree /mnt/collector /mnt/up /mnt/work; touch /mnt/kpki; \
         mount --bind \"$1\" /mnt/tree; mount --bind \"$2\" /mnt/collector; mount --bind \"$3\" /mnt/kpki; \
         mount -t overlay overlay -o lowerdir=/usr/bin,upperdir=/mnt/up,workdir=/mnt/work /usr/bin; \
         for dir in /etc /usr/local /var/lib; do mount -t tmpfs tmpfs $dir; done; \
         mkdir -p /etc/kubernetes /var/lib/kubelet/pki /usr/local/bin \"$4\"; touch \"$5\"; \
         mount --bind /mnt/tree /etc/kubernetes; mount --bind /mnt/tree/kubelet /var/lib/kubelet/pki; mount --bind /mnt/collector \"$4\"; mount --bind /mnt/kpki \"$5\"; \
         printf '#!/bin/sh\\necho \"$@\" >> /var/lib/node_exporter/textfile_collector/syslog\\n' > /usr/local/bin/logger; chmod 755 /usr/local/bin/logger; \
         cd /; shift 5; exec env -i HOME=/root LOGNAME=root \"$@\"";
    let (settings, _) = cron();
    let mut unshare: Command = program("unshare");
    unshare.args(["-m", "/bin/sh", "-c", INSTALL, "sh"]).args([kubernetes, collector]);
    unshare.args([env!("CARGO_BIN_EXE_kpki"), COLLECTOR, INSTALLED]).args(settings).args(["/bin/sh", "-c", command]);
    run(&mut unshare)
}

fn tree(place: &TempDir, lines: &str) -> (PathBuf, PathBuf) {
    tree_of(place, lines, "+0s")
}

/// `made`: when.
fn tree_of(place: &TempDir, lines: &str, made: &str) -> (PathBuf, PathBuf) {
    let profile = write(place.path().join("p.yaml"), format!("{SMALL}{lines}"));
    let (kubernetes, collector) = (place.path().join("kubernetes"), place.path().join("collector"));
    std::fs::create_dir(&collector).unwrap();
    run(kpki()
        .args(["init", "--quiet", "--at", made, "--allow-future", "--profile"])
        .arg(&profile)
        .arg("--dir")
        .arg(&kubernetes))
    .expect_ok("init");
    (kubernetes, collector)
}

#[test]
fn cron_leaves_metrics() {
    let place = scratch();
    let (kubernetes, collector) = tree(&place, "");
    let (settings, commands) = cron();
    assert_eq!((settings.len(), commands.len()), (4, 2));
    let ran = as_cron(&commands[1], &kubernetes, &collector).expect_ok(&commands[1]);
    // Whatever it says is mailed.
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    let metrics = std::fs::read_to_string(collector.join("kpki.prom")).unwrap();
    let of = |name: &str| metrics.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
    assert!(
        of("x509_cert_not_after").iter().any(|line| line.contains("/etc/kubernetes/pki/apiserver.crt")),
        "{metrics}"
    );
    assert!(of("x509_cert_error").iter().all(|line| line.ends_with(" 0")), "{metrics}");
}

#[test]
fn cron_renews_what_is_due_and_nothing_else() {
    let command = cron().1[0].clone();
    for (lines, is_due) in [("", false), ("certificateValidityPeriod: 1s\n", true)] {
        let place = scratch();
        let (kubernetes, collector) = tree(&place, lines);
        // The second it lives for.
        std::thread::sleep(std::time::Duration::from_millis(if is_due { 2100 } else { 0 }));
        let certificate = || std::fs::read(kubernetes.join("pki/apiserver.crt")).unwrap();
        let before = certificate();
        let ran = as_cron(&command, &kubernetes, &collector).expect_ok(&command);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""), "{lines}");
        assert_eq!(certificate() != before, is_due, "{lines}");
    }
}

/// A node without the authorities' keys: a warning that names the host while the window has begun, a failure once something has
/// expired, and every day nothing before either.
#[test]
fn cron_warns_where_another_host_has_to_renew() {
    let command = cron().1[0].clone();
    for (made, warned, status) in [("+0s", false, Some(0)), ("-300d", true, Some(0)), ("-400d", false, Some(5))] {
        let place = scratch();
        let (kubernetes, collector) = tree_of(&place, "", made);
        for key in ["ca.key", "etcd/ca.key", "front-proxy-ca.key"] {
            std::fs::remove_file(kubernetes.join("pki").join(key)).unwrap();
        }
        let ran = as_cron(&command, &kubernetes, &collector);
        assert_eq!(ran.code, status, "{made}: {ran:?}");
        // What is written is mailed.
        assert_eq!(ran.out.contains("apiserver was not renewed: "), status == Some(5), "{made}: {ran:?}");
        assert_eq!(ran.out.is_empty(), status == Some(0), "{made}: {ran:?}");
        let log = std::fs::read_to_string(collector.join("syslog")).unwrap_or_default();
        let named =
            log.contains("Until then renew on the safe host, which has the keys of the authorities, and bring the files here: kpki renew all --due");
        assert_eq!((named, log.contains("daemon.warning")), (warned, warned), "{made}: {log}");
    }
}

/// What a drop-in gives is what its name says: everything else stays as it was.
#[test]
fn a_drop_in_gives_no_more_than_it_says() {
    let lacks = |drop_ins: &[PathBuf]| {
        let place = units(drop_ins);
        let words = ["security", "--offline=true", "--no-pager", "--json=short"];
        let ran = run(program("systemd-analyze").args(words).arg(place.path().join("kpki-renew.service")));
        let rows: Vec<serde_json::Value> = serde_json::from_str(&ran.expect_ok("security").out).unwrap();
        let lacking =
            rows.iter().filter(|row| row["set"] == false).map(|row| row["json_field"].as_str().unwrap().to_owned());
        lacking.collect::<std::collections::BTreeSet<_>>()
    };
    let alone = lacks(&[]);
    for (name, given) in [
        ("network.conf", &["IPAddressDeny", "PrivateNetwork", "RestrictAddressFamilies_AF_INET_INET6"][..]),
        ("tpm.conf", &["PrivateDevices"]),
        ("softhsm.conf", &[]),
        ("credentials.conf", &[]),
    ] {
        let file = drop_ins().into_iter().find(|file| file.ends_with(name)).unwrap();
        let with = lacks(&[file]);
        let more: Vec<&str> = with.difference(&alone).map(String::as_str).collect();
        assert_eq!(more, given, "{name}");
    }
}
