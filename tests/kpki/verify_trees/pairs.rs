//! What belongs together: certificates and keys, certificates and authorities, kubeconfigs and ca.crt, sa.key and sa.pub.

use time::Duration;

use super::bases::{AT, Tree, key};
use super::forge::{Forged, KEY_USAGE};
use super::{BOTH, CLUSTER, KUBEADM, NODE, Row};
use crate::harness::repository;

const APISERVER: &str = "pki/apiserver.crt";
const KEY: &str = "pki/apiserver.key";
const CLIENT: &str = "pki/front-proxy-client.crt";
const ETCD_LEAVES: [&str; 4] =
    ["pki/apiserver-etcd-client.crt", "pki/etcd/healthcheck-client.crt", "pki/etcd/peer.crt", "pki/etcd/server.crt"];

pub const ROWS: &[Row] = &[
    Row::new("another key", BOTH, &[("pair/other-key", APISERVER)], |tree| tree.write(KEY, key().to_pem().as_bytes())),
    Row::new("two keys swapped", BOTH, &[("pair/other-key", APISERVER), ("pair/other-key", CLIENT)], |tree| {
        tree.swap(KEY, "pki/front-proxy-client.key");
    }),
    Row::new("another key of an authority", KUBEADM, &[("pair/other-key", "pki/ca.crt")], |tree| {
        tree.write("pki/ca.key", key().to_pem().as_bytes());
    }),
    Row::new("another key in a kubeconfig", BOTH, &[("pair/other-key", "admin.conf")], |tree| {
        tree.set_data("admin.conf", "client-key-data", &key().to_pem());
    }),
    Row::new("no key", BOTH, &[("pair/no-key", APISERVER)], |tree| tree.remove(KEY)),
    Row::new("an encrypted key", BOTH, &[("pair/no-key", APISERVER)], |tree| tree.write(KEY, encrypted())),
    Row::new("one key in two certificates", BOTH, &[("pair/shared-key", "pki/apiserver-kubelet-client.crt")], |tree| {
        let spki = tree.certificate("pki/apiserver-kubelet-client.crt").spki_der;
        tree.edit(APISERVER, |leaf| leaf.key(&spki));
        tree.write(KEY, tree.read("pki/apiserver-kubelet-client.key"));
    })
    .status(3),
    Row::new("a key in a certificate's file", BOTH, &[("pair/key-inside", APISERVER)], |tree| {
        tree.write(APISERVER, tree.read(APISERVER) + &tree.read(KEY));
    }),
    Row::new("a key in ca.crt", KUBEADM, &[("pair/key-inside", "pki/ca.crt")], |tree| {
        tree.write("pki/ca.crt", tree.read("pki/ca.crt") + &tree.read("pki/ca.key"));
    }),
    Row::new("signed by another authority of that name", BOTH, &[("chain/broken", APISERVER)], |tree| {
        let (authority, key) = tree.foreign("pki/ca.crt");
        let mut leaf = Forged::of(&tree.certificate(APISERVER));
        leaf.issued_by(&authority);
        tree.write(APISERVER, leaf.sign(&key).to_pem());
    }),
    Row::new("a signature that is none", BOTH, &[("chain/broken", APISERVER)], |tree| {
        let leaf = Forged::of(&tree.certificate(APISERVER));
        tree.write(APISERVER, leaf.sign(&key().to_pem()).to_pem());
    }),
    Row::new("ca.crt of another cluster", BOTH, &[("pair/other-key", "pki/ca.crt")], |tree| {
        tree.write("pki/ca.crt", tree.foreign("pki/ca.crt").0.to_pem());
    }),
    Row::new("ca.crt and ca.key of another cluster", BOTH, &[("chain/signed-nothing", "pki/ca.crt")], |tree| {
        let (authority, key) = tree.foreign("pki/ca.crt");
        tree.write("pki/ca.crt", authority.to_pem());
        tree.write("pki/ca.key", key);
    }),
    Row::new("an intermediate that has expired", BOTH, &[("date/expired", APISERVER)], expired_intermediate),
    Row::new(
        "the path of an intermediate that has expired",
        BOTH,
        &[("chain/expired", APISERVER)],
        expired_intermediate,
    )
    .words(&["--only", "chain"]),
    Row::new("an authority that may not sign", BOTH, &[("chain/no-authority", "pki/front-proxy-ca.crt")], |tree| {
        // digitalSignature alone.
        tree.edit("pki/front-proxy-ca.crt", |ca| ca.set(KEY_USAGE, true, vec![3, 2, 7, 0x80]));
    }),
    Row::new("names that a corporate root two levels up forbids", KUBEADM, &[("chain/broken", CLIENT)], |tree| {
        corporate(tree, false);
    }),
    Row::new("names that the root in the authority's own file forbids", KUBEADM, &[("chain/broken", CLIENT)], |tree| {
        corporate(tree, true);
    }),
    Row::new(
        "a node with another authority",
        CLUSTER,
        &[("chain/authority-differs", "nodes/cp2/pki/ca.crt")],
        |tree| {
            tree.write("nodes/cp2/pki/ca.crt", tree.foreign("pki/ca.crt").0.to_pem());
        },
    ),
    Row::new("one authority for two", KUBEADM, &[("chain/shared-authority", "pki/etcd/ca.crt")], |tree| {
        let authority = tree.certificate("pki/ca.crt");
        for name in ETCD_LEAVES {
            let mut leaf = Forged::of(&tree.certificate(name));
            leaf.issued_by(&authority);
            tree.write(name, leaf.sign(&tree.read("pki/ca.key")).to_pem());
        }
        tree.bring("pki/ca.crt", "pki/etcd/ca.crt");
        tree.bring("pki/ca.key", "pki/etcd/ca.key");
    })
    .status(3),
    Row::new(
        "an authority's key on a worker",
        CLUSTER,
        &[("chain/authority-key-on-worker", "nodes/w1/pki/ca.key")],
        |tree| {
            tree.bring("pki/ca.key", "nodes/w1/pki/ca.key");
        },
    ),
    Row::new(
        "an authority's key on a worker without a profile",
        KUBEADM,
        &[("chain/authority-key-on-worker", "pki/ca.key")],
        |tree| {
            for name in ["admin.conf", "super-admin.conf", "controller-manager.conf", "scheduler.conf"] {
                tree.remove(name);
            }
            let all = crate::harness::names(&tree.path("pki"));
            all.iter().filter(|name| !name.starts_with("ca.")).for_each(|name| tree.remove(&format!("pki/{name}")));
        },
    ),
    Row::new("another ca-signer.crt", NODE, &[("chain/signer-file", "pki/ca-signer.crt")], |tree| {
        tree.write("pki/ca-signer.crt", tree.foreign("pki/ca.crt").0.to_pem());
    }),
    Row::new("a kubeconfig that trusts another authority", BOTH, &[("kubeconfig/authority", "admin.conf")], |tree| {
        tree.set_data("admin.conf", "certificate-authority-data", &tree.foreign("pki/ca.crt").0.to_pem());
    }),
    Row::new("a kubeconfig that trusts one more", BOTH, &[("kubeconfig/foreign-authority", "admin.conf")], |tree| {
        let both = tree.read("pki/ca.crt") + &tree.foreign("pki/ca.crt").0.to_pem();
        tree.set_data("admin.conf", "certificate-authority-data", &both);
    })
    .status(3),
    Row::new(
        "a kubeconfig that does not know the successor",
        BOTH,
        &[("kubeconfig/authority", "scheduler.conf")],
        |tree| {
            let both = tree.read("pki/ca.crt") + &tree.foreign("pki/ca.crt").0.to_pem();
            tree.write("pki/ca.crt", &both);
            tree.trust(&both);
            tree.set_data("scheduler.conf", "certificate-authority-data", &tree.certificate("pki/ca.crt").to_pem());
        },
    ),
    Row::new("a kubeconfig that verifies nothing", BOTH, &[("kubeconfig/insecure", "admin.conf")], |tree| {
        let text = tree.read("admin.conf");
        let (before, after) = text.split_once("    certificate-authority-data: ").unwrap();
        let (_, after) = after.split_once('\n').unwrap();
        tree.write("admin.conf", format!("{before}    insecure-skip-tls-verify: true\n{after}"));
    }),
    Row::new("a server that is no name of the API server", BOTH, &[("kubeconfig/server-name", "admin.conf")], |tree| {
        tree.set_field("admin.conf", "server", "https://elsewhere.example.com:6443");
    }),
    Row::new(
        "a rotated certificate beside an embedded one",
        BOTH,
        &[("kubeconfig/embeds-another", "kubelet.conf")],
        |tree| {
            let both =
                ["client-certificate-data", "client-key-data"].map(|field| tree.data("kubelet.conf", field)).concat();
            tree.secret("kubelet/kubelet-client-current.pem", both);
        },
    )
    .status(3),
    // Every kubelet that nobody gave a serving certificate has made one.
    Row::new("a serving certificate of the kubelet's own", KUBEADM, &[], |tree| {
        let (authority_key, leaf_key) = (key(), key());
        let mut authority = Forged::of(&tree.certificate("pki/ca.crt"));
        authority.subject("cp1-ca@1795000000", &[]);
        authority.issuer.clone_from(&authority.subject);
        authority.key(&authority_key.spki_der());
        let authority = authority.sign(&authority_key.to_pem());
        let mut leaf = Forged::of(&tree.certificate("pki/apiserver.crt"));
        leaf.subject("cp1@1795000000", &[]);
        leaf.key(&leaf_key.spki_der());
        leaf.issued_by(&authority);
        tree.write("kubelet/kubelet.crt", leaf.sign(&authority_key.to_pem()).to_pem() + &authority.to_pem());
        tree.secret("kubelet/kubelet.key", leaf_key.to_pem());
    })
    .status(0),
    Row::new("sa.pub of another key", BOTH, &[("sa/other-key", "pki/sa.pub")], |tree| {
        tree.write("pki/sa.pub", key().public_pem());
    }),
    Row::new("no sa.pub", BOTH, &[("sa/missing", "pki/sa.pub")], |tree| tree.remove("pki/sa.pub")),
    Row::new("no sa.key", BOTH, &[("sa/missing", "pki/sa.key")], |tree| tree.remove("pki/sa.key")),
    Row::new("no sa at all", BOTH, &[("sa/missing", "pki/sa.pub")], |tree| {
        tree.remove("pki/sa.pub");
        tree.remove("pki/sa.key");
    }),
    Row::new("a node with another sa", CLUSTER, &[("sa/differs", "nodes/cp2/pki/sa.pub")], |tree| {
        let key = key();
        tree.write("nodes/cp2/pki/sa.pub", key.public_pem());
        tree.write("nodes/cp2/pki/sa.key", key.to_pem().as_bytes());
    }),
];

fn encrypted() -> Vec<u8> {
    std::fs::read(repository("fixtures/convert/leaf.aes256-sha512.key")).unwrap()
}

/// The API server's certificate is signed by an intermediate whose time is over.
fn expired_intermediate(tree: &Tree) {
    let (middle, key) = tree.foreign("pki/ca.crt");
    let mut middle = Forged::of(&middle);
    middle.subject("middle", &[]);
    middle.issued_by(&tree.certificate("pki/ca.crt"));
    middle.not_before = AT - Duration::days(20);
    middle.not_after = AT - Duration::days(10);
    let middle = middle.sign(&tree.read("pki/ca.key"));
    let mut leaf = Forged::of(&tree.certificate(APISERVER));
    leaf.issued_by(&middle);
    tree.write(APISERVER, leaf.sign(&key).to_pem() + &middle.to_pem());
}

/// A root that permits DNS names below corp.example only, a policy authority below it, and front-proxy-ca below that one.
/// `whole`: the authority's file has all of its chain, and its first certificate signs.
fn corporate(tree: &Tree, whole: bool) {
    let (root_key, middle_key) = (key(), key());
    let model = tree.certificate("pki/front-proxy-ca.crt");
    let authority = |name: &str, spki: &[u8]| {
        let mut one = Forged::of(&model);
        one.subject(name, &[]);
        one.key(spki);
        one.serial = vec![name.len() as u8];
        one
    };
    let mut root = authority("corp root", &root_key.spki_der());
    root.issuer.clone_from(&root.subject);
    let permitted = [0xa0, 0x10, 0x30, 0x0e, 0x82, 0x0c].into_iter().chain(*b"corp.example").collect::<Vec<u8>>();
    root.set(&[0x55, 0x1d, 30], true, kpki::encoding::tlv::sequence(&[permitted]));
    let root = root.sign(&root_key.to_pem());
    let mut middle = authority("corp policy", &middle_key.spki_der());
    middle.issued_by(&root);
    let middle = middle.sign(&root_key.to_pem());
    let mut own = Forged::of(&model);
    own.issued_by(&middle);
    own.serial = vec![1];
    let own = own.sign(&middle_key.to_pem());
    tree.edit(CLIENT, |leaf| leaf.names(|names| names.push([&[0x82, 5], &b"proxy"[..]].concat())));
    let above = own.to_pem() + &middle.to_pem();
    if whole {
        tree.write("pki/front-proxy-ca.crt", above + &root.to_pem());
    } else {
        // What is behind the leaf leads to the root, which alone is trusted.
        tree.write(CLIENT, tree.read(CLIENT) + &above);
        tree.write("pki/front-proxy-ca.crt", root.to_pem());
    }
    tree.remove("pki/front-proxy-ca.key");
}
