//! Real nodes with faults: nothing panics, and a profile that comes out is one.

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::belongs::strangers;
use super::left::left;
use super::lists::Lists;
use super::shared::shared;
use super::*;
use crate::plan::adopt::assemble::Sources;
use crate::plan::init;
use crate::tree::{Directories, Layout, Place, Root};

const KUBEADM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kubeadm");

#[allow(clippy::disallowed_methods)] // fixtures
fn raw(fixture: &str) -> Vec<Raw> {
    let root = format!("{KUBEADM}/{fixture}/etc-kubernetes");
    let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let one = |entry: walkdir::DirEntry| Raw {
        place: Place { root: Root::Main, path: entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned() },
        what: RawKind::File(Zeroizing::new(std::fs::read(entry.path()).unwrap())),
    };
    files.map(one).collect()
}

fn node(name: &str, raw: Vec<Raw>) -> NodeFiles {
    NodeFiles::of(name.to_owned(), [format!("{name}/"), String::new()], None, raw)
}

/// The whole way; how many files were taken.
fn adopt(nodes: Vec<NodeFiles>) -> Result<usize, usize> {
    let members: Vec<Member> = nodes.into_iter().filter_map(|node| Member::of(node).ok()).collect();
    let (found, mut refusals) = shared(&members, true);
    refusals.extend(members.iter().flat_map(|member| strangers(member, &found, true)));
    let derived = derive::profile(&members, &found, true);
    let Ok(derived) = derived else { return Err(refusals.len()) };
    let directories = Directories::usual();
    let items = init::items(&derived.profile, &Layout::Cluster, &directories);
    let lists = Lists::of(&members, &found);
    let assembled =
        Sources { members: &members, shared: &found, lists: &lists }.assemble(&items, &Layout::Cluster, &directories);
    left(&members, &assembled);
    if refusals.is_empty() { Ok(assembled.files.len()) } else { Err(refusals.len()) }
}

#[test]
fn two_masters_are_one_cluster() {
    let nodes = || vec![node("a", raw("v1.36-ha-ecdsa-cp1")), node("b", raw("v1.36-ha-ecdsa-cp2"))];
    assert_eq!(adopt(nodes()), Ok(61));
    let mut mixed = nodes();
    mixed.push(node("c", raw("v1.36-default-rsa2048")));
    assert!(adopt(mixed).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_node_holds_nothing_panics(
        file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in any::<u8>(),
        cut in any::<bool>(), name in "[a-z./]{0,12}", text in "\\PC{0,64}",
    ) {
        let mut files = raw("v1.36-ha-ecdsa-cp1");
        let index = file.index(files.len());
        if let RawKind::File(bytes) = &mut files[index].what {
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = with }
        }
        files.push(Raw { place: Place { root: Root::Main, path: name.clone() }, what: RawKind::Link(text.clone()) });
        files.push(Raw {
            place: Place { root: Root::Main, path: "manifests/kube-apiserver.yaml".to_owned() },
            what: RawKind::File(Zeroizing::new(
                format!("spec:\n  containers:\n  - command: ['--service-cluster-ip-range={}', '--etcd-servers=x', '--secure-port={}']\n",
                    text.replace('\'', "''"), name).into_bytes())),
        });
        let _ = adopt(vec![node("a", files), node("b", raw("v1.36-ha-ecdsa-cp2"))]);
    }
}
