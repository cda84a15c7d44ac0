//! A tree of another tool, by its layout: `verify::layouts`.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::one::{node_name, read};
use super::{content, kubeconfigs};
use crate::catalog::releases::KnownRelease;
use crate::files;
use crate::tree::origin::{Origin, ProfileAt};
use crate::tree::rotation::Record;
use crate::verify::layouts::{self, Group, Recognised, Row, Use};
use crate::verify::{Cluster, Content, File, Part, Tree};

/// Whose layout a directory has; `None`: its files are of none that is known.
pub fn recognise(root: &Path) -> Option<Recognised> {
    layouts::recognise(&|path| !expand(root, path).is_empty(), &|name| root.ends_with(name))
}

pub fn cluster(root: &Path, found: Recognised, at: OffsetDateTime) -> Cluster<'static> {
    Cluster {
        record: Record::default(),
        journal: None,
        root: root.display().to_string(),
        profile: None,
        origin: Origin::new(root.display().to_string(), ProfileAt::NoTree),
        release: KnownRelease::default(),
        layout: Some(found.layout),
        trees: found.layout.groups.iter().map(|group| tree(root, found, group)).collect(),
        at,
    }
}

/// One group's files that are there, and its authorities where something is below them.
fn tree(root: &Path, found: Recognised, group: &Group) -> Tree {
    let mut files = Vec::new();
    for row in group.files {
        files.extend(found.path(row.path).iter().flat_map(|path| self::row(root, found, group, (row, path))));
    }
    for (role, paths) in group.authorities {
        let paths = || paths.iter().filter_map(|path| found.path(path)).map(|path| root.join(path));
        let Some(path) = paths().find(|path| files::what(None, path).is_some()).or_else(|| paths().next()) else {
            continue;
        };
        let pem = |part| move |bytes: &[u8]| content::of(part, bytes);
        let required = files.iter().any(|file: &File| file.authority == Some(*role));
        let certificate = read(role.name(), Part::Authority, Some(*role), &path, pem(Part::Authority));
        if let Some(key) = layouts::key_beside(&certificate.path) {
            files.push(read(role.name(), Part::Key, Some(*role), Path::new(&key), pem(Part::Key)));
        }
        files.push(File { required, ..certificate });
    }
    if let Some(stem) = group.accounts.and_then(|stem| found.path(stem)) {
        for (end, part) in [("pub", Part::PublicKeys), ("key", Part::Key)] {
            let path = root.join(format!("{stem}.{end}"));
            files.push(read("sa", part, None, &path, |bytes| content::of(part, bytes)));
        }
    }
    files.retain(|file| file.required || file.is_there() || file.entry == "sa");
    let is_one_of_several = found.layout.groups.len() > 1;
    Tree {
        root: root.display().to_string(),
        node: if is_one_of_several { Some(group.name.to_owned()) } else { node_name(files.iter()) },
        is_shared: false,
        in_cluster: is_one_of_several,
        certificates: None,
        owner: files::owner(root),
        files,
    }
}

/// The files of a row, each with its key.
fn row(root: &Path, found: Recognised, group: &Group, (row, pattern): (&Row, &str)) -> Vec<File> {
    // What a pattern is not about: authorities, and files that have a row of their own.
    let rows = found.layout.groups.iter().flat_map(|group| group.files).map(|row| row.path);
    let named: Vec<PathBuf> = group
        .authorities
        .iter()
        .flat_map(|(_, paths)| *paths)
        .copied()
        .chain(rows.filter(|path| *path != row.path))
        .filter_map(|path| found.path(path).map(|path| root.join(path)))
        .collect();
    let is_key = |path: &Path| path.as_os_str().as_encoded_bytes().ends_with(b"-key.pem");
    let home = PathBuf::from(found.home());
    let referred = |path: &str| match Path::new(path).strip_prefix(&home) {
        Ok(below) => (root.join(below), false),
        // It is on the tool's own machine.
        Err(_) => (PathBuf::from(path), true),
    };
    let mut all = Vec::new();
    for (path, name) in expand(root, pattern).into_iter().filter(|(path, _)| !named.contains(path) && !is_key(path)) {
        let whole = row.path.replacen('*', &name, 1);
        let entry = if row.entry.is_empty() { layouts::without_end(&whole) } else { row.entry };
        let authority = Some(row.authority);
        if matches!(row.is_for, Use::Kubeconfig | Use::KubeconfigOfFiles) {
            let authority = authority.filter(|_| row.is_for == Use::Kubeconfig);
            all.push(read(entry, Part::Kubeconfig, authority, &path, |bytes| kubeconfigs::read(bytes, &referred)));
            continue;
        }
        if let Some(key) = layouts::key_beside(&path.display().to_string()) {
            all.push(read(entry, Part::Key, None, Path::new(&key), |bytes| content::of(Part::Key, bytes)));
        }
        let leaf = read(entry, Part::Certificate, authority, &path, |bytes| content::of(Part::Certificate, bytes));
        all.push(File { required: !matches!(leaf.content, Content::Missing), ..leaf });
    }
    all
}

/// The files of a pattern that are there, each with what its `*` stands for, in the order of names.
fn expand(root: &Path, pattern: &str) -> Vec<(PathBuf, String)> {
    let is_there = |path: &PathBuf| files::what(None, path).is_some();
    let Some((before, after)) = pattern.split_once('*') else {
        return Some(root.join(pattern)).filter(is_there).map(|path| (path, String::new())).into_iter().collect();
    };
    let (above, start) = before.rsplit_once('/').map_or(("", before), |(above, start)| (above, start));
    let (end, rest) = after.split_once('/').map_or((after, ""), |(end, rest)| (end, rest));
    let directory = root.join(above);
    let Ok(listed) = files::Dir::open_root(&directory).and_then(|dir| dir.list()) else { return Vec::new() };
    let mut names: Vec<String> = listed
        .iter()
        .filter_map(|entry| Some(entry.name.to_str()?.strip_prefix(start)?.strip_suffix(end)?.to_owned()))
        .collect();
    names.sort();
    let path = |name: &String| {
        let found = directory.join(format!("{start}{name}{end}"));
        if rest.is_empty() { found } else { found.join(rest) }
    };
    names.into_iter().map(|name| (path(&name), name)).filter(|(path, _)| is_there(path)).collect()
}
