//! A hundred ways in which a secret gets where it does not belong: lost line breaks, another encoding, a cut, the wrong field.

use super::secrets::Secret;

/// What one shape makes of a secret.
pub struct Shape {
    pub name: String,
    pub bytes: Vec<u8>,
}

type Mangle = fn(&Secret, usize) -> Vec<u8>;

/// The text of the secret, changed.
const TEXTS: &[(&str, Mangle)] = &[
    ("as it is", |s, _| s.text.clone().into()),
    ("newlines escaped", |s, _| s.text.replace('\n', "\\n").into()),
    ("newlines escaped twice", |s, _| s.text.replace('\n', "\\\\n").into()),
    ("CR only", |s, _| s.text.replace('\n', "\r").into()),
    ("CRLF", |s, _| s.text.replace('\n', "\r\n").into()),
    ("newlines are spaces", |s, _| s.text.replace('\n', " ").into()),
    ("newlines are tabs", |s, _| s.text.replace('\n', "\t").into()),
    ("one line", |s, _| s.text.replace('\n', "").into()),
    ("one line in quotes", |s, _| format!("\"{}\"", s.text.replace('\n', "\\n")).into()),
    ("vertical tabs", |s, _| s.text.replace('\n', "\x0b").into()),
    ("indented", |s, _| s.text.replace('\n', "\n    ").into()),
    ("quoted mail", |s, _| s.text.replace('\n', "\n> ").into()),
    ("END glued to BEGIN", |s, _| [s.text.trim_end(), s.text.as_str()].concat().into()),
    ("END glued to the body", |s, _| s.text.replace("\n-----END", "-----END").into()),
    ("body glued to BEGIN", |s, _| s.text.replacen("-----\n", "-----", 1).into()),
    ("body in the label", |s, _| s.text.replacen("-----\n", " ", 1).replace("\n-----END", "-----\n-----END").into()),
    ("body as the label", |s, _| format!("-----BEGIN {}-----\nZm9v\n-----END {}-----\n", s.body, s.body).into()),
    ("body as the END label", |s, _| format!("-----BEGIN CERTIFICATE-----\nZm9v\n-----END {}-----\n", s.body).into()),
    ("no BEGIN line", |s, _| s.text.split_once('\n').map_or("", |(_, rest)| rest).into()),
    ("no END line", |s, _| s.text.replace("-----END", "").into()),
    ("called a certificate", |s, _| s.relabelled("CERTIFICATE").into()),
    ("called a request", |s, _| s.relabelled("CERTIFICATE REQUEST").into()),
    ("called a CRL", |s, _| s.relabelled("X509 CRL").into()),
    ("called a public key", |s, _| s.relabelled("PUBLIC KEY").into()),
    ("another key's label", |s, _| s.relabelled("DSA PRIVATE KEY").into()),
    ("an encrypted key's label", |s, _| s.relabelled("ENCRYPTED PRIVATE KEY").into()),
    ("an unknown label", |s, _| s.relabelled("MY SECRET").into()),
    ("an unknown key's label", |s, _| s.relabelled("MY PRIVATE KEY").into()),
    ("another END", |s, _| s.text.replace("-----END ", "-----END X").into()),
    ("four hyphens", |s, _| s.text.replace("-----", "----").into()),
    ("long dashes", |s, _| s.text.replace("-----", "—").into()),
    ("lower case label", |s, _| s.text.replace("BEGIN", "begin").replace("PRIVATE KEY", "private key").into()),
    ("a headers block", |s, _| {
        format!("-----BEGIN PRIVATE KEY-----\nX: {}\n\nZm9v\n-----END PRIVATE KEY-----\n", s.body).into()
    }),
    ("a broken letter", |s, at| s.text.replacen(s.text.as_bytes()[at % s.text.len()] as char, "!", 1).into()),
    ("cut", |s, at| s.text.as_bytes()[..at % s.text.len()].to_vec()),
    ("without its start", |s, at| s.text.as_bytes()[at % s.text.len()..].to_vec()),
    ("cut in the middle", |s, _| s.text.as_bytes()[s.text.len() / 3..s.text.len() * 2 / 3].to_vec()),
    ("body only", |s, _| s.body.clone().into()),
    ("body in lines of 20", |s, _| s.body.as_bytes().chunks(20).collect::<Vec<_>>().join(&b'\n')),
    ("lines reversed", |s, _| s.text.lines().rev().collect::<Vec<_>>().join("\n").into()),
    ("twice", |s, _| s.text.repeat(2).into()),
    ("byte order mark", |s, _| format!("\u{feff}{}", s.text).into()),
    ("UTF-16LE", |s, _| s.text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ("UTF-16BE", |s, _| format!("\u{feff}{}", s.text).encode_utf16().flat_map(u16::to_be_bytes).collect()),
    ("NUL between", |s, _| s.text.replace('\n', "\0").into()),
    ("NUL behind", |s, _| format!("{}\0\0", s.text).into()),
    ("not UTF-8", |s, _| [s.text.as_bytes(), b"\xff\xfe"].concat()),
    ("base64", |s, _| kpki::encoding::base64::encode(s.text.as_bytes()).as_bytes().to_vec()),
    ("base64 of DER", |s, _| kpki::encoding::base64::encode(&s.der).as_bytes().to_vec()),
    ("DER", |s, _| s.der.clone()),
    ("DER and more", |s, _| [s.der.as_slice(), s.text.as_bytes()].concat()),
    ("DER cut", |s, at| s.der[..at % s.der.len()].to_vec()),
    ("DER in DER", |s, _| [&[0x30, 0x80], s.der.as_slice()].concat()),
    ("hex", |s, _| s.hex.clone().into()),
    ("hex in upper case", |s, _| s.hex.to_uppercase().into()),
    ("JSON text", |s, _| serde_json::to_string(&s.text).unwrap().into()),
    ("in a shell script", |s, _| format!("export KEY='{}'\n", s.text).into()),
    ("behind a certificate", |s, _| {
        format!("-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n{}", s.text).into()
    }),
];

/// The secret in a place of a document. `TEXT` is its text in one line, `BLOCK` its lines indented by four, `BODY` what is between
/// the lines, `B64` its text in base64. Names that a valid file may show by rights take keys only.
const DOCUMENTS: &[(&str, &str)] = &[
    ("a YAML text", "TEXT"),
    ("a YAML key", "\"TEXT\": 1"),
    ("a YAML block", "key: |\n    BLOCK"),
    ("a YAML list", "- BODY\n- BODY\n"),
    ("a YAML tag", "!BODY x"),
    ("a YAML anchor", "&BODY x\n"),
    ("a YAML alias", "a: *BODY\n"),
    ("a YAML directive", "%BODY x\n---\n"),
    ("a YAML text that is not ended", "a: \"TEXT"),
    ("a duplicate key", "\"BODY\": 1\n\"BODY\": 2\n"),
    ("a profile's unknown key", "apiVersion: kpki/v1\nkind: ClusterProfile\nBODY: x\n"),
    ("a profile's unknown kind", "apiVersion: kpki/v1\nkind: BODY\n"),
    ("a profile's apiVersion", "apiVersion: BODY\nkind: ClusterProfile\n"),
    (
        "a profile's release",
        "apiVersion: kpki/v1\nkind: ClusterProfile\nkubernetesVersion: BODY\nnodes: [{name: a, addresses: [10.0.0.1]}]\n",
    ),
    (
        "a profile's node",
        "apiVersion: kpki/v1\nkind: ClusterProfile\nnodes: [{name: BODY, addresses: [BODY], roles: [BODY]}]\n",
    ),
    (
        "a profile's endpoint",
        "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: BODY\nnodes: [{name: a, addresses: [10.0.0.1]}]\n",
    ),
    (
        "a profile's paths",
        "apiVersion: kpki/v1\nkind: ClusterProfile\ncertificatesDir: BODY\nrenewal: {before: BODY, postHook: [BODY]}\n",
    ),
    (
        "a profile's certificates",
        "apiVersion: kpki/v1\nkind: ClusterProfile\ncertificates: {BODY: {validity: BODY}}\nextraCertificates: [{name: BODY, usages: [BODY]}]\n",
    ),
    (
        "kubeadm's file",
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\ncertificateKey: BODY\nbootstrapTokens: [{token: BODY}]\nnodeRegistration: {name: BODY}\n",
    ),
    (
        "kubeadm's networks",
        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {serviceSubnet: BODY, dnsDomain: BODY}\ncertificateValidityPeriod: BODY\n",
    ),
    (
        "a kubeconfig's key",
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: 'https://a:6443'}}]\nusers: [{name: a, user: {client-certificate-data: B64, client-key-data: B64}}]\n",
    ),
    (
        "a kubeconfig's key that is no base64",
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: 'https://a:6443', certificate-authority-data: 'TEXT'}}]\nusers: [{name: a, user: {client-certificate-data: 'TEXT', client-key-data: 'TEXT'}}]\n",
    ),
    (
        "a kubeconfig's authority",
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: 'https://a:6443', certificate-authority-data: B64}}]\nusers: [{name: a, user: {token: BODY}}]\n",
    ),
    (
        "a kubeconfig's paths",
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: 'https://a:6443', certificate-authority: BODY}}]\nusers: [{name: a, user: {client-certificate: BODY, client-key: BODY}}]\n",
    ),
    (
        "a kubeconfig's names",
        "apiVersion: v1\nkind: Config\ncurrent-context: BODY\ncontexts: [{name: BODY, context: {cluster: BODY, user: BODY}}]\nclusters: [{name: BODY, cluster: {server: BODY, certificate-authority-data: Zm9v}}]\nusers: [{name: BODY, user: {token: BODY, password: BODY}}]\n",
    ),
    (
        "a kubeconfig's context",
        "apiVersion: v1\nkind: Config\ncurrent-context: 'TEXT'\ncontexts: []\nclusters: []\nusers: [{name: BODY, user: {client-certificate-data: Zm9v}}]\n",
    ),
    (
        "a kubeconfig's server",
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: 'https://a:BODY@b:6443'}}]\nusers: [{name: a, user: {}}]\n",
    ),
    (
        "a Secret",
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {name: a}\ndata: {tls.crt: B64, tls.key: B64}\n",
    ),
    (
        "a Secret that is no base64",
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {name: a}\ndata: {tls.crt: 'TEXT', tls.key: 'TEXT'}\n",
    ),
    (
        "a Secret's text",
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {name: a}\nstringData:\n  tls.crt: |\n    BLOCK",
    ),
    (
        "a Secret's name",
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {name: BODY, namespace: BODY}\ndata: {tls.crt: Zm9v}\n",
    ),
    (
        "a Secret in broken YAML",
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\ndata:\n  tls.crt: 'BODY\n tls.key: BODY\n",
    ),
    ("cfssl's request", "{\"CN\": \"a\", \"hosts\": [\"BODY\"]}"),
    ("cfssl's names", "{\"CN\": \"a\\u0000BODY\", \"names\": [{\"O\": \"BODY\"}]}"),
    ("cfssl's key", "{\"CN\": \"a\", \"key\": {\"algo\": \"BODY\", \"size\": 1}}"),
    ("JSON that is not ended", "{\"CN\": \"BODY"),
    ("JSON of a text", "\"BODY\""),
    (
        "JSON with another type",
        "{\"kind\": \"BODY\", \"node\": [\"BODY\"], \"entries\": \"BODY\", \"version\": \"BODY\", \"apiVersion\": \"BODY\"}",
    ),
    ("cfssl's profiles", "{\"signing\": {\"default\": {\"expiry\": \"BODY\"}}}"),
    (
        "cfssl's profile names",
        "{\"signing\": {\"default\": {}, \"profiles\": {\"BODY\": {\"usages\": [\"server auth\", \"BODY\"], \"BODY\": 1}}}}",
    ),
    (
        "state",
        "{\"apiVersion\": \"kpki/v1\", \"kind\": \"State\", \"node\": 1, \"hostname\": \"BODY\", \"advertiseAddress\": \"BODY\"}",
    ),
    ("a journal", "{\"verb\": \"renew\", \"BODY\": \"BODY\"}\nBODY\n"),
];

/// Every shape; `secret` gives the secret of a shape, `at` is a seeded number.
pub fn shapes<'s>(secret: impl Fn(usize, bool) -> &'s Secret, mut at: impl FnMut() -> usize) -> Vec<Shape> {
    let texts = TEXTS
        .iter()
        .enumerate()
        .map(|(index, (name, mangle))| Shape { name: (*name).to_owned(), bytes: mangle(secret(index, false), at()) });
    let mut shapes: Vec<Shape> = texts.collect();
    for (index, (name, document)) in DOCUMENTS.iter().enumerate() {
        let secret = secret(index, true);
        let text = document
            .replace("TEXT", &secret.text.replace('\n', "\\n"))
            .replace("BLOCK", &secret.text.replace('\n', "\n    "))
            .replace("B64", &kpki::encoding::base64::encode(secret.text.as_bytes()))
            .replace("BODY", &secret.body);
        shapes.push(Shape { name: (*name).to_owned(), bytes: text.into() });
    }
    // A tar file whose header is the secret, and one with the secret as a name and a content.
    let key = secret(0, true);
    let mut header = key.text.as_bytes().to_vec();
    header.resize(1024, b'A');
    shapes.push(Shape { name: "a tar file's header".to_owned(), bytes: header });
    for gzip in [false, true] {
        let short: String = key.body.replace('/', "").chars().take(90).collect();
        let member = kpki::encoding::archive::Member { path: &short, mode: 0o644, content: Some(key.text.as_bytes()) };
        let mut bytes = kpki::encoding::archive::write(&[member, member], 0, gzip).unwrap().to_vec();
        shapes.push(Shape { name: format!("a tar file's names, gzip {gzip}"), bytes: bytes.clone() });
        let middle = bytes.len() / 2;
        bytes.truncate(middle);
        shapes.push(Shape { name: format!("a cut tar file, gzip {gzip}"), bytes });
    }
    shapes
}
