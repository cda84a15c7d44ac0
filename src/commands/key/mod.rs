//! `kpki key`: where authorities' keys are, and whether those in a cluster directory are encrypted.

mod copies;
mod expose;
mod held;
mod list;
mod make;
mod phrases;
mod protect;
mod refusals;
mod request;

pub use expose::run as expose;
pub use list::run as list;
pub use protect::run as protect;
pub use request::{ListRequest, Request};
