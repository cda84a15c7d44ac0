//! One directory, read.

use time::OffsetDateTime;

use crate::files::Kind;
use crate::verify::{self, Cluster, Verification};
use crate::workspace::interrupted::{self, Interrupted};
use crate::workspace::load::Unit;
use crate::workspace::targets::Target;

/// `Err`: a target that does not exist.
pub type Found<'t> = Result<Unit<'t>, &'t Target>;

/// Everything in it as values; or all that is to be said of it.
pub fn read<'t>(found: &Found<'t>, is_one_of_many: bool, at: OffsetDateTime) -> Result<Cluster<'t>, Box<Verification>> {
    let unreadable = |root: &str, why: &str| Err(Box::new(verify::unreadable(root, why)));
    let unit = match found {
        Ok(unit) => unit,
        Err(target) => return unreadable(&target.root.display().to_string(), &Kind::Missing.to_string()),
    };
    let root = unit.root.display().to_string();
    if unit.root.to_str().is_none() {
        return unreadable(&root, "expected a directory whose name is UTF-8");
    }
    match interrupted::look(&unit.roots()) {
        Err(why) => return unreadable(&root, &why.to_string()),
        Ok(left) if left.iter().any(|one| matches!(one, Interrupted::Unfinished(_))) => {
            return Err(Box::new(verify::interrupted(&root)));
        }
        Ok(_) => {}
    }
    match unit.cluster(at) {
        None if is_one_of_many => Err(Box::new(verify::outside(&root))),
        None => unreadable(&root, "expected a node's kubernetes directory or a cluster directory"),
        Some(cluster) => Ok(cluster),
    }
}
