//! `kpki rotate`: authorities and the service account key replaced in phases. Each step is decided in a file of its own, and
//! carried out by one engine (`run`).

mod back;
mod context;
mod cross;
mod emergency;
mod forget;
mod gate;
mod instructions;
mod make;
mod manifests;
mod prepare;
mod ready;
mod record;
mod request;
mod retire;
mod run;
pub mod scan;
mod summary;
mod switch;

pub use request::{
    EmergencyOptions, Options, PrepareOptions, RecordOptions, Request, RetireOptions, SignerFile, Step, SwitchOptions,
};
pub use run::run;
