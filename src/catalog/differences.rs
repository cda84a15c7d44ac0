//! Where a tree made by kpki differs from kubeadm's on purpose: one row, one reason. docs/reference/differences.md shows this table, and the
//! fixture tests hold both directions: every difference found is listed here, and every row here is found.

/// One deliberate difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// A short name, used by the tests.
    pub id: &'static str,
    pub kubeadm: &'static str,
    pub kpki: &'static str,
    pub reason: &'static str,
}

pub const DIFFERENCES: &[Difference] = &[
    Difference {
        id: "crl-sign",
        kubeadm: "CA keyUsage without cRLSign",
        kpki: "CA keyUsage with cRLSign",
        reason: "strict readers refuse a CRL whose signer may not sign CRLs (RFC 5280 section 6.3.3 (f)); without it a CA cannot revoke",
    },
    Difference {
        id: "ec-key-encipherment",
        kubeadm: "keyEncipherment on EC keys",
        kpki: "keyEncipherment on RSA keys only",
        reason: "RFC 5480 section 3 forbids it for id-ecPublicKey, and linters report it",
    },
    Difference {
        id: "leaf-ski",
        kubeadm: "no subjectKeyIdentifier on leaves",
        kpki: "subjectKeyIdentifier on every certificate",
        reason: "RFC 5280 section 4.2.1.2: leaves SHOULD have one; it identifies a key across renewals",
    },
    Difference {
        id: "serial",
        kubeadm: "63-bit serial numbers (0 on the CAs of old releases)",
        kpki: "128-bit random positive serial numbers",
        reason: "a serial names a certificate on a CRL, so it must never repeat, also across machines that share a CA key",
    },
    Difference {
        id: "leaf-within-ca",
        kubeadm: "a leaf may outlive its CA",
        kpki: "a leaf ends with its CA at the latest, with a warning",
        reason: "after its CA's end a leaf fails verification while every tool still calls it valid",
    },
    Difference {
        id: "kubeconfig-not-before",
        kubeadm: "kubeconfig certificates start with their CA's notBefore",
        kpki: "kubeconfig certificates start 5 minutes before they are made, like all others",
        reason: "a certificate must not claim to have been valid before it existed; auditors read it as a lifetime of years",
    },
    Difference {
        id: "whole-ca-bundle",
        kubeadm: "only the first certificate of ca.crt goes into a kubeconfig",
        kpki: "the whole ca.crt goes into a kubeconfig",
        reason: "while two CAs are trusted, or below an intermediate CA, clients need the bundle (kubeadm#1723)",
    },
    Difference {
        id: "signer-file",
        kubeadm: "kube-controller-manager signs with ca.crt, whatever that holds",
        kpki: "where ca.crt holds more than one certificate, or the profile asks, pki/ca-signer.crt holds the one that signs",
        reason: "--cluster-signing-cert-file accepts exactly one certificate: below an intermediate CA kube-controller-manager does not start (kubeadm#1350)",
    },
    Difference {
        id: "one-algorithm",
        kubeadm: "up to 1.30, kubeconfig keys are RSA-2048 whatever encryptionAlgorithm says",
        kpki: "encryptionAlgorithm holds for every key in every release",
        reason: "a chosen algorithm is for all keys; a policy that forbids RSA-2048 finds the exceptions (kubeadm#3072)",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_has_an_id_of_its_own_and_a_reason() {
        for (i, difference) in DIFFERENCES.iter().enumerate() {
            assert!(!difference.reason.is_empty() && difference.kubeadm != difference.kpki);
            assert!(DIFFERENCES.iter().skip(i + 1).all(|other| other.id != difference.id));
        }
    }
}
