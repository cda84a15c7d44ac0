//! What is written again without a signature, and where it is not.

use super::*;
use crate::plan::renew::kubeconfigs;

/// The authority of the tree is written only where the node trusts it, and where the renewal was not refused.
#[test]
fn a_kubeconfig_of_a_node_that_trusts_another_authority_is_left_as_it_is() {
    let mut world = World::new();
    let path = "nodes/cp1/admin.conf";
    world.kubeconfig(path, &authority("kubernetes", MADE, MADE + YEAR).bundle_pem());
    let all = of_catalogue(&[Some("cp1".to_owned())], &directories());
    let own: Vec<Credential> = all.into_iter().filter(|one| one.public.path == path).collect();
    let leaf = Box::new(certificate_of(&own[0], &world.survey).unwrap());
    let other = |node: &str, authority| Refusal::OtherAuthority { node: node.to_owned(), authority };
    let refused = Refusal::AuthorityExpired { authority: CaId::Cluster, not_after: NOW };
    for (foreign, left, is_written) in [
        (None, None, true),
        (Some(other("cp1", CaId::Cluster)), None, false),
        (Some(other("cp2", CaId::Cluster)), None, true),
        (Some(other("cp1", CaId::Etcd)), None, true),
        (Some(refused.clone()), None, true),
        (None, Some(Skipped::Unknown), true),
        (None, Some(Skipped::Refused(refused)), false),
    ] {
        let decision = match &left {
            None => Decision::Keep(leaf.clone()),
            Some(left) => Decision::Skipped(left.clone(), Some(leaf.clone())),
        };
        let authorities = authorities(&world.survey, &directories(), &PlainKeys);
        let foreign: Vec<Refusal> = foreign.into_iter().collect();
        let found = kubeconfigs(&own, &[decision], &authorities, &world.survey, &foreign, &[]);
        assert_eq!(!found.is_empty(), is_written, "{foreign:?} {left:?}");
    }
}
