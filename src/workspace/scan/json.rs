//! JSON, piece by piece: one document, several behind one another, lists of any length.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::objects::Objects;
use crate::files::Stream;

/// Why the rest of a dump was not looked at, and where that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    #[error("line {line}, column {column}: expected JSON, found something else; what follows is not looked at")]
    Other { line: usize, column: usize },
    #[error("line {line}: expected more, found the end: the JSON is cut off")]
    CutOff { line: usize },
    #[error("line {line}: it cannot be read any further")]
    Unreadable { line: usize },
}

impl NotJson {
    /// The parser's own sentence may hold a value.
    fn of(why: &serde_json::Error) -> Self {
        let (line, column) = (why.line(), why.column());
        match why.classify() {
            Category::Eof => Self::CutOff { line },
            Category::Io => Self::Unreadable { line },
            Category::Syntax | Category::Data => Self::Other { line, column },
        }
    }
}

pub fn read(stream: Stream, objects: &mut Objects<'_>) -> Result<(), NotJson> {
    let mut reader = serde_json::Deserializer::from_reader(stream);
    // Another document follows as long as this is not the end.
    while reader.end().is_err() {
        Walk { role: Role::Document, objects }.deserialize(&mut reader).map_err(|why| NotJson::of(&why))?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A whole document: an object, or an array of them.
    Document,
    /// One of a list; its number from 1.
    Item(usize),
    /// What may be the items of a list.
    Items,
    Value,
}

struct Walk<'w, 'o> {
    role: Role,
    objects: &'w mut Objects<'o>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.objects.text(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let objects = self.objects;
        if self.role == Role::Items {
            objects.list();
        }
        let mut index = 0;
        loop {
            let role = match self.role {
                Role::Document => Role::Document,
                Role::Items => Role::Item(index + 1),
                Role::Item(_) | Role::Value => Role::Value,
            };
            objects.index(index);
            let more = items.next_element_seed(Walk { role, objects: &mut *objects })?.is_some();
            objects.leave();
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let objects = self.objects;
        let item = match self.role {
            Role::Document => Some(None),
            Role::Item(number) => Some(Some(number)),
            Role::Items | Role::Value => None,
        };
        if let Some(item) = item {
            objects.begin(item);
        }
        while let Some(key) = fields.next_key::<String>()? {
            let role = if item.is_some() && key == "items" { Role::Items } else { Role::Value };
            objects.enter(&key);
            fields.next_value_seed(Walk { role, objects: &mut *objects })?;
            objects.leave();
        }
        if item.is_some() {
            objects.end();
        }
        Ok(())
    }
}
