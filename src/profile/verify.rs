//! What `kpki verify` is to show and not to count.

use super::fields::{Field, Fields, Reading};
use super::model::IgnoredRule;
use super::problem::Mismatch;

/// Enough for everybody.
const MOST: usize = 1000;
const RULE: &str = "a rule of kpki verify, AREA/NAME, or its AREA";

pub fn read(fields: &mut Fields<'_>, reading: &mut Reading) -> Vec<IgnoredRule> {
    let mut section = fields.section("verify", reading);
    let items = section.take("ignore", reading).and_then(|field| field.items(reading, MOST)).unwrap_or_default();
    let ignored = items.iter().filter_map(|item| one(item, reading)).collect();
    section.finish(reading);
    ignored
}

fn one(item: &Field<'_>, reading: &mut Reading) -> Option<IgnoredRule> {
    let mut fields = item.fields(reading)?;
    let stated = |key: &'static str| format!("{}.{key}", item.path);
    let rule = fields.value("rule", reading, rule);
    let place = fields.value("at", reading, |text| text_of(text, "a path, or the end of one, or an entry"));
    let reason = fields.value("reason", reading, |text| text_of(text, "a reason, which reports show"));
    for (key, expected) in [("rule", RULE), ("reason", "a reason, which reports show")] {
        if !reading.has(&stated(key)) {
            reading.missing(&stated(key), expected);
        }
    }
    fields.finish(reading);
    Some(IgnoredRule { rule: rule?, place, reason: reason? })
}

fn rule(text: &str) -> Result<String, Mismatch> {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let mut parts = text.split('/');
    let is_rule = parts.by_ref().take(2).all(is_part) && parts.next().is_none();
    if is_rule { Ok(text.to_owned()) } else { Err(Mismatch::value(RULE, text)) }
}

fn text_of(text: &str, expected: &'static str) -> Result<String, Mismatch> {
    let is_text = !text.trim().is_empty() && text.len() <= 500 && !text.chars().any(char::is_control);
    if is_text { Ok(text.to_owned()) } else { Err(Mismatch::value(expected, text)) }
}

#[cfg(test)]
mod tests {
    use crate::profile::tests::load_text;

    const PROFILE: &str =
        "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{name: cp1, addresses: [10.0.0.1]}]\nverify:\n  ignore:\n";

    #[test]
    fn what_is_ignored_has_a_rule_and_a_reason() {
        let read = |line: &str| load_text(&format!("{PROFILE}  - {line}\n"));
        let loaded = read("{rule: file/owner, at: pki/sa.pub, reason: our backup user owns it}").unwrap();
        let one = &loaded.profile.verify_ignore[0];
        assert_eq!(
            (one.rule.as_str(), one.place.as_deref(), one.reason.as_str()),
            ("file/owner", Some("pki/sa.pub"), "our backup user owns it")
        );
        assert_eq!(read("{rule: date, reason: r}").unwrap().profile.verify_ignore[0].place, None);
        for refused in [
            "{rule: file/owner}",
            "{reason: r}",
            "{rule: file/owner, reason: ''}",
            "{rule: FILE, reason: r}",
            "{rule: a/b/c, reason: r}",
            "{rule: a/, reason: r}",
            "{rule: file/owner, reason: r, path: x}",
        ] {
            assert!(read(refused).is_err(), "{refused}");
        }
    }
}
