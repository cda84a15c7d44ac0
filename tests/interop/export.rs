//! What `kpki export` writes, unpacked by GNU tar as root into a file system of its own.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::support::{Made, files, kpki, program, run, scratch};

const CLUSTER: &str = "\
apiVersion: kpki/v1
kind: ClusterProfile
clusterName: prod
nodes:
  - {name: cp1, addresses: [10.0.0.11]}
  - {name: cp2, addresses: [10.0.0.12]}
";

#[test]
fn gnu_tar_puts_everything_in_place() {
    let made = Made::of_text(CLUSTER, &[]);
    for end in ["tar", "tar.gz"] {
        let place = scratch();
        let archive = place.path().join(format!("cp2.{end}"));
        run(kpki().args(["export", "cp2", "--dir"]).arg(&made.dir).arg("--out").arg(&archive)).expect_ok("export");
        let root = place.path().join("root");
        // As on a node: what is the system's keeps its mode.
        for dir in ["etc", "var/lib/kubelet"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        crate::support::mode(&root.join("var/lib/kubelet"), 0o700);
        let ran = run(program("tar").arg("-xpf").arg(&archive).arg("-C").arg(&root)).expect_ok("tar");
        assert_eq!(ran.err, "", "tar warns");
        assert_eq!(fs::metadata(root.join("var/lib/kubelet")).unwrap().mode() & 0o7777, 0o700);
        let unpacked = files(&root);
        assert!(unpacked.len() > 20, "{unpacked:?}");
        for file in &unpacked {
            let facts = fs::metadata(file).unwrap();
            let ends = |end: &str| file.extension().is_some_and(|found| found == end);
            let is_own = file.components().any(|part| part.as_os_str() == ".kpki");
            let public = !is_own && ["crt", "json"].into_iter().any(ends);
            assert_eq!(facts.mode() & 0o7777, if public { 0o644 } else { 0o600 }, "{}", file.display());
            assert_eq!((facts.uid(), facts.gid()), (0, 0), "{}", file.display());
        }
        let dir = root.join("etc/kubernetes");
        assert_eq!(fs::metadata(dir.join("pki/etcd")).unwrap().mode() & 0o7777, 0o755);
        run(kpki().args(["export", "--verify", "cp2", "--dir"]).arg(&dir)).expect_ok("verify");
        run(kpki().args(["export", "--verify", "cp1", "--dir"]).arg(&dir)).expect_code(4, "another node");
        // What GNU tar packs anew is read as well.
        let again = place.path().join("again.tar.gz");
        run(program("tar").arg("-czf").arg(&again).arg("-C").arg(&root).arg(".")).expect_ok("tar");
        run(kpki().args(["export", "--verify", "cp2", "--dir"]).arg(&dir).arg("--archive").arg(&again))
            .expect_ok("again");
    }
}
