//! From nodes to checked values: who asks for a key says what it must be; what nobody asked for is an unknown key. Problems
//! are collected and reading goes on, so that one run shows them all.

use std::collections::BTreeMap;

use super::near::nearest;
use super::problem::{Kind, Problem, Problems, Shape, Warning, shown};
use super::refusal::Refusal;
use crate::encoding::yaml::{Entry, MAX_PROBLEMS, Mark, Node, Style, Value};

/// What reading a file has brought up so far, and where each field stands.
#[derive(Debug)]
pub struct Reading {
    file: String,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
    /// Of each field its mark, and whether it has a value (`key:` alone has a place and none).
    places: BTreeMap<String, (Mark, bool)>,
    /// Every key somebody asked for: the field reference is held against it.
    #[cfg(test)]
    pub asked: std::collections::BTreeSet<String>,
}

impl Reading {
    pub fn of(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            problems: Vec::new(),
            warnings: Vec::new(),
            places: BTreeMap::new(),
            #[cfg(test)]
            asked: std::collections::BTreeSet::new(),
        }
    }

    /// Where a field stands; one that is not there: where the field stands that should hold it.
    pub fn place(&self, field: &str) -> Mark {
        let mut field = field;
        loop {
            if let Some((mark, _)) = self.places.get(field) {
                return *mark;
            }
            if field.is_empty() {
                return Mark::START;
            }
            field = field.rfind(['.', '[']).and_then(|end| field.get(..end)).unwrap_or("");
        }
    }

    pub fn stands_at(&mut self, field: &str, mark: Mark) {
        self.places.insert(field.to_owned(), (mark, true));
    }

    /// Whether a field has a value, good or bad.
    pub fn has(&self, field: &str) -> bool {
        self.places.get(field).is_some_and(|(_, given)| *given)
    }

    pub fn problem(&mut self, field: &str, kind: Kind) {
        self.problem_at(self.place(field), field, kind);
    }

    pub fn problem_at(&mut self, mark: Mark, field: &str, kind: Kind) {
        if !self.is_full() {
            self.problems.push(Problem::at(&self.file, mark, field, kind));
        }
    }

    pub fn refuse(&mut self, field: &str, refusal: Refusal) {
        self.problem(field, Kind::Refused(refusal));
    }

    pub fn warn(&mut self, field: &str, text: impl Into<String>) {
        if self.warnings.len() < MAX_PROBLEMS {
            let line = self.place(field).line;
            self.warnings.push(Warning { file: self.file.clone(), line, field: shown(field), text: text.into() });
        }
    }

    fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// In the order of the file.
    pub fn into_warnings(mut self) -> Vec<Warning> {
        self.warnings.sort_by_key(|warning| warning.line);
        self.warnings
    }

    /// In the order of the file.
    pub fn into_problems(mut self) -> Problems {
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        Problems(self.problems)
    }
}

/// One node, and what it is called.
#[derive(Debug, Clone)]
pub struct Field<'n> {
    pub node: &'n Node,
    pub path: String,
    /// Where its key stands; of an item: where it stands itself.
    pub key_mark: Mark,
}

impl<'n> Field<'n> {
    /// The whole document.
    pub fn root(node: &'n Node, reading: &mut Reading) -> Self {
        reading.stands_at("", node.mark);
        Self { node, path: String::new(), key_mark: node.mark }
    }

    fn wrong_type(&self, expected: Shape, reading: &mut Reading) {
        reading.problem(&self.path, Kind::WrongType { expected, found: found(&self.node.value) });
    }

    /// Text of any style: who writes `name: 007` means the text. Empty text is text.
    pub fn text(&self, reading: &mut Reading) -> Option<&'n str> {
        match &self.node.value {
            Value::Scalar { text, .. } => Some(text),
            _ => {
                self.wrong_type(Shape::Text, reading);
                None
            }
        }
    }

    pub fn value<T>(&self, reading: &mut Reading, parse: impl Fn(&str) -> Result<T, Kind>) -> Option<T> {
        let text = self.text(reading)?;
        parse(text).map_err(|kind| reading.problem(&self.path, kind)).ok()
    }

    pub fn boolean(&self, reading: &mut Reading) -> Option<bool> {
        match &self.node.value {
            Value::Scalar { text, style: Style::Plain } if matches!(text.as_str(), "true" | "True" | "TRUE") => {
                Some(true)
            }
            Value::Scalar { text, style: Style::Plain } if matches!(text.as_str(), "false" | "False" | "FALSE") => {
                Some(false)
            }
            _ => {
                self.wrong_type(Shape::Boolean, reading);
                None
            }
        }
    }

    pub fn number(&self, reading: &mut Reading, from: u64, to: u64) -> Option<u64> {
        match &self.node.value {
            Value::Scalar { text, style: Style::Plain }
                if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) =>
            {
                let number = text.parse().ok().filter(|number| (from..=to).contains(number));
                if number.is_none() {
                    reading.problem(&self.path, Kind::OutOfRange { from, to, found: text.to_string() });
                }
                number
            }
            _ => {
                self.wrong_type(Shape::Number, reading);
                None
            }
        }
    }

    /// The items of a list.
    pub fn items(&self, reading: &mut Reading, limit: usize) -> Option<Vec<Field<'n>>> {
        let Value::Sequence(items) = &self.node.value else {
            self.wrong_type(Shape::List, reading);
            return None;
        };
        if items.len() > limit {
            reading.problem(&self.path, Kind::TooMany { limit, found: items.len() });
            return None;
        }
        let field = |(i, node): (usize, &'n Node)| {
            let path = format!("{}[{i}]", self.path);
            reading.stands_at(&path, node.mark);
            Field { node, path, key_mark: node.mark }
        };
        Some(items.iter().enumerate().map(field).collect())
    }

    /// A list of values; the ones that cannot be read are reported and left out.
    pub fn values<T>(&self, reading: &mut Reading, parse: impl Fn(&str) -> Result<T, Kind>) -> Option<Vec<T>> {
        const MANY: usize = 1000;
        let items = self.items(reading, MANY)?;
        Some(items.iter().filter_map(|item| item.value(reading, &parse)).collect())
    }

    /// One text, or a list of them.
    pub fn one_or_more<T>(&self, reading: &mut Reading, parse: impl Fn(&str) -> Result<T, Kind>) -> Option<Vec<T>> {
        match &self.node.value {
            Value::Scalar { .. } => self.value(reading, parse).map(|value| vec![value]),
            Value::Sequence(_) => self.values(reading, parse),
            _ => {
                self.wrong_type(Shape::TextOrList, reading);
                None
            }
        }
    }

    /// The entries of a mapping whose keys are names.
    pub fn named(&self, reading: &mut Reading) -> Option<Vec<(&'n str, Field<'n>)>> {
        let Value::Mapping(entries) = &self.node.value else {
            self.wrong_type(Shape::Mapping, reading);
            return None;
        };
        let child = |entry: &'n Entry| {
            let path = join(&self.path, &entry.key);
            reading.stands_at(&path, entry.key_mark);
            (entry.key.as_str(), Field { node: &entry.node, path, key_mark: entry.key_mark })
        };
        Some(entries.iter().map(child).collect())
    }

    /// As [`Self::fields`]; `null` is a mapping without entries.
    pub fn open(&self, reading: &mut Reading) -> Option<Fields<'n>> {
        match self.node.value {
            Value::Null => {
                Some(Fields { entries: &[], path: self.path.clone(), known: Vec::new(), empty_is_absent: false })
            }
            _ => self.fields(reading),
        }
    }

    /// The entries of a mapping whose keys are fields.
    pub fn fields(&self, reading: &mut Reading) -> Option<Fields<'n>> {
        let Value::Mapping(entries) = &self.node.value else {
            self.wrong_type(Shape::Mapping, reading);
            return None;
        };
        Some(Fields { entries, path: self.path.clone(), known: Vec::new(), empty_is_absent: false })
    }
}

fn join(path: &str, key: &str) -> String {
    let key = shown(key);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Sequence(_) => "a list".to_owned(),
        Value::Mapping(_) => "a mapping".to_owned(),
        Value::Scalar { text, style: Style::Plain } => shown(text),
        Value::Scalar { text, style: Style::Quoted } => format!("the text \"{}\"", shown(text)),
    }
}

/// A mapping from which keys are taken; what is left at the end is unknown.
#[derive(Debug)]
pub struct Fields<'n> {
    entries: &'n [Entry],
    pub path: String,
    known: Vec<&'static str>,
    empty_is_absent: bool,
}

impl<'n> Fields<'n> {
    /// Go cannot tell an empty text from an absent one, and `kubeadm config print` writes empty ones.
    #[must_use]
    pub fn empty_is_absent(mut self) -> Self {
        self.empty_is_absent = true;
        self
    }

    pub fn join(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// The value of a key; `null` counts as absent.
    pub fn take(&mut self, key: &'static str, reading: &mut Reading) -> Option<Field<'n>> {
        #[cfg(test)]
        reading.asked.insert(self.join(key));
        self.known.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        let absent = match &entry.node.value {
            Value::Null => true,
            Value::Scalar { text, .. } => self.empty_is_absent && text.is_empty(),
            _ => false,
        };
        let field = Field { node: &entry.node, path: self.join(key), key_mark: entry.key_mark };
        let mark = if absent { entry.key_mark } else { entry.node.mark };
        reading.places.insert(field.path.clone(), (mark, !absent));
        (!absent).then_some(field)
    }

    /// Takes a mapping; absent: nothing to take from.
    pub fn section(&mut self, key: &'static str, reading: &mut Reading) -> Fields<'n> {
        let empty_is_absent = self.empty_is_absent;
        let section = self.take(key, reading).and_then(|field| field.fields(reading));
        let path = self.join(key);
        section.map_or(Self { entries: &[], path, known: Vec::new(), empty_is_absent }, |section| Self {
            empty_is_absent,
            ..section
        })
    }

    /// Keys that are known and not read.
    pub fn skip(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// A key that gets a better answer than "unknown".
    pub fn refuse(&mut self, key: &'static str, kind: Kind, reading: &mut Reading) {
        if let Some(entry) = self.entries.iter().find(|entry| entry.key == key) {
            reading.problem_at(entry.key_mark, &self.join(key), kind);
        }
    }

    pub fn is_present(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key && entry.node.value != Value::Null)
    }

    /// Reports every key nobody asked for.
    pub fn finish(self, answered: &[&str], reading: &mut Reading) {
        for entry in self.entries {
            if reading.is_full() {
                return;
            }
            let key = entry.key.as_str();
            if !self.known.contains(&key) && !answered.contains(&key) {
                let near = nearest(key, self.known.iter().copied());
                let field = self.join(key);
                reading.problem_at(entry.key_mark, &field, Kind::UnknownKey { near });
            }
        }
    }
}
