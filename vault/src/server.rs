//! The only part that speaks HTTP: one server, bounded in time and size, no redirect, no proxy.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::{HeaderValue, Method, Request};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Timeout};
use zeroize::Zeroizing;

use crate::address::Address;
use crate::answer::{self, Answer};
use crate::error::Error;
use crate::secret_file::{self, Rule};
use crate::text;

/// Where distributions keep the bundle of the system's roots: Debian and Alpine, Fedora and RHEL, SUSE, and OpenSSL's own.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// A chain and a key are much smaller, a bundle of roots is not.
const LARGEST_ANSWER: u64 = 1 << 20;
const LARGEST_BUNDLE: u64 = 8 << 20;

#[derive(Debug)]
pub struct Server {
    agent: Agent,
    address: Address,
    namespace: Option<HeaderValue>,
    timeout: Duration,
    /// Everything is over by then, login included.
    ends: Instant,
}

/// One request.
pub struct Call<'a> {
    pub method: Method,
    /// Below `/v1/`.
    pub path: &'a str,
    pub token: Option<&'a str>,
    pub body: Option<&'a Value>,
}

impl Server {
    pub fn new(
        address: Address,
        ca_file: Option<PathBuf>,
        namespace: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let tls = TlsConfig::builder()
            .root_certs(roots(&address, ca_file)?)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            // What the environment says of proxies is for other programs; a redirect would take the token elsewhere.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("kpki-vault/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let namespace = namespace.map(|name| {
            let header = HeaderValue::from_str(name);
            header.map_err(|_| Error::usage("--namespace: expected the path of a namespace, as in team/a"))
        });
        Ok(Self { agent, address, namespace: namespace.transpose()?, timeout, ends: Instant::now() + timeout })
    }

    pub fn call(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let url = self.address.of(call.path);
        let (status, body) = self.exchange(call, &url)?;
        answer::judge(status, &body, &url)
    }

    fn exchange(&self, call: &Call<'_>, url: &str) -> Result<(u16, Zeroizing<Vec<u8>>), Error> {
        let left = self.ends.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.too_late(url));
        }
        let body = call.body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let body = Zeroizing::new(body);
        let request = self.request(call, url)?.body(body.as_slice());
        let request =
            request.map_err(|why| Error::failed(format!("{url}: no request can be made of it")).because(why))?;
        let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
        let response = self.agent.run(request).map_err(|why| self.unreachable(url, why))?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            return Err(Error::failed(format!(
                "{url}: HTTP status {} redirects to {}",
                status.as_u16(),
                text::bounded(to, 200)
            ))
            .hint("no redirect is followed: give the address of the server that answers with --address"));
        }
        let body = response.into_body().into_with_config().limit(LARGEST_ANSWER).read_to_vec();
        Ok((status.as_u16(), Zeroizing::new(body.map_err(|why| self.unreachable(url, why))?)))
    }

    fn request(&self, call: &Call<'_>, url: &str) -> Result<ureq::http::request::Builder, Error> {
        // Agents of Vault take only requests with X-Vault-Request, which no browser can be made to send.
        let mut request = Request::builder().method(&call.method).uri(url).header("X-Vault-Request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(token) = call.token {
            let mut token =
                HeaderValue::from_str(token).map_err(|_| Error::usage("the token has characters that no token has"))?;
            token.set_sensitive(true);
            request = request.header("X-Vault-Token", token);
        }
        if call.body.is_some() {
            request = request.header("Content-Type", "application/json");
        }
        Ok(request)
    }

    fn too_late(&self, url: &str) -> Error {
        let seconds = self.timeout.as_secs();
        Error::failed(format!("{url}: no whole answer in {seconds} s")).hint("see --timeout")
    }

    fn unreachable(&self, url: &str, why: ureq::Error) -> Error {
        match why {
            ureq::Error::Timeout(Timeout::Global) => self.too_late(url),
            ureq::Error::BodyExceedsLimit(most) => {
                Error::failed(format!("{url}: the answer is larger than {most} bytes"))
            }
            ureq::Error::Io(why) if why.kind() == io::ErrorKind::TimedOut => self.too_late(url),
            ureq::Error::Rustls(why) => distrusted(url, &why),
            ureq::Error::Io(why) => match why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(why) => distrusted(url, why),
                None => Error::failed(format!("cannot ask {url}")).because(why),
            },
            why => Error::failed(format!("cannot ask {url}")).because(why),
        }
    }
}

fn distrusted(url: &str, why: &rustls::Error) -> Error {
    let error = Error::failed(format!("cannot ask {url}: no TLS connection")).because(why);
    match why {
        rustls::Error::InvalidCertificate(_) => {
            error.hint("give the CA of the server's certificate with --ca-file FILE")
        }
        _ => error,
    }
}

/// Those in the file that is named, else the system's. Without TLS none are read.
fn roots(address: &Address, named: Option<PathBuf>) -> Result<RootCerts, Error> {
    if !address.is_tls() {
        return Ok(RootCerts::new_with_certs(&[]));
    }
    let system = || SYSTEM.map(Path::new).into_iter().find(|path| path.exists()).map(Path::to_owned);
    let path = named.or_else(system).ok_or_else(|| {
        Error::usage("the roots that this system trusts are not there")
            .because(format!("expected one of {}", SYSTEM.join(", ")))
            .hint("give the CA of the server's certificate with --ca-file FILE")
    })?;
    let bytes = secret_file::read(&path, Rule::Trusted, LARGEST_BUNDLE)?;
    let blocks = pem::parse_many(bytes.as_slice()).unwrap_or_default();
    let certificates = blocks.iter().filter(|block| block.tag() == "CERTIFICATE");
    let certificates: Vec<_> = certificates.map(|block| Certificate::from_der(block.contents()).to_owned()).collect();
    if certificates.is_empty() {
        return Err(Error::usage(format!("{}: expected certificates in PEM, found none", path.display())));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}
