//! Messages: why an authority is not renewed with its key, and what helps.

use std::path::Path;

use super::failure::Error;
use super::nouns::mended;
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::files::shell_path;
use crate::plan::renew_authority::Refusal;
use crate::plan::several::Several;
use crate::tree::Origin;
use crate::tree::safe_host::ship;

/// Every authority that was named and cannot be renewed, as one error.
pub fn authorities_not_renewed(refused: &[(CaId, Refusal)], origin: &Origin) -> Error {
    let all = |refused: &(CaId, Refusal)| words(refused.0, &refused.1, origin);
    let names: Vec<&str> = refused.iter().map(|(authority, _)| authority.name()).collect();
    let what = format!("cannot renew {} in {}: nothing was written", names.join(", "), origin.dir);
    refused.iter().flat_map(all).fold(Error::new(what), |error, (why, hint)| error.causes([(why, hint)]))
}

/// The reasons with their hints; a reason may stand more than once, for another hint.
fn words(authority: CaId, refusal: &Refusal, origin: &Origin) -> Vec<(String, String)> {
    let (name, stem) = (authority.name(), authority.stem());
    let rotation = || format!("replace it, and its key, by a rotation, which begins with kpki rotate prepare {name}");
    match refusal {
        Refusal::Missing => {
            vec![(format!("{name} is not in this tree"), format!("check --dir, or restore {stem}.crt and {stem}.key"))]
        }
        Refusal::External => {
            let why = format!("the key of {name} is not in this tree");
            let import = origin.command("import", &["CERT"], &["--as", name]);
            vec![
                (why.clone(), format!("renew it in the tree that has {stem}.key: kpki renew {name} --dir DIR")),
                (
                    why,
                    format!("or have its owner renew it for the same key, and put that certificate in place: {import}"),
                ),
            ]
        }
        Refusal::Algorithm(key) => {
            vec![(format!("{name} has a key of {key}, which is not to be used any longer"), rotation())]
        }
        Refusal::Unusable(why) => {
            vec![(format!("{name} cannot sign: {why}"), mended(authority, why, origin))]
        }
        Refusal::NotYetValid(at) => {
            vec![(format!("{name} is not valid before {}", rfc3339(*at)), "check the clock of this machine".to_owned())]
        }
        Refusal::NotLater { old, new } => vec![(
            format!("the new {name} would end at {}, and the old one ends at {}", rfc3339(*new), rfc3339(*old)),
            format!(
                "say how long it is to live from now on, to end after {}: {}",
                rfc3339(*old),
                origin.command("renew", &[name], &["--validity", "SPAN"])
            ),
        )],
        Refusal::NamesOwnSerial => vec![(
            format!(
                "the authority key identifier in {name} names its own serial number, which changes with a renewal: OpenSSL and Java \
                 would not take it for a root any more"
            ),
            rotation(),
        )],
        Refusal::NamedBySerial(entries) => vec![(
            format!(
                "the authority key identifier of {} names the serial number of {name}, which changes with a renewal: OpenSSL and \
                 Java would refuse what has it",
                entries.join(", ")
            ),
            format!("renew these first, which leaves it out: {}", origin.command("renew", entries, &[])),
        )],
    }
}

/// Each of the nodes would make an authority of its own.
pub fn one_of_several(main: &Path, name: &str, why: &Several, command: &str) -> Error {
    let what = format!("cannot replace {name} in {}: it is the tree of one node of several", main.display());
    let error = Error::new(what).because(match why {
        Several::Shipped => "kpki unpack has brought its files from a cluster directory (kpki-node.json)".to_owned(),
        Several::Profile(nodes) => format!("its profile has the control-plane nodes {}", nodes.join(", ")),
        Several::Members(members) => format!("manifests/etcd.yaml has the members {}", members.join(", ")),
        Several::Addresses(addresses) => {
            let all: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!("its API server is also {}, which nothing here says to be this node", all.join(", "))
        }
    });
    let error = match why {
        Several::Shipped => {
            return error.hint(format!("replace it there, and bring the files to each node: {command} --dir DIR && {}", ship("NODE")));
        }
        Several::Addresses(_) => error.hint(format!(
            "if these are this node's, give the profile or kubeadm's configuration that says so, as FILE: {command} --profile FILE \
             --dir {}",
            shell_path(main)
        )),
        Several::Profile(_) | Several::Members(_) => error,
    };
    error.hint("make one cluster directory of all nodes on a safe host, and replace it there: kpki adopt NODE.tar.gz... --dir CLUSTER")
}
