//! The page on keys elsewhere and issuers, run as it stands.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::harness::Place;
use super::how_to::run;

fn sh(place: &Place, script: &str) {
    let kpki = Path::new(env!("CARGO_BIN_EXE_kpki")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", kpki.display());
    let run = Command::new("/bin/sh").args(["-e", "-c", script]).current_dir(place.path("")).env("PATH", path).output();
    let run = run.unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{script}\n{out}{err}");
}

/// Somebody else's front-proxy CA, and a program that has it sign.
fn elsewhere(place: &Place) {
    let (kpki, at) = (env!("CARGO_BIN_EXE_kpki"), place.path("").display().to_string());
    place.write("twin.yaml", "apiVersion: kpki/v1\nkind: ClusterProfile\ncaKeys: none\nclusterName: elsewhere\nnodes:\n- {name: cp1, addresses: [10.0.0.11]}\n");
    sh(place, "kpki init --profile twin.yaml --dir twin && cp twin/pki/front-proxy-ca.crt corporate-ca.crt");
    std::fs::create_dir(place.path("secure")).unwrap();
    let program = place.write(
        "secure/corporate-ca",
        format!(
            "#!/bin/sh\nset -e\nwork=$(mktemp -d)\ncat > $work/r.csr\n{kpki} sign $work/r.csr --as $KPKI_NODE/$KPKI_ENTRY \
             --dir {at}/twin --out $work/c.crt > $work/log\ncat $work/c.crt\nrm -r $work\n"
        ),
    );
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
    sh(place, "(umask 077; echo something long > secure/pass)");
}

#[test]
fn its_profiles_and_commands_work() {
    let place = run("reference/keys-elsewhere", &[], elsewhere);
    for tree in ["sealed", "elsewhere"] {
        sh(&place, &format!("kpki check-expiration {tree} && kpki verify {tree}"));
    }
    for authority in ["ca", "front-proxy-ca", "etcd/ca"] {
        let key = place.read(&format!("sealed/pki/{authority}.key"));
        assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{authority}");
    }
    assert!(
        !place.path("elsewhere/pki/etcd/ca.key").exists() && !place.path("elsewhere/pki/front-proxy-ca.key").exists()
    );
    assert!(place.read("secure/etcd-ca.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    assert!(place.path("elsewhere/nodes/cp1/pki/front-proxy-client.crt").exists());
}
