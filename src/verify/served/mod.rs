//! What the components serve against what lies on disk: where they are asked, and what an answer means. Pure; who asks is `live`.

mod compare;
mod endpoint;
mod endpoints;
mod findings;
mod further;
mod given;
mod live;
mod on_disk;
mod row;
mod words;

pub use compare::compare;
pub use endpoint::{Endpoints, Source};
pub use endpoints::{UnknownEndpoint, endpoints};
pub use findings::{findings, not_looked_at};
pub use given::Given;
pub use live::Live;
pub use row::{Ends, Facts, Row, State};
