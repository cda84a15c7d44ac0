//! One node's kubernetes directory, or what a cluster's nodes share: the catalogue leads.

use std::path::Path;

use super::around::Around;
use super::expected::{self, CandidatePath, ETCD_CRL_DER, Expected, Presence, Seen};
use super::found::Found;
use super::framing::Head;
use super::item::{Item, Kind, Reading, Tree};
use super::load::{Loader, Loaders, ReadMode};
use super::object::{self, ParsedObject, Place};
use super::request::{Form, Request};
use super::revoked::SharedCrls;
use super::rootfs::NodeRootfs;
use super::unreadable::Unreadable;
use super::{framing, keys, kubeconfigs, marks, pem, shared};
use crate::catalog::paths::{KUBELET_CONF, KUBELET_SERVING, ROTATED_CLIENT};
use crate::catalog::{CaId, Entry};
use crate::encoding::key_public::Half;
use crate::encoding::{base64, pem as encoding_pem};
use crate::files::{self, Dir, Source};
use crate::profile::{CaKeys, KeyFrom, KeyOptions, Signing};

pub fn read(request: &Request<'_>, shared: &SharedCrls, loaders: &mut Loaders) -> Tree {
    let root = request.root.display().to_string();
    let rootfs = NodeRootfs::of(request, root.trim_end_matches('/'));
    let pki = expected::pki(request);
    let expected = match request.form {
        Form::Shared => expected::of_cluster(request),
        _ => expected::of_node(request, &rootfs.kubelet),
    };
    let dir = match Dir::open_root(&request.root) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.kind == files::Kind::Missing => Ok(None),
        Err(error) => Err(Unreadable::File(error.kind)),
    };
    let mut reader = Reader {
        dir: dir.as_ref(),
        rootfs: &rootfs,
        loader: &mut loaders.own,
        referred: &mut loaders.referred,
        shared: request.cluster_dir.as_deref(),
        authority: None,
        keys: request.keys,
        may_be_encrypted: request.form == Form::Shared
            && request.profile.is_none_or(|profile| profile.ca_keys == CaKeys::Nowhere),
        notes: Vec::new(),
        closed: Vec::new(),
    };
    let mut found: Vec<Found> = expected.into_iter().map(|expected| reader.file(expected)).collect();
    found.extend(reader.service_account(&pki));
    let mut notes = reader.notes;
    notes.extend(keys::closed(&reader.closed));
    let dir = dir.as_ref().ok().and_then(Option::as_ref);
    let is_key =
        |stem: &str| dir.is_some_and(|dir| files::what(Some(dir), Path::new(&format!("{pki}/{stem}.key"))).is_some());
    let external = external_authorities(request, &is_key, &found);
    decide(&mut found, &is_key);
    let der = marks::etcd_der(&mut found, request);
    marks::revoked(&mut found, request, shared);
    marks::wrong_issuers(&mut found);
    marks::unlike_ca(&mut found);
    marks::authorities(&mut found, request);
    // Of a CRL that is none of the authority's another is said.
    let is_list = |object: &ParsedObject| matches!(object.reading, Reading::Crl(_));
    let is_right = found.iter().any(|one| one.is_crl_of(CaId::Etcd) && one.objects.iter().any(is_list));
    notes.extend(der.filter(|_| is_right));
    let node = request.node.clone().or_else(|| node_name(&found));
    Tree {
        root: root.clone(),
        cluster: request.profile.map(|profile| profile.cluster_name.clone()),
        node: node.filter(|_| request.form == Form::Node),
        items: items(found, request, &external),
        notes,
    }
}

struct Reader<'a> {
    /// `None`: there is no such directory.
    dir: Result<&'a Option<Dir>, &'a Unreadable>,
    rootfs: &'a NodeRootfs,
    loader: &'a mut Loader,
    /// For files that kubeconfigs refer to.
    referred: &'a mut Loader,
    /// The cluster directory that this node's tree is in.
    shared: Option<&'a Path>,
    /// Base64 of the cluster's CA file, as kubeconfigs embed it.
    authority: Option<String>,
    /// Files of keys are read.
    keys: bool,
    /// Keys of authorities may be encrypted: nobody but kpki reads them here.
    may_be_encrypted: bool,
    notes: Vec<String>,
    /// Keys that may not be read.
    closed: Vec<String>,
}

impl Reader<'_> {
    fn open(&self, candidate: &CandidatePath) -> Result<Option<Source>, Unreadable> {
        if let Some(rotated) = self.rotated(&self.rootfs.full(candidate)) {
            return rotated;
        }
        let opened = match (candidate, self.dir) {
            (CandidatePath::AsIs(path), _) => files::look(Path::new(path)),
            (CandidatePath::Below(_), Err(why)) => return Err(why.clone()),
            (CandidatePath::Below(path), Ok(Some(dir))) => files::look_below(dir, Path::new(path)),
            (CandidatePath::Below(path), Ok(None)) if path.starts_with('/') => files::look(Path::new(path)),
            (CandidatePath::Below(_), Ok(None)) => Ok(None),
        };
        opened.map_err(Unreadable::File)
    }

    /// A symlink of the kubelet's to the file it has rotated last, which is beside it: an absolute path is of the node.
    fn rotated(&self, path: &str) -> Option<Result<Option<Source>, Unreadable>> {
        let target = path.ends_with("-current.pem").then(|| files::link(Path::new(path)))??;
        let beside = Path::new(path).with_file_name(target.file_name()?);
        let found = match files::look(&beside) {
            Ok(None) => files::look(&Path::new(path).with_file_name(&target)),
            found => found,
        };
        let dangling = || Unreadable::Dangling(target.display().to_string());
        Some(found.map_err(Unreadable::File).and_then(|source| source.ok_or_else(dangling).map(Some)))
    }

    fn file(&mut self, expected: Expected) -> Found {
        let mut last = String::new();
        for candidate in &expected.candidates {
            last = self.rootfs.full(candidate);
            let objects = match self.open(candidate) {
                Ok(None) => continue,
                Err(why) => vec![ParsedObject::broken(expected.kind, 0, why)],
                Ok(Some(source)) if expected.name == KUBELET_CONF => {
                    let objects = self.kubeconfig(&source, &last);
                    self.used_by_kubelet(objects)
                }
                Ok(Some(source)) if expected.kind == Kind::Kubeconfig => self.kubeconfig(&source, &last),
                Ok(Some(source)) => {
                    let mut objects = self.certificates(&source, &expected, &last);
                    self.key_beside(&expected, candidate, &mut objects);
                    objects
                }
            };
            return Found { expected, path: last, objects };
        }
        let objects = vec![ParsedObject::new(expected.kind, 0, Reading::Missing)];
        Found { expected, path: last, objects }
    }

    fn certificates(&mut self, source: &Source, expected: &Expected, path: &str) -> Vec<ParsedObject> {
        let kind = expected.kind;
        // The kubelet keeps its key and its certificate in one file, `.pem`.
        let public = path.ends_with(".crt");
        let (own, kubelets) = (expected.name == CaId::Cluster.name(), expected.name == KUBELET_SERVING);
        let pem_only = expected.is_read_by_kubernetes();
        let mut embedded = None;
        let mut objects = self.loader.objects(source, kind, ReadMode::Named, |bytes| {
            if own {
                embedded = Some(base64::encode(bytes).to_string());
            }
            if expected.name == ETCD_CRL_DER && !matches!(framing::head(bytes), Head::Der(_)) {
                return vec![pem::unexpected(bytes, kind, "a CRL in DER", None)];
            }
            if pem_only && matches!(framing::head(bytes), Head::Der(_) | Head::Container) {
                return vec![pem::unexpected(bytes, kind, "a PEM certificate", None)];
            }
            let mut objects = framing::by_framing(bytes, Kind::Certificate, None);
            match () {
                () if public => {}
                () if kubelets => keys::together(bytes, &mut objects),
                () => keys::compare(Half::of(bytes).as_ref(), &mut objects),
            }
            if public && !objects.is_empty() && encoding_pem::holds_private_key(bytes) {
                objects.push(ParsedObject::broken(kind, objects.len(), Unreadable::PrivateKey));
            }
            // A CRL in the place of a certificate, or the other way round.
            let is_other = |object: &ParsedObject| match object.reading {
                Reading::Certificate(_) => kind == Kind::Crl,
                Reading::Crl(_) => kind != Kind::Crl,
                Reading::Missing | Reading::Unreadable(_) => false,
            };
            if objects.iter().all(is_other) {
                let wanted = if kind == Kind::Crl { "a CRL" } else { "a certificate" };
                return vec![pem::unexpected(bytes, kind, wanted, None)];
            }
            objects
        });
        if own {
            self.authority = embedded;
        }
        // A broken one counts as what was expected.
        for object in objects.iter_mut().filter(|object| matches!(object.reading, Reading::Unreadable(_))) {
            object.kind = kind;
        }
        objects
    }

    /// Where the kubelet has rotated its client certificate, it uses that one, whatever kubelet.conf says.
    fn used_by_kubelet(&mut self, objects: Vec<ParsedObject>) -> Vec<ParsedObject> {
        const KIND: Kind = Kind::Kubeconfig;
        let path = format!("{}/{ROTATED_CLIENT}", self.rootfs.full(&self.rootfs.kubelet));
        let embeds = objects.first().is_none_or(|object| object.elsewhere.as_ref() != Some(&path));
        let mut used = match self.open(&CandidatePath::AsIs(path.clone())) {
            Ok(None) => return objects,
            Err(why) => vec![ParsedObject::broken(KIND, 0, why)],
            Ok(Some(source)) => self.referred.objects(&source, KIND, ReadMode::Named, |bytes| {
                let mut objects = pem::wanted(bytes, KIND, None);
                keys::together(bytes, &mut objects);
                objects
            }),
        };
        for object in &mut used {
            object.elsewhere = Some(path.clone());
            if let Reading::Certificate(facts) = &mut object.reading {
                facts.kubelet_embeds_another = embeds;
            }
        }
        // The kubelet reads the whole of kubelet.conf all the same.
        let is_in_use = |object: &ParsedObject| match object.reading {
            Reading::Unreadable(_) => object.elsewhere.is_none(),
            _ => object.kind != KIND || object.within.is_some(),
        };
        used.extend(objects.into_iter().filter(is_in_use));
        used
    }

    /// Whether the key beside a certificate is its own; and that it is there and of use, where it has to be.
    fn key_beside(&mut self, expected: &Expected, certificate: &CandidatePath, objects: &mut Vec<ParsedObject>) {
        let Some(key) = certificate.key().filter(|_| self.keys) else { return };
        let reading = match self.key(&key) {
            Ok(Some(half)) => return keys::compare(half.as_ref(), objects),
            Ok(None) if expected.needs_key() => Reading::Missing,
            Ok(None) => return,
            Err(Unreadable::EncryptedKey) if self.may_be_encrypted && expected.kind == Kind::Authority => return,
            Err(why) if self.is_closed(&key, &why) => return,
            Err(why) => Reading::Unreadable(why),
        };
        objects.push(keys::unusable(expected.kind, reading, self.rootfs.full(&key)));
    }

    /// Whose a key is, where it says so; `Ok(None)`: it is not there.
    fn key(&mut self, key: &CandidatePath) -> Result<Option<Option<Half>>, Unreadable> {
        self.open(key)?.map(|source| self.loader.small(&source, keys::read)?).transpose()
    }

    /// A key that may not be read may be well, which is said.
    fn is_closed(&mut self, key: &CandidatePath, why: &Unreadable) -> bool {
        let is_closed = *why == Unreadable::File(files::Kind::PermissionDenied);
        if is_closed {
            self.closed.push(self.rootfs.full(key));
        }
        is_closed
    }

    /// sa.key, where it is of no use; else sa.pub, where it is not its public half.
    fn service_account(&mut self, pki: &str) -> Option<Found> {
        let at = |end: &str| CandidatePath::Below(format!("{pki}/sa.{end}"));
        let (key, public) = (at("key"), at("pub"));
        let object = match self.keys.then(|| self.key(&key))? {
            Err(why) if self.is_closed(&key, &why) => return None,
            Err(why) => keys::unusable(Kind::Certificate, Reading::Unreadable(why), self.rootfs.full(&key)),
            Ok(half) => {
                let half = half?;
                let read = match self.open(&public) {
                    Ok(None) => Some(Reading::Missing),
                    Err(why) => Some(Reading::Unreadable(why)),
                    Ok(Some(source)) => {
                        let read = self.loader.small(&source, |text| keys::service_account(half.as_ref(), text));
                        let is_other =
                            half.as_ref().is_some_and(|half| shared::is_another(half, self.shared, self.loader));
                        let other = || is_other.then_some(Unreadable::OtherCopy);
                        read.unwrap_or_else(Some).or_else(other).map(Reading::Unreadable)
                    }
                };
                ParsedObject::new(Kind::Certificate, 0, read?)
            }
        };
        let path = self.rootfs.full(&public);
        let further = Expected::further("sa".to_owned(), path.clone(), Kind::Certificate, None);
        Some(Found { expected: Expected { presence: Presence::Required, ..further }, path, objects: vec![object] })
    }

    fn kubeconfig(&mut self, source: &Source, shown: &str) -> Vec<ParsedObject> {
        const KIND: Kind = Kind::Kubeconfig;
        let (rootfs, authority) = (self.rootfs, self.authority.as_deref());
        let find = |path: &str| Some(rootfs.referred(path));
        let mut around = Around::new(&find, self.referred);
        let read = |bytes: &[u8]| kubeconfigs::expected(bytes, authority, &mut around);
        let objects = self.loader.objects(source, KIND, ReadMode::Named, read);
        let notes = std::mem::take(&mut around.notes);
        self.notes.extend(notes.into_iter().map(|note| format!("{shown}: {note}")));
        objects
    }
}

/// Authorities whose certificate is here and whose key is neither here nor where the profile says that it is. By name only: a key that cannot be read exists, and no key is
/// ever opened.
fn external_authorities(request: &Request<'_>, is_key: &dyn Fn(&str) -> bool, found: &[Found]) -> Vec<CaId> {
    let has_certificate =
        |authority: &CaId| found.iter().any(|found| found.expected.name == authority.name() && found.is_there());
    let signing = |authority: &CaId| {
        let stated = request.profile.and_then(|profile| profile.authorities.get(authority));
        stated.and_then(|stated| stated.signing.as_ref())
    };
    let has_key = |authority: &CaId| match signing(authority) {
        Some(Signing::Issuer(_)) => false,
        Some(
            Signing::Key(KeyOptions { from: KeyFrom::File(_) | KeyFrom::Command { .. }, .. }) | Signing::Signer(_),
        ) => true,
        _ => is_key(authority.stem()) || request.shared_file(*authority, "key").is_some(),
    };
    CaId::ALL.into_iter().filter(|authority| has_certificate(authority) && !has_key(authority)).collect()
}

/// Whoever signs it is asked by a program.
fn has_issuer(request: &Request<'_>, expected: &Expected) -> bool {
    request.profile.is_some_and(|profile| match expected.outside {
        true => {
            let extra = profile.extra_certificates.iter().find(|extra| extra.name == expected.name);
            extra.is_some_and(|extra| extra.issuer.is_some())
        }
        false => expected.authority.is_some_and(|authority| profile.issuer(authority).is_some()),
    })
}

/// Decides what no profile says.
fn decide(found: &mut Vec<Found>, is_key: &dyn Fn(&str) -> bool) {
    let there = |entry: &Entry| {
        found.iter().any(|one| one.expected.entry.is_some_and(|found| found.name == entry.name) && one.is_there())
    };
    let seen = Seen::of(&there, is_key);
    for found in found.iter_mut().filter(|found| found.expected.presence == Presence::Unknown) {
        let Some(entry) = found.expected.entry else { continue };
        found.expected.presence = if seen.requires(entry) { Presence::Required } else { Presence::Optional };
    }
    found.retain(|found| found.expected.presence != Presence::IfThere || found.is_there());
}

/// `system:node:NAME` in kubelet.conf.
fn node_name(found: &[Found]) -> Option<String> {
    let kubelet = found.iter().find(|found| found.expected.name == KUBELET_CONF)?;
    match &kubelet.objects.first()?.reading {
        Reading::Certificate(facts) => facts.subject_attributes.cn.strip_prefix("system:node:").map(str::to_owned),
        _ => None,
    }
}

fn items(found: Vec<Found>, request: &Request<'_>, external: &[CaId]) -> Vec<Item> {
    // Authorities by fingerprint, so that a kubeconfig's copy in another spelling is not listed twice.
    let own: Vec<[u8; 32]> = found
        .iter()
        .filter(|found| found.expected.kind == Kind::Authority)
        .flat_map(|found| &found.objects)
        .filter_map(|object| match &object.reading {
            Reading::Certificate(facts) => Some(facts.fingerprint),
            _ => None,
        })
        .collect();
    let is_copy = |object: &ParsedObject| match &object.reading {
        Reading::Certificate(facts) => object.kind == Kind::KubeconfigAuthority && own.contains(&facts.fingerprint),
        _ => false,
    };
    let mut all = Vec::new();
    for Found { expected, path, objects } in found {
        let place = Place {
            name: &expected.name,
            path: &path,
            authority: expected.authority,
            optional: expected.presence != Presence::Required,
            externally_managed: expected.outside || expected.key.is_some_and(|authority| external.contains(&authority)),
            has_issuer: has_issuer(request, &expected),
        };
        // An intermediate of an external authority is renewed with what it signed, and no tree depends on it.
        let of_its_file = |object: ParsedObject| match (expected.outside, object.kind) {
            (true, Kind::Authority) => ParsedObject { kind: Kind::Certificate, ..object },
            _ => object,
        };
        let objects = objects.into_iter().filter(|object| !is_copy(object)).map(of_its_file);
        all.extend(objects.map(|object| object::item(object, place)));
    }
    object::linked(all)
}
