use super::*;

fn recognised(files: &[&str]) -> Option<(&'static str, &'static str)> {
    let there = |path: &str| {
        files.iter().any(|file| match path.split_once('*') {
            Some((before, after)) => file.starts_with(before) && file.ends_with(after),
            None => *file == path,
        })
    };
    recognise(&there, &|_| true).map(|one| (one.layout.name, one.given))
}

#[test]
fn a_layout_is_recognised_by_its_files_from_wherever_it_is_given() {
    for (files, wanted) in [
        (&["server/tls/client-k3s-controller.crt", "server/tls/client-admin.crt"][..], Some(("k3s", ""))),
        (&["tls/client-k3s-controller.crt", "tls/client-admin.crt"], Some(("k3s", "server"))),
        (&["client-rke2-controller.crt", "client-admin.crt"], Some(("RKE2", "server/tls"))),
        (&["client-k3s-controller.crt", "client-kubelet.crt"], Some(("k3s", "agent"))),
        (&["agent/client-rke2-controller.crt", "agent/client-kubelet.crt"], Some(("RKE2", ""))),
        (&["pki/k0s-api.crt", "pki/ca.crt"], Some(("k0s", ""))),
        (&["k0s-api.crt"], Some(("k0s", "pki"))),
        (&["proxy-client-ca.crt", "profiles/one/apiserver.crt"], Some(("minikube", ""))),
        (&["ssl/ca.crt", "ssl/apiserver.crt"], Some(("Kubespray", ""))),
        (&["ssl/ca.pem", "ssl/member-n1.pem"], Some(("Kubespray's etcd", ""))),
        (&["ca.pem", "node-n1.pem"], Some(("Kubespray's etcd", "ssl"))),
        (&["ca.pem"], None),
        (&["pki/ca.crt", "pki/apiserver.crt", "admin.conf"], None),
        (&[], None),
    ] {
        assert_eq!(recognised(files), wanted, "{files:?}");
    }
}

#[test]
fn a_pattern_stands_for_any_name() {
    let k3s = LAYOUTS.iter().find(|layout| layout.name == "k3s").unwrap();
    assert_eq!(k3s.usages("server/tls/client-kube-proxy"), Some(vec![ExtendedKeyUsage::ClientAuth]));
    assert_eq!(k3s.usages("apiserver"), Some(vec![ExtendedKeyUsage::ServerAuth]));
    assert_eq!(k3s.usages("other"), None);
}
