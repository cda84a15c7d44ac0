//! What the components serve: `kpki verify --live`.

use crate::verify::rule::{Rule, Severity};

pub const OLDER: Rule = Rule {
    id: "served/older",
    severity: Severity::Warning,
    what: "a component serves an older certificate than the one on disk",
    why: "what its release reads again, and when, is in the table of readers (kpki-renew(1))",
    repair: "wait until it reads its files again, or restart it",
    follows: &[],
};

pub const OTHER: Rule = Rule {
    id: "served/other",
    severity: Severity::Error,
    what: "a component serves a certificate that is not the one on disk, nor one before it",
    why: "kube-apiserver --tls-cert-file, etcd --cert-file and --peer-cert-file, the kubelet's tlsCertFile: it was started with \
          another file, or another program answers there",
    repair: "compare the component's flags with the paths that were looked at, and look whether the address is the component's",
    follows: &[],
};

pub const EXPIRED: Rule = Rule {
    id: "served/expired",
    severity: Severity::Error,
    what: "a component serves a certificate that is not valid now",
    why: "RFC 5280 section 4.1.2.5: no client accepts it",
    repair: "renew it, and restart the component unless it reads its files again",
    follows: &["date/expired", "date/not-yet-valid", "date/never-valid"],
};

pub const ENDING: Rule = Rule {
    id: "served/ending",
    severity: Severity::Warning,
    what: "a component serves a certificate that ends within the warning window",
    why: "RFC 5280 section 4.1.2.5: from its end on no client accepts it",
    repair: "renew it, and restart the component unless it reads its files again",
    follows: &["date/ending"],
};

pub const RULES: [&Rule; 4] = [&OLDER, &OTHER, &EXPIRED, &ENDING];
