use super::*;

fn dns(name: &str) -> San {
    San::Dns(name.into())
}

fn ip(address: &str) -> San {
    San::Ip(address.parse().unwrap())
}

const CLIENT: &[ExtendedKeyUsage] = &[ExtendedKeyUsage::ClientAuth];
const SERVER: &[ExtendedKeyUsage] = &[ExtendedKeyUsage::ServerAuth];

#[test]
fn subjects_mean_something_else_below_each_authority() {
    use CaId::{Cluster, Etcd, FrontProxy};
    for (authority, common_name, groups, usages, expected) in [
        (Cluster, "web", &["team"][..], CLIENT, &[][..]),
        (Cluster, "x", &["team", "system:masters"], CLIENT, &["O system:masters"]),
        (Cluster, "x", &["kubeadm:cluster-admins"], SERVER, &["O kubeadm:cluster-admins"]),
        (Cluster, "system:node:cp1", &["system:nodes"], CLIENT, &["O system:nodes", "CN system:node:cp1"]),
        (Cluster, "system:serviceaccount:a:b", &[], CLIENT, &["CN system:serviceaccount:a:b"]),
        (Cluster, "kubeadm:x", &["system:x"], CLIENT, &["O system:x", "CN kubeadm:x"]),
        (Cluster, "front-proxy-client", &[], CLIENT, &[]),
        (FrontProxy, "front-proxy-client", &["system:masters"], SERVER, &["CN front-proxy-client"]),
        (FrontProxy, "web", &[], CLIENT, &["subject CN=web"]),
        (FrontProxy, "web", &[], SERVER, &[]),
        (Etcd, "web", &["team"], CLIENT, &["subject O=team, CN=web"]),
        (Etcd, "web", &[], &[], &["subject CN=web"]),
        (Etcd, "web", &[], SERVER, &[]),
    ] {
        let found = of_subject(authority, &Name::of(common_name, groups), usages);
        let found: Vec<String> = found.iter().map(|one| format!("{} {}", one.field.name(), one.value)).collect();
        assert_eq!(found, expected, "{authority:?} {common_name} {groups:?}");
    }
    let uid = Name::of("jane", &[]).with(&Oid::new(USER_ID), &["42"]);
    assert_eq!(of_subject(Cluster, &uid, CLIENT)[0].field, UserId);
    assert_eq!(of_subject(Etcd, &Name::default(), CLIENT).len(), 1, "nobody is somebody there");
}

#[test]
fn names_of_servers_are_known() {
    let known = ServerNames::new(
        None,
        [
            (Sans::ApiServer, vec![dns("lb.example.com"), ip("10.0.0.1")]),
            (Sans::Kubelet, vec![dns("worker1")]),
            (Sans::EtcdPeer, vec![dns("etcd1.example.com")]),
        ],
    );
    for (authority, name, means) in [
        (CaId::Cluster, dns("web.example.org"), None),
        (CaId::Cluster, dns("lb.example.com"), Some(API_SERVER)),
        (CaId::Cluster, dns("LB.example.com"), Some(API_SERVER)),
        (CaId::Cluster, dns("*.example.com"), Some(API_SERVER)),
        (CaId::Cluster, dns("*.lb.example.com"), None),
        (CaId::Cluster, ip("10.0.0.1"), Some(API_SERVER)),
        (CaId::Cluster, ip("::ffff:10.0.0.1"), Some(API_SERVER)),
        (CaId::Cluster, ip("10.96.0.1"), None),
        (CaId::Cluster, dns("worker1"), Some(KUBELET)),
        (CaId::Cluster, dns("etcd1.example.com"), None),
        (CaId::Cluster, dns("kubernetes"), Some(API_SERVER)),
        (CaId::Cluster, dns("kubernetes.default.svc.any.domain"), Some(API_SERVER)),
        (CaId::Cluster, dns("*.default.svc.any.domain"), Some(API_SERVER)),
        (CaId::Cluster, dns("*.default"), Some(API_SERVER)),
        (CaId::Cluster, dns("*.svc"), None),
        (CaId::Cluster, dns("kubernetes.default.svc-x"), None),
        (CaId::Cluster, dns("localhost"), Some(LOOPBACK)),
        (CaId::Cluster, ip("127.0.0.53"), Some(LOOPBACK)),
        (CaId::Etcd, ip("::1"), Some(ETCD)),
        (CaId::Etcd, dns("etcd1.example.com"), Some(ETCD)),
        (CaId::Etcd, dns("kubernetes"), None),
        (CaId::FrontProxy, dns("kubernetes"), None),
    ] {
        let found = known.of_names(authority, std::slice::from_ref(&name), SERVER);
        assert_eq!(found.first().map(|one| one.means), means, "{authority:?} {name}");
        assert!(known.of_names(authority, &[name], CLIENT).is_empty(), "a client is not dialled");
    }
    let names = ServerNames::new(None, []).of_names(CaId::Cluster, &[ip("10.96.0.1")], SERVER);
    assert_eq!(names[0].means, API_SERVER);
    let text = "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes:\n- {name: cp1, addresses: [10.0.0.1]}\n\
                - {name: w1, roles: [worker]}\n- {name: lb1, roles: [load-balancer]}\n";
    let source = crate::profile::Source { name: "p.yaml", bytes: text.as_bytes() };
    let profile = crate::profile::load(source, &crate::profile::Overrides::default()).unwrap().profile;
    let known = ServerNames::new(Some(&profile), []);
    for (name, means) in [("cp1", Some(API_SERVER)), ("w1", Some(KUBELET)), ("lb1", None)] {
        let found = known.of_names(CaId::Cluster, &[dns(name)], SERVER);
        assert_eq!(found.first().map(|one| one.means), means, "{name}");
    }
}
