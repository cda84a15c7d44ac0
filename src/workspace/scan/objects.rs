//! The objects of a dump, as a reader of JSON or YAML walks through it: which object and field a text stands in.

use super::seen::{Place, Seen};
use crate::encoding::embedded::{self, Group, Piece};
use crate::encoding::shown::named;
use crate::manifest::must_hold_a_certificate;
use crate::plan::rotate::scan::Sought;

/// Fields of a kubeconfig that name a file to read in place of data.
const NAMED_FILES: &[&str] = &["certificate-authority", "client-certificate", "tokenFile"];

/// One object, as far as it was read. Its name may stand behind its data.
#[derive(Debug, Default)]
struct Object {
    kind: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    /// In its list, from 1.
    item: Option<usize>,
    /// Objects are in it.
    is_list: bool,
    /// How many items it has, of a list.
    items: usize,
    /// How much of the path leads to it.
    depth: usize,
    found: Vec<(String, Group)>,
    /// Fields that had to hold a certificate, and hold none.
    blank: Vec<String>,
    files: Vec<String>,
}

/// Takes what a reader meets, in its order.
#[derive(Debug)]
pub struct Objects<'a> {
    source: &'a str,
    sought: &'a Sought,
    seen: &'a mut Seen,
    path: Vec<String>,
    open: Vec<Object>,
    /// The files that kubeconfigs name, as they name them.
    pub files: Vec<String>,
}

impl<'a> Objects<'a> {
    pub fn new(source: &'a str, sought: &'a Sought, seen: &'a mut Seen) -> Self {
        Self { source, sought, seen, path: Vec::new(), open: Vec::new(), files: Vec::new() }
    }

    /// `item`: its number in its list, from 1.
    pub fn begin(&mut self, item: Option<usize>) {
        if let Some(list) = self.open.last_mut().filter(|_| item.is_some()) {
            list.items += 1;
        }
        self.open.push(Object { item, depth: self.path.len(), ..Object::default() });
    }

    /// The object that is open is a list.
    pub fn list(&mut self) {
        if let Some(object) = self.open.last_mut() {
            object.is_list = true;
        }
    }

    pub fn enter(&mut self, key: &str) {
        self.path.push(key.to_owned());
    }

    pub fn index(&mut self, index: usize) {
        self.path.push(format!("[{index}]"));
    }

    pub fn leave(&mut self) {
        self.path.pop();
    }

    pub fn text(&mut self, text: &str) {
        let Some(object) = self.open.last_mut() else { return };
        let path = self.path.get(object.depth..).unwrap_or_default();
        let at: Vec<&str> = path.iter().map(String::as_str).collect();
        match at.as_slice() {
            ["kind"] => object.kind = Some(text.to_owned()),
            ["metadata", "name"] => object.name = Some(text.to_owned()),
            ["metadata", "namespace"] => object.namespace = Some(text.to_owned()),
            [.., key] if NAMED_FILES.contains(key) => object.files.push(text.to_owned()),
            _ => {}
        }
        let groups = embedded::groups(text.as_bytes());
        let is_looked_into = |piece: &Piece| matches!(piece, Piece::Certificate(_) | Piece::Unread(_));
        let must = at.last().is_some_and(|key| must_hold_a_certificate(key)) || ends_in_status(&at);
        // A placeholder of white space is filled by a controller: "Cg==".
        if must && text.trim().len() > 8 && !groups.iter().flat_map(|group| &group.pieces).any(is_looked_into) {
            object.blank.push(shown(path));
        }
        if !groups.is_empty() {
            let field = shown(path);
            object.found.extend(groups.into_iter().map(|group| (field.clone(), group)));
        }
    }

    /// The object that was begun last is over.
    pub fn end(&mut self) {
        let Some(object) = self.open.pop() else { return };
        let of_list = || self.open.last()?.kind.as_deref()?.strip_suffix("List").map(str::to_owned);
        let kind = object.kind.clone().or_else(of_list).filter(|kind| !kind.is_empty());
        let is_shown = |text: &Option<String>| text.as_ref().is_none_or(|text| named(text) == *text);
        let is_hidden = !is_shown(&object.name) || !is_shown(&object.namespace);
        // Others have objects of this kind, and those have names.
        let is_kubeconfig = kind.as_deref() == Some("Config") && object.name.is_none();
        let is_list = object.is_list || kind.as_deref().is_some_and(|kind| kind.ends_with("List"));
        let place = Place {
            source: self.source.to_owned(),
            kind: if is_kubeconfig { Some("kubeconfig".to_owned()) } else { kind.as_deref().map(named) },
            namespace: object.namespace.as_deref().map(named),
            name: object.name.as_deref().map(named),
            item: object.item.filter(|_| is_hidden),
        };
        if is_list && object.items == 0 {
            self.seen.missed(&place, "", "expected objects, found a list without any");
        }
        self.seen.objects += usize::from(!is_list);
        for (field, group) in &object.found {
            self.seen.take(self.sought, &place, field, group);
        }
        for field in &object.blank {
            self.seen.missed(&place, field, "expected a certificate, found something else");
        }
        if is_kubeconfig {
            self.files.extend(object.files);
        }
    }
}

/// A CertificateSigningRequest's certificate.
fn ends_in_status(at: &[&str]) -> bool {
    matches!(at, [.., "status", "certificate"])
}

/// A path as it may be shown: `webhooks[0].clientConfig.caBundle`.
fn shown(path: &[String]) -> String {
    let mut text = String::new();
    for part in path {
        let shown = named(part);
        let shown = if shown == *part { shown } else { "…".to_owned() };
        if !text.is_empty() && !shown.starts_with('[') {
            text.push('.');
        }
        text.push_str(&shown);
    }
    text
}
