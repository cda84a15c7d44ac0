//! The objects and problems found in a file.

use crate::encoding::found::found;
use crate::encoding::tlv;
use crate::report::inspect::Object;
use crate::workspace::passwords::Passwords;

/// Further objects of one file are counted, not shown.
const MOST: usize = 10_000;

pub struct Findings<'p> {
    /// What the file is called where its password is asked for.
    pub name: String,
    pub passwords: &'p mut dyn Passwords,
    pub objects: Vec<Object>,
    pub problems: Vec<String>,
}

impl Findings<'_> {
    pub fn problem(&mut self, why: impl ToString) {
        if self.problems.len() < MOST {
            self.problems.push(why.to_string());
        }
    }

    pub fn add<E: std::fmt::Display>(&mut self, object: Result<Object, E>, owner: Option<&str>) {
        match object {
            Ok(_) if self.objects.len() >= MOST => {}
            Ok(object) => self.objects.push(Object { owner: owner.map(str::to_owned), ..object }),
            Err(why) => match owner {
                Some(owner) => self.problem(format!("{owner}: {why}")),
                None => self.problem(why),
            },
        }
    }
}

/// What bytes are that are none of the expected things.
pub fn what(bytes: &[u8]) -> String {
    if let Some(found) = found(bytes) {
        return found.to_string();
    }
    match tlv::read_header(bytes) {
        _ if bytes.is_empty() => "nothing".to_owned(),
        Ok(Some(header)) if header.tag != tlv::SEQUENCE => "nothing of the kind".to_owned(),
        Ok(Some(header)) if header.header.saturating_add(header.content) > bytes.len() => format!(
            "DER whose end is missing: {} bytes of {}",
            bytes.len(),
            header.header.saturating_add(header.content)
        ),
        Ok(Some(_)) => format!("DER of a kind that is not known, {} bytes", bytes.len()),
        _ => "nothing of the kind".to_owned(),
    }
}
