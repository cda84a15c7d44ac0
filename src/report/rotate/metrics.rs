//! `kpki rotate status` for Prometheus' textfile collector.

use std::io::{self, Write};

use time::OffsetDateTime;

use super::status::{AuthorityRow, Outcome, Status};
use crate::clock::parse_instant;
use crate::report::labels::{Labels, head};
use crate::tree::rotation::Phase;

/// A family with a value of each authority; `None`: it has none.
struct Family {
    name: &'static str,
    help: &'static str,
    value: fn(&AuthorityRow) -> Option<i64>,
}

const FAMILIES: [Family; 4] = [
    Family {
        name: "kpki_rotation_phase_start_timestamp_seconds",
        help: "When the present phase of a rotation began, in seconds since the epoch.",
        value: |one| one.since.map(OffsetDateTime::unix_timestamp),
    },
    Family {
        name: "kpki_rotation_next_allowed_timestamp_seconds",
        help: "From when on time does not stand in the way of the next step, in seconds since the epoch.",
        value: |one| one.not_before.map(OffsetDateTime::unix_timestamp),
    },
    Family {
        name: "kpki_rotation_old_not_after",
        help: "End of the old authority's validity, in seconds since the epoch.",
        value: |one| {
            let ends = &one.old.as_ref()?.certificate.as_ref()?.not_after;
            parse_instant(ends, OffsetDateTime::UNIX_EPOCH).map(OffsetDateTime::unix_timestamp)
        },
    },
    Family {
        name: "kpki_rotation_nodes_unconfirmed",
        help: "Nodes on which the present phase of a rotation is not known to be in force.",
        value: |one| one.phase.and_then(|_| i64::try_from(one.unconfirmed).ok()),
    },
];

const PHASES: [Option<Phase>; 4] = [None, Some(Phase::Prepared), Some(Phase::Switched), Some(Phase::Emergency)];

impl Status {
    /// Absolute instants and no timestamps of the samples; each family stands together.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn metrics(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut source = Labels::default();
        source.add("source_kind", "file");
        source.add("source_name", &self.directory);
        source.place(self.cluster.as_deref(), None);
        let source = source.0;
        head("kpki_rotation_phase", "1 for the phase that an authority's rotation is in, 0 for the others.", out)?;
        for one in &self.authorities {
            for phase in PHASES {
                let (name, value) = (phase.map_or("none", Phase::name), u8::from(one.phase == phase));
                writeln!(
                    out,
                    "kpki_rotation_phase{{authority=\"{}\",phase=\"{name}\",{source}}} {value}",
                    one.authority
                )?;
            }
        }
        for family in &FAMILIES {
            let all: Vec<_> =
                self.authorities.iter().filter_map(|one| Some((one.authority, (family.value)(one)?))).collect();
            if !all.is_empty() {
                head(family.name, family.help, out)?;
            }
            for (authority, value) in all {
                writeln!(out, "{}{{authority=\"{authority}\",{source}}} {value}", family.name)?;
            }
        }
        head(
            "kpki_rotation_blocked",
            "1 if record, files, receipts and dates do not fit each other, 0 otherwise.",
            out,
        )?;
        writeln!(out, "kpki_rotation_blocked{{{source}}} {}", u8::from(self.outcome == Outcome::Blocked))
    }
}
