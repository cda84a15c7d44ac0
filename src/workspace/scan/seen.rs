//! What a scan has seen.

use crate::encoding::embedded::Group;
use crate::encoding::shown::named;
use crate::plan::rotate::scan::{Match, Sought, judge};
use crate::report::rotate::scan::{NotRead, Row, Scan};

/// An object in a dump, or a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file, or `standard input`.
    pub source: String,
    pub kind: Option<String>,
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// Of an object whose name is not shown: which one of its list it is, from 1.
    pub item: Option<usize>,
}

impl Place {
    fn row(&self, field: String, found: Match) -> Row {
        let Self { source, kind, namespace, name, .. } = self.clone();
        Row { object_kind: kind, namespace, name, ..Row::new(self.to_string(), source, field, found) }
    }
}

/// `Secret web/tls`, or the file.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(kind) = &self.kind else { return f.write_str(&self.source) };
        match (&self.namespace, &self.name) {
            (Some(namespace), Some(name)) => write!(f, "{kind} {namespace}/{name}")?,
            (None, Some(name)) => write!(f, "{kind} {name}")?,
            // A kubeconfig, which is called by its file.
            (_, None) => return write!(f, "{kind} in {}", self.source),
        }
        self.item.map_or(Ok(()), |item| write!(f, " (items[{}])", item - 1))
    }
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub struct Seen {
    pub finds: Vec<Row>,
    pub not_read: Vec<NotRead>,
    pub notes: Vec<String>,
    pub objects: usize,
    pub files: usize,
}

impl Seen {
    pub fn report(self, sought: &Sought) -> Scan {
        let Self { finds, not_read, notes, objects, files } = self;
        Scan { objects, files, notes, ..Scan::new(sought, finds, not_read) }
    }

    /// What one value holds. `field`: its place in the object.
    pub fn take(&mut self, sought: &Sought, place: &Place, field: &str, group: &Group) {
        let inside = group.within.iter().map(|key| named(key));
        let field = Some(field.to_owned()).filter(|field| !field.is_empty()).into_iter().chain(inside);
        let field = field.collect::<Vec<_>>().join(": ");
        let judged = judge(sought, group);
        for why in judged.unread {
            self.missed(place, &field, why);
        }
        self.finds.extend(judged.matches.into_iter().map(|found| place.row(field.clone(), found)));
    }

    pub fn missed(&mut self, place: &Place, field: &str, why: impl ToString) {
        let place = if field.is_empty() { place.to_string() } else { format!("{place} {field}") };
        self.not_read.push(NotRead { place, why: why.to_string() });
    }
}
