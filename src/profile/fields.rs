//! From YAML nodes to checked values: a reader that takes a key states what its value must be; a key that was not taken is
//! unknown. Problems are collected and reading goes on, so that one run shows them all.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::problem::{Kind, Mismatch, Problem, Problems, Warning, part, shown};
use crate::encoding::yaml::{Entry, MAX_PROBLEMS, Mark, Node, Style, Value};

/// The problems and warnings of a file so far, and where each field is.
#[derive(Debug)]
pub struct Reading {
    file: String,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
    /// Of each field its mark, and whether it has a value (`key:` alone has a place and none).
    places: BTreeMap<String, (Mark, bool)>,
    /// Every key that was taken: the field reference is compared with it.
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

    /// Where a field is; if it is missing, where the field is that should hold it.
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

    pub fn locate(&mut self, field: &str, mark: Mark) {
        self.places.insert(field.to_owned(), (mark, true));
    }

    /// Whether a field has a value, good or bad.
    pub fn has(&self, field: &str) -> bool {
        self.places.get(field).is_some_and(|(_, given)| *given)
    }

    pub fn problem(&mut self, field: &str, mismatch: Mismatch) {
        self.problem_at(self.place(field), field, mismatch);
    }

    pub fn problem_at(&mut self, mark: Mark, field: &str, kind: impl Into<Kind>) {
        if !self.is_full() {
            self.problems.push(Problem::at(&self.file, mark, field, kind.into()));
        }
    }

    /// A rule that is about more than this one value; both texts are the message's.
    pub fn refuse(&mut self, field: &str, expected: impl Into<Cow<'static, str>>, found: impl Into<Cow<'static, str>>) {
        self.problem(field, Mismatch::new(expected, found));
    }

    pub fn missing(&mut self, field: &str, expected: &'static str) {
        self.problem(field, Mismatch::missing(expected));
    }

    pub fn warn(&mut self, field: &str, text: impl Into<String>) {
        if self.warnings.len() < MAX_PROBLEMS {
            let line = self.place(field).line;
            self.warnings.push(Warning { file: self.file.clone(), line, field: field.to_owned(), text: text.into() });
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

/// One YAML node and its path.
#[derive(Debug, Clone)]
pub struct Field<'n> {
    pub node: &'n Node,
    pub path: String,
    /// Where its key is; of an item: where it is itself.
    pub key_mark: Mark,
}

impl<'n> Field<'n> {
    /// The whole document.
    pub fn root(node: &'n Node, reading: &mut Reading) -> Self {
        reading.locate("", node.mark);
        Self { node, path: String::new(), key_mark: node.mark }
    }

    /// The answer of a reader that cannot take this kind of node.
    fn wrong_type<T>(&self, expected: &'static str, reading: &mut Reading) -> Option<T> {
        reading.refuse(&self.path, expected, found(&self.node.value));
        None
    }

    /// Text of any style: `name: 007` is the text. Empty text is text.
    pub fn text(&self, reading: &mut Reading) -> Option<&'n str> {
        match &self.node.value {
            Value::Scalar { text, .. } => Some(text),
            _ => self.wrong_type("text", reading),
        }
    }

    pub fn value<T>(&self, reading: &mut Reading, parse: impl Fn(&str) -> Result<T, Mismatch>) -> Option<T> {
        let text = self.text(reading)?;
        parse(text).map_err(|why| reading.problem(&self.path, why)).ok()
    }

    pub fn boolean(&self, reading: &mut Reading) -> Option<bool> {
        match &self.node.value {
            Value::Scalar { text, style: Style::Plain } if matches!(text.as_str(), "true" | "True" | "TRUE") => {
                Some(true)
            }
            Value::Scalar { text, style: Style::Plain } if matches!(text.as_str(), "false" | "False" | "FALSE") => {
                Some(false)
            }
            _ => self.wrong_type("true or false", reading),
        }
    }

    pub fn number(&self, reading: &mut Reading, from: u64, to: u64) -> Option<u64> {
        match &self.node.value {
            Value::Scalar { text, style: Style::Plain }
                if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) =>
            {
                let number = text.parse().ok().filter(|number| (from..=to).contains(number));
                if number.is_none() {
                    reading.refuse(&self.path, format!("a number from {from} to {to}"), shown(text));
                }
                number
            }
            _ => self.wrong_type("a whole number", reading),
        }
    }

    /// The items of a list.
    pub fn items(&self, reading: &mut Reading, limit: usize) -> Option<Vec<Field<'n>>> {
        let Value::Sequence(items) = &self.node.value else {
            return self.wrong_type("a list", reading);
        };
        if items.len() > limit {
            reading.refuse(&self.path, format!("at most {limit} items"), items.len().to_string());
            return None;
        }
        let field = |(i, node): (usize, &'n Node)| {
            let path = format!("{}[{i}]", self.path);
            reading.locate(&path, node.mark);
            Field { node, path, key_mark: node.mark }
        };
        Some(items.iter().enumerate().map(field).collect())
    }

    /// A list of values; the ones that cannot be read are reported and left out.
    pub fn values<T>(&self, reading: &mut Reading, parse: impl Fn(&str) -> Result<T, Mismatch>) -> Option<Vec<T>> {
        const MANY: usize = 1000;
        let items = self.items(reading, MANY)?;
        Some(items.iter().filter_map(|item| item.value(reading, &parse)).collect())
    }

    /// One text, or a list of them.
    pub fn one_or_more<T>(&self, reading: &mut Reading, parse: impl Fn(&str) -> Result<T, Mismatch>) -> Option<Vec<T>> {
        match &self.node.value {
            Value::Scalar { .. } => self.value(reading, parse).map(|value| vec![value]),
            Value::Sequence(_) => self.values(reading, parse),
            _ => self.wrong_type("text or a list of texts", reading),
        }
    }

    /// The entries of a mapping whose keys are names.
    pub fn named(&self, reading: &mut Reading) -> Option<Vec<(&'n str, Field<'n>)>> {
        let Value::Mapping(entries) = &self.node.value else {
            return self.wrong_type("a mapping", reading);
        };
        let child = |entry: &'n Entry| {
            let path = join(&self.path, &entry.key);
            reading.locate(&path, entry.key_mark);
            (entry.key.as_str(), Field { node: &entry.node, path, key_mark: entry.key_mark })
        };
        Some(entries.iter().map(child).collect())
    }

    /// As [`Self::fields`]; `null` is a mapping without entries.
    pub fn open(&self, reading: &mut Reading) -> Option<Fields<'n>> {
        if self.node.value == Value::Null { Some(Fields::of(&[], self.path.clone())) } else { self.fields(reading) }
    }

    /// The entries of a mapping whose keys are fields.
    pub fn fields(&self, reading: &mut Reading) -> Option<Fields<'n>> {
        let Value::Mapping(entries) = &self.node.value else {
            return self.wrong_type("a mapping", reading);
        };
        Some(Fields::of(entries, self.path.clone()))
    }

    pub const fn is_list(&self) -> bool {
        matches!(self.node.value, Value::Sequence(_))
    }

    pub fn is_empty_list(&self) -> bool {
        matches!(&self.node.value, Value::Sequence(items) if items.is_empty())
    }
}

fn join(path: &str, key: &str) -> String {
    let key = part(key);
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
    /// What [`Self::refuse`] has answered.
    refused: Vec<&'static str>,
    empty_is_absent: bool,
}

impl<'n> Fields<'n> {
    fn of(entries: &'n [Entry], path: String) -> Self {
        Self { entries, path, known: Vec::new(), refused: Vec::new(), empty_is_absent: false }
    }

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
        let section = self.take(key, reading).and_then(|field| field.fields(reading));
        let section = section.unwrap_or_else(|| Self::of(&[], self.join(key)));
        Self { empty_is_absent: self.empty_is_absent, ..section }
    }

    /// Takes a list, or a mapping; of what is absent or the other one nothing.
    pub fn list_or_section(&mut self, key: &'static str, reading: &mut Reading) -> (Option<Field<'n>>, Fields<'n>) {
        let empty = Self { empty_is_absent: self.empty_is_absent, ..Self::of(&[], self.join(key)) };
        match self.take(key, reading) {
            Some(field) if matches!(field.node.value, Value::Mapping(_)) => {
                let fields = field.fields(reading).unwrap_or(empty);
                (None, Self { empty_is_absent: self.empty_is_absent, ..fields })
            }
            field => (field, empty),
        }
    }

    /// Takes one value; `None`: absent, or refused.
    pub fn value<T>(
        &mut self,
        key: &'static str,
        reading: &mut Reading,
        parse: impl Fn(&str) -> Result<T, Mismatch>,
    ) -> Option<T> {
        self.take(key, reading)?.value(reading, parse)
    }

    /// Takes a list of values; those that are refused are left out.
    pub fn values<T>(
        &mut self,
        key: &'static str,
        reading: &mut Reading,
        parse: impl Fn(&str) -> Result<T, Mismatch>,
    ) -> Vec<T> {
        self.take(key, reading).and_then(|field| field.values(reading, parse)).unwrap_or_default()
    }

    pub fn boolean(&mut self, key: &'static str, reading: &mut Reading) -> Option<bool> {
        self.take(key, reading)?.boolean(reading)
    }

    /// Keys that are known and not read.
    pub fn skip(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// A key that gets a better answer than "unknown".
    pub fn refuse(&mut self, key: &'static str, why: Mismatch, reading: &mut Reading) {
        self.refused.push(key);
        if let Some(entry) = self.entries.iter().find(|entry| entry.key == key) {
            reading.problem_at(entry.key_mark, &self.join(key), why);
        }
    }

    pub fn is_present(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key && entry.node.value != Value::Null)
    }

    /// Reports every key that was not taken.
    pub fn finish(self, reading: &mut Reading) {
        for entry in self.entries {
            if reading.is_full() {
                return;
            }
            let key = entry.key.as_str();
            if !self.known.contains(&key) && !self.refused.contains(&key) {
                let known = self.known.iter().copied();
                let unknown = Mismatch { found: "an unknown one".into(), ..Mismatch::word("a known key", key, known) };
                reading.problem_at(entry.key_mark, &self.join(key), unknown);
            }
        }
    }
}
