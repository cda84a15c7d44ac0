//! One page for a browser: nothing is fetched, nothing needs a script. Whatever comes from a certificate, a path or a profile is
//! text in it, and never a part of its markup, its ids or its links. It is well-formed XML, too, so that a test can tell.

mod cluster;
mod overview;
mod page;
mod parts;
mod tables;
mod timeline;

pub use page::write;
