//! Every field of a ClusterProfile as data, for the manual page. A test holds it against what the decoder asks for.

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldDoc {
    /// Dotted; `[]` means each item of a list, `NAME` for each name of a mapping.
    pub field: &'static str,
    /// What its value is, in words.
    pub kind: &'static str,
    /// Empty: none, the field may be left out; `required`: it may not.
    pub default: &'static str,
    pub description: &'static str,
    /// A value in YAML.
    pub example: &'static str,
    /// Whether kubeadm has it under this name with this meaning.
    pub kubeadm: bool,
}

const fn ours(
    field: &'static str,
    kind: &'static str,
    default: &'static str,
    description: &'static str,
    example: &'static str,
) -> FieldDoc {
    FieldDoc { field, kind, default, description, example, kubeadm: false }
}

const fn kubeadms(
    field: &'static str,
    kind: &'static str,
    default: &'static str,
    description: &'static str,
    example: &'static str,
) -> FieldDoc {
    FieldDoc { kubeadm: true, ..ours(field, kind, default, description, example) }
}

/// In the order in which a profile is best read.
pub fn field_reference() -> &'static [FieldDoc] {
    FIELDS
}

const ALGORITHMS: &str = "RSA-2048, RSA-3072, RSA-4096, ECDSA-P256 or ECDSA-P384";
const DURATION: &str = "duration";
const SANS: &str = "list of IP addresses, DNS names and wildcards (*.name)";
const WINDOW: &str = "percentage of the lifetime that is left, or duration";
const COMMAND: &str = "command: text or list of texts";
const TEXTS: &str = "text or list of texts";

const FIELDS: &[FieldDoc] = &[
    ours("apiVersion", "text", "required", "Version of this format.", "kpki/v1"),
    ours("kind", "text", "required", "Kind of the document.", "ClusterProfile"),
    kubeadms("clusterName", "text", "kubernetes", "Name of the cluster in kubeconfigs.", "prod"),
    kubeadms(
        "kubernetesVersion",
        "release",
        "the newest known release",
        "Chooses the rules of that release: groups in certificates, super-admin.conf, the server of kubelet.conf.",
        "v1.36.2",
    ),
    kubeadms(
        "controlPlaneEndpoint",
        "host, host:port or [IPv6]:port",
        "",
        "Name or address by which clients reach the API servers; goes into the API server's names and into kubeconfigs. \
         Without a port, the node's bindPort holds.",
        "lb.example.com:6443",
    ),
    kubeadms(
        "certificatesDir",
        "absolute path",
        "/etc/kubernetes/pki",
        "Where nodes keep the tree.",
        "/etc/kubernetes/pki",
    ),
    kubeadms("networking", "mapping", "", "Network of the cluster.", "{dnsDomain: cluster.local}"),
    kubeadms(
        "networking.serviceSubnet",
        "one CIDR block, or two of different families with a comma",
        "10.96.0.0/12",
        "Addresses of services, from 10 addresses to 20 host bits. The first address of the first block goes into the API \
         server's certificate.",
        "10.96.0.0/16,fd00:10:96::/112",
    ),
    kubeadms("networking.dnsDomain", "DNS name", "cluster.local", "Domain of services.", "cluster.local"),
    kubeadms("apiServer", "mapping", "", "The API server.", "{certSANs: [lb.example.com]}"),
    kubeadms("apiServer.certSANs", SANS, "[]", "Further names of the API server.", "[lb.example.com, 192.168.1.100]"),
    kubeadms("etcd", "mapping", "local", "Where etcd runs: local or external, not both.", "{local: {}}"),
    kubeadms("etcd.local", "mapping", "", "etcd on nodes of the cluster, with certificates made here.", "{}"),
    kubeadms(
        "etcd.local.serverCertSANs",
        SANS,
        "[]",
        "Further names of etcd's serving certificates.",
        "[etcd.example.com]",
    ),
    kubeadms("etcd.local.peerCertSANs", SANS, "[]", "Further names of etcd's peer certificates.", "[etcd.example.com]"),
    kubeadms(
        "etcd.external",
        "mapping",
        "",
        "etcd elsewhere; none of its certificates are made here.",
        "{endpoints: [\"https://10.0.0.21:2379\"]}",
    ),
    kubeadms(
        "etcd.external.endpoints",
        "list of URLs",
        "required",
        "The members; https when any of the files is named.",
        "[\"https://10.0.0.21:2379\"]",
    ),
    kubeadms(
        "etcd.external.caFile",
        "absolute path",
        "",
        "CA of the members.",
        "/etc/kubernetes/pki/etcd-external/ca.crt",
    ),
    kubeadms(
        "etcd.external.certFile",
        "absolute path",
        "",
        "The API server's client certificate; needs keyFile and caFile.",
        "/etc/kubernetes/pki/etcd-external/client.crt",
    ),
    kubeadms(
        "etcd.external.keyFile",
        "absolute path",
        "",
        "Key of certFile.",
        "/etc/kubernetes/pki/etcd-external/client.key",
    ),
    kubeadms(
        "encryptionAlgorithm",
        ALGORITHMS,
        "ECDSA-P256",
        "Keys of the whole tree. kubeadm's own default is RSA-2048, and holds for its documents.",
        "ECDSA-P384",
    ),
    kubeadms("certificateValidityPeriod", DURATION, "8760h", "Lifetime of certificates.", "90d"),
    kubeadms("caCertificateValidityPeriod", DURATION, "87600h", "Lifetime of authorities.", "10y"),
    ours(
        "authorities",
        "mapping by name: ca, front-proxy-ca, etcd-ca",
        "",
        "What differs for single authorities.",
        "{ca: {algorithm: ECDSA-P384}}",
    ),
    ours("authorities.NAME.algorithm", ALGORITHMS, "encryptionAlgorithm", "Key of this authority.", "RSA-4096"),
    ours("authorities.NAME.validity", DURATION, "caCertificateValidityPeriod", "Lifetime of this authority.", "20y"),
    ours("authorities.NAME.subject", "mapping", "", "Attributes beside the CN, which is fixed.", "{O: Example GmbH}"),
    ours("authorities.NAME.subject.C", TEXTS, "", "Country: two upper-case letters.", "DE"),
    ours("authorities.NAME.subject.O", TEXTS, "", "Organization, at most 64 characters.", "Example GmbH"),
    ours(
        "authorities.NAME.subject.OU",
        TEXTS,
        "",
        "Organizational unit, at most 64 characters.",
        "[Platform, Security]",
    ),
    ours("authorities.NAME.subject.L", TEXTS, "", "Locality, at most 128 characters.", "Berlin"),
    ours("authorities.NAME.subject.ST", TEXTS, "", "State or province, at most 128 characters.", "Berlin"),
    ours(
        "authorities.NAME.permittedNames",
        "list of DNS names, DNS names with a dot before them, and CIDR blocks",
        "[]",
        "What this authority may sign for, its critical nameConstraints (RFC 5280 section 4.2.1.10): example.com is that name \
         and all below it, .example.com only those below. A kind of which none is listed, names or addresses, is not \
         constrained. All that this cluster's own certificates are valid for must be in it.",
        "[kubernetes, cluster.local, .example.com, 10.0.0.0/8]",
    ),
    ours(
        "authorities.NAME.pathLength",
        "number from 0 to 255",
        "",
        "How many authorities may follow below this one. Without it, one that signs itself has no limit, and kpki sign --ca \
         writes 0.",
        "0",
    ),
    ours(
        "certificates",
        "mapping by name: apiserver, etcd-server, admin.conf, sa and all others that are no authority",
        "",
        "What differs for single certificates.",
        "{admin.conf: {validity: 30d}}",
    ),
    ours("certificates.NAME.algorithm", ALGORITHMS, "encryptionAlgorithm", "Key of this certificate.", "RSA-2048"),
    ours("certificates.NAME.validity", DURATION, "certificateValidityPeriod", "Lifetime; not for sa.", "90d"),
    ours(
        "extraCertificates",
        "list of mappings",
        "[]",
        "Certificates beside kubeadm's, at most 100.",
        "[{name: haproxy, usages: [client]}]",
    ),
    ours("extraCertificates[].name", "DNS name", "required", "Unique, and none of kubeadm's names.", "haproxy"),
    ours("extraCertificates[].authority", "ca, front-proxy-ca or etcd-ca", "ca", "Who signs it.", "ca"),
    ours("extraCertificates[].commonName", "text", "the name", "CN, at most 64 characters.", "haproxy"),
    ours(
        "extraCertificates[].organizations",
        "list of texts",
        "[]",
        "O: the groups of a client.",
        "[example:operators]",
    ),
    ours("extraCertificates[].usages", "list of server, client", "required", "extKeyUsage.", "[server, client]"),
    ours("extraCertificates[].certSANs", SANS, "[]", "Names; required for usage server.", "[lb.example.com]"),
    ours(
        "extraCertificates[].path",
        "relative path without ending",
        "the name",
        "Place below the pki directory.",
        "lb/haproxy",
    ),
    ours(
        "extraCertificates[].nodes",
        "list of node names, control-plane, etcd, worker, all",
        "[control-plane]",
        "Which nodes hold it, each with a key of its own.",
        "[cp1, worker]",
    ),
    ours("extraCertificates[].algorithm", ALGORITHMS, "encryptionAlgorithm", "Key of this certificate.", "RSA-2048"),
    ours("extraCertificates[].validity", DURATION, "certificateValidityPeriod", "Lifetime.", "90d"),
    ours("kubelet", "mapping", "", "The kubelets.", "{serving: false}"),
    ours(
        "kubelet.serving",
        "true or false",
        "true",
        "Whether every node gets a serving certificate for its kubelet.",
        "false",
    ),
    ours(
        "caKeys",
        "control-plane or none",
        "control-plane",
        "Where the keys of the authorities go: to control-plane nodes as with kubeadm, or nowhere.",
        "none",
    ),
    ours("crl", "mapping", "", "Certificate revocation lists (CRLs).", "{validity: 7d}"),
    ours("crl.validity", DURATION, "30d", "From thisUpdate to nextUpdate.", "7d"),
    ours("renewal", "mapping", "", "Renewal.", "{before: 30d, keepGenerations: 10}"),
    ours(
        "renewal.before",
        "percentage or duration",
        "33%",
        "When a certificate is due: the share of its lifetime that is left, or the time before its end, which must be less \
         than every lifetime in the profile.",
        "30d",
    ),
    ours(
        "renewal.keepGenerations",
        "number from 1 to 1000",
        "5",
        "How many earlier generations of a tree are kept for kpki restore.",
        "10",
    ),
    ours(
        "renewal.onHookFailure",
        "report or restore",
        "report",
        "What follows when a deploy hook fails: it is reported, or the previous generation is put back, too.",
        "restore",
    ),
    ours(
        "renewal.hooks",
        "mapping",
        "",
        "Commands that run when something is renewed, and only then. A command is a text for /bin/sh -c, or a list: the \
         absolute path of a program and its arguments, without a shell. The profile and the programs must belong to root or \
         to the user who runs kpki, and nobody else may be able to write to them or to a directory on the way to them.",
        "{deploy: {etcd: [/usr/local/sbin/restart-static-pod, etcd]}}",
    ),
    ours("renewal.hooks.pre", COMMAND, "", "Runs first; when it fails, nothing is touched.", "/usr/local/sbin/drain"),
    ours(
        "renewal.hooks.deploy",
        "mapping of components to commands",
        "",
        "Runs for each component whose files were renewed: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, \
         kubelet; default stands for all others.",
        "{kubelet: systemctl restart kubelet}",
    ),
    ours("renewal.hooks.post", COMMAND, "", "Runs last, also when one of the others failed.", "logger renewed"),
    ours("renewal.hooks.timeout", DURATION, "5m", "How long each of them may take; more than zero.", "2m"),
    ours(
        "expiration",
        "mapping",
        "",
        "How near its end a certificate may come before kpki check-expiration reports it.",
        "{warning: 30d, critical: 7d}",
    ),
    ours("expiration.warning", WINDOW, "30d", "From here on a certificate is reported as a warning.", "20%"),
    ours("expiration.critical", WINDOW, "7d", "From here on a certificate is reported as critical.", "5%"),
    ours("expiration.caWarning", WINDOW, "365d", "From here on an authority is reported as a warning.", "2y"),
    ours("expiration.caCritical", WINDOW, "180d", "From here on an authority is reported as critical.", "1y"),
    ours(
        "expiration.copies",
        "list of absolute paths",
        "[]",
        "Copies of this cluster's credentials elsewhere that kpki check-expiration is to look at, too: a kubeconfig in a home \
         directory, a proxy's bundle.",
        "[/root/.kube/config, /etc/haproxy/haproxy.pem]",
    ),
    ours("nodes", "list of mappings", "required", "The nodes, at most 5000.", "[{name: cp1, addresses: [10.0.0.11]}]"),
    ours("nodes[].name", "DNS name", "required", "Name of the node; lower case.", "cp1"),
    ours(
        "nodes[].roles",
        "list of control-plane, etcd, worker",
        "[control-plane]",
        "What it does. With local etcd and no role etcd anywhere, control-plane nodes are etcd members, too.",
        "[worker]",
    ),
    ours(
        "nodes[].addresses",
        "list of IP addresses",
        "[]",
        "Its addresses; required except for workers.",
        "[10.0.0.11, \"fd00::11\"]",
    ),
    ours(
        "nodes[].advertiseAddress",
        "IP address",
        "the first address",
        "Where its API server and etcd are reached: kubeadm's localAPIEndpoint.advertiseAddress.",
        "10.0.0.11",
    ),
    ours("nodes[].bindPort", "port", "6443", "Port of its API server: kubeadm's localAPIEndpoint.bindPort.", "6443"),
    ours("nodes[].certSANs", SANS, "[]", "Further names of its serving certificates.", "[cp1.example.com]"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Overrides;
    use crate::profile::fields::Reading;
    use crate::profile::load::read;
    use std::collections::BTreeSet;

    /// Reads a profile that opens every mapping, and compares what was asked for with the table.
    #[test]
    fn the_reference_is_what_the_decoder_takes() {
        let text = "apiVersion: kpki/v1\nkind: ClusterProfile\nauthorities: {ca: {}}\ncertificates: {apiserver: {}}\n\
                    extraCertificates: [{name: a}]\nnodes: [{name: a}]\n";
        let mut reading = Reading::of("p");
        read(text.as_bytes(), &Overrides::default(), &mut reading);
        let general = |path: &String| {
            path.replace("[0]", "[]")
                .replace("authorities.ca.", "authorities.NAME.")
                .replace("certificates.apiserver.", "certificates.NAME.")
        };
        let asked: BTreeSet<String> = reading.asked.iter().map(general).collect();
        let documented: BTreeSet<String> = FIELDS.iter().map(|doc| doc.field.to_owned()).collect();
        assert_eq!(asked, documented);
        assert_eq!(documented.len(), FIELDS.len());
    }

    #[test]
    fn every_example_is_valid_yaml_for_its_field() {
        for doc in FIELDS.iter().filter(|doc| !doc.field.contains(['[', '.'])) {
            let given = ["apiVersion", "kind", "nodes"].contains(&doc.field);
            let line = if given { String::new() } else { format!("{}: {}\n", doc.field, doc.example) };
            let text = format!(
                "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{{name: cp1, addresses: [10.0.0.1]}}]\n{line}"
            );
            let loaded = crate::profile::tests::load_text(&text);
            assert!(loaded.is_ok(), "{}: {loaded:?}", doc.field);
        }
    }
}
