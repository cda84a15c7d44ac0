//! A node's files in a tar file, of whatever directory it was made: `tar -C / etc/kubernetes var/lib/kubelet/pki`, or of one of
//! them alone.

use std::collections::BTreeMap;

use super::bounds::PASSED_OVER;
use super::request::NodeInput;
use crate::encoding::loose_archive::{self, Loose, LooseKind};
use crate::encoding::shown::named;
use crate::error::Error;
use crate::plan::adopt::{NodeFiles, Raw, RawKind};
use crate::tree::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR};
use crate::tree::{Place, Root};
use crate::workspace::survey::{LARGEST_INPUT, input as bytes_of};

/// One of them is in every node's `/etc/kubernetes`.
const MARKS: [&str; 4] = ["pki/ca.crt", "ssl/ca.crt", "kubelet.conf", "pki/etcd/ca.crt"];

pub fn read(input: &NodeInput) -> Result<NodeFiles, Error> {
    let name = input.path.display().to_string();
    let bytes = bytes_of(&input.path, LARGEST_INPUT)?;
    let members = loose_archive::read(&bytes).map_err(|why| {
        Error::new(format!("cannot read the archive {name}"))
            .because(why)
            .hint("make it on the node with: tar -czf NODE.tar.gz -C / etc/kubernetes var/lib/kubelet/pki")
    })?;
    let main = main(&members).unwrap_or_default();
    let (etc, var) = (DEFAULT_DIR.trim_start_matches('/'), DEFAULT_KUBELET_DIR.trim_start_matches('/'));
    // Only of a whole root is it known where the kubelet's directory is.
    let root = main.strip_suffix('/').and_then(|main| main.strip_suffix(etc));
    let kubelet = root.map(|root| format!("{root}{var}/"));
    let place = |path: &str| {
        let of_kubelet = kubelet.as_deref().and_then(|kubelet| path.strip_prefix(kubelet));
        let (root, path) = match of_kubelet {
            Some(path) => (Root::Kubelet, path),
            None => (Root::Main, path.strip_prefix(main.as_str())?),
        };
        Some(Place { root, path: path.to_owned() })
    };
    let mut found: BTreeMap<Place, RawKind> = BTreeMap::new();
    for Loose { path, what } in &members {
        let Some(place) = place(path) else { continue };
        let first = place.path.split_once('/').map_or("", |(first, _)| first);
        if place.root == Root::Main && PASSED_OVER.contains(&first) {
            found.insert(Place { path: first.to_owned(), ..place }, RawKind::PassedOver);
            continue;
        }
        let what = match what {
            LooseKind::File(bytes) => RawKind::File(bytes.clone()),
            LooseKind::Symlink(target) => RawKind::Link(target.clone()),
            LooseKind::Hardlink(target) => hard_link(target, &members),
            LooseKind::Large => RawKind::Other(format!("larger than {} bytes", loose_archive::LARGEST_FILE)),
        };
        // As tar unpacks it: the last of one name counts.
        found.insert(place, what);
    }
    let found = found.into_iter().map(|(place, what)| Raw { place, what }).collect();
    let prefixes = [format!("{name}: {main}"), format!("{name}: {}", kubelet.unwrap_or_default())];
    Ok(NodeFiles::of(name, prefixes, input.name.clone(), found))
}

/// The directory in the archive that is the node's `/etc/kubernetes`, with a slash at its end.
fn main(members: &[Loose]) -> Option<String> {
    let above = |path: &str| {
        let ends = MARKS.iter().filter_map(|mark| path.strip_suffix(mark));
        ends.filter(|above| above.is_empty() || above.ends_with('/')).map(str::to_owned).min_by_key(String::len)
    };
    members
        .iter()
        .filter_map(|member| above(&member.path))
        .min_by_key(|above| (above.matches('/').count(), above.len()))
}

fn hard_link(target: &str, members: &[Loose]) -> RawKind {
    let first = members.iter().find(|member| member.path == target);
    match first.map(|member| &member.what) {
        Some(LooseKind::File(bytes)) => RawKind::File(bytes.clone()),
        _ => RawKind::Other(format!("a second name of {}, which is not here", named(target))),
    }
}
