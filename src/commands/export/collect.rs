//! What of the tree goes to the node: certificates, keys, kubeconfigs and CRLs, and the manifest's word for each.

use super::request::Part;
use super::source::Source;
use crate::catalog::{self, CaId};
use crate::error::{self, Error};
use crate::files::FileState;
use crate::plan::item::Item;
use crate::plan::node;
use crate::tree::{Place, Survey};
use crate::workspace::crl_file::List;
use crate::workspace::shipping::digest::Sha256;
use crate::workspace::shipping::lists::NodeCrl;
use crate::workspace::shipping::manifest::{ApiVersion, Exported, ExportedList, Kind, Manifest};
use crate::x509::{decimal, parse_pem_bundle, sha256};
use zeroize::Zeroizing;

/// Everything in the archive except what kpki itself needs there.
pub struct Read {
    pub parts: Vec<Part>,
    pub manifest: Manifest,
    /// When the newest certificate or CRL begins, in seconds since 1970.
    pub newest: u64,
    /// Keys of authorities among them.
    pub ca_keys: bool,
    pub notes: Vec<String>,
}

/// `notes`: what was said about the files already.
///
/// # Errors
/// A CRL cannot be used.
pub fn collect(source: &Source<'_>, survey: &Survey, notes: Vec<String>) -> Result<Read, Error> {
    let home = source.profile.node(&source.request.node);
    let mut read = Read {
        parts: Vec::new(),
        manifest: Manifest {
            api_version: ApiVersion::V1,
            kind: Kind::NodeManifest,
            cluster: source.profile.cluster_name.clone(),
            node: source.request.node.clone(),
            address: home.and_then(|node| node.advertise_address),
            issue: None,
            entries: Vec::new(),
            lists: Vec::new(),
        },
        newest: 0,
        ca_keys: false,
        notes,
    };
    for item in source.items.iter().filter(|item| source.goes(item)) {
        let Some(FileState::File { bytes: public, .. }) = survey.get(&item.public) else { continue };
        read.entry(source, survey, item, public);
        if let Some(authority) = CaId::parse(&item.id.name) {
            read.list(source, authority, &item.public, public)?;
        }
    }
    Ok(read)
}

impl Read {
    fn entry(&mut self, source: &Source<'_>, survey: &Survey, item: &Item, public: &Zeroizing<Vec<u8>>) {
        let entry = catalog::find(&item.id.name);
        let authority = CaId::parse(&item.id.name);
        let path = source.belongs(&item.public);
        let mut key = None;
        match item.private.as_ref().map(|place| (place, survey.get(place))) {
            Some((place, Some(FileState::File { bytes, .. }))) => {
                let path = source.belongs(place);
                key = Some(path.clone());
                self.ca_keys |= authority.is_some();
                self.parts.push(Part { path, mode: 0o600, entry: item.id.name.clone(), bytes: bytes.clone() });
            }
            Some(_) if authority.is_some() => {
                self.notes.push(format!("the key of {} is not in {}", item.id.name, source.request.dir.display()));
            }
            _ => {}
        }
        for certificate in node::certificates(entry, public) {
            self.begins(certificate.not_before);
        }
        let prints = node::prints(entry, public);
        self.manifest.entries.push(Exported::new(item.id.name.clone(), path.clone(), key, prints));
        let mode = source.mode(item);
        self.parts.push(Part { path, mode, entry: item.id.name.clone(), bytes: public.clone() });
    }

    /// The CRL of an authority that the node holds.
    fn list(&mut self, source: &Source<'_>, authority: CaId, copy: &Place, public: &[u8]) -> Result<(), Error> {
        let Ok(trusted) = parse_pem_bundle(public) else { return Ok(()) };
        let Some(crls) = NodeCrl::read(&source.tree, authority, copy, &trusted)? else { return Ok(()) };
        for List { crl, .. } in crls.lists() {
            self.begins(crl.this_update);
            if let Some(end) = crl.next_update.filter(|end| *end < source.request.now) {
                self.notes.push(error::stale_list(&source.tree.origin(), authority, end));
            }
        }
        let name = format!("{}.crl", authority.name());
        let forms = [(name.clone(), crls.pem()), (format!("{name}.der"), crls.der())];
        for (entry, file) in forms.into_iter().filter_map(|(entry, form)| Some((entry, form?))) {
            let path = source.belongs(&file.place);
            for List { der, crl } in file.lists {
                let (number, fingerprint) = (crl.number.as_deref().map(decimal), Sha256(sha256(der)));
                let (authority, path) = (authority.name().to_owned(), path.clone());
                self.manifest.lists.push(ExportedList { authority, path, number, fingerprint });
            }
            self.parts.push(Part { path, mode: 0o644, entry, bytes: Zeroizing::new(file.bytes) });
        }
        Ok(())
    }

    fn begins(&mut self, at: time::OffsetDateTime) {
        self.newest = self.newest.max(u64::try_from(at.unix_timestamp()).unwrap_or(0));
    }
}
