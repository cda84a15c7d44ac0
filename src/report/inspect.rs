//! `kpki inspect`: everything in a file, as aligned lines for people or as a document.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{Form, json, sanitised, yaml};
use crate::clock::{distance, rfc3339};

/// What several files hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspect {
    pub files: Vec<File>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub objects: Vec<Object>,
    /// Why there is nothing, or not everything.
    pub problems: Vec<String>,
}

/// A certificate, a key, a list: what it is, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub kind: &'static str,
    /// Whose it is, where a file holds several parties.
    pub owner: Option<String>,
    pub fields: Vec<Field>,
}

/// The name for people, the key for documents, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub label: &'static str,
    pub key: &'static str,
    pub value: Said,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Text(String),
    Number(u64),
    Flag(bool),
    List(Vec<String>),
    Instant(OffsetDateTime),
    /// Extensions: object identifier, its usual name, critical.
    Extensions(Vec<(String, String, bool)>),
}

impl Inspect {
    pub fn render(&self, form: Form, now: OffsetDateTime) -> String {
        match form {
            Form::Table | Form::Wide => self.files.iter().map(|file| text(file, now)).collect::<Vec<_>>().join("\n"),
            Form::Json => json::text(&self.value()),
            Form::Yaml => yaml::render(&self.value()),
        }
    }

    fn value(&self) -> Value {
        json!({
            "apiVersion": "kpki/v1",
            "kind": "Inspection",
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
        })
    }
}

fn text(file: &File, now: OffsetDateTime) -> String {
    let mut text = String::new();
    for (index, object) in file.objects.iter().enumerate() {
        let position = match file.objects.len() {
            0 | 1 => String::new(),
            all => format!(" ({} of {all})", index.saturating_add(1)),
        };
        let owner = object.owner.as_ref().map(|owner| format!(" of {owner}")).unwrap_or_default();
        text.push_str(&sanitised(&format!("{}: {}{owner}{position}", file.path, object.kind)));
        text.push('\n');
        let width = object.fields.iter().map(|field| field.label.len()).max().unwrap_or(0).saturating_add(1);
        for field in &object.fields {
            let label = format!("{}:", field.label);
            for (line, words) in lines(&field.value, now).iter().enumerate() {
                let label = if line == 0 { label.as_str() } else { "" };
                text.push_str(&format!("  {label:<width$}  {}\n", sanitised(words)));
            }
        }
    }
    for problem in &file.problems {
        text.push_str(&sanitised(&format!("{}: {problem}", file.path)));
        text.push('\n');
    }
    text
}

fn lines(said: &Said, now: OffsetDateTime) -> Vec<String> {
    match said {
        Said::Text(text) => vec![text.clone()],
        Said::Number(number) => vec![number.to_string()],
        Said::Flag(flag) => vec![if *flag { "yes" } else { "no" }.to_owned()],
        Said::List(list) => list.clone(),
        Said::Instant(at) => vec![format!("{} ({})", rfc3339(*at), distance(now, *at))],
        Said::Extensions(list) => list
            .iter()
            .map(|(oid, name, critical)| {
                let shown = if name.is_empty() { oid } else { name };
                format!("{shown}{}", if *critical { " (critical)" } else { "" })
            })
            .collect(),
    }
}

fn file(file: &File) -> Value {
    json!({
        "path": file.path,
        "objects": file.objects.iter().map(object).collect::<Vec<_>>(),
        "problems": file.problems,
    })
}

fn object(object: &Object) -> Value {
    let mut map = Map::new();
    map.insert("type".to_owned(), json!(object.kind));
    map.insert("owner".to_owned(), json!(object.owner));
    for field in &object.fields {
        let value = match &field.value {
            Said::Text(text) => json!(text),
            Said::Number(number) => json!(number),
            Said::Flag(flag) => json!(flag),
            Said::List(list) => json!(list),
            Said::Instant(at) => json!(rfc3339(*at)),
            Said::Extensions(list) => list
                .iter()
                .map(|(oid, name, critical)| json!({"oid": oid, "name": name, "critical": critical}))
                .collect(),
        };
        map.insert(field.key.to_owned(), value);
    }
    Value::Object(map)
}
