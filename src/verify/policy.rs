//! Which keys and signatures a policy allows, as data.

use crate::blueprint::Algorithm;
use crate::encoding::public_key::{KeyKind, OtherKey};

/// `--policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// What Kubernetes and Go verify, and what is not broken.
    #[default]
    Default,
    /// CIS Kubernetes Benchmark: files and flags; of keys it says nothing more.
    Cis,
    /// NIST SP 800-131A revision 2.
    Nist800131a,
    /// BSI TR-02102-1.
    BsiTr02102,
    /// NSA's Commercial National Security Algorithm Suite 2.0: no certificate of today's TLS fulfils it, so this is an inventory of what
    /// has to go.
    Cnsa2,
}

/// What a policy says of a kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In bits; `None`: none is allowed.
    pub rsa: Option<usize>,
    /// In bits of the curve; `None`: none is allowed.
    pub curve: Option<usize>,
    pub source: &'static str,
}

impl Policy {
    pub fn limits(self) -> Limits {
        let limits = |rsa, curve, source| Limits { rsa, curve, source };
        match self {
            Self::Default => limits(Some(2048), Some(256), "Go and rustls refuse less"),
            Self::Cis => limits(Some(2048), Some(256), "CIS Kubernetes Benchmark"),
            Self::Nist800131a => limits(Some(2048), Some(224), "NIST SP 800-131A revision 2, section 3"),
            Self::BsiTr02102 => limits(Some(3000), Some(250), "BSI TR-02102-1, section 2.3"),
            Self::Cnsa2 => limits(None, None, "CNSA 2.0: ML-DSA-87 only, which Kubernetes cannot use yet"),
        }
    }
}

/// The size of a key in bits; `None`: of no kind a policy speaks of.
pub const fn size(kind: &KeyKind) -> Option<Size> {
    Some(match kind {
        KeyKind::Known(Algorithm::Rsa2048) => Size::Rsa(2048),
        KeyKind::Known(Algorithm::Rsa3072) => Size::Rsa(3072),
        KeyKind::Known(Algorithm::Rsa4096) => Size::Rsa(4096),
        KeyKind::Known(Algorithm::EcdsaP256) => Size::Curve(256),
        KeyKind::Known(Algorithm::EcdsaP384) => Size::Curve(384),
        KeyKind::Other(OtherKey::Rsa { bits } | OtherKey::RsaPss { bits }) => Size::Rsa(*bits),
        KeyKind::Other(_) => return None,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Rsa(usize),
    Curve(usize),
}

impl Limits {
    /// Whether a key is large enough.
    pub const fn allow(&self, size: Size) -> bool {
        match (size, self.rsa, self.curve) {
            (Size::Rsa(bits), Some(least), _) => bits >= least,
            (Size::Curve(bits), _, Some(least)) => bits >= least,
            (Size::Rsa(_), None, _) | (Size::Curve(_), _, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_has_its_smallest_keys() {
        let sizes = [Size::Rsa(1024), Size::Rsa(2048), Size::Rsa(3072), Size::Curve(256), Size::Curve(384)];
        for (policy, expected) in [
            (Policy::Default, [false, true, true, true, true]),
            (Policy::Cis, [false, true, true, true, true]),
            (Policy::Nist800131a, [false, true, true, true, true]),
            (Policy::BsiTr02102, [false, false, true, true, true]),
            (Policy::Cnsa2, [false; 5]),
        ] {
            assert_eq!(sizes.map(|size| policy.limits().allow(size)), expected, "{policy:?}");
        }
    }
}
