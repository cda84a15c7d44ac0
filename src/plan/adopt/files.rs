//! A node's files as they were read: below `/etc/kubernetes`, and below the kubelet's own directory.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use crate::catalog::paths::{DEFAULT_DIR, DEFAULT_KUBELET_DIR};
use crate::encoding::shown::named;
use crate::files::FileState;
use crate::tree::{Place, Root, Survey, file};

/// Symlinks that lead to each other.
const LINKS: usize = 8;

/// One name on the node.
#[derive(Debug, Clone)]
pub struct Raw {
    pub place: Place,
    pub what: RawKind,
}

#[derive(Clone, PartialEq, Eq)]
pub enum RawKind {
    File(Zeroizing<Vec<u8>>),
    /// Where it leads, as it stands there.
    Link(String),
    /// What it is instead: a device, a file that is too large.
    Other(String),
    /// A directory that is not looked into.
    PassedOver,
}

/// The content may be a key.
impl std::fmt::Debug for RawKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(bytes) => write!(f, "File({} bytes)", bytes.len()),
            Self::Link(target) => write!(f, "Link({target})"),
            Self::Other(what) => write!(f, "Other({what})"),
            Self::PassedOver => f.write_str("PassedOver"),
        }
    }
}

/// What was given for one node.
#[derive(Debug, Clone, Default)]
pub struct NodeFiles {
    /// As it was given, for messages.
    pub input: String,
    /// What a path of each root begins with in messages.
    pub prefixes: [String; 2],
    /// The name that was stated on the command line.
    pub stated: Option<String>,
    /// The kubelet's own directory was among it.
    pub with_kubelet: bool,
    pub files: Survey,
    /// Those of the files that are symlinks.
    pub links: BTreeSet<Place>,
    /// What is there and was not read, with the reason.
    pub unread: Vec<(Place, String)>,
    /// Directories that were not looked into.
    pub passed_over: Vec<Place>,
}

impl NodeFiles {
    /// Symlinks are followed to files of the same node, and no further.
    pub fn of(input: String, prefixes: [String; 2], stated: Option<String>, raw: Vec<Raw>) -> Self {
        let mut found = Self { input, prefixes, stated, ..Self::default() };
        found.with_kubelet = raw.iter().any(|one| one.place.root == Root::Kubelet);
        let links: BTreeMap<&Place, &String> = raw
            .iter()
            .filter_map(|one| match &one.what {
                RawKind::Link(target) => Some((&one.place, target)),
                _ => None,
            })
            .collect();
        let files: BTreeMap<&Place, &Zeroizing<Vec<u8>>> = raw
            .iter()
            .filter_map(|one| match &one.what {
                RawKind::File(bytes) => Some((&one.place, bytes)),
                _ => None,
            })
            .collect();
        let directories: BTreeSet<(Root, &str)> = files.keys().flat_map(|place| above(place)).collect();
        let state = |bytes: &Zeroizing<Vec<u8>>| FileState::File { bytes: bytes.clone(), mode: 0o600, uid: 0, gid: 0 };
        for one in &raw {
            match &one.what {
                RawKind::File(bytes) => {
                    found.files.insert(one.place.clone(), state(bytes));
                }
                RawKind::PassedOver => found.passed_over.push(one.place.clone()),
                RawKind::Other(why) => found.unread.push((one.place.clone(), why.clone())),
                RawKind::Link(target) => match follow(&one.place, &links, &files) {
                    Ok(bytes) => {
                        found.files.insert(one.place.clone(), state(bytes));
                        found.links.insert(one.place.clone());
                    }
                    // Another name for a directory of the node: its files are read where they are.
                    Err(Some(place)) if directories.contains(&(place.root, place.path.as_str())) => {}
                    Err(_) => found
                        .unread
                        .push((one.place.clone(), format!("a symlink to {}, which is not here", named(target)))),
                },
            }
        }
        found
    }

    pub fn bytes(&self, place: &Place) -> Option<&[u8]> {
        file(&self.files, Some(place))
    }

    pub fn has(&self, path: &str) -> bool {
        self.bytes(&Place { root: Root::Main, path: path.to_owned() }).is_some()
    }

    /// A place's path for messages.
    pub fn shown(&self, place: &Place) -> String {
        let [main, kubelet] = &self.prefixes;
        format!("{}{}", if place.root == Root::Main { main } else { kubelet }, place.path)
    }
}

fn above(place: &Place) -> impl Iterator<Item = (Root, &str)> {
    let parents = place.path.match_indices('/').filter_map(|(at, _)| place.path.get(..at));
    parents.map(|path| (place.root, path))
}

/// The file a symlink leads to; else where it ends, if that is on the node.
fn follow<'a>(
    from: &Place,
    links: &BTreeMap<&Place, &String>,
    files: &BTreeMap<&Place, &'a Zeroizing<Vec<u8>>>,
) -> Result<&'a Zeroizing<Vec<u8>>, Option<Place>> {
    let mut at = from.clone();
    for _ in 0..LINKS {
        if let Some(bytes) = files.get(&at) {
            return Ok(bytes);
        }
        let Some(target) = links.get(&at) else { return Err(Some(at)) };
        at = leads(&at, target).ok_or(None)?;
    }
    Err(None)
}

/// Where a symlink leads on its node; `None`: out of what was given.
fn leads(from: &Place, target: &str) -> Option<Place> {
    let base = match from.root {
        Root::Main => DEFAULT_DIR,
        Root::Kubelet => DEFAULT_KUBELET_DIR,
        // A certificatesDir elsewhere is not among what is given.
        Root::Certificates => return None,
    };
    let whole = match target.starts_with('/') {
        true => target.to_owned(),
        false => format!("{base}/{}/../{target}", from.path),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    place_of(&format!("/{}", parts.join("/")))
}

/// The place of an absolute path of the node.
pub fn place_of(path: &str) -> Option<Place> {
    let below = |dir: &str| Some(path.strip_prefix(dir)?.strip_prefix('/')?.to_owned());
    let main = below(DEFAULT_DIR).map(|path| Place { root: Root::Main, path });
    main.or_else(|| below(DEFAULT_KUBELET_DIR).map(|path| Place { root: Root::Kubelet, path }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main(path: &str) -> Place {
        Place { root: Root::Main, path: path.to_owned() }
    }

    #[test]
    fn a_symlink_stays_on_its_node() {
        for (from, target, expected) in [
            ("pki/a", "b", Some("pki/b")),
            ("pki/a", "../ssl/b", Some("ssl/b")),
            ("a", "/etc/kubernetes/ssl", Some("ssl")),
            ("a", "../kubernetes/b", Some("b")),
            ("a", "../../../../../b", None),
            ("a", "/etc/passwd", None),
            ("a", "/etc/kubernetes-old/b", None),
        ] {
            assert_eq!(leads(&main(from), target), expected.map(main), "{from} -> {target}");
        }
        let kubelet = |path: &str| Place { root: Root::Kubelet, path: path.to_owned() };
        assert_eq!(leads(&kubelet("current.pem"), "/var/lib/kubelet/pki/2.pem"), Some(kubelet("2.pem")));
    }

    #[test]
    fn links_become_files_and_circles_end() {
        let raw = |path: &str, what| Raw { place: main(path), what };
        let link = |target: &str| RawKind::Link(target.to_owned());
        let found = NodeFiles::of(
            "n".to_owned(),
            [String::new(), String::new()],
            None,
            vec![
                raw("ssl/ca.crt", RawKind::File(Zeroizing::new(b"c".to_vec()))),
                raw("a", link("b")),
                raw("b", link("ssl/ca.crt")),
                raw("pki", link("ssl")),
                raw("circle", link("circle")),
                raw("out", link("/etc/passwd")),
                raw("pipe", RawKind::Other("a named pipe".to_owned())),
            ],
        );
        let names: Vec<&str> = found.files.keys().map(|place| place.path.as_str()).collect();
        assert_eq!(names, ["a", "b", "ssl/ca.crt"]);
        let unread: Vec<&str> = found.unread.iter().map(|(place, _)| place.path.as_str()).collect();
        assert_eq!(unread, ["circle", "out", "pipe"]);
    }
}
