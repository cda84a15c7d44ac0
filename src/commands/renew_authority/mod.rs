//! `kpki renew ca`: the date of an authority, with its key. Evaluate, refuse; under the lock evaluate again, sign in memory, commit,
//! notify.

mod evaluate;
mod make;
mod renewing;
mod request;
mod run;
mod summary;

pub use request::Request;
pub use run::run;
