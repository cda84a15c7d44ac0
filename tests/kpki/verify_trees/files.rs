//! Files: missing, of another kind, readable for others, and not whose they should be.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use super::bases::Tree;
use super::{BOTH, CLUSTER, KUBEADM, NODE, Row};
use crate::harness::{NOW, repository};

const APISERVER: &str = "pki/apiserver.crt";
const KEY: &str = "pki/apiserver.key";
const JOURNAL: &str = ".kpki/journal.jsonl";

fn renewed(tree: &Tree) {
    tree.place.kpki(&["renew", "apiserver", "--dir", "t", "--at", NOW]).status(0);
}

pub const ROWS: &[Row] = &[
    Row::new(
        "the file of another phase of a rotation",
        NODE,
        &[("rotation/other-phase", "pki/front-proxy-ca.crt")],
        |tree| {
            let before = fs::read(tree.path("pki/front-proxy-ca.crt")).unwrap();
            tree.place.kpki(&["rotate", "prepare", "front-proxy-ca", "--dir", "t", "--at", NOW]).status(0);
            tree.write("pki/front-proxy-ca.crt", before);
        },
    ),
    Row::new(
        "a retired authority's successor in next",
        CLUSTER,
        &[("rotation/next-not-moved", "pki/front-proxy-ca.crt")],
        |tree| {
            for node in ["cp1", "cp2"] {
                for key in ["ca.key", "front-proxy-ca.key", "etcd/ca.key"] {
                    tree.remove(&format!("nodes/{node}/pki/{key}"));
                }
            }
            let place = &tree.place;
            let key = place.path("next.key").display().to_string();
            let next = format!("caKeys: none\nauthorities:\n  front-proxy-ca: {{next: {{key: {{file: {key}}}}}}}\n");
            place.write("q.yaml", format!("{}{next}", super::bases::NODES));
            place.kpki(&["renew", "all", "--due", "--profile", "q.yaml", "--dir", "t", "--at", NOW]).status(0);
            for step in ["prepare", "switch", "retire"] {
                let pass: &[&str] = if step == "prepare" { &[] } else { &["--confirm-all", "--not-before-override"] };
                place.kpki(&[&["rotate", step, "front-proxy-ca", "--dir", "t", "--at", NOW], pass].concat()).status(0);
            }
        },
    )
    .status(3),
    Row::new("a changed line of the journal", NODE, &[("journal/chain", JOURNAL)], |tree| {
        tree.write(JOURNAL, tree.read(JOURNAL).replacen("\"serial\":\"", "\"serial\":\"0", 1));
    })
    .status(3),
    Row::new("a line less in the journal", CLUSTER, &[("journal/chain", JOURNAL)], |tree| {
        let lines = tree.read(JOURNAL);
        tree.write(JOURNAL, &lines[lines.find('\n').unwrap() + 1..]);
    })
    .status(3),
    Row::new("a line of an older kpki in the journal", NODE, &[("journal/unchained", JOURNAL)], |tree| {
        tree.write(JOURNAL, tree.read(JOURNAL) + "{\"command\":\"init\"}\n");
    })
    .status(3),
    Row::new("the end of the journal is missing", NODE, &[("journal/cut", JOURNAL)], |tree| {
        let lines = tree.read(JOURNAL);
        tree.write(JOURNAL, &lines[..lines.trim_end().rfind('\n').unwrap() + 1]);
    })
    .status(3),
    Row::new("no journal", CLUSTER, &[("journal/cut", JOURNAL)], |tree| tree.remove(JOURNAL)).status(3),
    Row::new("no journal, and a run after it", CLUSTER, &[("journal/cut", JOURNAL)], |tree| {
        tree.remove(JOURNAL);
        renewed(tree);
    })
    .status(3),
    Row::new("the end of the journal is missing, and a run after it", NODE, &[("journal/cut", JOURNAL)], |tree| {
        let lines = tree.read(JOURNAL);
        tree.write(JOURNAL, &lines[..lines.trim_end().rfind('\n').unwrap() + 1]);
        renewed(tree);
    })
    .status(3),
    Row::new("no certificate", BOTH, &[("file/missing", APISERVER)], |tree| tree.remove(APISERVER)),
    Row::new("no pair", BOTH, &[("file/missing", APISERVER)], |tree| {
        tree.remove(APISERVER);
        tree.remove(KEY);
    }),
    Row::new("no kubeconfig", BOTH, &[("file/missing", "scheduler.conf")], |tree| tree.remove("scheduler.conf")),
    Row::new("no authority", KUBEADM, &[("file/missing", "pki/front-proxy-ca.crt")], |tree| {
        tree.remove("pki/front-proxy-ca.crt")
    }),
    Row::new("text in place of a certificate", BOTH, &[("file/broken", APISERVER)], |tree| {
        tree.write(APISERVER, "a\n")
    }),
    Row::new("DER in place of PEM", BOTH, &[("file/broken", APISERVER)], |tree| {
        tree.write(APISERVER, tree.certificate(APISERVER).der);
    }),
    Row::new("a directory in place of a file", BOTH, &[("file/broken", APISERVER)], |tree| {
        tree.remove(APISERVER);
        fs::create_dir(tree.path(APISERVER)).unwrap();
    }),
    Row::new("text in place of a key", BOTH, &[("file/broken", KEY)], |tree| tree.write(KEY, "a\n")),
    Row::new("text in place of an authority", KUBEADM, &[("file/broken", "pki/ca.crt")], |tree| {
        tree.write("pki/ca.crt", "a\n")
    }),
    Row::new("a kubeconfig that is none", BOTH, &[("file/broken", "admin.conf")], |tree| {
        tree.write("admin.conf", "{}\n")
    }),
    Row::new("text in place of sa.pub", BOTH, &[("file/broken", "pki/sa.pub")], |tree| tree.write("pki/sa.pub", "a\n")),
    Row::new("an authority's key that is encrypted on a node", BOTH, &[("file/broken", "pki/ca.key")], |tree| {
        tree.write("pki/ca.key", fs::read(repository("fixtures/convert/leaf.scrypt.key")).unwrap());
    }),
    Row::new(
        "an authority's plain key beside another place for it",
        CLUSTER,
        &[("file/plain-key", "pki/ca.key")],
        |tree| {
            protected(tree, "q.yaml", "signer: [/usr/lib/kpki/sign, ca]");
        },
    )
    .words(&["--profile", "q.yaml"])
    .status(3),
    Row::new(
        "an authority's plain key beside a command for it",
        CLUSTER,
        &[("file/plain-key", "pki/ca.key")],
        |tree| protected(tree, "t/.kpki/profile.yaml", "key: {command: [/usr/lib/kpki/key, ca]}"),
    )
    .status(3),
    Row::new("an authority's key that is to be encrypted", CLUSTER, &[("file/plain-key", "pki/ca.key")], |tree| {
        let file = tree.place.path("FILE");
        protected(tree, "t/.kpki/profile.yaml", &format!("key: {{passphraseFile: {}}}", file.display()));
    })
    .status(3),
    Row::new("a key for all to read", BOTH, &[("file/key-mode", KEY)], |tree| tree.mode(KEY, 0o644)),
    Row::new("a kubeconfig for its group to read", BOTH, &[("file/key-mode", "admin.conf")], |tree| {
        tree.mode("admin.conf", 0o640)
    }),
    Row::new("a certificate for all to write", BOTH, &[("file/mode", APISERVER)], |tree| tree.mode(APISERVER, 0o646))
        .status(3),
    Row::new("a file of somebody else", BOTH, &[("file/owner", APISERVER)], |tree| {
        chown(tree.path(APISERVER), Some(4711), None).unwrap();
    })
    .status(3)
    .by_root(),
    Row::new("a symlink", BOTH, &[("file/symlink", APISERVER)], |tree| {
        tree.bring(APISERVER, "pki/elsewhere.pem");
        tree.remove(APISERVER);
        symlink("elsewhere.pem", tree.path(APISERVER)).unwrap();
    })
    .status(0),
    Row::new("a symlink to nothing", BOTH, &[("file/broken", APISERVER)], |tree| {
        tree.remove(APISERVER);
        symlink("nothing", tree.path(APISERVER)).unwrap();
    }),
    Row::new("no file of a node", CLUSTER, &[("file/missing", "nodes/cp2/pki/etcd/peer.crt")], |tree| {
        tree.remove("nodes/cp2/pki/etcd/peer.crt");
        tree.remove("nodes/cp2/pki/etcd/peer.key");
    }),
    Row::new("an interrupted run", NODE, &[("state/interrupted", "t")], |tree| {
        // What a run leaves that was killed once its commit was decided.
        tree.secret(".kpki/commit", fs::read(repository("fixtures/state/0.1.0/mark.json")).unwrap());
    }),
    Row::new("no tree", KUBEADM, &[("state/unreadable", "t")], |tree| {
        fs::remove_dir_all(tree.path("pki")).unwrap();
        for entry in fs::read_dir(tree.path("")).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        tree.write("notes.txt", "a\n");
    }),
];

/// A profile by which no node has the authorities' keys, and `ca` signs so; the passphrase is in `FILE`, as the command says.
fn protected(tree: &Tree, profile: &str, signs: &str) {
    let options = format!("caKeys: none\nauthorities:\n  ca:\n    {signs}\n");
    tree.place.write(profile, format!("{}{options}", super::bases::NODES));
    fs::set_permissions(tree.place.path(profile), fs::Permissions::from_mode(0o600)).unwrap();
    tree.place.write("FILE", "correct horse\n");
    fs::set_permissions(tree.place.path("FILE"), fs::Permissions::from_mode(0o600)).unwrap();
    for node in ["cp1", "cp2"] {
        for key in ["ca.key", "front-proxy-ca.key", "etcd/ca.key"] {
            tree.remove(&format!("nodes/{node}/pki/{key}"));
        }
    }
}
