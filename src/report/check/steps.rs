//! The next steps. A command is the last thing of its step, behind a colon, so that it can be copied as it is.

use crate::audit::{Advice, Affected, Problem, Remedy};
use crate::catalog::CaId;
use crate::catalog::paths::{FINALIZE, KUBELET_CONF};
use crate::clock::rfc3339;
use crate::files::shell_path;
use crate::report::restart::one_at_a_time;
use crate::tree::ProfileAt;
use crate::tree::safe_host::renew_and_ship;

/// From this many entries on a command names none of them.
const MANY: usize = 6;

/// `few`: for how many places a command is shown.
pub fn steps(advice: &Advice, few: usize) -> Vec<String> {
    let Some(first) = advice.places.first() else { return Vec::new() };
    let path = &first.path;
    let each = |text: &str, command: &dyn Fn(&Affected) -> String| each(text, advice, few, command);
    let inspect = |text: &str| format!("{text}: kpki inspect {}", shell_path(path));
    let mut steps = match advice.problem {
        Problem::AuthorityExpired => {
            let mut steps = renewed(advice, few);
            let due = |place: &Affected| place.origin.whole().command("renew", &["all"], &["--due"]);
            steps.extend(each("then renew what has ended with it", &due));
            steps.push("and bring the new CA certificate to every node and every client".to_owned());
            steps.push(
                "or, if its key is lost or suspected, move it away with everything that it signed, and make all of it again with kpki \
                 init"
                    .to_owned(),
            );
            steps
        }
        Problem::AuthorityEnding => {
            let mut steps = renewed(advice, few);
            let first = advice.places.first().map(authorities).unwrap_or_default();
            steps.push(format!(
                "or replace it, and its key, by a rotation, which begins with kpki rotate prepare {}",
                first.join(" ")
            ));
            steps
        }
        Problem::AuthorityReplaced => each("see when the next step of the rotation is possible", &|place| {
            place.origin.command("rotate status", &[""; 0], &[])
        }),
        Problem::ExternalAuthorityEnding => {
            vec![format!("ask its owner for a new one; its certificate belongs to {path}")]
        }
        Problem::External => renewal("renew them", advice, few),
        Problem::Expired => {
            let mut steps = Vec::new();
            if advice.order.len() > 1 {
                steps.push("the order of repair:".to_owned());
                let ordered = advice.order.iter().zip(1..);
                steps.extend(ordered.map(|((group, names), i)| format!("  {i}. {group}: {}", names.join(", "))));
            }
            steps.extend(renewal("renew them", advice, few));
            steps
        }
        Problem::Revoked => renewal("make new ones with new keys", advice, few),
        Problem::Held => {
            let mut steps = each("release them", &|place| place.origin.command("release", &ids(place), &[]));
            steps.extend(each("or revoke them", &|place| place.origin.command("revoke", &ids(place), &[])));
            steps
        }
        Problem::KubeletClientExpired | Problem::KubeletClientUnusable => {
            let conf = kubelet_conf(first);
            let mut steps = vec![
                format!("the kubelet renews {path} itself, and only while it can use it"),
                format!("move it and {conf} away"),
            ];
            steps.extend(renewal("then make kubelet.conf again", advice, few));
            steps
        }
        Problem::NotYetValid => vec!["check the clock of this machine and of the one they were made on".to_owned()],
        Problem::CutAuthorityData => {
            let mut steps = vec![
                "with kubeadm certs renew the first certificate of a chain alone is left, and a copy may be another cluster's: what it \
                 trusts is not what signs the servers"
                    .to_owned(),
            ];
            steps.extend(renewal("embed the whole ca.crt again", advice, few));
            steps
        }
        Problem::SignerFile => {
            let mut steps = vec![
                "kube-controller-manager signs with it (--cluster-signing-cert-file), and needs exactly one certificate"
                    .to_owned(),
            ];
            steps.extend(each("write it again", &|place| make(place, &["--force"])));
            steps
        }
        Problem::WrongIssuer => {
            let mut steps = vec![
                inspect("compare issuer and authority"),
                "if the authority in the tree is not the cluster's, put the cluster's back in place".to_owned(),
            ];
            steps.extend(renewal("if it is, have it sign them again", advice, few));
            steps
        }
        Problem::KeyMismatch => {
            let mut steps = vec!["if another file was put in the key's place, put the key back".to_owned()];
            steps.extend(renewal("if not, make new keys and certificates", advice, few));
            steps
        }
        Problem::AuthorityKeyMismatch => vec![format!(
            "put the key of {path} back in place, or the certificate of the key: nothing can be signed without the pair"
        )],
        Problem::ServiceAccountMismatch => {
            let mut steps = vec![
                "tokens are signed with sa.key and verified with sa.pub: see which of the two is the cluster's, and put its half back"
                    .to_owned(),
            ];
            let text = "or make sa.pub from sa.key, and anew what else does not fit";
            steps.extend(each(text, &|place| make(place, &["--force"])));
            steps
        }
        Problem::CopyDiffers => vec![
            inspect("see which of the two is the cluster's"),
            "put that one, with its key, in the place of the other: nodes with different ones do not work together"
                .to_owned(),
        ],
        Problem::KeyUnusable => {
            let mut steps = vec![format!("if there is a copy of the key, put it back in place: {path}")];
            steps.extend(renewal("if not, make new keys and certificates", advice, few));
            steps
        }
        Problem::AuthorityKeyUnusable => vec![
            format!("put the key back in place, unencrypted and in PEM: {path}"),
            "nothing can be signed without it; where it is kept elsewhere on purpose, leave nothing in its place".to_owned(),
        ],
        Problem::AuthorityMissing if advice.remedy == Remedy::Make => {
            each("copy it from the cluster directory's pki/", &|place| make(place, &[]))
        }
        Problem::AuthorityMissing => vec![format!(
            "restore {path}, or check that this is the intended directory: without it nothing can be verified"
        )],
        Problem::Missing if advice.remedy == Remedy::None => {
            vec![format!("put {path} in its place, or have the kubeconfig name the right file")]
        }
        Problem::Missing => renewal("make what is missing", advice, few),
        Problem::Unreadable => {
            let mut steps = vec![inspect("see what is in it"), "restore it, or move it away".to_owned()];
            steps.extend(renewal("then make it again", advice, few));
            steps
        }
        Problem::Locked => vec![
            "give its password: --password-file FILE or --password-env VARIABLE".to_owned(),
            inspect("see what is in it") + " --password-file FILE",
        ],
        Problem::CrlEnding => match advice.remedy {
            Remedy::List(_) => renewal("sign the next CRL", advice, few),
            _ => vec![format!("have its authority publish a new one in {path}")],
        },
        Problem::OtherCrl => {
            let mut steps =
                vec!["etcd reads nothing but DER from 3.6 on: what is revoked since is accepted".to_owned()];
            steps.extend(renewal("sign the next one, and write both", advice, few));
            steps
        }
        Problem::Ending | Problem::TooOld => renewal("renew them", advice, few),
        Problem::Foreign => vec![format!("have its issuer renew {path}")],
        Problem::OutlivesAuthority => {
            vec!["nothing to do now: the authority's expiry is the one that counts".to_owned()]
        }
        Problem::CutsRenewalsShort => {
            vec!["nothing to do now: renew it, or plan its rotation, before the next renewal of what it signs".to_owned()]
        }
        Problem::KubeletEmbedsAnother => vec![
            "the embedded one is not used, so renewing it changes nothing; but once it has expired, the kubelet does not start \
             any more (kubernetes#99645)"
                .to_owned(),
            format!("let {} point to {path}, on the node: {FINALIZE}", kubelet_conf(first)),
        ],
        Problem::LeafNotFirst => each("put its certificates in order", &import),
        Problem::Repeated if advice.remedy == Remedy::None => {
            vec![format!("nothing to do now: it is used once, and may be left out of {path}")]
        }
        Problem::Repeated => each("nothing to do now; to have it there once", &import),
        Problem::Serial => renewal("Kubernetes refuses to read a negative one; renew them", advice, few),
        Problem::SharedAuthority => vec![
            "every client certificate of the cluster's CA, also a kubelet's, may read and write all of etcd, or act as any user"
                .to_owned(),
            "plan a rotation to an authority of its own: trusted everywhere beside the shared one first".to_owned(),
        ],
    };
    steps.extend(restart(advice));
    steps
}

fn restart(advice: &Advice) -> Option<String> {
    let components: Vec<String> = advice.restart.iter().map(|component| one_at_a_time(component)).collect();
    let order = if components.len() > 1 { " and in this order" } else { "" };
    let components = components.join(", ");
    (!components.is_empty())
        .then(|| format!("then restart, one node after another{order}: {components} ({})", advice.kubernetes))
}

/// What makes new ones, whoever signs.
fn renewal(text: &str, advice: &Advice, few: usize) -> Vec<String> {
    let all = |text: &str, command: &dyn Fn(&Affected) -> String| each(text, advice, few, command);
    match advice.remedy {
        Remedy::Renew => match fleet(advice) {
            Some(command) => vec![format!("{text}, with all that is due in any cluster: {command}")],
            None => all(text, &renew),
        },
        Remedy::Replace => {
            let names: Vec<String> = advice.places.iter().flat_map(ids).collect();
            let path = advice.places.first().map_or("", |place| &place.path);
            let mut steps = vec![format!(
                "the credential is in a file of its own ({path}): renew it there, or move {} away",
                names.join(", ")
            )];
            steps.extend(all(&format!("then {text}"), &renew));
            steps
        }
        Remedy::Request => {
            let mut steps = all("make a key and a request for each, beside the files in use", &|place| {
                named(place, "csr", &ids(place))
            });
            let requests: Vec<String> =
                advice.places.iter().take(few).map(|place| format!("{}/.kpki/requests", place.origin.dir)).collect();
            steps.push(format!("have the authority's owner sign the requests in {}", requests.join(", ")));
            let text = "then put the certificates in place";
            steps.extend(all(text, &|place| place.origin.command("import", &["CERT..."], &[])));
            let end = advice.places.iter().filter_map(|place| place.first_end).min();
            let end = end.map(|end| format!(" (the first ends at {})", rfc3339(end))).unwrap_or_default();
            let text =
                format!("or, where another host has the authority's key, renew there and bring the files here{end}");
            steps.extend(all(&text, &|place| renew_and_ship(place.origin.node.as_deref())));
            steps
        }
        Remedy::Make => all(text, &|place| make(place, &[])),
        Remedy::MakeAnew => all(text, &|place| make(place, &["--force"])),
        Remedy::List(authority) => all(text, &|place| place.origin.command("crl update", &[authority.name()], &[])),
        Remedy::RenewAuthority => renewed(advice, few),
        Remedy::Import | Remedy::Release | Remedy::None => Vec::new(),
    }
}

/// The next certificate for the same key: with the line by which to choose between that and another key.
fn renewed(advice: &Advice, few: usize) -> Vec<String> {
    let text = "if its key is not suspected and its algorithm still allowed, its date is all that has to change: renew it with the same key";
    each(text, advice, few, &|place| place.origin.whole().command("renew", &authorities(place), &[]))
}

/// Each once: a node's copy is renewed with the authority itself.
fn authorities(place: &Affected) -> Vec<&'static str> {
    let of = |id: CaId| place.ids.iter().any(|one| one.name == id.name());
    CaId::ALL.into_iter().filter(|id| of(*id)).map(CaId::name).collect()
}

/// One command for all of several clusters; `None`: `--due` does not take each of them.
fn fleet(advice: &Advice) -> Option<String> {
    let [first, _, ..] = advice.places.as_slice() else { return None };
    let is_one = |place: &Affected| place.due && place.origin.fleet == first.origin.fleet;
    advice.places.iter().all(is_one).then(|| first.origin.command_for_fleet("renew", &["all"], &["--due"]))?
}

/// One step for each place; of more than `few` the others are counted.
fn each(text: &str, advice: &Advice, few: usize, command: &dyn Fn(&Affected) -> String) -> Vec<String> {
    let step = |place: &Affected| {
        let command = command(place);
        let is_asked = place.origin.profile == ProfileAt::Unknown && command.contains(" --profile FILE ");
        let file = if is_asked { ", with its profile or kubeadm configuration as FILE" } else { "" };
        format!("{text}{file}: {command}")
    };
    let mut steps: Vec<String> = advice.places.iter().take(few).map(step).collect();
    match advice.places.len().saturating_sub(few) {
        0 => {}
        1 => steps.push("and in 1 further place; -o json has its command".to_owned()),
        more => steps.push(format!("and in {more} further places; -o json has a command for each")),
    }
    steps
}

fn named(place: &Affected, verb: &str, names: &[String]) -> String {
    match place.by_profile {
        true => place.origin.command_by_profile(verb, names, &[]),
        false => place.origin.command(verb, names, &[]),
    }
}

fn ids(place: &Affected) -> Vec<String> {
    place.ids.iter().map(ToString::to_string).collect()
}

/// These by name, or all when they are many.
fn renew(place: &Affected) -> String {
    let names: Vec<String> = place.names.iter().map(ToString::to_string).collect();
    match (names.len() > MANY, place.due) {
        (true, true) => place.origin.command("renew", &["all"], &["--due"]),
        _ => named(place, "renew", &names),
    }
}

fn make(place: &Affected, options: &[&str]) -> String {
    place.origin.command_by_profile("init", &[""; 0], options)
}

/// The first one's file, in order and without repetition.
fn import(place: &Affected) -> String {
    let entry = place.names.first().filter(|id| CaId::parse(&id.name).is_some());
    let options: Vec<&str> = entry.iter().flat_map(|id| ["--as", id.name.as_str()]).collect();
    place.origin.command_by_profile("import", &[&place.path], &options)
}

/// Of the first one's node.
fn kubelet_conf(place: &Affected) -> String {
    format!("{}/{KUBELET_CONF}", place.root.trim_end_matches('/'))
}
