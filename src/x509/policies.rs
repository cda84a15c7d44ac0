//! Certificate policies of a path (RFC 5280 sections 6.1.2 to 6.1.5), with the policy graph of RFC 9618 in place of the tree,
//! so that no path makes the work grow exponentially.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::Oid;
use crate::encoding::oid;
use crate::encoding::tlv::{self, Element, Fields, NotDer};
use crate::x509::Certificate;
use crate::x509::names::same_name;

const ANY: Oid = Oid(std::borrow::Cow::Borrowed("2.5.29.32.0"));
const CERTIFICATE_POLICIES: &str = "2.5.29.32";
const POLICY_MAPPINGS: &str = "2.5.29.33";
const POLICY_CONSTRAINTS: &str = "2.5.29.36";
const INHIBIT_ANY_POLICY: &str = "2.5.29.54";

/// What a caller expects of the policies (section 6.1.1 (c), (e), (f) and (g)); by default nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct PolicyInput<'a> {
    /// user-initial-policy-set; empty: any policy.
    pub acceptable: &'a [Oid],
    /// initial-explicit-policy: the path must be valid for one of them.
    pub explicit: bool,
    /// initial-policy-mapping-inhibit.
    pub inhibit_mapping: bool,
    /// initial-any-policy-inhibit.
    pub inhibit_any: bool,
}

/// How a certificate breaks the rules of policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("expected a readable extension {0}, found none")]
    Malformed(Oid),
    /// 6.1.4 (a).
    #[error("expected policy mappings between policies, found anyPolicy in one (policyMappings)")]
    MapsAny,
    /// 6.1.3 (f) and 6.1.5 (g).
    #[error("expected a certificate policy that the whole path is valid for, found none (certificatePolicies)")]
    NoPolicy,
}

/// One policy at one depth of the graph.
#[derive(Debug, Default)]
struct Node {
    expected: BTreeSet<Oid>,
    /// Policies one level above.
    parents: BTreeSet<Oid>,
}

type Level = BTreeMap<Oid, Node>;

/// The policies of a path so far, a level for each certificate below the anchor, each node by its valid policy. Its last level
/// is empty: the graph is null.
struct Graph(Vec<Level>);

/// The extensions of one certificate that are about policies.
#[derive(Debug, Default)]
struct Stated {
    policies: Option<BTreeSet<Oid>>,
    mappings: BTreeMap<Oid, BTreeSet<Oid>>,
    require_explicit: Option<usize>,
    inhibit_mapping: Option<usize>,
    inhibit_any: Option<usize>,
}

/// Judges a path from the anchor down to the leaf. The anchor's policyConstraints and inhibitAnyPolicy count as well (RFC 5937),
/// its certificatePolicies do not.
///
/// # Errors
/// The position of the certificate that breaks a rule, and how.
pub fn check(path: &[&Certificate], input: PolicyInput<'_>) -> Result<(), (usize, PolicyError)> {
    // Without either nothing ever demands a policy.
    let demands = |one: &&Certificate| {
        one.extensions.iter().any(|(id, _)| [POLICY_CONSTRAINTS, POLICY_MAPPINGS].contains(&&*id.0))
    };
    if !input.explicit && !path.iter().any(demands) {
        return Ok(());
    }
    let read = |(depth, one): (usize, &&Certificate)| {
        Ok((Stated::read(one).map_err(|why| (depth, why))?, same_name(&one.issuer, &one.subject)))
    };
    judge(&path.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?, input)
}

/// The same by what the certificates state, each with whether it is self-issued.
fn judge(path: &[(Stated, bool)], input: PolicyInput<'_>) -> Result<(), (usize, PolicyError)> {
    let below = path.len().saturating_sub(1);
    let start = |inhibited: bool| if inhibited { 0 } else { below + 1 };
    let (mut explicit, mut mapping) = (start(input.explicit), start(input.inhibit_mapping));
    let mut any = start(input.inhibit_any);
    let root = Node { expected: BTreeSet::from([ANY]), parents: BTreeSet::new() };
    let mut graph = Graph(vec![BTreeMap::from([(ANY, root)])]);
    for (depth, (stated, is_self_issued)) in path.iter().enumerate() {
        let is_leaf = depth == below;
        if depth > 0 {
            graph.add(stated.policies.as_ref(), any > 0 || (!is_leaf && *is_self_issued));
            if explicit == 0 && graph.is_null() {
                return Err((depth, PolicyError::NoPolicy));
            }
            if !is_leaf {
                graph.map(&stated.mappings, mapping > 0).map_err(|why| (depth, why))?;
            }
            if is_leaf || !*is_self_issued {
                explicit = explicit.saturating_sub(1);
                mapping = mapping.saturating_sub(1);
                any = any.saturating_sub(1);
            }
        }
        // In the leaf a number above 0 speaks of certificates that do not follow.
        let stated_explicit = stated.require_explicit.filter(|number| !is_leaf || *number == 0);
        explicit = explicit.min(stated_explicit.unwrap_or(explicit));
        mapping = mapping.min(stated.inhibit_mapping.unwrap_or(mapping));
        any = any.min(stated.inhibit_any.unwrap_or(any));
    }
    if explicit == 0 && !graph.is_acceptable(input.acceptable) {
        return Err((below, PolicyError::NoPolicy));
    }
    Ok(())
}

impl Graph {
    fn is_null(&self) -> bool {
        self.0.last().is_none_or(BTreeMap::is_empty)
    }

    /// 6.1.3 (d) and (e). `any`: anyPolicy in this certificate counts.
    fn add(&mut self, policies: Option<&BTreeSet<Oid>>, any: bool) {
        let mut level = Level::new();
        if let (Some(policies), Some(above)) = (policies, self.0.last()) {
            let mut expecting: BTreeMap<&Oid, BTreeSet<Oid>> = BTreeMap::new();
            for (policy, node) in above {
                node.expected.iter().for_each(|one| {
                    expecting.entry(one).or_default().insert(policy.clone());
                });
            }
            for policy in policies.iter().filter(|policy| **policy != ANY) {
                let by_any = || above.contains_key(&ANY).then(|| BTreeSet::from([ANY]));
                if let Some(parents) = expecting.get(policy).cloned().or_else(by_any) {
                    level.insert(policy.clone(), Node { expected: BTreeSet::from([policy.clone()]), parents });
                }
            }
            if any && policies.contains(&ANY) {
                for (policy, parents) in expecting {
                    let expected = BTreeSet::from([policy.clone()]);
                    level.entry(policy.clone()).or_insert(Node { expected, parents });
                }
            }
        }
        self.0.push(level);
        self.prune();
    }

    /// 6.1.4 (a) and (b). `allowed`: mapping is not inhibited.
    fn map(&mut self, mappings: &BTreeMap<Oid, BTreeSet<Oid>>, allowed: bool) -> Result<(), PolicyError> {
        if mappings.iter().any(|(from, to)| *from == ANY || to.contains(&ANY)) {
            return Err(PolicyError::MapsAny);
        }
        let Some(level) = self.0.last_mut() else { return Ok(()) };
        for (from, to) in mappings {
            if !allowed {
                level.remove(from);
            } else if let Some(node) = level.get_mut(from) {
                node.expected.clone_from(to);
            } else if let Some(any) = level.get(&ANY) {
                let parents = any.parents.clone();
                level.insert(from.clone(), Node { expected: to.clone(), parents });
            }
        }
        self.prune();
        Ok(())
    }

    /// Removes what no longer leads to the last level.
    fn prune(&mut self) {
        let mut wanted: Option<BTreeSet<Oid>> = None;
        for level in self.0.iter_mut().rev() {
            if let Some(wanted) = wanted {
                level.retain(|policy, _| wanted.contains(policy));
            }
            wanted = Some(level.values().flat_map(|node| node.parents.iter().cloned()).collect());
        }
    }

    /// 6.1.5 (g): what the authorities allow and what the caller takes have a policy in common.
    fn is_acceptable(&self, acceptable: &[Oid]) -> bool {
        if self.is_null() {
            return false;
        }
        let ends_in_any = self.0.last().is_some_and(|level| level.contains_key(&ANY));
        let mut allowed =
            self.0.iter().flatten().filter(|(policy, node)| **policy != ANY && node.parents.contains(&ANY));
        let mut in_common = || allowed.any(|(policy, _)| acceptable.contains(policy));
        acceptable.is_empty() || acceptable.contains(&ANY) || ends_in_any || in_common()
    }
}

impl Stated {
    fn read(certificate: &Certificate) -> Result<Self, PolicyError> {
        let mut stated = Self::default();
        for (id, _) in &certificate.extensions {
            let malformed = |_| PolicyError::Malformed(id.clone());
            let value = || certificate.extension_value(id).ok_or(NotDer);
            match &*id.0 {
                CERTIFICATE_POLICIES => {
                    stated.policies = Some(value().and_then(|value| policies(&value)).map_err(malformed)?);
                }
                POLICY_MAPPINGS => stated.mappings = value().and_then(|value| mappings(&value)).map_err(malformed)?,
                POLICY_CONSTRAINTS => {
                    (stated.require_explicit, stated.inhibit_mapping) =
                        value().and_then(|value| constraints(&value)).map_err(malformed)?;
                }
                INHIBIT_ANY_POLICY => {
                    let read = |value: Vec<u8>| number(tlv::single(&value)?, tlv::INTEGER);
                    stated.inhibit_any = Some(value().and_then(read).map_err(malformed)?);
                }
                _ => {}
            }
        }
        Ok(stated)
    }
}

fn policies(value: &[u8]) -> Result<BTreeSet<Oid>, NotDer> {
    let list = tlv::children(value, tlv::SEQUENCE)?;
    // Qualifiers say nothing about the path.
    let policy = |one: Element<'_>| policy(Fields::inside(one.raw, tlv::SEQUENCE)?.take(tlv::OBJECT_IDENTIFIER)?);
    let read: BTreeSet<Oid> = list.into_iter().map(policy).collect::<Result<_, _>>()?;
    if read.is_empty() { Err(NotDer) } else { Ok(read) }
}

fn policy(content: &[u8]) -> Result<Oid, NotDer> {
    oid::read(content).ok_or(NotDer)
}

fn mappings(value: &[u8]) -> Result<BTreeMap<Oid, BTreeSet<Oid>>, NotDer> {
    let mut read: BTreeMap<Oid, BTreeSet<Oid>> = BTreeMap::new();
    for pair in tlv::children(value, tlv::SEQUENCE)? {
        let mut fields = Fields::inside(pair.raw, tlv::SEQUENCE)?;
        let (from, to) = (fields.take(tlv::OBJECT_IDENTIFIER)?, fields.take(tlv::OBJECT_IDENTIFIER)?);
        fields.end()?;
        read.entry(policy(from)?).or_default().insert(policy(to)?);
    }
    if read.is_empty() { Err(NotDer) } else { Ok(read) }
}

/// requireExplicitPolicy [0] and inhibitPolicyMapping [1], of which one at least must be there.
fn constraints(value: &[u8]) -> Result<(Option<usize>, Option<usize>), NotDer> {
    let mut fields = Fields::inside(value, tlv::SEQUENCE)?;
    let (explicit, mapping) = (tlv::CONTEXT, tlv::CONTEXT | 1);
    let require_explicit = fields.optional(explicit)?.map(|one| number(one, explicit)).transpose()?;
    let inhibit_mapping = fields.optional(mapping)?.map(|one| number(one, mapping)).transpose()?;
    fields.end()?;
    if require_explicit.is_none() && inhibit_mapping.is_none() {
        return Err(NotDer);
    }
    Ok((require_explicit, inhibit_mapping))
}

/// A number of certificates; larger than any path is as good as the largest.
fn number(element: Element<'_>, tag: u8) -> Result<usize, NotDer> {
    element.of(tag)?;
    let magnitude = tlv::unsigned(Element { tag: tlv::INTEGER, ..element })?;
    let wide = magnitude.len() > size_of::<u16>();
    Ok(if wide { usize::MAX } else { magnitude.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)) })
}

#[cfg(test)]
#[path = "policies_tests.rs"]
mod tests;
