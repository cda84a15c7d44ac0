use serde::{Serialize, Serializer};

use crate::report::certificate::{self, Facts};
use crate::tree::EntryId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "InitReport", rename_all = "camelCase")]
pub struct Init {
    pub outcome: Outcome,
    #[serde(rename = "clusterName")]
    pub cluster: String,
    pub directory: String,
    pub layout: &'static str,
    /// The node of a one-node tree.
    pub node: Option<String>,
    /// The generation that keeps what was replaced.
    pub generation: Option<String>,
    /// The file with the bindings that the cluster needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap_manifests: Option<String>,
    #[serde(rename = "entries")]
    pub items: Vec<Item>,
    /// Entries that lack what was added to the profile, until they are renewed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_to_renew: Vec<String>,
    /// Authorities whose new keys are encrypted, and whose passphrase the profile does not name.
    #[serde(skip)]
    pub unattended: Vec<&'static str>,
    pub warnings: Vec<String>,
    /// Authorities that sign, and whose keys are no plain files here: each has to be opened first.
    #[serde(skip)]
    pub closed: Vec<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything was made.
    Created,
    /// What was missing was added, what did not fit was replaced.
    Completed,
    /// Everything was there and fits.
    Unchanged,
    /// `--dry-run`.
    Planned,
}

/// One entry of the tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Item {
    #[serde(flatten)]
    pub id: EntryId,
    /// `create`, `replace`, `request`, `keep`; `left`: the key of its authority could not be opened.
    pub action: &'static str,
    pub algorithm: Option<String>,
    #[serde(flatten, serialize_with = "facts_or_nulls")]
    pub facts: Option<Facts>,
    /// Below the directory, or absolute for the kubelet's own.
    pub paths: Vec<String>,
    /// How an authority signs whose key is no plain file of the tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why it is replaced, who issued it, or why it waits.
    pub reasons: Vec<String>,
    /// It waits for a program that is asked again by the next run.
    #[serde(skip)]
    pub has_issuer: bool,
}

impl Init {
    /// What was not done, and why.
    pub fn failures(&self) -> Vec<String> {
        let waits = self.whys(|item| matches!(item.action, "request" | "left"));
        let lacks = (!self.left_to_renew.is_empty())
            .then(|| format!("{}: it does not fit the profile until it is renewed", few(&self.left_to_renew)));
        waits.into_iter().chain(lacks).map(|text| format!("{}: {text}", self.directory)).collect()
    }

    /// The reasons of these; what is the same for several is said once.
    pub(super) fn whys(&self, is_meant: impl Fn(&Item) -> bool) -> Vec<String> {
        let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
        for item in self.items.iter().filter(|item| is_meant(item)) {
            let why = item.reasons.join("; ");
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, ids)) => ids.push(item.id.to_string()),
                None => reasons.push((why, vec![item.id.to_string()])),
            }
        }
        reasons.iter().map(|(why, ids)| format!("{}: {why}", few(ids))).collect()
    }
}

fn few(ids: &[String]) -> String {
    match ids {
        [first, _, _, _, ..] => format!("{first} and {} more", ids.len() - 1),
        few => few.join(", "),
    }
}

fn facts_or_nulls<S: Serializer>(facts: &Option<Facts>, to: S) -> Result<S::Ok, S::Error> {
    match facts {
        Some(facts) => facts.serialize(to),
        None => to.collect_map(certificate::KEYS.map(|key| (key, ()))),
    }
}
