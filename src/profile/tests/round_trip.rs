//! Generated profiles are rendered and read back; valid files are damaged and never make the reader panic.

use super::*;
use crate::profile::MaxAge;
use crate::profile::hooks::Hooks;
use crate::profile::model::{AuthorityOptions, EntryOptions, ExtraAuthority, IgnoredRule, Roots, Waits};
use crate::profile::signing::{
    IssuerOptions, KeyFrom, KeyOptions, PassphraseFrom, PublicKeyFrom, SignerInput, SignerOptions, Signing,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

fn algorithm() -> impl Strategy<Value = Algorithm> {
    proptest::sample::select(Algorithm::ALL.to_vec())
}

fn span(days: std::ops::Range<u64>) -> impl Strategy<Value = Span> {
    prop_oneof![days.clone().prop_map(Span::days), (days.start * 86_400..days.end * 86_400).prop_map(Span::seconds)]
}

fn san() -> impl Strategy<Value = San> {
    prop_oneof![
        "[a-z][a-z0-9]{0,5}(\\.[a-z]{2,4}){0,2}".prop_map(San::Dns),
        "[a-z]{1,5}\\.[a-z]{2,3}".prop_map(|name| San::Dns(format!("*.{name}"))),
        proptest::sample::select(vec!["null", "true", "no", "1e3", "0x1f", "123", "12.5"])
            .prop_map(|s| San::Dns(s.to_owned())),
        any::<std::net::Ipv4Addr>().prop_map(|ip| San::Ip(ip.into())),
        any::<std::net::Ipv6Addr>().prop_map(|ip| San::Ip(IpAddr::V6(ip).to_canonical())),
    ]
}

fn sans() -> impl Strategy<Value = Vec<San>> {
    vec(san(), 0..4)
}

/// Text for a name attribute: whatever is no control character and not only blanks.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 :,#&*!|>'\"%@`{}\\[\\]\\\\-]{0,20}[a-z]",
        "\\PC{0,20}x",
        Just("~".to_owned()),
        Just("null".to_owned())
    ]
}

fn etcd() -> impl Strategy<Value = Etcd> {
    prop_oneof![
        (sans(), sans()).prop_map(|(server_sans, peer_sans)| Etcd::Local { server_sans, peer_sans }),
        Just(Etcd::External {
            endpoints: vec!["https://10.0.0.21:2379".to_owned(), "https://[fd00::1]:2379".to_owned()],
            ca_file: "/etc/pki/a b/ca.crt".to_owned(),
            cert_file: "/c".to_owned(),
            key_file: "/k".to_owned(),
        }),
        Just(Etcd::External {
            endpoints: vec!["http://etcd".to_owned()],
            ca_file: String::new(),
            cert_file: String::new(),
            key_file: String::new(),
        }),
    ]
}

fn options() -> impl Strategy<Value = EntryOptions> {
    (option::of(algorithm()), option::of(span(1..400)))
        .prop_map(|(algorithm, validity)| EntryOptions { algorithm, validity })
}

fn permitted_name() -> impl Strategy<Value = Subtree> {
    let names = "\\.?[a-z][a-z0-9]{0,5}(\\.[a-z]{2,4}){0,2}|null|true|123|12\\.5|\\.5";
    prop_oneof![
        names.prop_map(Subtree::Dns),
        (any::<std::net::Ipv4Addr>(), 0..=32u8).prop_map(|(ip, prefix)| block(&format!("{ip}/{prefix}"))),
        (any::<std::net::Ipv6Addr>(), 0..=128u8).prop_map(|(ip, prefix)| block(&format!("{ip}/{prefix}"))),
    ]
}

fn block(text: &str) -> Subtree {
    crate::profile::permitted_name(text).unwrap()
}

fn authority_options() -> impl Strategy<Value = AuthorityOptions> {
    let subject = (vec(text(), 0..3), option::of("[A-Z]{2}"), vec(text(), 0..2));
    let limits = (vec(permitted_name(), 0..4), option::of(any::<u8>()), option::of(signing()), option::of(next()));
    (option::of(algorithm()), option::of(span(1..4000)), subject, limits).prop_map(
        |(algorithm, validity, (organization, country, state), (permitted, path_len, signing, next))| {
            AuthorityOptions {
                algorithm,
                validity,
                subject: SubjectAttributes {
                    country: country.into_iter().collect(),
                    organization,
                    state,
                    ..SubjectAttributes::default()
                },
                permitted,
                path_len,
                signing,
                next,
            }
        },
    )
}

fn words() -> impl Strategy<Value = Vec<String>> {
    let first = proptest::sample::select(vec!["age", "/usr/lib/kpki/a b", "null", "0x10"]);
    (first, vec(prop_oneof![text(), Just(String::new())], 0..3))
        .prop_map(|(first, rest)| std::iter::once(first.to_owned()).chain(rest).collect())
}

fn path() -> impl Strategy<Value = String> {
    "/[a-zA-Z0-9 :#'\"-]{0,10}x"
}

fn key() -> impl Strategy<Value = KeyOptions> {
    let command = (words(), span(1..2)).prop_map(|(words, timeout)| KeyFrom::Command { words, timeout });
    let from = prop_oneof![path().prop_map(KeyFrom::File), command];
    let passphrase = prop_oneof![
        path().prop_map(PassphraseFrom::File),
        "[A-Z_]{1,9}_[A-Z0-9_]{0,9}".prop_map(PassphraseFrom::Variable)
    ];
    prop_oneof![
        (from, option::of(passphrase.clone())).prop_map(|(from, passphrase)| KeyOptions { from, passphrase }),
        passphrase.prop_map(|passphrase| KeyOptions { from: KeyFrom::Tree, passphrase: Some(passphrase) }),
    ]
}

/// A key outside the tree.
fn next() -> impl Strategy<Value = Signing> {
    signing().prop_filter("the tree's own, or with somebody else", |signing| signing.place().is_some())
}

fn signing() -> impl Strategy<Value = Signing> {
    let public_key = prop_oneof![path().prop_map(PublicKeyFrom::File), words().prop_map(PublicKeyFrom::Command)];
    let input = proptest::sample::select(SignerInput::ALL.to_vec());
    let signer = (words(), input, option::of(public_key), 1..=64u8, span(1..2));
    prop_oneof![
        key().prop_map(Signing::Key),
        signer.prop_map(|(command, input, public_key, parallel, timeout)| {
            Signing::Signer(SignerOptions { command, input, public_key, parallel, timeout })
        }),
        (words(), 1..=64_u8, span(1..2))
            .prop_map(|(command, parallel, timeout)| { Signing::Issuer(IssuerOptions { command, parallel, timeout }) }),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        text().prop_map(Command::Shell),
        "[a-z\n\t\\\\'\"$;|&#]{0,20}x".prop_map(Command::Shell),
        vec(prop_oneof![text(), Just(String::new())], 0..4).prop_map(|mut words| {
            words.insert(0, "/usr/local/sbin/a b".to_owned());
            Command::Program(words)
        }),
    ]
}

fn hooks() -> impl Strategy<Value = Hooks> {
    let components = proptest::sample::select(vec!["kube-apiserver", "etcd", "kubelet", Hooks::DEFAULT]);
    let pod = (1..=300_u64).prop_map(|seconds| DeployHook::StaticPod { wait: Span::seconds(seconds) });
    let deploy = prop_oneof![command().prop_map(DeployHook::Run), pod];
    (
        option::of(command()),
        proptest::collection::btree_map(components.prop_map(str::to_owned), deploy, 0..3),
        option::of(command()),
        span(1..3),
    )
        .prop_map(|(pre, mut deploy, post, timeout)| {
            deploy.retain(|name, hook: &mut DeployHook| name != "kubelet" || matches!(hook, DeployHook::Run(_)));
            Hooks { pre, deploy, post, timeout }
        })
}

fn renewal() -> impl Strategy<Value = Renewal> {
    let max_age = option::of(span(1..900).prop_map(MaxAge));
    (1..=1000usize, proptest::sample::select(OnHookFailure::ALL.to_vec()), hooks(), max_age).prop_map(
        |(keep_generations, on_hook_failure, hooks, max_age)| Renewal {
            max_age,
            keep_generations,
            on_hook_failure,
            hooks,
            ..RENEWAL
        },
    )
}

type Extra = (Vec<String>, bool, Vec<San>, Option<Algorithm>, Option<Span>, bool);

fn extra() -> impl Strategy<Value = Extra> {
    (
        vec(text(), 0..2),
        any::<bool>(),
        vec(san(), 1..3),
        option::of(algorithm()),
        option::of(span(1..400)),
        any::<bool>(),
    )
}

fn profile() -> impl Strategy<Value = Profile> {
    let first = (text(), 20..38u32, option::of((san(), option::of(1..u16::MAX))), sans(), etcd(), algorithm());
    let second = (
        span(2..400),
        span(1..4000),
        proptest::collection::btree_map(proptest::sample::select(CaId::ALL.to_vec()), authority_options(), 0..3),
        proptest::collection::btree_map(
            proptest::sample::select(vec!["apiserver", "admin.conf", "etcd-peer"]),
            options(),
            0..3,
        ),
        any::<bool>(),
        any::<bool>(),
        prop_oneof![
            (1..100u8).prop_map(Threshold::PercentLeft),
            (1..86_400u64).prop_map(|s| Threshold::Left(Span::seconds(s)))
        ],
    );
    let third = (
        vec((any::<bool>(), 1..3usize, sans(), 1..u16::MAX, hooks()), 0..4),
        vec(extra(), 0..3),
        btree_set(0..2usize, 1..=2),
    );
    (first, second, third, renewal()).prop_map(|(first, second, (nodes, extras, families), renewal)| {
        let (name, minor, endpoint, api_server_sans, etcd, algorithm) = first;
        let (validity, ca_validity, authorities, certificates, kubelet_serving, keys, before) = second;
        let local = matches!(etcd, Etcd::Local { .. });
        let mut all = vec![node(0, false, 1, Vec::new(), 6443, local)];
        all.extend(
            nodes
                .into_iter()
                .enumerate()
                .map(|(i, (w, n, sans, port, hooks))| Node { hooks, ..node(i + 1, w, n, sans, port, local) }),
        );
        let extra_certificates = extras.into_iter().enumerate().map(|(i, e)| extra_certificate(i, e, &all)).collect();
        let subnets = ["10.96.0.0/12", "fd00:10:96::/112"];
        Profile {
            origin: Origin::Kpki,
            cluster_name: name,
            kubernetes_version: Release::of(minor, 3),
            signing_files: Vec::new(),
            signer_file: minor % 2 == 0,
            control_plane_endpoint: endpoint
                .filter(|(host, _)| !matches!(host, San::Dns(name) if name.starts_with('*')))
                .map(|(host, port)| Endpoint { host, port }),
            certificates_dir: "/etc/kubernetes/pki".to_owned(),
            service_subnets: families
                .iter()
                .flat_map(|i| crate::profile::values::service_subnets(subnets[*i]).unwrap())
                .collect(),
            dns_domain: "cluster.local".to_owned(),
            copies: vec!["/root/.kube/config".to_owned()],
            verify_ignore: vec![IgnoredRule {
                rule: "file/owner".to_owned(),
                place: Some("pki/sa.pub".to_owned()),
                reason: "our backup: user owns it".to_owned(),
            }],
            api_server_sans,
            etcd,
            algorithm,
            validity,
            ca_validity,
            ca_keys: match keys
                && !authorities
                    .values()
                    .any(|options: &AuthorityOptions| options.signing.is_some() || options.next.is_some())
            {
                true => CaKeys::ControlPlane,
                false => CaKeys::Nowhere,
            },
            authorities,
            certificates,
            extra_certificates,
            kubelet_serving,
            crl_validity: Span::days(7),
            stated: STATED,
            renewal: Renewal { before, ..renewal },
            rotation: Waits { before_switch: Span::hours(2), before_retire: Span::hours(48) },
            expiration: Expiration { warning: before, ..EXPIRATION },
            nodes: all,
        }
    })
}

fn node(index: usize, worker: bool, addresses: usize, sans: Vec<San>, bind_port: u16, local_etcd: bool) -> Node {
    let roles = match (worker, local_etcd) {
        (true, _) => vec![NodeRole::Worker],
        (false, true) => vec![NodeRole::ControlPlane, NodeRole::Etcd],
        (false, false) => vec![NodeRole::ControlPlane],
    };
    let addresses: Vec<IpAddr> = (0..addresses)
        .map(|i| if i == 0 { format!("10.0.{index}.1") } else { format!("fd00::{index}:{i}") }.parse().unwrap())
        .collect();
    Node {
        name: format!("node{index}"),
        roles,
        advertise_address: addresses.first().copied(),
        bind_port,
        addresses,
        sans,
        hooks: RENEWAL.hooks,
    }
}

fn extra_certificate(index: usize, extra: Extra, nodes: &[Node]) -> ExtraCertificate {
    let (organizations, server, sans, algorithm, validity, everywhere) = extra;
    ExtraCertificate {
        name: format!("extra{index}"),
        authority: match index % 4 {
            0 => ExtraAuthority::InTree(CaId::Cluster),
            1 => ExtraAuthority::External(Roots::System),
            2 => ExtraAuthority::External(Roots::File("/etc/ssl/a b.pem".to_owned())),
            _ => ExtraAuthority::InTree(CaId::FrontProxy),
        },
        issuer: (index % 4 == 2).then(|| IssuerOptions {
            command: vec!["/usr/local/lib/acme".to_owned(), "--email=a b".to_owned()],
            parallel: 3,
            timeout: Span::seconds(90),
        }),
        common_name: format!("CN of {index}: \"x\""),
        organizations,
        usages: vec![if server { ExtendedKeyUsage::ServerAuth } else { ExtendedKeyUsage::ClientAuth }],
        sans,
        path: format!("sub/dir/extra_{index}"),
        algorithm,
        validity,
        nodes: nodes.iter().take(if everywhere { nodes.len() } else { 1 }).map(|node| node.name.clone()).collect(),
    }
}

const VALID: &str = include_str!("../../../profiles/ha-load-balancer.yaml");
const KUBEADM: &str = include_str!("../../../fixtures/kubeadm/v1.36-dualstack-p384/kubeadm.yaml");

proptest! {
    #[test]
    fn a_rendered_profile_reads_back_as_itself(profile in profile()) {
        let text = render(&profile);
        let loaded = load_text(&text).map_err(|problems| TestCaseError::fail(format!("{problems}\n{text}")))?;
        prop_assert_eq!(&loaded.profile, &profile, "{}", text);
        prop_assert_eq!(render(&loaded.profile), text);
        for node in &profile.nodes {
            let text = node_document(&profile, &node.name);
            let loaded = load_text(&text).map_err(|problems| TestCaseError::fail(format!("{problems}\n{text}")))?;
            prop_assert_eq!(&loaded.profile, &for_node(&profile, &node.name), "{}", text);
        }
    }

    #[test]
    fn a_damaged_profile_never_panics(
        kubeadm in any::<bool>(),
        cuts in vec((0..4000usize, 0..8usize, "[\\[\\]{}:,\\-#&*'\" \n0-9a-z~|]{0,4}"), 1..6),
    ) {
        let mut bytes = if kubeadm { KUBEADM } else { VALID }.as_bytes().to_vec();
        for (at, length, put) in cuts {
            let at = at % bytes.len().max(1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, put.bytes());
        }
        if let Err(problems) = load(Source { name: "p", bytes: &bytes }, &Overrides::default()) {
            prop_assert!(!problems.0.is_empty());
            for problem in &problems.0 {
                let line = problem.to_string();
                prop_assert!(!line.chars().any(char::is_control) && line.len() < 1500, "{}", line);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = load(Source { name: "p", bytes: &bytes }, &Overrides::default());
    }
}
