//! A rotation: authorities and the service account key replaced in phases, so that no verifier ever meets a certificate whose
//! signer it does not trust. Pure.
//!
//! Two rules carry everything. Before the switch: no leaf of the new authority is used while a verifier trusts the old one
//! alone. Before the retirement: no verifier trusts the new one alone while a leaf of the old one is used. So everything first
//! trusts both, then the new one signs, then the old one goes. The signer is the first certificate of the file in every
//! phase, because that is the one that kubeadm signs with.

mod authority;
mod bundle;
pub mod found;
pub mod gate;
mod given;
pub mod in_force;
mod name;
mod next_key;
pub mod phase;
mod read_again;
mod ready;
pub mod scan;
mod shipped;
mod signing;
pub mod steps;
mod waits;

pub use authority::{Inexpressible, Successor, Wishes, authority};
pub use bundle::{Trusted, own_part};
pub use given::{Objection, judge};
pub use name::{are_generations, number_of};
pub use next_key::{move_it, unmoved};
pub use read_again::{is_read_again, is_reordered};
pub use ready::{NotReady, keeps_subject, lasts};
pub use shipped::{Missed, is_step, missed};
pub use signing::{Known, Seen, SigningNode, known};
pub use waits::Waits;
