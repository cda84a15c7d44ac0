//! Options of single authorities and entries of the catalogue.

use std::collections::BTreeMap;

use super::fields::{Field, Fields, Reading};
use super::model::{AuthorityOptions, EntryOptions, SubjectAttributes};
use super::problem::{Mismatch, shown};
use super::{signing_fields, values};
use crate::catalog::{self, CaId, ENTRIES, Files};

/// RFC 5280 appendix A.1: ub-organization-name and ub-organizational-unit-name, ub-locality-name and ub-state-name.
const SHORT: usize = 64;
const LONG: usize = 128;

pub fn authorities(fields: &mut Fields<'_>, reading: &mut Reading) -> BTreeMap<CaId, AuthorityOptions> {
    let mut options = BTreeMap::new();
    let Some(field) = fields.take("authorities", reading) else { return options };
    for (name, field) in field.named(reading).unwrap_or_default() {
        if let Some(authority) = CaId::parse(name) {
            options.insert(authority, authority_options(&field, reading));
            continue;
        }
        let why = match catalog::find(name) {
            Some(_) => Mismatch::new("an authority", format!("{} (its place is certificates)", shown(name))),
            None => values::unknown(&CaId::ALL.map(CaId::name), name),
        };
        reading.problem_at(field.key_mark, &field.path, why);
    }
    options
}

fn authority_options(field: &Field<'_>, reading: &mut Reading) -> AuthorityOptions {
    let Some(mut fields) = field.open(reading) else { return AuthorityOptions::default() };
    let algorithm = fields.value("algorithm", reading, values::algorithm);
    let validity = fields.value("validity", reading, values::duration);
    let subject = subject(fields.section("subject", reading), reading);
    let permitted = fields.values("permittedNames", reading, values::permitted_name);
    let path_len = fields.take("pathLength", reading).and_then(|field| field.number(reading, 0, u64::from(u8::MAX)));
    let path_len = path_len.and_then(|length| u8::try_from(length).ok());
    let signing = signing_fields::read(&mut fields, reading);
    let next = signing_fields::next(&mut fields, reading);
    fields.finish(reading);
    AuthorityOptions { algorithm, validity, subject, permitted, path_len, signing, next }
}

fn subject(mut fields: Fields<'_>, reading: &mut Reading) -> SubjectAttributes {
    let mut attribute = |key, parse: &dyn Fn(&str) -> Result<String, Mismatch>| {
        fields.take(key, reading).and_then(|field| field.one_or_more(reading, parse)).unwrap_or_default()
    };
    let short = values::name_text(SHORT, "a text of 1 to 64 characters");
    let long = values::name_text(LONG, "a text of 1 to 128 characters");
    let attributes = SubjectAttributes {
        country: attribute("C", &values::country),
        organization: attribute("O", &short),
        organizational_unit: attribute("OU", &short),
        locality: attribute("L", &long),
        state: attribute("ST", &long),
    };
    fields.refuse("CN", Mismatch::new("C, O, OU, L or ST", "CN, which is kubeadm's and fixed"), reading);
    fields.finish(reading);
    attributes
}

pub fn certificates(fields: &mut Fields<'_>, reading: &mut Reading) -> BTreeMap<&'static str, EntryOptions> {
    let mut options = BTreeMap::new();
    let Some(field) = fields.take("certificates", reading) else { return options };
    for (name, field) in field.named(reading).unwrap_or_default() {
        match catalog::find(name) {
            Some(entry) if entry.authority().is_none() => {
                let is_key = matches!(entry.files, Files::KeyPair(_));
                options.insert(entry.name, entry_options(&field, is_key, reading));
            }
            Some(_) => {
                let found = format!("the authority {} (its place is authorities)", shown(name));
                reading.problem_at(field.key_mark, &field.path, Mismatch::new("a certificate", found));
            }
            None => {
                let names = ENTRIES.iter().filter(|entry| entry.authority().is_none()).map(|entry| entry.name);
                let why = Mismatch::word("the name of one of kubeadm's certificates", name, names);
                reading.problem_at(field.key_mark, &field.path, why);
            }
        }
    }
    options
}

fn entry_options(field: &Field<'_>, is_key: bool, reading: &mut Reading) -> EntryOptions {
    let Some(mut fields) = field.open(reading) else { return EntryOptions::default() };
    let algorithm = fields.value("algorithm", reading, values::algorithm);
    let validity = if is_key {
        let why = Mismatch::new("algorithm only", "a validity: sa is a key pair without certificate");
        fields.refuse("validity", why, reading);
        None
    } else {
        fields.value("validity", reading, values::duration)
    };
    fields.finish(reading);
    EntryOptions { algorithm, validity }
}
