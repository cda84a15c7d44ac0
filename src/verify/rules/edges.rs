//! Connections between the cluster's components, which `verify::edges` tries.

use crate::verify::rule::{Rule, Severity};

pub const REFUSED: Rule = Rule {
    id: "edge/refused",
    severity: Severity::Error,
    what: "one side of a TLS connection refuses the other",
    why: "a handshake in memory, judged as Go's crypto/tls and crypto/x509 do (RFC 8446, RFC 5280 section 6.1)",
    repair: "repair the file that is refused, or the bundle it is judged by; rows of the matrix say who is cut off",
    follows: &[],
};

/// The area of these rules.
pub const AREA: &str = "edge";

pub const RULES: [&Rule; 1] = [&REFUSED];
