//! A backup opened by a program that is not ours, by what the documentation says; and one that it has made, by ours.

use std::fs;

use crate::support::{SMALL, kpki, program, project, run, say, scratch, write};

#[test]
fn another_program_opens_a_backup_and_makes_one() {
    let place = scratch();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let ours = |words: &[&str]| {
        let mut command = kpki();
        command.args(words).current_dir(place.path());
        run(&mut command)
    };
    write(path("p.yaml"), SMALL);
    write(path("pass"), "correct horse");
    ours(&["init", "-p", "p.yaml", "-d", "tree"]).expect_ok("init");
    ours(&["renew", "all", "-d", "tree"]).expect_ok("renew");
    ours(&["hold", "etcd-peer", "-d", "tree"]).expect_ok("hold");
    ours(&["backup", "-d", "tree", "--out", "b.kpki", "--password-file", "pass"]).expect_ok("backup");
    let script = project("tests/interop/backup.py").to_str().unwrap().to_owned();
    let said = say("python3", [&script, &path("b.kpki"), "correct horse", &path("tree")]);
    assert!(said.trim().parse::<usize>().unwrap() > 50, "{said}");

    let mut command = program("python3");
    command.args([&script, &path("b.kpki"), "correct horse", "--seal", "16384"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::write(path("other.kpki"), output.stdout).unwrap();
    ours(&["backup", "verify", "other.kpki", "-d", "tree", "--password-file", "pass"]).expect_ok("verify");
    ours(&["backup", "restore", "other.kpki", "-d", "again", "--password-file", "pass"]).expect_ok("restore");
    run(program("diff").args(["-r", "-x", "lock", &path("tree"), &path("again")])).expect_ok("diff");
}
