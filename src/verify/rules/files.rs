//! Files: there, readable, whose they are, and who may read them.

use crate::catalog::CaId;
use crate::profile::{CaKeys, KeyFrom, KeyOptions, Signing};
use crate::tree::layout::holds_ca_keys;
use crate::verify::cluster::{Cluster, Content, File, Key, Part, Tree};
use crate::verify::findings::Findings;
use crate::verify::repair;
use crate::verify::rule::{Rule, Severity};

pub const MISSING: Rule = Rule {
    id: "file/missing",
    severity: Severity::Error,
    what: "a file that this node needs is not there",
    why: "kubeadm cmd/kubeadm/app/phases/certs, or the profile",
    repair: "make what is missing, or put it back",
    follows: &[],
};

pub const BROKEN: Rule = Rule {
    id: "file/broken",
    severity: Severity::Error,
    what: "a file is not what its place asks for",
    why: "its readers fail to start, or pass over what they do not know (Go encoding/pem)",
    repair: "put the right file back, or make it again",
    follows: &[],
};

pub const KEY_MODE: Rule = Rule {
    id: "file/key-mode",
    severity: Severity::Error,
    what: "others than its owner may read or write a private key",
    why: "CIS Kubernetes Benchmark 1.1.13 to 1.1.18, 1.1.21 and 4.1.5",
    repair: "take the permissions away",
    follows: &["pair/key-inside"],
};

pub const MODE: Rule = Rule {
    id: "file/mode",
    severity: Severity::Warning,
    what: "others than its owner may write a file that decides who is trusted",
    why: "CIS Kubernetes Benchmark 1.1.20 and 4.1.7",
    repair: "take the permission away",
    follows: &[],
};

pub const OWNER: Rule = Rule {
    id: "file/owner",
    severity: Severity::Warning,
    what: "a file belongs to neither root nor the owner of its directory",
    why: "CIS Kubernetes Benchmark 1.1.19 and 4.1.8",
    repair: "give it to the owner of its directory",
    follows: &[],
};

pub const SYMLINK: Rule = Rule {
    id: "file/symlink",
    severity: Severity::Notice,
    what: "a file is a symlink, which kpki never writes through",
    why: "the kubelet's own kubelet-client-current.pem is the one exception (kubelet certificate store)",
    repair: "put the file itself in its place",
    follows: &[],
};

pub const PLAIN_KEY: Rule = Rule {
    id: "file/plain-key",
    severity: Severity::Warning,
    what: "the key of an authority is in the tree in plain, and the profile says that it is encrypted or elsewhere",
    why: "who reads the directory, or a copy of it, can sign certificates for anybody",
    repair: "encrypt it; remove it once the key that the profile names has signed",
    follows: &[],
};

pub const RULES: [&Rule; 7] = [&MISSING, &BROKEN, &KEY_MODE, &MODE, &OWNER, &SYMLINK, &PLAIN_KEY];

pub fn check(tree: &Tree, findings: &mut Findings<'_>) {
    for file in &tree.files {
        content(tree, file, findings);
        permissions(tree, file, findings);
    }
}

fn content(tree: &Tree, file: &File, findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    match &file.content {
        Content::Missing if file.required => {
            let is_rotated = file.entry == "kubelet-serving";
            let repair = if is_rotated { Vec::new() } else { repair::make(cluster, tree, file) };
            findings.add(&MISSING, (tree, file), None, "expected a file, found none", repair);
        }
        Content::Broken(why) => {
            findings.add(&BROKEN, (tree, file), None, why.clone(), repair::restore(cluster, tree, file));
        }
        Content::Closed(why) => findings.skip(file, why.clone()),
        Content::Key(key) if CaId::parse(&file.entry).is_some() => authority_key(tree, file, key, findings),
        // Of a leaf it is a finding of its pair.
        Content::Key(key) if key.is_encrypted && tree.file(&file.entry, Part::Certificate).is_none() => {
            findings.skip(file, "expected a key without a password, found an encrypted one");
        }
        Content::Kubeconfig(kubeconfig) => {
            for path in &kubeconfig.not_here {
                findings.skip(
                    file,
                    format!("it names {}, which is on another machine", crate::encoding::shown::named(path)),
                );
            }
            if !kubeconfig.others.is_empty() {
                findings.skip(file, format!("{} is not judged", kubeconfig.others.join(", ")));
            }
        }
        _ => {}
    }
}

/// Where nobody but kpki reads it, the key of an authority may be encrypted.
fn authority_key(tree: &Tree, file: &File, key: &Key, findings: &mut Findings<'_>) {
    let cluster = findings.cluster;
    let Some(authority) = CaId::parse(&file.entry) else { return };
    let signing = cluster.profile.and_then(|profile| profile.authorities.get(&authority)?.signing.as_ref());
    let found = match (key.is_encrypted, tree.is_shared) {
        (false, true) => {
            let Some(place) = signing.and_then(|signing| other_place(signing, &file.path)) else { return };
            let found = format!("expected no plain key beside authorities.{}.{place}, found one", authority.name());
            return findings.add(&PLAIN_KEY, (tree, file), None, found, repair::protect(cluster, authority));
        }
        (false, false) => return,
        (true, true) if cluster.profile.is_none_or(|profile| profile.ca_keys == CaKeys::Nowhere) => return,
        (true, true) => "expected a plain key, as caKeys of the profile gives it to nodes, found an encrypted one",
        // That a node has it at all is another finding.
        (true, false) if is_surplus(cluster, tree) => return,
        (true, false) if authority == CaId::Cluster => {
            "expected a plain key, as kube-controller-manager reads it, found an encrypted one"
        }
        (true, false) => "expected a plain key, as kubeadm reads it, found an encrypted one",
    };
    findings.add(&BROKEN, (tree, file), None, found, []);
}

/// The field that names another place for the key than its file in the tree.
fn other_place(signing: &Signing, path: &str) -> Option<&'static str> {
    match signing {
        Signing::Key(KeyOptions { from: KeyFrom::File(file), .. }) => {
            (!std::path::Path::new(file).ends_with(path.trim_start_matches("./"))).then_some("key.file")
        }
        Signing::Key(KeyOptions { from: KeyFrom::Command(_), .. }) => Some("key.command"),
        Signing::Key(KeyOptions { from: KeyFrom::Tree, .. }) => Some("key"),
        Signing::Signer(_) => Some("signer"),
        Signing::Issuer(_) => Some("issuer"),
    }
}

fn is_surplus(cluster: &Cluster<'_>, tree: &Tree) -> bool {
    let node = cluster.profile.zip(tree.node.as_deref());
    let node = node.and_then(|(profile, name)| Some((profile, profile.node(name)?)));
    node.is_some_and(|(profile, node)| !holds_ca_keys(profile, node))
}

/// It holds a private key.
fn is_secret(file: &File) -> bool {
    match file.part {
        Part::Key | Part::Kubeconfig | Part::RotatedPair => true,
        _ => file.key().is_some(),
    }
}

fn permissions(tree: &Tree, file: &File, findings: &mut Findings<'_>) {
    let Some(metadata) = &file.metadata else { return };
    let (mode, secret) = (metadata.mode, is_secret(file));
    // An administrator's group may read a kubeconfig or key that was given to it on purpose: kubeadm's own are 0600.
    if secret && mode & 0o077 != 0 {
        let found = format!("expected mode 0600, found {mode:04o}");
        findings.add(&KEY_MODE, (tree, file), None, found, [repair::chmod(0o600, &file.path)]);
    } else if mode & 0o022 != 0 {
        let found = format!("expected mode {:04o}, found {mode:04o}", mode & !0o022);
        findings.add(&MODE, (tree, file), None, found, [repair::chmod(mode & !0o022, &file.path)]);
    }
    if let Some(owner) = tree.owner.filter(|owner| metadata.uid != 0 && metadata.uid != *owner) {
        let found = format!("expected user {owner}, found {}", metadata.uid);
        findings.add(&OWNER, (tree, file), None, found, [repair::chown(owner, &file.path)]);
    }
    let is_kubelets = file.path.ends_with("-current.pem");
    if let Some(link) = metadata.link.as_ref().filter(|_| !is_kubelets && file.part != Part::Manifest) {
        let found = format!("expected a file, found a symlink to {}", crate::encoding::shown::named(link));
        findings.add(&SYMLINK, (tree, file), None, found, []);
    }
}
