//! Whether the archive is whole: its files fit each other and the manifest, and they are this node's.

use super::contents::{Contents, Part, What};
use super::request::Request;
use super::{kubelet, packed};
use crate::catalog;
use crate::catalog::paths::KUBELET_CONF;
use crate::encoding::shown::named;
use crate::error;
use crate::plan::node::{self, Finding, Identity, Judged, NodeFile};
use crate::profile::{ExtraCertificate, Profile};
use crate::tree::leaf;
use crate::workspace::crl_file::List;
use crate::workspace::shipping::manifest::Manifest;
use crate::workspace::shipping::node_entries::{NodeRootfs, Sources, node_entries};
use crate::x509::{Certificate, Crl, decimal, path, sha256};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Everything that is wrong with it.
pub fn flaws(contents: &Contents, profile: Option<&Profile>, request: &Request) -> Vec<String> {
    let now = request.run.now;
    let mut whys = prints(contents);
    whys.extend(packed::flaws(contents));
    whys.extend(judged(contents, profile, now).iter().flat_map(|one| {
        let name = &one.name;
        one.findings.iter().map(move |finding| format!("{name}: {}", error::finding(finding)))
    }));
    if let Some(profile) = profile {
        whys.extend(extras(contents, profile, now));
        let Manifest { cluster, node, .. } = &contents.manifest;
        if profile.cluster_name != *cluster || profile.node(node).is_none() {
            whys.push(format!("its profile is not of {} in {}", named(node), named(cluster)));
        }
    }
    whys.extend(contents.manifest.lists.iter().filter_map(|list| {
        let part = contents.parts.iter().find(|part| part.path == list.path)?;
        let why = list_flaw(contents, part, list.number.as_deref(), &list.fingerprint.0)?;
        Some(format!("{}: {why}", named(&list.path)))
    }));
    whys
}

/// The files are what the manifest says.
fn prints(contents: &Contents) -> Vec<String> {
    let public = |path: &str| contents.parts.iter().find(|part| part.path == path && part.what == What::Public);
    let is_other = |path: &str, name: &str, wanted: &node::Fingerprints| {
        public(path).is_some_and(|part| !node::prints(catalog::find(name), &part.bytes).are_those_of(wanted))
    };
    let entries = contents.manifest.entries.iter();
    let other = entries.filter(|one| is_other(&one.path, &one.name, &one.prints()));
    other.map(|one| format!("{}: not what the manifest says", named(&one.name))).collect()
}

/// As `export --verify` judges the files on a node.
fn judged(contents: &Contents, profile: Option<&Profile>, at: OffsetDateTime) -> Vec<Judged> {
    let manifest = &contents.manifest;
    let files: BTreeMap<String, NodeFile> =
        contents.parts.iter().map(|part| (part.path.clone(), NodeFile::File(part.bytes.clone()))).collect();
    let sources = Sources { manifest: Some(manifest), profile, node: &manifest.node };
    let found = node_entries(&NodeRootfs::of_archive(files), &sources);
    let identity = Identity { node: manifest.node.clone(), hostname: false, address: manifest.address };
    let mut judged = node::judge(&identity, &found, at);
    if kubelet::rotated(contents).is_some() {
        let conf = judged.iter_mut().filter(|one| one.name == KUBELET_CONF);
        conf.for_each(|one| one.findings.retain(|finding| *finding != Finding::Missing));
    }
    judged
}

/// Extra certificates are by the authority that the profile says.
fn extras(contents: &Contents, profile: &Profile, at: OffsetDateTime) -> Vec<String> {
    let bundle = |name: &str| {
        let is_it = |part: &&Part| part.what == What::Public && part.entry == name;
        contents.parts.iter().find(is_it).and_then(|part| leaf::bundle(&part.bytes))
    };
    let flaw = |extra: &ExtraCertificate| {
        let authority = extra.authority.in_tree()?;
        let (own, roots) = (bundle(&extra.name)?, bundle(authority.name())?);
        let (first, chain) = own.split_first()?;
        let why = path::judge(first, chain, &roots, at).err()?;
        Some(format!("{}: {}", extra.name, error::finding(&Finding::Path(authority, why))))
    };
    profile.extra_certificates.iter().filter_map(flaw).collect()
}

/// A list is by the authority beside it, and the one that the manifest says.
fn list_flaw(contents: &Contents, part: &Part, number: Option<&str>, fingerprint: &[u8; 32]) -> Option<String> {
    let What::List(authority) = part.what else { return Some("not the list of an authority".to_owned()) };
    let lists = match lists(&part.bytes) {
        Ok(lists) => lists,
        Err(why) => return Some(why),
    };
    let is_named = |list: &&List| {
        sha256(&list.der) == *fingerprint && list.crl.number.as_deref().map(decimal).as_deref() == number
    };
    let named = contents.manifest.lists.iter().filter(|list| list.path == part.path).count();
    let Some(List { der, crl }) = lists.iter().find(is_named).filter(|_| lists.len() == named) else {
        return Some("not what the manifest says".to_owned());
    };
    let is_it = |part: &&Part| part.what == What::Public && part.entry == authority.name();
    let issuers = contents.parts.iter().find(is_it).and_then(|part| leaf::bundle(&part.bytes)).unwrap_or_default();
    let by = |issuer: &Certificate| crl.signed_by(der, issuer);
    match issuers.iter().map(by).find(Result::is_ok).or_else(|| issuers.first().map(by)) {
        Some(Ok(())) => None,
        Some(Err(why)) => Some(why.to_string()),
        None => Some(format!("{} is not beside it", authority.name())),
    }
}

/// The CRLs in a file, PEM or DER.
pub fn lists(bytes: &[u8]) -> Result<Vec<List>, String> {
    let ders = match bytes.first() {
        Some(0x30) => vec![bytes.to_vec()],
        _ => {
            let blocks = crate::encoding::pem::read(bytes).map_err(|why| why.to_string())?;
            if blocks.is_empty() || !blocks.iter().all(|block| block.label.is("X509 CRL")) {
                return Err("expected one CRL of each issuer".to_owned());
            }
            blocks.iter().map(|block| block.contents.to_vec()).collect()
        }
    };
    let parsed = |der: Vec<u8>| match Crl::parse(&der) {
        Ok(crl) => Ok(List { der, crl }),
        Err(why) => Err(why.to_string()),
    };
    ders.into_iter().map(parsed).collect()
}
