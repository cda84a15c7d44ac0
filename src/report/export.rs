//! `kpki export`: what went into the archive, and what `--verify` found on the node. Nothing of the content.

use serde_json::{Value, json};

use super::table::{finish, plain};
use super::{Form, Width, json, sanitised, yaml};

/// What was packed for one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Export {
    pub node: String,
    pub cluster: String,
    pub directory: String,
    pub out: String,
    pub bytes: usize,
    /// Keys of authorities are in it.
    pub ca_keys: bool,
    pub files: Vec<File>,
    pub notes: Vec<String>,
}

/// A file as it lies on the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub entry: String,
    pub mode: u32,
}

impl Export {
    pub fn render(&self, form: Form, width: Width) -> String {
        match form {
            Form::Table | Form::Wide => self.table(width),
            Form::Json => json::text(&self.value()),
            Form::Yaml => yaml::render(&self.value()),
        }
    }

    fn table(&self, width: Width) -> String {
        let keys = if self.ca_keys { "with CA keys" } else { "without CA keys" };
        let count = self.files.len();
        let verdict = format!("exported {} of {} to {}: {count} files, {keys}", self.node, self.cluster, self.out);
        let mut table = plain(width, &["PATH", "MODE", "ENTRY"]);
        for file in &self.files {
            table.add_row([sanitised(&file.path), format!("{:04o}", file.mode), sanitised(&file.entry)]);
        }
        let next = format!(
            "on {0}: tar -xpf {1} -C / && kpki export --verify {0}",
            self.node,
            self.out.rsplit('/').next().unwrap_or_default()
        );
        format!("{}\n\n{}\n{}\n", sanitised(&verdict), finish(&table), sanitised(&next))
    }

    fn value(&self) -> Value {
        let file = |file: &File| json!({"path": file.path, "mode": format!("{:04o}", file.mode), "entry": file.entry});
        json!({
            "apiVersion": "kpki/v1",
            "kind": "Export",
            "clusterName": self.cluster,
            "node": self.node,
            "directory": self.directory,
            "out": self.out,
            "bytes": self.bytes,
            "caKeys": self.ca_keys,
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

/// Whether what lies on a node is that node's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verify {
    pub directory: String,
    pub node: String,
    pub cluster: Option<String>,
    /// The manifest or archive it was held against.
    pub against: Option<String>,
    /// The other nodes whose files lie there.
    pub owners: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub entry: String,
    pub path: String,
    pub state: State,
    pub findings: Vec<String>,
}

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Right,
    /// The node's, and newer than what was exported.
    Renewed,
    /// It could not be looked at.
    Unreadable,
    Missing,
    Mismatch,
    OtherNode,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Renewed => "renewed",
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
            Self::Mismatch => "mismatch",
            Self::OtherNode => "wrong node",
        }
    }
}

impl Verify {
    /// The worst of all; `Renewed` is right.
    pub fn outcome(&self) -> State {
        match self.rows.iter().map(|row| row.state).max() {
            None | Some(State::Renewed) => State::Right,
            Some(worst) => worst,
        }
    }

    pub fn render(&self, form: Form, width: Width) -> String {
        match form {
            Form::Table | Form::Wide => self.table(width),
            Form::Json => json::text(&self.value()),
            Form::Yaml => yaml::render(&self.value()),
        }
    }

    fn verdict(&self) -> String {
        let (dir, node, all) = (&self.directory, &self.node, self.rows.len());
        let bad = self.rows.iter().filter(|row| row.state > State::Renewed).count();
        match self.outcome() {
            State::OtherNode => format!("wrong node: {dir} holds files of {}, not of {node}", self.owners.join(", ")),
            State::Right | State::Renewed => format!("right: {dir} is {node}'s; {all} entries fit"),
            worst => format!("{}: {bad} of {all} entries in {dir} are not as {node} needs them", worst.name()),
        }
    }

    fn table(&self, width: Width) -> String {
        let mut table = plain(width, &["ENTRY", "STATE", "PATH", "WHY"]);
        for row in &self.rows {
            let cells = [&row.entry, row.state.name(), &row.path, &row.findings.join("; ")];
            table.add_row(cells.map(sanitised));
        }
        let mut text = format!("{}\n\n{}", sanitised(&self.verdict()), finish(&table));
        if self.outcome() > State::Unreadable {
            let next = format!(
                "\nexport it again where the cluster directory is: kpki export {} --dir DIR --out {}.tar.gz\n",
                self.node, self.node
            );
            text.push_str(&sanitised_lines(&next));
        }
        if self.outcome() == State::OtherNode {
            text.push_str("where the node is not called like its machine: kpki export --verify NODE\n");
        }
        text
    }

    fn value(&self) -> Value {
        let row = |row: &Row| json!({"entry": row.entry, "path": row.path, "state": row.state.name(), "findings": row.findings});
        json!({
            "apiVersion": "kpki/v1",
            "kind": "NodeVerification",
            "outcome": self.outcome().name(),
            "node": self.node,
            "clusterName": self.cluster,
            "directory": self.directory,
            "against": self.against,
            "owners": self.owners,
            "entries": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

fn sanitised_lines(text: &str) -> String {
    text.split('\n').map(sanitised).collect::<Vec<_>>().join("\n")
}
