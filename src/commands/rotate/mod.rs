//! `kpki rotate`: authorities and the service account key replaced in phases. Each step is decided in a file of its own, and
//! carried out by one engine (`run`).

mod back;
mod born;
mod by_source;
mod confirm;
mod content;
mod context;
mod context_keys;
mod cross;
mod elsewhere;
mod emergency;
mod emergency_new;
mod forget;
mod gate;
mod instructions;
mod make;
mod manifests;
mod next;
mod prepare;
mod profile;
mod ready;
mod record;
mod request;
mod retire;
mod run;
pub mod scan;
mod shown;
mod status;
mod status_parts;
mod summary;
mod switch;
mod words;

pub use crate::workspace::shipping::given::Input;
pub use confirm::{ConfirmRequest, confirm};
pub use next::{Next, NextRequest, next};
pub use request::{
    BackOptions, EmergencyOptions, Options, PrepareOptions, RecordOptions, Request, RetireOptions, SignerFile, Step,
    SwitchOptions,
};
pub use run::run;
pub use status::{StatusRequest, status};
