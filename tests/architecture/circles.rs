//! Circles of imports between files, over the whole of `src/`.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::Violation;
use super::house::{Expanded, File, House};

/// For every file the files it uses something of, each with one line that does.
pub type Graph = BTreeMap<String, BTreeMap<String, String>>;

/// Which file uses an item that another defines. A re-export is no use; a call of a method is, where a file adds methods
/// to a type of another file and that one calls them.
pub fn graph(house: &House) -> Graph {
    let mut graph = Graph::new();
    for file in house.files.values() {
        let edges = graph.entry(file.path.clone()).or_default();
        for (path, line) in house.named(file, false) {
            let Expanded::Ours(path) = path else { continue };
            if let Some(target) = house.definer(&path).filter(|target| target.path != file.path) {
                edges.entry(target.path.clone()).or_insert_with(|| format!("line {line}, {}", path.join("::")));
            }
        }
    }
    for file in house.files.values() {
        for (of, methods) in &file.methods {
            let Some(owner) = owner(house, file, of) else { continue };
            if let Some(method) = methods.iter().find(|method| owner.calls.contains(*method)) {
                let edges = graph.entry(owner.path.clone()).or_default();
                edges.entry(file.path.clone()).or_insert_with(|| format!(".{method}()"));
            }
        }
    }
    graph
}

/// The other file that defines this type.
fn owner<'a>(house: &'a House, file: &File, of: &[String]) -> Option<&'a File> {
    match house.expand(file, of) {
        Expanded::Ours(path) => house.definer(&path).filter(|owner| owner.path != file.path),
        Expanded::Foreign(_) => None,
    }
}

/// Every file that is in a circle, with its imports inside it.
pub fn circles(house: &House) -> Vec<Violation> {
    let graph = graph(house);
    let mut found = Vec::new();
    for (number, circle) in components(&graph).iter().filter(|files| files.len() > 1).enumerate() {
        for file in circle {
            let inside = graph[file].iter().filter(|(to, _)| circle.contains(*to));
            let lines: Vec<String> = inside.map(|(to, why)| format!("\n    {to}: {why}")).collect();
            found.push(Violation::new(file, format!("circle {} imports{}", number + 1, lines.concat())));
        }
    }
    found
}

/// The strongly connected components, by Tarjan.
pub fn components(graph: &Graph) -> Vec<BTreeSet<String>> {
    let mut search =
        Search { graph, index: BTreeMap::new(), low: BTreeMap::new(), stack: Vec::new(), found: Vec::new() };
    for file in graph.keys() {
        if !search.index.contains_key(file.as_str()) {
            search.visit(file);
        }
    }
    search.found
}

struct Search<'a> {
    graph: &'a Graph,
    index: BTreeMap<&'a str, usize>,
    low: BTreeMap<&'a str, usize>,
    stack: Vec<&'a str>,
    found: Vec<BTreeSet<String>>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, file: &'a str) {
        let index = self.index.len();
        self.index.insert(file, index);
        self.low.insert(file, index);
        self.stack.push(file);
        for target in self.graph.get(file).into_iter().flat_map(BTreeMap::keys) {
            let reached = match self.index.get(target.as_str()) {
                None => {
                    self.visit(target);
                    self.low[target.as_str()]
                }
                Some(index) if self.stack.contains(&target.as_str()) => *index,
                Some(_) => continue,
            };
            let low = self.low.get_mut(file).unwrap();
            *low = (*low).min(reached);
        }
        if self.low[file] == index {
            let at = self.stack.iter().position(|one| *one == file).unwrap();
            self.found.push(self.stack.drain(at..).map(str::to_owned).collect());
        }
    }
}
