//! The source tree of an export: the recorded profile decides what goes to the node, and the files must agree with it.

use time::OffsetDateTime;

use super::request::Request;
use crate::catalog::CaId;
use crate::catalog::paths::SUPER_ADMIN_CONF;
use crate::error::{self, Context, Error};
use crate::plan::decision::{Decision, Notice};
use crate::plan::init as plan;
use crate::plan::item::{self, Item, What};
use crate::plan::reconcile::reconcile;
use crate::profile::Profile;
use crate::tree::layout::{DEFAULT_KUBELET_DIR, Root};
use crate::tree::{Directories, Layout, Place, Survey, authorities};
use crate::workspace::{TreeDir, profiles, signer_file, state, survey};

pub struct Source<'a> {
    pub request: &'a Request,
    pub profile: Profile,
    pub layout: Layout,
    pub tree: TreeDir,
    /// The shared entries and the node's own.
    pub items: Vec<Item>,
}

impl<'a> Source<'a> {
    pub fn open(request: &'a Request) -> Result<Self, Error> {
        let main = &request.dir;
        let (state, profile) = profiles::recorded(main)?.ok_or_else(|| {
            Error::new(format!("{} records no profile", main.display()))
                .because("expected a directory that kpki init made")
                .hint("give it with --dir")
        })?;
        if profile.node(&request.node).is_none() {
            let names: Vec<&str> = profile.nodes.iter().map(|node| node.name.as_str()).collect();
            let what = format!("the profile has no node {:?}; it has {}", request.node, names.join(", "));
            return Err(Error::usage(what).hint("give one of these, or add the node to the profile and run kpki init"));
        }
        let layout = state::layout(&profile, &state.choices);
        if let Layout::Node { name } = &layout
            && *name != request.node
        {
            return Err(Error::usage(format!("{} is {name}'s own tree, not {}'s", main.display(), request.node))
                .hint("give the cluster directory with --dir: it holds every node's tree"));
        }
        let recorded = (state, profile);
        let (tree, profile) = (TreeDir::recorded(main, Some(&recorded), None)?, recorded.1);
        // Shared items come first, so that the index of a copied item stays valid.
        let mut items = signer_file::items(&profile, &layout, &tree)?;
        items.retain(|item| item.id.node.is_none() || item.id.node.as_ref() == Some(&request.node));
        items.retain(|item| item.id.name != SUPER_ADMIN_CONF || !survey::is_missing(&tree.roots, &item.public));
        if request.without_ca_keys {
            let goes = |item: &Item| layout != Layout::Cluster || item.id.node.is_some();
            for item in items.iter_mut().filter(|item| goes(item) && CaId::parse(&item.id.name).is_some()) {
                item.private = None;
            }
        }
        Ok(Self { request, profile, layout, tree, items })
    }

    /// Reads everything, and what is worth a word; the error has every problem.
    pub fn read(&self, now: OffsetDateTime) -> Result<(Survey, Vec<String>), Error> {
        let (node, dir) = (&self.request.node, self.request.dir.display());
        if self.tree.is_interrupted()? {
            return Err(Error::new(format!("cannot export {node}: an earlier run in {dir} was interrupted"))
                .hint("run that command again: it completes the interrupted run"));
        }
        let context = Context {
            directory: &self.tree.roots.main,
            origin: &self.tree.origin(),
            profile: Some(&self.profile),
            roots: &self.tree.roots,
            force: false,
        };
        let (survey, mut whys) = self.survey();
        let (mut hints, mut notes) = (Vec::new(), Vec::new());
        if whys.is_empty() {
            let authorities = authorities::authorities(&survey, &self.tree.directories, &self.tree.keys);
            let decided = reconcile(&self.profile, &self.items, &survey, &authorities, now, false);
            (whys, hints) = error::unfit(&context, &self.items, &decided);
            debug_assert!(!whys.is_empty() || decided.decisions.iter().all(|one| matches!(one, Decision::Keep)));
            notes.extend(error::kubelet_rotates(&decided.notices));
            for notice in &decided.notices {
                let Notice::OtherServer { item, found, wanted } = notice else { continue };
                match self.node_at(found) {
                    Some(other) => whys.push(format!("{item}: its server is {found}, which is {other}")),
                    None => notes.push(format!("{item} has the server {found}, the profile {wanted}")),
                }
            }
        }
        if !whys.is_empty() {
            let what = format!("cannot export {node} from {dir}: nothing was written");
            return Err(Error { why: whys, hints, ..Error::new(what) });
        }
        Ok((survey, notes))
    }

    /// The other node whose address is in a URL: it identifies a kubeconfig whose certificate names no node.
    fn node_at(&self, url: &str) -> Option<&str> {
        let authority = url.strip_prefix("https://")?.split('/').next()?;
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let address = host.trim_matches(['[', ']']).parse().ok()?;
        let mut others = self.profile.nodes.iter().filter(|node| node.name != self.request.node);
        others.find(|node| node.addresses.contains(&address)).map(|node| node.name.as_str())
    }

    /// Every place, and those that are not regular files.
    fn survey(&self) -> (Survey, Vec<String>) {
        let (mut all, mut whys) = (Survey::new(), Vec::new());
        for place in plan::places(&self.items) {
            match survey::survey(&self.tree.roots, std::iter::once(place)) {
                Ok(found) => all.extend(found),
                Err(why) => whys.push(why.what),
            }
        }
        whys.dedup();
        (all, whys)
    }

    pub fn mode(&self, item: &Item) -> u32 {
        match item.what {
            What::Copy { .. } => plan::mode(&self.items, item),
            ref what => item::public_mode(what),
        }
    }

    /// How a command names the tree.
    /// Whether it is the node's own file, or its copy.
    pub fn goes(&self, item: &Item) -> bool {
        self.layout != Layout::Cluster || item.id.node.is_some()
    }

    /// The path on the node.
    pub fn belongs(&self, place: &Place) -> String {
        let base = Directories::base(&self.layout, &self.request.node);
        let below = place.path.strip_prefix(&base).unwrap_or(&place.path);
        let kubelet = self.tree.directories.kubelet.as_deref().and_then(|kubelet| below.strip_prefix(kubelet));
        match (place.root, kubelet.and_then(|rest| rest.strip_prefix('/'))) {
            (Root::Kubelet, _) => format!("{DEFAULT_KUBELET_DIR}/{below}"),
            (Root::Certificates, _) => format!("{}/{below}", self.profile.certificates_dir),
            (Root::Main, Some(name)) => format!("{DEFAULT_KUBELET_DIR}/{name}"),
            (Root::Main, None) => state::belongs(below, &self.tree.pki(), &self.profile.certificates_dir),
        }
    }
}
