//! Typed errors of other modules with hints.

use super::exit::Exit;
use super::failure::Error;
use std::path::Path;

use crate::ca::{CaError, SignerFault};
use crate::catalog::CaId;
use crate::encoding::key::KeyError;
use crate::files::{BadPath, FileError, Kind, TrustError, shell_path};
use crate::keys::KeyFault;
use crate::parallel::Died;
use crate::profile::{GATHERED, Problems};
use crate::random::NoRandomBytes;
use crate::signals::Stopped;
use crate::store::{RootId, StoreError};
use crate::tree::{Origin, Unusable};

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        let mut shown = Self::new(error.to_string());
        if error.kind == Kind::SymlinkInTheWay && error.path.ends_with("pki") {
            // kubespray leaves such a link, and keeps the certificates in `ssl`.
            shown = shown.hint("give its target in the profile, such as certificatesDir: /etc/kubernetes/ssl");
        }
        if let Kind::Utf16(encoding) = error.kind {
            let (from, to) = (error.path.display().to_string(), format!("{}.utf8", error.path.display()));
            shown = shown.hint(format!("iconv -f {encoding} -t UTF-8 {} > {}", shell_path(&from), shell_path(&to)));
            shown = shown.hint("or in PowerShell: Get-Content FILE | Set-Content -Encoding ascii NEW");
        }
        file_hint(&error.kind).into_iter().fold(shown, Self::hint)
    }
}

/// What opens an encrypted key, which kpki does not sign with; `None`: something else is wrong with it. `then`: what to do with KEY.
pub fn opened(key: &Path, why: &CaError, then: &str) -> Option<String> {
    let key = shell_path(key);
    matches!(why, CaError::Key(KeyError::Encrypted))
        .then(|| format!("open it, then {then}: kpki convert {key} --to pkcs8 --password-file FILE --out KEY"))
}

/// How an authority of a tree comes to sign.
pub(super) fn mended(authority: CaId, why: &Unusable, origin: &Origin) -> String {
    if let Unusable::Ca(CaError::Signer(fault)) = why {
        return fault.hint().unwrap_or("have the key opened, and run the command again").to_owned();
    }
    let stem = authority.stem();
    let key = origin.pki().join(format!("{stem}.key"));
    let open = match why {
        Unusable::Ca(why) => opened(&key, why, "put KEY in its place"),
        Unusable::Bundle(_) => None,
    };
    let Some(open) = open else { return format!("put the matching {stem}.crt and {stem}.key in place") };
    let name = authority.name();
    // Certificates outside the directory are known by a profile that need not be recorded.
    let tree =
        Some(origin.recorded()).filter(|_| origin.is_tree() && origin.pki() == Path::new(&origin.dir).join(GATHERED));
    let open = tree.map_or(open, |tree| {
        let expose = tree.command("key expose", &[name], &["--yes", "--key-passphrase-file", "FILE"]);
        format!("have it in plain again: {expose}")
    });
    format!(
        "a key that kube-controller-manager or kubeadm reads is plain: only a cluster directory with caKeys: none keeps it \
         encrypted; sign with this one by --authority-key {name}=FILE and its passphrase, or {open}"
    )
}

fn file_hint(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Missing => "check the path; a relative one is looked up from the current directory",
        Kind::Exists => "run the command again: it uses the existing files",
        Kind::SymlinkInTheWay => "replace the symlink by what it points to, or choose another --dir",
        Kind::NotAFile(_) | Kind::NotADirectory(_) => "move it away, or choose another --dir",
        Kind::Late => "check the command that writes to it, or write its output to a file",
        Kind::TooLarge(_) => "check that it is the intended file",
        Kind::Immutable => "remove the attribute with chattr -i, or choose another --dir",
        Kind::PermissionDenied => {
            "run as a user who may write there (root for the default paths), or choose another --dir"
        }
        Kind::ReadOnlyFilesystem => "remount it writable, or choose another --dir",
        Kind::NoSpace => "free some space, then run the command again",
        Kind::Io(_) | Kind::Utf16(_) => return None,
    })
}

impl From<NoRandomBytes> for Error {
    fn from(error: NoRandomBytes) -> Self {
        Self::new(error.to_string())
    }
}

impl From<Died> for Error {
    fn from(error: Died) -> Self {
        Self::new(error.to_string()).hint("report this as a bug")
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        Self { exit: Exit::Stopped(stopped.0), ..Self::new(format!("{stopped}: nothing was changed")) }
    }
}

impl From<TrustError> for Error {
    fn from(error: TrustError) -> Self {
        let why = match error {
            TrustError::File(error) => return error.into(),
            TrustError::Untrusted(why) => why,
        };
        let shown = why.hints().into_iter().fold(Self::new(why.to_string()), Self::hint);
        if why.path.ends_with(".kpki") {
            return shown.hint("remove it if it is not yours: init and renew work without it");
        }
        shown
    }
}

impl From<BadPath> for Error {
    fn from(error: BadPath) -> Self {
        Self::new(error.to_string()).hint("use plain names below the directory, without . or ..")
    }
}

impl From<CaError> for Error {
    fn from(error: CaError) -> Self {
        let hint = match &error {
            CaError::Stopped(stopped) => return (*stopped).into(),
            CaError::Signer(fault) => return unsigned(fault),
            CaError::Peer(_) | CaError::Above(_) => {
                "nothing was written; look at the authority's name constraints, usages and dates: openssl x509 -text -in ca.crt"
            }
            _ => "nothing was written; report this if it happens again",
        };
        Self::new("cannot make the certificates").because(error).hint(hint)
    }
}

/// Why a key could not be opened, and the next thing to do about it: said once for all that its authority would have signed.
pub fn unopened(fault: &SignerFault) -> String {
    match fault.hint() {
        Some(hint) => format!("{fault}; {hint}"),
        None => fault.to_string(),
    }
}

/// A key elsewhere did not sign.
fn unsigned(fault: &SignerFault) -> Error {
    let error = Error::new("cannot sign; nothing was written").because(fault);
    fault.hint().into_iter().fold(error, Error::hint)
}

impl From<KeyFault> for Error {
    fn from(fault: KeyFault) -> Self {
        CaError::from(fault).into()
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        let hint = match error {
            StoreError::File(error) => return error.into(),
            StoreError::BadPath(error) => return error.into(),
            StoreError::Stopped(stopped) => return stopped.into(),
            StoreError::Exist(_) => "move it away, or give another place with --out",
            StoreError::MadeMeanwhile(_) | StoreError::ChangedMeanwhile(_) => {
                "run the command again: it uses the existing files"
            }
            StoreError::NoName(_) => "add the name of the file behind the directory",
            StoreError::Locked { .. } => "wait for the other kpki, or give a longer --lock-timeout",
            StoreError::OtherFileSystem(_) => "put the whole tree on one file system, or choose another --dir",
            StoreError::Unfinished { .. } => "run the command again: it completes the interrupted run",
            StoreError::Unsynced(_) => "check the disk, then run the command again",
            StoreError::NotKept { .. } => "restore a newer generation, which does not need that file",
            StoreError::Reserved(_) => "choose another path with --out, or for the extra certificate in the profile",
            StoreError::Conflict(_) => "choose other paths for the extra certificates in the profile",
            StoreError::BadMark { .. } => "check .kpki/commit and .kpki/staging, then move them away",
            StoreError::OutsideGone(_) => {
                "put the directory back (mount it), then run the command again: it completes the interrupted run"
            }
            StoreError::PrivateKey(_) => {
                "nothing was written; take the private key out of the certificate file that is copied there"
            }
            StoreError::Undelivered(first, _) => {
                let hint = format!("put it in its place: mv {} {}", shell_path(&first.kept), shell_path(&first.path));
                return Self::new(text).hint(hint);
            }
            StoreError::NoRoot(RootId::Certificates) => {
                "put the profile that says certificatesDir back, as the run that wrote them had it"
            }
            StoreError::NoRoot(_) => "give the same --kubelet-dir as the run that wrote them",
            StoreError::SameRoot(..) => "give each a directory of its own",
            StoreError::Untrusted(why) => return TrustError::Untrusted(why).into(),
            _ => return Self::new(text),
        };
        Self::new(text).hint(hint)
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        let count = problems.0.len();
        let found = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
        let file = problems.0.first().map(|problem| problem.file.clone()).unwrap_or_default();
        let mut error = Self::usage(format!("{file} is not a valid profile: {found}"));
        error.why = problems.0.iter().map(ToString::to_string).collect();
        debug_assert_eq!(error.exit, Exit::Usage);
        error.hint("look fields up in kpki-profile(5), or see a complete one with: kpki profile new")
    }
}
