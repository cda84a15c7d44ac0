//! `kpki renew`: evaluate, refuse; under the lock evaluate again, make everything in memory, commit, notify.

mod beside;
mod evaluate;
mod external;
mod fleet;
mod issued;
mod lists;
mod missing;
mod places;
mod record;
mod renewing;
mod repair;
mod request;
mod run;
mod summary;

pub use fleet::failed_at;
pub use request::Request;
pub use run::run;
