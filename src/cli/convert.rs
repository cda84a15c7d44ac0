use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::environment::Environment;
use super::values::{Choices, Expected, Outcome, TEXT_FORMS, one_of};
use super::{common, passwords, ui::Ui};
use crate::catalog::releases::Release;
use crate::commands::convert::{self, Form, Input, Request};
use crate::error::{Error, Exit};
use crate::report;
use crate::workspace::passwords::{Asking, Passwords};

/// Convert certificates, keys, bundles, PKCS#12 files and kubeconfigs into one another
///
/// The type of a file is found from its content: PEM with any number of blocks and any text around them, DER, PKCS#7
/// (certificates, DER or BER), PKCS#12 (modern and legacy, DER or BER), Java's keystores (JKS, JCEKS), OpenSSH keys,
/// keys in OpenSSL's old encryption (Proc-Type: 4,ENCRYPTED), a kubeconfig, a manifest with Secrets, ConfigMaps or CA
/// bundles. Several files make one result: a bundle, a PKCS#12 file, a Secret.
/// With a directory as the target (--out DIR/), each file is converted on its own, and a directory is converted
/// recursively with its structure kept; symlinks are not followed. All files are written or none. Files with a private
/// key are 0600. Every result is read back and compared before it is written.
///
/// Names are predictable: ca.crt becomes ca.crt.der and ca.crt again, a.pem becomes a.der, the public key of ca.key
/// goes to ca.key.pub, bundle.pem is split into bundle-1.crt, bundle-2.crt, a kubeconfig into ca.crt, client.crt,
/// client.key, and a Secret into its keys: tls.crt, tls.key (NAME-tls.crt where a file has several).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, group = clap::ArgGroup::new("form").required(true))]
pub struct Args {
    /// Files or directories to convert; - is standard input
    #[arg(value_name = "IN", required = true)]
    inputs: Vec<PathBuf>,

    /// The form to convert to; pkcs12 and pfx are p12, pkcs7 and p7c are p7b, cer is der, crt is pem
    #[arg(long, value_name = "FORM", group = "form", value_parser = one_of(TO))]
    to: Option<Form>,

    /// A bundle of one certificate and its chain in order, without the root, and its key
    #[arg(long, value_name = "KIND", group = "form", value_parser = one_of(BUNDLES))]
    bundle: Option<Form>,

    /// A manifest for kubectl
    #[arg(long = "as", value_name = "KIND", group = "form", value_parser = one_of(MANIFESTS))]
    manifest: Option<Form>,

    /// Where to write: a file, a directory, or - for standard output
    #[arg(short = 'O', long, value_name = "FILE|DIR", default_value = "-")]
    out: PathBuf,

    /// Write DER instead of PEM (pkcs1, sec1, pkcs8, pkcs8-encrypted, spki, p7b, parts)
    #[arg(long)]
    der: bool,

    /// With --to p12: the encryption for Java before 8u301 and Windows before Server 2019 (3DES and SHA-1)
    #[arg(long)]
    legacy: bool,

    /// With --bundle: the root too, at the end of the chain
    #[arg(long)]
    with_root: bool,

    /// Replace existing files (in a directory, they are kept in DIR/.kpki/generations)
    #[arg(long)]
    force: bool,

    /// Name of the Secret or ClusterTrustBundle, or friendly name (Java's alias) in a PKCS#12 file; default there: the common name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Namespace of the Secret, or of kube-root-ca.crt
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,

    /// With --as cluster-trust-bundle: the signer whose certificates it verifies; its name is then SIGNER:NAME
    #[arg(long, value_name = "DOMAIN/PATH")]
    signer_name: Option<String>,

    /// With --as cluster-trust-bundle: the cluster's release, which decides the apiVersion; default: the newest
    #[arg(long, value_name = "VERSION", value_parser = release)]
    kubernetes_version: Option<Release>,

    /// Write `immutable: true` into the Secret: its data can never be changed, only the Secret deleted and made again
    #[arg(long)]
    immutable: bool,

    /// With --to kubeconfig and --as cluster-info: the API server
    #[arg(long, value_name = "URL")]
    server: Option<String>,

    /// With --to kubeconfig: the cluster's name; default: kubernetes
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,

    /// With --to kubeconfig: the user's name; default: the certificate's common name
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    #[command(flatten)]
    password: passwords::InputPassword,

    /// Read the password of the result from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "out_password_env")]
    out_password_file: Option<PathBuf>,

    /// Read the password of the result from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    out_password_env: Option<String>,

    /// With --as kubeadm-certs: the certificate key (64 hexadecimal digits); default: one is made and shown once
    #[arg(long, value_name = "FILE")]
    certificate_key_file: Option<PathBuf>,

    /// With --as kubeadm-certs: have the Secret deleted with the bootstrap token of this ID, whose Secret has this UID
    ///
    /// ID is what stands before the dot of the token. UID is what this prints:
    ///
    ///   kubectl -n kube-system get secret bootstrap-token-ID -o jsonpath={.metadata.uid}
    ///
    /// Without it, the Secret stays in the cluster with the keys of all authorities until it is deleted:
    ///
    ///   kubectl -n kube-system delete secret kubeadm-certs
    #[arg(long, num_args = 2, value_names = ["ID", "UID"])]
    owner_token: Option<Vec<String>>,

    /// The form of the report; it needs --out
    #[arg(short, long, value_name = "FORM", default_value = "text", value_parser = one_of(TEXT_FORMS))]
    output: report::Form,
}

const TO: Choices<Form> = &[
    ("pem", Some("Everything as PEM; encrypted PKCS#8 stays encrypted"), Form::Pem),
    ("der", Some("DER, one object per file; encrypted PKCS#8 stays encrypted"), Form::Der),
    ("pkcs1", Some("Keys as RSA PRIVATE KEY"), Form::Pkcs1),
    ("sec1", Some("Keys as EC PRIVATE KEY"), Form::Sec1),
    ("pkcs8", Some("Keys as PRIVATE KEY"), Form::Pkcs8),
    (
        "pkcs8-encrypted",
        Some("Keys as ENCRYPTED PRIVATE KEY (PBKDF2 with HMAC-SHA-256 and 600,000 iterations, AES-256-CBC)"),
        Form::EncryptedPkcs8,
    ),
    ("spki", Some("The public keys of keys, certificates and requests, as PUBLIC KEY"), Form::Spki),
    ("p12", Some("PKCS#12: certificate, chain and key, or trusted certificates"), Form::Pkcs12),
    ("p7b", Some("PKCS#7: certificates and CRLs without keys, as Windows and Java take them"), Form::Pkcs7),
    (
        "kubeconfig",
        Some("A kubeconfig from a client certificate, its key and the cluster's authority"),
        Form::Kubeconfig,
    ),
    ("parts", Some("Every object in a file of its own"), Form::Parts),
    // As files of the form are called.
    ("pkcs12", None, Form::Pkcs12),
    ("pfx", None, Form::Pkcs12),
    ("pkcs7", None, Form::Pkcs7),
    ("p7c", None, Form::Pkcs7),
    ("cer", None, Form::Der),
    ("crt", None, Form::Pem),
];

const BUNDLES: Choices<Form> = &[
    ("haproxy", Some("Certificate, chain and key in one file"), Form::Haproxy),
    ("fullchain", Some("Certificate and chain"), Form::FullChain),
];

const MANIFESTS: Choices<Form> = &[
    (
        "kubernetes-secret",
        Some("A kubernetes.io/tls Secret: a server's pair, or an authority's for cert-manager's CA issuer"),
        Form::KubernetesSecret,
    ),
    ("istio-cacerts", Some("The Secret cacerts, an authority for Istio"), Form::IstioCacerts),
    (
        "kubeadm-certs",
        Some(
            "The Secret kubeadm-certs from a control-plane node's tree, for: kubeadm join --control-plane --certificate-key",
        ),
        Form::KubeadmCerts,
    ),
    (
        "cluster-trust-bundle",
        Some("A ClusterTrustBundle with the certificates of authorities"),
        Form::ClusterTrustBundle,
    ),
    ("kube-root-ca", Some("The ConfigMap kube-root-ca.crt, what pods trust as the API server"), Form::KubeRootCa),
    ("cluster-info", Some("The ConfigMap kube-public/cluster-info, which joining nodes read"), Form::ClusterInfo),
];

const EXAMPLES: &str = "\
Examples:
  kpki convert apiserver.crt --to der --out apiserver.der
  kpki convert /etc/kubernetes/pki --to der --out ./der                 a whole tree; back again with --to pem
  kpki convert ca.key --to pkcs8-encrypted --out ca.key.enc             asks for the password
  kpki convert tls.crt tls.key ca.crt --to p12 --out web.p12 --out-password-file pass
  kpki convert web.p12 --password-env PASS --to parts --out ./web/
  kpki convert certnew.p7b --to pem --out chain.pem                     what AD CS answers with
  kpki convert keystore.jks --password-file pass --to p12 --out web.p12 --out-password-file pass
  kpki convert old-ca.key --password-file pass --to pkcs8 --out ca.key  from OpenSSL's old encryption
  kpki convert admin.conf --to parts --out ./admin/                     ca.crt, client.crt, client.key
  kubectl get secret web -o yaml | kpki convert - --to parts --out ./web/     tls.crt, tls.key, ca.crt
  kpki convert ca.crt client.crt client.key --to kubeconfig --server https://10.0.0.1:6443 --out admin.conf
  kpki convert tls.crt chain.crt tls.key --bundle haproxy --out /etc/haproxy/web.pem
  kpki convert tls.crt chain.crt root.crt tls.key --bundle haproxy --with-root --out client.pem
  kpki convert ca.crt ca.key --as kubernetes-secret --name ca-pair | kubectl create -n cert-manager -f -
  kpki convert /etc/kubernetes --as kubeadm-certs --owner-token abcdef UID --out certs.yaml
  kpki convert ca.crt --as cluster-trust-bundle --name corp | kubectl apply -f -
  kpki convert ca.crt --as cluster-info --server https://10.0.0.10:6443 | kubectl apply -f -

Exit status: 0 everything was written, 1 refused or failed and nothing was written, 2 wrong command line.";

impl Args {
    pub fn run(&self, environment: &Environment, ui: &mut Ui<'_>) -> Outcome {
        let form = self.form()?;
        let to_stdout = self.out == Path::new("-");
        if to_stdout && self.output != report::Form::Table {
            return Err(Error::usage("a report and a result cannot both go to standard output").hint("give --out FILE"));
        }
        let certificate_key = self.certificate_key_file.as_deref().map(passwords::first_line).transpose()?;
        let inputs = self.inputs.iter().map(|path| input(path)).collect::<Result<Vec<_>, _>>()?;
        let request = Request {
            inputs,
            form,
            out: (!to_stdout).then(|| self.out.clone()),
            der: self.der,
            legacy: self.legacy,
            with_root: self.with_root,
            force: self.force,
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            signer_name: self.signer_name.clone(),
            release: self.kubernetes_version,
            immutable: self.immutable,
            server: self.server.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            certificate_key,
            owner_token: self.owner_token.as_deref().and_then(|two| Some((two.first()?.clone(), two.get(1)?.clone()))),
            now: environment.clock.now(),
        };
        let done = convert::run(&request, &mut Given { args: self, environment, asked: None })?;
        ui.warnings(&done.report.notes);
        if let Some((bytes, binary)) = &done.document {
            ui.bytes(bytes, *binary)?;
            if let Some(key) = &done.report.certificate_key {
                ui.notice("certificate key", key);
            }
            return Ok(Exit::Done);
        }
        // It is shown this once, whatever the flags.
        if done.report.certificate_key.is_some() {
            ui.insist();
        }
        ui.done(&done.report, self.output, request.now, Exit::Done)
    }

    /// The form, and the flags that go with it.
    fn form(&self) -> Result<Form, Error> {
        let Some(form) = self.to.or(self.bundle).or(self.manifest) else {
            return Err(Error::usage("expected one of --to, --bundle and --as"));
        };
        let secret = matches!(form, Form::KubernetesSecret | Form::IstioCacerts);
        let kubeconfig = form == Form::Kubeconfig;
        let in_der = matches!(
            form,
            Form::Der
                | Form::Pkcs1
                | Form::Sec1
                | Form::Pkcs8
                | Form::EncryptedPkcs8
                | Form::Spki
                | Form::Pkcs7
                | Form::Parts
        );
        for (given, flag, fits) in [
            (self.der, "--der", in_der),
            (self.legacy, "--legacy", form == Form::Pkcs12),
            (self.with_root, "--with-root", matches!(form, Form::Haproxy | Form::FullChain)),
            (self.name.is_some(), "--name", secret || matches!(form, Form::Pkcs12 | Form::ClusterTrustBundle)),
            (self.namespace.is_some(), "--namespace", secret || form == Form::KubeRootCa),
            (self.signer_name.is_some(), "--signer-name", form == Form::ClusterTrustBundle),
            (self.kubernetes_version.is_some(), "--kubernetes-version", form == Form::ClusterTrustBundle),
            (self.immutable, "--immutable", secret || form == Form::KubeadmCerts),
            (self.server.is_some(), "--server", kubeconfig || form == Form::ClusterInfo),
            (self.cluster.is_some(), "--cluster", kubeconfig),
            (self.user.is_some(), "--user", kubeconfig),
            (self.certificate_key_file.is_some(), "--certificate-key-file", form == Form::KubeadmCerts),
            (self.owner_token.is_some(), "--owner-token", form == Form::KubeadmCerts),
        ] {
            if given && !fits {
                return Err(Error::usage(format!("{flag} does not apply to this form")).hint("leave it out"));
            }
        }
        Ok(form)
    }
}

fn release(text: &str) -> Result<Release, Expected> {
    Release::parse(text).ok_or_else(|| Expected("a release of Kubernetes, such as v1.36.2 or 1.36".to_owned()))
}

fn input(path: &Path) -> Result<Input, Error> {
    if path == Path::new("-") { common::stdin().map(Input::Bytes) } else { Ok(Input::Path(path.to_owned())) }
}

/// Passwords from the sources of the flags, or from the terminal.
struct Given<'a> {
    args: &'a Args,
    environment: &'a Environment,
    /// The password of the result, once it was typed.
    asked: Option<Zeroizing<String>>,
}

impl Passwords for Given<'_> {
    fn ask(&mut self, asking: Asking<'_>) -> Result<Option<Zeroizing<String>>, Error> {
        let args = self.args;
        if !matches!(asking, Asking::Output) {
            return args.password.ask(self.environment, asking);
        }
        if let Some(password) =
            passwords::stated(self.environment, args.out_password_file.as_deref(), args.out_password_env.as_deref())?
        {
            return Ok(Some(password));
        }
        if self.asked.is_none() {
            let first = passwords::typed(self.environment, "Password of the result: ")?;
            if first.is_some() && first != passwords::typed(self.environment, "The same again: ")? {
                return Err(Error::new("the two passwords differ").hint("run the command again"));
            }
            self.asked = first;
        }
        Ok(self.asked.clone())
    }
}
