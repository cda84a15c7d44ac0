//! What a profile is to say once the authority to come is the one of today.

use crate::catalog::CaId;
use crate::profile::{Profile, Signing};
use crate::tree::rotation::{KeyPlace, Record, Retired};

/// Authorities that are retired, and whose successor's key the profile still names in `next`: with the lines to change.
pub fn unmoved(profile: &Profile, record: &Record) -> Vec<(CaId, String)> {
    let place = |stated: &Option<Signing>| stated.as_ref().and_then(Signing::place);
    let one = |retired: &Retired| {
        let (KeyPlace::Source(source), Some(authority)) = (&retired.new_key, retired.authority.authority()) else {
            return None;
        };
        let options = profile.authorities.get(&authority)?;
        let is_next = place(&options.next).as_ref() == Some(source) && place(&options.signing).as_ref() != Some(source);
        is_next.then(|| (authority, move_it(authority, source)))
    };
    record.retired.iter().filter_map(one).collect()
}

/// The lines to change. `source`: the key's place.
pub fn move_it(authority: CaId, source: &str) -> String {
    let name = authority.name();
    let field = source.split(['.', ' ']).next().unwrap_or_default();
    format!(
        "the profile still names the key of {name} as that of the authority to come ({source}): move authorities.{name}.next.{field} \
         to authorities.{name}.{field}, in place of the old one's, and take next out; until then every command finds it there"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{self, Overrides};
    use crate::tree::rotation::Rotating;

    fn said(authorities: &str, new_key: KeyPlace) -> Vec<String> {
        let text = format!(
            "apiVersion: kpki/v1\nkind: ClusterProfile\ncaKeys: none\nnodes: [{{name: cp1, addresses: [10.0.0.1]}}]\n\
             authorities: {authorities}\n"
        );
        let source = profile::Source { name: "p", bytes: text.as_bytes() };
        let profile = profile::load(source, &Overrides::default()).unwrap().profile;
        let retired = Retired {
            authority: Rotating::Authority(CaId::Etcd),
            number: 2,
            since: String::new(),
            old: Vec::new(),
            new: Vec::new(),
            generation: None,
            signed_since: None,
            new_key,
            old_key: KeyPlace::Here,
            emergency: false,
        };
        let record = Record { retired: vec![retired], ..Record::default() };
        unmoved(&profile, &record).into_iter().map(|(_, lines)| lines).collect()
    }

    #[test]
    fn what_was_not_moved_is_said_with_the_lines_to_change() {
        let file = || KeyPlace::Source("key.file /b".to_owned());
        let lines = "move authorities.etcd-ca.next.key to authorities.etcd-ca.key";
        for (authorities, new_key, expected) in [
            ("{etcd-ca: {key: {file: /a}, next: {key: {file: /b}}}}", file(), Some(lines)),
            ("{etcd-ca: {next: {key: {file: /b}}}}", file(), Some(lines)),
            // Moved, with the one after it or without.
            ("{etcd-ca: {key: {file: /b}}}", file(), None),
            ("{etcd-ca: {key: {file: /b}, next: {key: {file: /c}}}}", file(), None),
            // The profile names the next rotation's key, and not this one's.
            ("{etcd-ca: {key: {file: /a}, next: {key: {file: /c}}}}", file(), None),
            ("{ca: {next: {key: {file: /b}}}}", file(), None),
            ("{etcd-ca: {next: {key: {file: /b}}}}", KeyPlace::Here, None),
        ] {
            let said = said(authorities, new_key);
            assert_eq!(said.len(), usize::from(expected.is_some()), "{authorities}: {said:?}");
            assert!(said.iter().all(|one| one.contains(lines)), "{authorities}: {said:?}");
        }
    }
}
