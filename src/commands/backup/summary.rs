//! What a backup holds, for the reports of all three.

use crate::plan::backup::{Held, KeyState};
use crate::report::backup::{Authority, Key, Summary};
use crate::workspace::backup::{Judged, Manifest};

pub fn summary(manifest: &Manifest, judged: &Judged) -> Summary {
    let left_out = manifest.left_out.iter().map(|one| format!("{} ({})", one.path, one.what));
    Summary {
        cluster: judged.cluster.clone(),
        directory: manifest.directory.clone(),
        time: manifest.time.clone(),
        files: manifest.files.len(),
        size: manifest.files.iter().map(|one| one.size).sum(),
        authorities: judged.judgement.authorities.iter().map(authority).collect(),
        pairs: judged.judgement.pairs,
        certificates: judged.certificates,
        lists: judged.lists,
        last: judged.last.clone(),
        left_out: left_out.chain(judged.judgement.left_out.iter().cloned()).collect(),
        problems: judged.judgement.problems.clone(),
        notes: judged.judgement.notes.clone(),
    }
}

fn authority(held: &Held) -> Authority {
    Authority {
        authority: held.authority.name(),
        path: held.path.clone(),
        subject: held.subject.clone(),
        key: match held.key {
            KeyState::Here => Key::Here,
            KeyState::Encrypted => Key::Encrypted,
            KeyState::Opened => Key::Opened,
            KeyState::Elsewhere(_) => Key::Elsewhere,
            KeyState::External => Key::External,
            KeyState::Missing => Key::Missing,
            KeyState::Unusable(_) => Key::Unusable,
        },
        crl_number: held.list.clone(),
    }
}
