//! The exit statuses.

use crate::audit::State;
use crate::signals::Signal;

/// Exit statuses, one table for the whole program (docs/reference/exit-statuses.md and man page show it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Refused or failed; nothing was changed unless the message says so.
    Failed,
    /// The command line or the profile is wrong in form.
    Usage,
    /// check-expiration: something is inside its warning window, nothing worse; crl check: a CRL is stale or about to
    /// be.
    Warning,
    /// check-expiration: something is critical, expired, held, revoked, not yet valid, of the wrong issuer, with another's key or unlike ca.crt, missing or unreadable; crl
    /// check: a certificate is revoked or held; export --verify: a file is another node's, is older than the newest that is known, or does not fit the others; nodes: a receipt contradicts the
    /// directory; backup: it is not whole.
    Critical,
    /// Some of it was not done, because of an external authority or a problem; the rest was.
    Partial,
    /// Done, but the report of it could not be written to standard output; standard error has it.
    Unreported,
    /// plan: something would change; renew --detailed-exitcode: something was renewed.
    Renewed,
    /// Ended by a signal: 128 and its number. What was begun was finished or undone.
    Stopped(Signal),
    /// What a monitoring plugin answers (`-o nagios`): 0 ok, 1 warning, 2 critical, 3 unknown.
    Plugin(u8),
}

/// The statuses as text, for the test that compares page and help.
#[cfg(any(test, feature = "internals"))]
pub const STATUSES: [(u8, &str); 11] = [
    (0, "done, nothing to do, or nothing inside the windows"),
    (
        1,
        "refused, failed or could not run; plan: a cluster could not be read, or would be refused; unpack, renew: a hook failed; crl check: no answer",
    ),
    (2, "wrong command line or profile"),
    (
        3,
        "check-expiration: a certificate is inside its warning window; crl check: a CRL is stale or about to be; verify: warnings, or something was not looked at; nodes: something waits; rotate status, rotate next: a rotation is in progress; backup verify: whole, but the tree has changed since",
    ),
    (
        4,
        "check-expiration: a certificate is critical, expired, held, revoked, not yet valid, of the wrong issuer, with another's key or unlike ca.crt, missing or unreadable; crl check: \
         one is revoked or held; export --verify: a file is another node's, does not fit the others, is older than the newest that is known or is missing; verify: errors; nodes: a receipt contradicts the directory; rotate status, rotate next: a file is not of the phase that is recorded, a receipt contradicts it, or the old authority ends before the waits are over; rotate scan: something is in the way; backup, backup verify, backup restore: it is not whole, such as without the key of an authority",
    ),
    (
        5,
        "init, renew, csr, crl update: some entries were not done, such as those of an external authority or one whose key did not open; the others were; init: certificates lack what was added to the profile until they are renewed; \
         revoke NODE/all, nodes remove --revoke: some certificates were not revoked; nodes merge: a list has to be signed, and its key is not here or did not open; adopt: something differs or was not taken; renew ca: a request is left for whoever signs it; rotate prepare, rotate switch: others must do something first, or a certificate was not made again; \
         backup, backup restore: something of the tree is not in it, such as an authority's key that is elsewhere; key protect: a node has the key in plain, or a copy is left; history --issued, --revoked: a journal, or lines of one, could not be read",
    ),
    (
        6,
        "it is done, but its report could not be written to standard output (a full disk); standard error has the report",
    ),
    (10, "plan: something would change, or is left; renew --detailed-exitcode: something was renewed"),
    (129, "ended by SIGHUP: what was begun was finished or undone"),
    (130, "the same by SIGINT (Ctrl-C)"),
    (143, "the same by SIGTERM"),
];

impl From<State> for Exit {
    fn from(state: State) -> Self {
        match state {
            State::Absent | State::Ok => Self::Done,
            State::Warning => Self::Warning,
            _ => Self::Critical,
        }
    }
}

impl Exit {
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Warning => 3,
            Self::Critical => 4,
            Self::Partial => 5,
            Self::Unreported => 6,
            Self::Renewed => 10,
            Self::Stopped(signal) => signal.status(),
            Self::Plugin(status) => status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_a_table() {
        let all =
            [Exit::Done, Exit::Failed, Exit::Usage, Exit::Warning, Exit::Critical, Exit::Partial, Exit::Unreported];
        let all = all.into_iter().chain([Exit::Renewed]).chain(Signal::ALL.map(Exit::Stopped));
        let all: Vec<Exit> = all.collect();
        let codes: Vec<u8> = all.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, STATUSES.map(|(status, _)| status));
        // Of several statuses the highest is used.
        assert!(all.is_sorted());
        let states = State::ALL.map(|state| Exit::from(state).code());
        assert_eq!(states, [0, 0, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]);
        assert_eq!([0, 1, 2, 3].map(|status| Exit::Plugin(status).code()), [0, 1, 2, 3]);
    }
}
