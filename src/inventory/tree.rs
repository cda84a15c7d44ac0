//! One node's kubernetes directory, or what a cluster's nodes share: the catalogue leads.

use std::path::{Path, PathBuf};

use super::expected::{self, CandidatePath, DEFAULT_DIR, Expected, Presence, Shape};
use super::load::{self, Loader, ReadMode};
use super::object::{self, ParsedObject, Place};
use super::revoked;
use super::{Form, Kind, Reading, Request, Tree, content, kubeconfigs};
use crate::catalog::{CaId, Files, Holders};
use crate::encoding::base64;
use crate::files::{self, Dir, Source};

const DEFAULT_KUBELET_DIR: &str = "/var/lib/kubelet/pki";

/// What was found of one expected file.
struct Found {
    expected: Expected,
    path: String,
    objects: Vec<ParsedObject>,
}

impl Found {
    fn is_there(&self) -> bool {
        self.objects.first().is_some_and(|object| object.reading != Reading::Missing)
    }
}

pub fn read(request: &Request<'_>) -> Tree {
    let root = request.root.display().to_string();
    let host = Host::of(request, root.trim_end_matches('/'));
    let expected = match request.form {
        Form::Shared => expected::of_cluster(request),
        _ => expected::of_node(request, &host.kubelet),
    };
    let dir = match Dir::open_root(&request.root) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.kind == files::Kind::Missing => Ok(None),
        Err(error) => Err(load::refusal(&error.kind)),
    };
    let mut reader = Reader {
        dir: dir.as_ref().ok().and_then(Option::as_ref),
        broken: dir.as_ref().err(),
        host: &host,
        loader: Loader::default(),
        further: Loader::default(),
        authority: None,
    };
    let mut found: Vec<Found> = expected.into_iter().map(|expected| reader.file(expected)).collect();
    let keys = Keys::of(request, reader.dir, &found);
    decide(&mut found, &reader, request);
    mark_revoked(&mut found, request);
    let node = request.node.clone().or_else(|| node_name(&found));
    Tree {
        root: root.clone(),
        cluster: request.profile.map(|profile| profile.cluster_name.clone()),
        node: node.filter(|_| request.form == Form::Node),
        items: items(found, &keys),
    }
}

/// Where paths of the node are found on this machine.
struct Host {
    /// Without a slash at the end.
    root: String,
    kubelet: CandidatePath,
    /// A person said where the kubelet keeps its files, or this is its machine: what it refers to must be there.
    sure: bool,
}

impl Host {
    fn of(request: &Request<'_>, root: &str) -> Self {
        let rootfs = root.strip_suffix(DEFAULT_DIR);
        let kubelet = match (&request.kubelet_dir, rootfs) {
            (Some(dir), _) => CandidatePath::AsIs(dir.display().to_string().trim_end_matches('/').to_owned()),
            (None, Some(prefix)) => CandidatePath::AsIs(format!("{prefix}{DEFAULT_KUBELET_DIR}")),
            (None, None) => CandidatePath::Below("kubelet".to_owned()),
        };
        Self { root: root.to_owned(), kubelet, sure: request.kubelet_dir.is_some() || root == DEFAULT_DIR }
    }

    fn below(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.root) }
    }

    fn full(&self, spot: &CandidatePath) -> String {
        match spot {
            CandidatePath::Below(path) => self.below(path),
            CandidatePath::AsIs(path) => path.clone(),
        }
    }

    /// A file a kubeconfig refers to, and whether it may be missing. The kubelet's own directory may lie elsewhere when a
    /// tree is looked at from outside.
    fn referred(&self, path: &str) -> (String, bool) {
        let name = path.strip_prefix(DEFAULT_KUBELET_DIR).and_then(|rest| rest.strip_prefix('/'));
        match name {
            Some(name) => (format!("{}/{name}", self.full(&self.kubelet)), !self.sure),
            None => (self.below(path), false),
        }
    }
}

struct Reader<'a> {
    dir: Option<&'a Dir>,
    broken: Option<&'a String>,
    host: &'a Host,
    loader: Loader,
    further: Loader,
    /// Base64 of the cluster's CA file, as kubeconfigs embed it.
    authority: Option<String>,
}

impl Reader<'_> {
    fn look(&self, spot: &CandidatePath) -> Result<Option<Source>, String> {
        let looked = match (spot, self.broken, self.dir) {
            (CandidatePath::AsIs(path), ..) => files::look(Path::new(path)),
            (CandidatePath::Below(_), Some(why), _) => return Err(why.clone()),
            (CandidatePath::Below(path), None, Some(dir)) => files::look_below(dir, Path::new(path)),
            (CandidatePath::Below(path), None, None) if path.starts_with('/') => files::look(Path::new(path)),
            (CandidatePath::Below(_), None, None) => Ok(None),
        };
        looked.map_err(|kind| load::refusal(&kind))
    }

    fn file(&mut self, expected: Expected) -> Found {
        let looked = expected.spots.iter().map(|spot| (spot, self.look(spot)));
        let there = looked.into_iter().find(|(_, source)| !matches!(source, Ok(None)));
        let Some((spot, source)) = there else {
            let path = expected.spots.last().map(|spot| self.host.full(spot)).unwrap_or_default();
            let objects = vec![ParsedObject::new(expected.kind, 0, Reading::Missing)];
            return Found { expected, path, objects };
        };
        let path = self.host.full(spot);
        let read = match source {
            Err(why) => Err(why),
            Ok(None) => Ok(Vec::new()),
            Ok(Some(source)) => match expected.shape {
                Shape::Certificates => self.certificates(&source, &expected),
                Shape::Kubeconfig => self.kubeconfig(&source),
            },
        };
        let objects = read.unwrap_or_else(|why| vec![ParsedObject::broken(expected.kind, 0, why)]);
        Found { expected, path, objects }
    }

    fn certificates(&mut self, source: &Source, expected: &Expected) -> Result<Vec<ParsedObject>, String> {
        let kind = expected.kind;
        let own = expected.name == CaId::Cluster.name();
        let mut embedded = None;
        let objects = self.loader.objects(source, ReadMode::Named, |bytes| {
            if own {
                embedded = Some(base64::encode(bytes).to_string());
            }
            let objects = content::objects(bytes);
            if objects.is_empty() {
                let wanted = if kind == Kind::Crl { "a CRL" } else { "a certificate" };
                return vec![ParsedObject::broken(
                    kind,
                    0,
                    format!("expected {wanted}, found {}", content::instead(bytes)),
                )];
            }
            objects
        });
        if own {
            self.authority = embedded;
        }
        let mut objects = objects?;
        // A broken one is what it was expected to be.
        for object in objects.iter_mut().filter(|object| matches!(object.reading, Reading::Unreadable(_))) {
            object.kind = kind;
        }
        Ok(objects)
    }

    fn kubeconfig(&mut self, source: &Source) -> Result<Vec<ParsedObject>, String> {
        let (host, further, authority) = (self.host, &mut self.further, self.authority.as_deref());
        let mut open = |path: &str| {
            let (path, optional) = host.referred(path);
            let look = files::look(Path::new(&path)).map_err(|kind| load::refusal(&kind));
            let read = look.and_then(|source| match source {
                None => Ok(vec![ParsedObject { optional, ..ParsedObject::new(Kind::Kubeconfig, 0, Reading::Missing) }]),
                Some(source) => further.objects(&source, ReadMode::Named, |bytes| {
                    let objects = content::pem(bytes, Kind::Kubeconfig);
                    let found = content::instead(bytes);
                    match objects.is_empty() {
                        true => vec![ParsedObject::broken(
                            Kind::Kubeconfig,
                            0,
                            format!("expected a PEM certificate, found {found}"),
                        )],
                        false => objects,
                    }
                }),
            });
            let mut objects = read.unwrap_or_else(|why| vec![ParsedObject::broken(Kind::Kubeconfig, 0, why)]);
            for object in &mut objects {
                object.elsewhere = Some(path.clone());
            }
            Some(objects)
        };
        self.loader.objects(source, ReadMode::Named, |bytes| kubeconfigs::expected(bytes, authority, &mut open))
    }
}

/// Which authorities' keys are not here.
struct Keys {
    missing: Vec<CaId>,
}

impl Keys {
    fn of(request: &Request<'_>, dir: Option<&Dir>, found: &[Found]) -> Self {
        let pki = match request.form {
            Form::Shared => "pki".to_owned(),
            _ => expected::pki(request.profile),
        };
        // By name only: a key that cannot be read is there, and no key is ever opened.
        let exists = |authority: &CaId| {
            let key = format!("{pki}/{}.key", authority.stem());
            let shared = || request.cluster_dir.as_ref().map(|shared| shared.join("pki").join(authority.stem()));
            dir.is_some_and(|dir| files::what(Some(dir), Path::new(&key)).is_some())
                || shared().is_some_and(|stem| files::what(None, &stem.with_extension("key")).is_some())
        };
        let has_certificate =
            |authority: &CaId| found.iter().any(|found| found.expected.name == authority.name() && found.is_there());
        let missing = |authority: &CaId| has_certificate(authority) && !exists(authority);
        Self { missing: CaId::ALL.into_iter().filter(missing).collect() }
    }
}

/// Settles what nobody said: a worker needs no API server, and etcd may be somewhere else.
fn decide(found: &mut Vec<Found>, reader: &Reader<'_>, request: &Request<'_>) {
    let there = |wanted: &dyn Fn(&Holders, bool) -> bool| {
        found.iter().any(|found| match found.expected.entry {
            Some(entry) => wanted(&entry.holders, entry.etcd) && found.is_there(),
            None => false,
        })
    };
    let pki = expected::pki(request.profile);
    let holds_key = |stem: &str| {
        let path = format!("{pki}/{stem}.key");
        reader.dir.is_some_and(|dir| files::what(Some(dir), Path::new(&path)).is_some())
    };
    let plane = |holders: &Holders| matches!(holders, Holders::ControlPlane | Holders::FirstControlPlane);
    let etcd = there(&|holders, etcd| etcd && *holders == Holders::EtcdMembers)
        || ["etcd/ca", "etcd/server", "etcd/peer", "etcd/healthcheck-client"].into_iter().any(holds_key);
    let nothing = !there(&|_, _| true);
    let control_plane = nothing
        || there(&|holders, etcd| plane(holders) && !etcd)
        || ["ca", "apiserver", "sa", "front-proxy-ca"].into_iter().any(holds_key);
    for found in found.iter_mut().filter(|found| found.expected.need == Presence::Unknown) {
        let Some(entry) = found.expected.entry else { continue };
        let required = match (entry.holders, entry.etcd) {
            (Holders::EtcdMembers, _) => etcd || nothing,
            (_, true) => (etcd && (control_plane || entry.authority().is_some())) || nothing,
            (Holders::All, _) => control_plane || !etcd || entry.files != Files::Kubeconfig("kubelet.conf"),
            _ => control_plane,
        };
        found.expected.need = if required { Presence::Required } else { Presence::Optional };
    }
    found.retain(|found| found.expected.need != Presence::IfThere || found.is_there());
}

/// Each authority's list, and of a node in a cluster directory also the shared one, whichever is newer.
fn mark_revoked(found: &mut [Found], request: &Request<'_>) {
    let shared = |authority: CaId, end: &str| {
        let stem = request.cluster_dir.as_ref()?.join("pki").join(authority.stem());
        Some(stem.with_extension(end)).filter(|path| files::what(None, path).is_some())
    };
    for authority in CaId::ALL {
        let is = |found: &&Found, kind| found.expected.kind == kind && found.is_there();
        let own = found.iter().find(|one| is(one, Kind::Crl) && one.expected.authority == Some(authority));
        let lists: Vec<PathBuf> =
            own.map(|own| PathBuf::from(&own.path)).into_iter().chain(shared(authority, "crl")).collect();
        let issuer = found.iter().find(|one| is(one, Kind::Authority) && one.expected.name == authority.name());
        let issuer = issuer.map(|issuer| PathBuf::from(&issuer.path)).or_else(|| shared(authority, "crt"));
        if let (Some(issuer), false) = (issuer, lists.is_empty()) {
            revoked::mark(&issuer, &lists, found.iter_mut().flat_map(|found| &mut found.objects));
        }
    }
}

/// `system:node:NAME` in kubelet.conf.
fn node_name(found: &[Found]) -> Option<String> {
    let kubelet = found.iter().find(|found| found.expected.name == "kubelet.conf")?;
    match &kubelet.objects.first()?.reading {
        Reading::Certificate(facts) => facts.subject_attributes.cn.strip_prefix("system:node:").map(str::to_owned),
        _ => None,
    }
}

fn items(found: Vec<Found>, keys: &Keys) -> Vec<super::Item> {
    // Authorities by fingerprint, so that a kubeconfig's copy in another spelling is not told twice.
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
            optional: expected.need != Presence::Required,
            externally_managed: expected.key.is_some_and(|authority| keys.missing.contains(&authority)),
        };
        all.extend(objects.into_iter().filter(|object| !is_copy(object)).map(|object| object::item(object, place)));
    }
    object::linked(all)
}
