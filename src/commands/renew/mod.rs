//! `kpki renew`: evaluate, refuse; under the lock evaluate again, make everything in memory, commit, notify.

mod beside;
mod deploys;
mod evaluate;
mod external;
mod fleet;
mod hooks;
mod make;
mod programs;
mod record;
mod renewing;
mod repair;
mod request;
mod rollback;
mod run;
mod summary;

pub use fleet::failed_at;
pub use request::Request;
pub use run::run;
