//! Whether a component has read the files that are there: by when its processes started and when the files were put in place.

use std::collections::BTreeMap;

use crate::catalog::find;
use crate::catalog::readers::{Action, Part, READERS, Reader};
use crate::catalog::releases::Release;

/// Whether every process of a component started after the last change of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    Yes,
    No,
    /// No process of it is visible, or it is not known when its files changed.
    Unknown,
}

/// When the processes of a component started, in seconds since 1970, rounded down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Starts {
    pub seconds: Vec<i64>,
    /// There are processes that could not be looked at: they may be its.
    pub hidden: bool,
}

/// By entry: when the newest of its files was put in place, in seconds since 1970; `None`: that cannot be known.
pub type Changes<'a> = BTreeMap<&'a str, Option<i64>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub running: Running,
    /// When the newest of the files that it reads was put in place.
    pub changed: Option<i64>,
    /// It is older than its files, and reads all of those that are newer again by itself.
    pub rereads: bool,
}

/// What is known of a component on a node; `None`: nothing there is for it, and no process of it is visible. A start within
/// the same second as a change proves nothing.
pub fn judge(component: &str, release: Release, starts: &Starts, changes: &Changes<'_>) -> Option<Judged> {
    if starts.seconds.is_empty() && !changes.keys().any(|entry| is_sign_of(entry, component, release)) {
        return None;
    }
    let of_files = |once: bool| newest(rows(component, release, once), changes);
    let (Newest::At(changed), Some(oldest)) = (of_files(false), starts.seconds.iter().min().copied()) else {
        let changed = if let Newest::At(changed) = of_files(false) { Some(changed) } else { None };
        return Some(Judged { running: Running::Unknown, changed, rereads: false });
    };
    let running = match oldest <= changed {
        true => Running::No,
        false if starts.hidden => Running::Unknown,
        false => Running::Yes,
    };
    let after_what_it_holds = match of_files(true) {
        Newest::Nothing => true,
        Newest::Unknown => false,
        Newest::At(changed) => oldest > changed,
    };
    Some(Judged {
        running,
        changed: Some(changed),
        rereads: running == Running::No && after_what_it_holds && !starts.hidden,
    })
}

/// Whether a component was restarted after its manifest was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// All its processes are new ones, the oldest of them since then.
    Started(i64),
    NotYet,
    /// The node's processes cannot be seen, as from a container that has processes of its own only.
    Unseen,
}

/// By how much a start may seem earlier than it was: it is the sum of two instants that are rounded down.
const ROUNDED: i64 = 2;

/// `before`: when the processes started that were seen before the change; those now must be younger. None: they must not be older than
/// the change, `changed`. Where any component is seen, this one would be seen as well.
pub fn again(component: &str, before: &[i64], changed: Option<i64>, starts: &BTreeMap<&'static str, Starts>) -> Again {
    let own = starts.get(component);
    let is_hidden = own.is_none_or(|own| own.hidden);
    let limit = before.iter().max().copied().or_else(|| Some(changed?.saturating_sub(ROUNDED)));
    match (own.and_then(|own| own.seconds.iter().min().copied()), limit) {
        (_, None) => Again::Unseen,
        (Some(oldest), Some(limit)) if oldest <= limit => Again::NotYet,
        _ if is_hidden => Again::Unseen,
        (Some(oldest), Some(_)) => Again::Started(oldest),
        (None, _) if starts.values().any(|one| !one.seconds.is_empty()) => Again::NotYet,
        (None, _) => Again::Unseen,
    }
}

enum Newest {
    /// It reads none of the files that are there.
    Nothing,
    Unknown,
    At(i64),
}

fn newest(mut rows: impl Iterator<Item = &'static Reader>, changes: &Changes<'_>) -> Newest {
    rows.try_fold(Newest::Nothing, |newest, reader| match (changes.get(reader.entry), newest) {
        (None, newest) => Ok(newest),
        (Some(None), _) => Err(Newest::Unknown),
        (Some(Some(at)), Newest::At(other)) => Ok(Newest::At(other.max(*at))),
        (Some(Some(at)), _) => Ok(Newest::At(*at)),
    })
    .unwrap_or_else(|unknown| unknown)
}

/// The files that a component reads, CRLs and what the kubelet rotates aside. `once`: without those that it reads again by
/// itself.
fn rows(component: &str, release: Release, once: bool) -> impl Iterator<Item = &'static Reader> {
    let is_own = move |reader: &&Reader| reader.component == component && reader.releases.holds(release);
    let of_files = |reader: &&Reader| matches!(reader.part, Part::Content | Part::AuthorityData);
    let counts = move |reader: &&Reader| !once || !matches!(reader.action, Action::Itself(_));
    READERS.iter().filter(is_own).filter(of_files).filter(counts)
}

/// Whether an entry on a node shows that the component is meant to run there: a pair or kubeconfig of its own, not an
/// authority or sa, which other nodes have as well.
pub fn is_sign_of(entry: &str, component: &str, release: Release) -> bool {
    let is_leaf = find(entry).is_some_and(|entry| entry.signer.is_some() && entry.authority().is_none());
    is_leaf && rows(component, release, false).any(|reader| reader.entry == entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: Release = Release::NEWEST;

    #[test]
    fn only_a_start_after_the_last_change_counts() {
        use Running::{No, Unknown, Yes};
        let old = [("etcd-ca", Some(5)), ("etcd-server", Some(10))];
        for (changes, seconds, hidden, running, rereads) in [
            (&old[..], &[][..], false, Unknown, false),
            (&old, &[], true, Unknown, false),
            (&old, &[11], false, Yes, false),
            (&old, &[11, 12], false, Yes, false),
            (&old, &[11], true, Unknown, false),
            // In the same second.
            (&old, &[10], false, No, true),
            // After etcd's CA, which it holds, and before its pair, which it reads again.
            (&old, &[12, 6], false, No, true),
            (&old, &[12, 6], true, No, false),
            (&old, &[5], false, No, false),
            (&[("etcd-ca", Some(5)), ("etcd-server", None)], &[11], false, Unknown, false),
            (&[("etcd-ca", None), ("etcd-server", Some(10))], &[6], false, Unknown, false),
            // What it does not read does not count.
            (&[("etcd-server", Some(10)), ("apiserver", Some(99))], &[11], false, Yes, false),
            (&[], &[11], false, Unknown, false),
        ] {
            let starts = Starts { seconds: seconds.to_vec(), hidden };
            let judged = judge("etcd", NEWEST, &starts, &changes.iter().copied().collect()).unwrap();
            assert_eq!((judged.running, judged.rereads), (running, rereads), "{changes:?} {starts:?}");
        }
    }

    #[test]
    fn a_restart_is_seen_by_processes_that_are_all_younger() {
        use Again::{NotYet, Started, Unseen};
        let seen = |seconds: &[i64], hidden| Starts { seconds: seconds.to_vec(), hidden };
        for (own, kubelet, before, changed, expected) in [
            (seen(&[11], false), seen(&[1], false), &[5][..], Some(10), Started(11)),
            (seen(&[13, 12], false), seen(&[1], false), &[5], Some(10), Started(12)),
            // As it seems, before the change; but it is another one than before.
            (seen(&[9], false), seen(&[1], false), &[5], Some(10), Started(9)),
            (seen(&[13, 5], false), seen(&[1], false), &[5], Some(10), NotYet),
            (seen(&[7], false), seen(&[1], false), &[5, 7], Some(10), NotYet),
            // Between its end and its start.
            (seen(&[], false), seen(&[1], false), &[5], Some(10), NotYet),
            // Of a change that was made by an earlier run.
            (seen(&[9], false), seen(&[1], false), &[], Some(10), Started(9)),
            (seen(&[8], false), seen(&[1], false), &[], Some(10), NotYet),
            // Without the processes of the node, and without the time.
            (seen(&[], false), seen(&[], false), &[], Some(10), Unseen),
            (seen(&[11], false), seen(&[1], false), &[], None, Unseen),
            // One that could not be looked at may be its.
            (seen(&[11], true), seen(&[1], true), &[5], Some(10), Unseen),
            (seen(&[5], true), seen(&[1], true), &[5], Some(10), NotYet),
            (seen(&[], true), seen(&[1], true), &[5], Some(10), Unseen),
        ] {
            let starts: BTreeMap<&'static str, Starts> = [("etcd", own), ("kubelet", kubelet)].into();
            assert_eq!(again("etcd", before, changed, &starts), expected, "{starts:?} {before:?} {changed:?}");
        }
        assert_eq!(again("etcd", &[], Some(1), &BTreeMap::new()), Unseen);
    }

    #[test]
    fn a_component_that_nothing_is_for_is_left_out() {
        let worker: Changes<'_> = [("ca", Some(1)), ("kubelet.conf", Some(1))].into();
        let known = |component| judge(component, NEWEST, &Starts::default(), &worker).is_some();
        assert_eq!(["etcd", "kube-apiserver", "kube-scheduler", "kubelet"].map(known), [false, false, false, true]);
        let seen = Starts { seconds: vec![2], hidden: false };
        assert_eq!(judge("kube-apiserver", NEWEST, &seen, &worker).unwrap().running, Running::Yes);
    }
}
