//! What is wrong, in words.

use crate::audit::Problem;

/// One, and several.
pub type Words = [&'static str; 2];

const AUTHORITY: Words = ["authority", "authorities"];
const CERTIFICATE: Words = ["certificate", "certificates"];
const CRL: Words = ["CRL", "CRLs"];
const FILE: Words = ["file", "files"];

const EXPIRED: Words = ["has expired", "have expired"];
const ENDING: Words = ["expires soon or has expired", "expire soon or have expired"];
const MISSING: Words = ["is missing", "are missing"];

/// The problem's name in documents, what has it, and what is wrong.
pub const fn words(problem: Problem) -> (&'static str, Words, Words) {
    match problem {
        Problem::AuthorityExpired => (
            "authority-expired",
            AUTHORITY,
            [
                "has expired: nothing it signed is accepted any more",
                "have expired: nothing they signed is accepted any more",
            ],
        ),
        Problem::AuthorityEnding => ("authority-ending", AUTHORITY, ENDING),
        Problem::AuthorityReplaced => (
            "authority-replaced",
            AUTHORITY,
            ["is near its end, and being replaced", "are near their end, and being replaced"],
        ),
        Problem::ExternalAuthorityEnding => ("external-authority-ending", AUTHORITY, ENDING),
        Problem::External => {
            ("externally-managed", CERTIFICATE, ["needs an external authority", "need an external authority"])
        }
        Problem::Revoked => ("revoked", CERTIFICATE, ["is revoked", "are revoked"]),
        Problem::Held => (
            "held",
            CERTIFICATE,
            [
                "is held: readers of its authority's CRL refuse it until it is released",
                "are held: readers of their authority's CRL refuse them until they are released",
            ],
        ),
        Problem::Expired => ("expired", CERTIFICATE, EXPIRED),
        Problem::KubeletClientExpired => ("kubelet-client-expired", CERTIFICATE, EXPIRED),
        Problem::KubeletClientUnusable => (
            "kubelet-client-unusable",
            CERTIFICATE,
            ["is in use by a kubelet, and cannot be used", "are in use by kubelets, and cannot be used"],
        ),
        Problem::NotYetValid => ("not-yet-valid", CERTIFICATE, ["is not valid yet", "are not valid yet"]),
        Problem::CutAuthorityData => (
            "cut-authority-data",
            ["kubeconfig", "kubeconfigs"],
            ["does not trust all authorities of ca.crt", "do not trust all authorities of ca.crt"],
        ),
        Problem::SignerFile => (
            "signer-file",
            FILE,
            ["is not the first certificate of ca.crt alone", "are not the first certificate of ca.crt alone"],
        ),
        Problem::WrongIssuer => (
            "wrong-issuer",
            CERTIFICATE,
            ["is not signed by the authority in the tree", "are not signed by the authority in the tree"],
        ),
        Problem::KeyMismatch => {
            ("key-mismatch", CERTIFICATE, ["has the key of another beside it", "have the keys of others beside them"])
        }
        Problem::AuthorityKeyMismatch => (
            "authority-key-mismatch",
            AUTHORITY,
            ["has the key of another beside it", "have the keys of others beside them"],
        ),
        Problem::ServiceAccountMismatch => (
            "service-account-mismatch",
            FILE,
            ["is not the public half of sa.key", "are not the public halves of sa.key"],
        ),
        Problem::CopyDiffers => (
            "copy-differs",
            FILE,
            ["is not what the cluster directory has in pki/", "are not what the cluster directory has in pki/"],
        ),
        Problem::KeyUnusable => {
            ("key-unusable", CERTIFICATE, ["has no key that can be used", "have no keys that can be used"])
        }
        Problem::AuthorityKeyUnusable => {
            ("authority-key-unusable", AUTHORITY, ["has a key that cannot be used", "have keys that cannot be used"])
        }
        Problem::AuthorityMissing => ("authority-missing", AUTHORITY, MISSING),
        Problem::Missing => ("missing", CERTIFICATE, MISSING),
        Problem::Locked => ("locked", FILE, ["is not opened", "are not opened"]),
        Problem::Unreadable => ("unreadable", FILE, ["cannot be read", "cannot be read"]),
        Problem::OtherCrl => ("other-crl", CRL, ["is not the CRL beside it", "are not the CRLs beside them"]),
        Problem::CrlEnding => ("crl-ending", CRL, ENDING),
        Problem::Ending => ("ending", CERTIFICATE, ["expires soon", "expire soon"]),
        Problem::Foreign => (
            "issued-elsewhere",
            CERTIFICATE,
            [
                "expires soon or has expired, and is not in a tree of kpki",
                "expire soon or have expired, and are not in a tree of kpki",
            ],
        ),
        Problem::OutlivesAuthority => {
            ("outlives-authority", CERTIFICATE, ["would outlive its authority", "would outlive their authority"])
        }
        Problem::CutsRenewalsShort => (
            "cuts-renewals-short",
            AUTHORITY,
            ["ends too soon for the next renewal", "end too soon for the next renewal"],
        ),
        Problem::KubeletEmbedsAnother => (
            "kubelet-embeds-another",
            CERTIFICATE,
            [
                "is what the kubelet uses and rotates, and kubelet.conf embeds another one",
                "are what kubelets use and rotate, and kubelet.conf embeds another one",
            ],
        ),
        Problem::LeafNotFirst => (
            "leaf-not-first",
            FILE,
            ["begins with a certificate of its chain", "begin with a certificate of their chain"],
        ),
        Problem::Repeated => {
            ("repeated", CERTIFICATE, ["stands more than once in its file", "stand more than once in their files"])
        }
        Problem::Serial => (
            "serial-number",
            CERTIFICATE,
            ["has a serial number of 0 or a negative one", "have serial numbers of 0 or negative ones"],
        ),
        Problem::TooOld => ("too-old", CERTIFICATE, ["is older than renewal.maxAge", "are older than renewal.maxAge"]),
        Problem::SharedAuthority => (
            "shared-authority",
            AUTHORITY,
            [
                "is another authority of the tree as well: all certificates of both are trusted in its place",
                "are another authority of the tree as well: all certificates of both are trusted in their place",
            ],
        ),
    }
}
