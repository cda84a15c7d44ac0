//! The source as modules: what each file defines, imports and names, and which file a path leads to.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{Token, group, production};

pub type Segments = Vec<String>;

/// One file that is built for users.
#[derive(Debug)]
pub struct File {
    /// Below `src/`.
    pub path: String,
    /// `a::b` for `a/b.rs` and for `a/b/mod.rs`; empty for `lib.rs` and `main.rs`.
    pub module: Segments,
    pub lines: usize,
    /// Names of items outside of any block.
    pub defines: BTreeSet<String>,
    /// Modules that have a file of their own.
    pub children: BTreeSet<String>,
    pub uses: Vec<Use>,
    /// Every path of two segments or more outside of `use`.
    pub paths: Vec<(Segments, usize)>,
    /// Names of one segment: types, and functions that are called.
    pub words: Vec<(String, usize)>,
    /// Names of macros that are called.
    pub macros: BTreeSet<String>,
    /// Methods that are called.
    pub calls: BTreeSet<String>,
    /// Inherent methods by the type they are for.
    pub methods: Vec<(Segments, BTreeSet<String>)>,
}

/// One name that a `use` brings in; `*` for all of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub path: Segments,
    pub name: String,
    /// `pub use`, of any visibility.
    pub public: bool,
    pub line: usize,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expanded {
    /// Below `crate::`.
    Ours(Segments),
    /// A crate, or a name of the language.
    Foreign(Segments),
}

impl File {
    pub fn read(path: &str, text: &str) -> Self {
        let tokens = production(text);
        let mut module: Segments = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        module.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
        let mut file = Self {
            path: path.to_owned(),
            module,
            lines: text.lines().count(),
            defines: BTreeSet::new(),
            children: BTreeSet::new(),
            uses: Vec::new(),
            paths: Vec::new(),
            words: Vec::new(),
            macros: BTreeSet::new(),
            calls: BTreeSet::new(),
            methods: Vec::new(),
        };
        file.items(&tokens);
        file.names(&tokens);
        file
    }

    /// The first segment: a file or folder of `src/`.
    pub fn room(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    fn items(&mut self, tokens: &[Token<'_>]) {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
        let mut at = 0;
        while at < tokens.len() {
            match text(at) {
                "mod" if text(at + 2) == ";" => {
                    self.children.insert(text(at + 1).to_owned());
                }
                "fn" | "struct" | "enum" | "trait" | "const" | "static" | "type" | "mod" => {
                    self.defines.insert(text(at + 1).to_owned());
                }
                "impl" => self.inherent(&tokens[at..]),
                "{" | "(" | "[" => {
                    at += group(&tokens[at..]);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// The methods of `impl Type { ... }`; nothing of `impl Trait for Type`.
    fn inherent(&mut self, tokens: &[Token<'_>]) {
        let open = tokens.iter().position(|token| token.text == "{").unwrap_or(tokens.len());
        let head = &tokens[1..open];
        if head.iter().any(|token| token.text == "for") {
            return;
        }
        let mut depth = 0;
        // `impl<T: ...>`: the type comes after the parameters.
        let parameters = head.iter().take_while(|token| {
            depth += i32::from(token.text == "<");
            let inside = depth > 0;
            depth -= i32::from(token.text == ">");
            inside
        });
        let at = parameters.count();
        let (path, _) = path_at(&head[at..]);
        let body = &tokens[open..open + group(&tokens[open..])];
        let names = body.windows(2).filter(|pair| pair[0].text == "fn").map(|pair| pair[1].text.to_owned()).collect();
        self.methods.push((path, names));
    }

    fn names(&mut self, tokens: &[Token<'_>]) {
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            let before = at.checked_sub(1).map_or("", |before| tokens[before].text);
            let line = rest[0].line;
            if rest[0].text == "use" && rest.get(1).is_some_and(|next| next.text != "<") {
                let public = before == "pub" || before == ")";
                let end = rest.iter().position(|token| token.text == ";").unwrap_or(rest.len());
                use_tree(&rest[1..end], &Vec::new(), public, &mut self.uses);
                at += end;
                continue;
            }
            if !rest[0].is_word() || before == "::" && at > 1 && tokens[at - 2].text != ">" || before == "fn" {
                at += 1;
                continue;
            }
            let (path, length) = path_at(rest);
            let next = rest.get(length).map_or("", |token| token.text);
            let last = path.last().unwrap();
            if before == "." {
                self.calls.insert(path[0].clone());
            } else if next == "!" && rest.get(length + 1).is_some_and(|token| token.text != "=") {
                self.macros.insert(last.clone());
            }
            if path[0] == "Self" {
                self.calls.extend(path.get(1).cloned());
            } else if before != "." && path.len() > 1 {
                self.paths.push((path, line));
            } else if before != "." && (next == "(" || last.starts_with(char::is_uppercase)) {
                self.words.push((path[0].clone(), line));
            }
            at += length;
        }
    }

    fn binding(&self, name: &str) -> Option<&Use> {
        self.uses.iter().find(|one| one.name == name)
    }
}

/// The words and `::` at the start of these tokens, and how many tokens they take.
fn path_at(tokens: &[Token<'_>]) -> (Segments, usize) {
    let mut path = vec![tokens[0].text.to_owned()];
    let mut at = 1;
    while let [separator, word, ..] = &tokens[at..] {
        if separator.text != "::" || !word.is_word() {
            break;
        }
        path.push(word.text.to_owned());
        at += 2;
    }
    (path, at)
}

/// Every name of `a::{b, c as d, e::*}`.
fn use_tree(tokens: &[Token<'_>], prefix: &Segments, public: bool, uses: &mut Vec<Use>) {
    let mut path = prefix.clone();
    let mut name = None;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "::" => {}
            "{" => {
                let inside = &tokens[at + 1..at + group(&tokens[at..]) - 1];
                for branch in branches(inside) {
                    use_tree(branch, &path, public, uses);
                }
                return;
            }
            "as" => name = tokens.get(at + 1).map(|token| token.text.to_owned()),
            _ if name.is_some() => break,
            word => path.push(word.to_owned()),
        }
    }
    // `use a::{self}` is `use a`.
    path.pop_if(|last| last == "self" && !prefix.is_empty());
    let (Some(line), Some(last)) = (tokens.first().map(|token| token.line), path.last().cloned()) else { return };
    if last == "*" {
        path.pop();
    }
    uses.push(Use { path, name: name.unwrap_or(last), public, line });
}

/// Splits at the commas outside of braces.
fn branches<'a, 'b>(tokens: &'a [Token<'b>]) -> Vec<&'a [Token<'b>]> {
    let mut depth = 0;
    let parts = tokens.split(|token| {
        depth += i32::from(token.text == "{") - i32::from(token.text == "}");
        token.text == "," && depth == 0
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// All files by their path.
#[derive(Debug)]
pub struct House {
    pub files: BTreeMap<String, File>,
    modules: BTreeMap<Segments, String>,
}

impl House {
    pub fn new<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let read = sources.into_iter().map(|(path, text)| (path.to_owned(), File::read(path, text)));
        let files: BTreeMap<String, File> = read.collect();
        let of_library = files.values().filter(|file| file.path != "main.rs");
        let modules = of_library.map(|file| (file.module.clone(), file.path.clone())).collect();
        Self { files, modules }
    }

    /// A path as this file understands it.
    pub fn expand(&self, file: &File, path: &[String]) -> Expanded {
        self.expand_within(file, path, 0)
    }

    fn expand_within(&self, file: &File, path: &[String], depth: usize) -> Expanded {
        let below = |module: &[String], rest: &[String]| Expanded::Ours([module, rest].concat());
        let (first, rest) = path.split_first().unwrap();
        match first.as_str() {
            "crate" => return below(&[], rest),
            "kpki" if file.path == "main.rs" => return below(&[], rest),
            "self" => return below(&file.module, rest),
            "super" => {
                let ups = path.iter().take_while(|segment| *segment == "super").count();
                let module = &file.module[..file.module.len().saturating_sub(ups)];
                return below(module, &path[ups..]);
            }
            _ => {}
        }
        if file.children.contains(first) && (!rest.is_empty() || file.binding(first).is_none()) {
            return below(&file.module, path);
        }
        match file.binding(first) {
            Some(bound) if depth < 8 && bound.path != path => {
                self.expand_within(file, &[bound.path.as_slice(), rest].concat(), depth + 1)
            }
            _ if file.defines.contains(first) => below(&file.module, path),
            _ => Expanded::Foreign(path.to_vec()),
        }
    }

    /// The file that defines what this path below `crate::` names; `None` for a module as such, and for what is not ours.
    pub fn definer(&self, path: &[String]) -> Option<&File> {
        self.definer_within(path, 0)
    }

    fn definer_within(&self, path: &[String], depth: usize) -> Option<&File> {
        let length = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]))?;
        let file = &self.files[&self.modules[&path[..length]]];
        let follow = |file: &File, name: &str, rest: &[String]| {
            let bound = file.binding(name).filter(|_| depth < 8)?;
            match self.expand(file, &bound.path) {
                Expanded::Ours(target) if target != path => Some([target.as_slice(), rest].concat()),
                _ => None,
            }
        };
        let Some((item, rest)) = path[length..].split_first() else {
            // A function may be re-exported under the name of its module.
            let (name, parent) = path.split_last()?;
            let parent = &self.files[self.modules.get(parent)?];
            return self.definer_within(&follow(parent, name, &[])?, depth + 1);
        };
        if file.defines.contains(item) {
            return Some(file);
        }
        if file.binding(item).is_some() {
            return self.definer_within(&follow(file, item, rest)?, depth + 1);
        }
        let globs = file.uses.iter().filter(|one| one.name == "*" && depth < 8);
        let mut through = globs.filter_map(|glob| match self.expand(file, &glob.path) {
            Expanded::Ours(target) => {
                let target = [target.as_slice(), &path[length..]].concat();
                self.definer_within(&target, depth + 1).filter(|found| found.defines.contains(item))
            }
            Expanded::Foreign(_) => None,
        });
        through.next().or(Some(file))
    }

    /// Every path that a file names, expanded, with its line; of `pub use` only if `reexports`.
    pub fn named<'a>(&'a self, file: &'a File, reexports: bool) -> impl Iterator<Item = (Expanded, usize)> + 'a {
        let uses = file.uses.iter().filter(move |one| reexports || !one.public);
        let uses = uses.filter(|one| !one.path.is_empty()).map(|one| (one.path.as_slice(), one.line));
        let paths = file.paths.iter().map(|(path, line)| (path.as_slice(), *line));
        // What a file re-exports it may use itself.
        let own = file.words.iter().filter(|(word, _)| file.binding(word).is_some_and(|bound| bound.public));
        let own = own.map(|(word, line)| (std::slice::from_ref(word), *line));
        uses.chain(paths).chain(own).map(|(path, line)| (self.expand(file, path), line))
    }
}
